// Plug-in `cuda`: naive, stable and vectorised kernels on an NVIDIA GPU, with precise functions,
// with fast intrinsics, and by -use_fast_math. Without a device they are unavailable.
// SPDX-License-Identifier: Apache-2.0
#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"
#include "device.hpp"

namespace {

using cuda_ops::Form;
using cuda_ops::Op;

template <class T>
constexpr std::uint32_t kDtype = ulpaudit::shim::Dtype<T>::value;

/// A form of an op, over host memory and by the device's clock.
struct Kernel {
  Op op;
  Form form;

  template <class T>
  void operator()(const T* z, T* out, std::size_t n) const {
    cuda_ops::run_on_device(op, form, kDtype<T>, sizeof(T), z, nullptr, out, n);
  }
  template <class T>
  void operator()(const T* z, const T* y, T* out, std::size_t n) const {
    cuda_ops::run_on_device(op, form, kDtype<T>, sizeof(T), z, y, out, n);
  }
  template <class T>
  void run_on_device(const ulpaudit_device_batch& b) const {
    cuda_ops::run_on_arrays(op, form, b);
  }
  template <class T>
  void time(const T*, const T*, ulpaudit_timing& t) const {
    cuda_ops::time_on_device(op, form, sizeof(T), t);
  }
};

template <class K>
auto on_gpu(K kernel) {
  return std::move(kernel)
      .times_itself()
      .takes_device_arrays()
      .tags(ulpaudit::shim::kElementTags)
      .needs("NVIDIA GPU", cuda_ops::why_no_device());
}

template <class... Ts>
auto unary(const char* name, const char* op, const char* formula, Op which, Form form) {
  return on_gpu(ulpaudit::unary_arrays<Ts...>(name, op, formula, Kernel{which, form}));
}

template <class... Ts>
auto binary(const char* name, const char* op, const char* formula, Op which, Form form) {
  return on_gpu(ulpaudit::binary_arrays<Ts...>(name, op, formula, Kernel{which, form}));
}

using ulpaudit::bf16;
using ulpaudit::f16;

}  // namespace

// The five forms of one op: f64 has neither intrinsics nor a change by -use_fast_math. `own` says
// which dtypes have an arithmetic of their own in `vector` (vector.hpp).
#define FORMS(shape, name, op, which, plain, careful, own)                                     \
  shape<f16, bf16, float, double>(name "_naive", op, plain, which, Form::naive),               \
      shape<f16, bf16, float, double>(name "_stable", op, careful, which, Form::stable),       \
      shape<f16, bf16, float, double>(name "_vector", op, careful ", 16 bytes a thread; " own, \
                                      which, Form::vector),                                    \
      shape<f16, bf16, float>(name "_fast", op, careful ", __expf", which, Form::fast),        \
      shape<f16, bf16, float>(name "_fast_math", op, plain ", -use_fast_math", which,          \
                              Form::fast_math)

ULPAUDIT_PLUGIN("cuda", "1.0", kContract,
                FORMS(unary, "sigmoid", "sigmoid", Op::sigmoid, "1/(1+exp(-z))",
                      "(z<0 ? e : 1)/(1+e), e = exp(-|z|)",
                      "f16, bf16: 1/(1+exp(-z)) scaled, ex2.approx, rcp.approx, fma"),
                FORMS(unary, "sigmoid_grad", "sigmoid_grad", Op::sigmoid_grad,
                      "s*(1-s), s = 1/(1+exp(-z))", "e/(1+e)^2, e = exp(-|z|)",
                      "f16, bf16: e*r*r, r = 1/(1+e), ex2.approx, rcp.approx, fma"),
                FORMS(binary, "bce", "bce_with_logits", Op::bce, "max(z,0)-z*y+log(1+exp(-|z|))",
                      "|z|*c+log1p(exp(-|z|)), c = z<0 ? y : 1-y",
                      "f16, bf16: ex2.approx, fma; f64: rcp.approx, fma"),
                FORMS(binary, "bce_grad", "bce_with_logits_grad", Op::bce_grad, "1/(1+exp(-z))-y",
                      "|z|<1: tanh(z/2)/2+(1/2-y), else (1-y)-e/(1+e) or e/(1+e)-y",
                      "f16, bf16: |z|<2, ex2.approx, rcp.approx, fma"))
