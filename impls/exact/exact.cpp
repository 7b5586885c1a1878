// SPDX-License-Identifier: Apache-2.0
// Plug-in `exact`: the correctly rounded result of every op, in every dtype. Each step computes a
// value with a bound and rounds both ends; where they differ the next step takes over: double
// (fast-inl.h, up to f32), double-double (wide-inl.h), MPFR (last_step.cpp).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exact.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "kernels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace exact {
namespace HWY_NAMESPACE {

#define EXACT_KERNEL(name, op, T) \
  void name(const T* z, const T* y, T* out, std::size_t n) { Array<op>(z, y, out, n); }
#define EXACT_KERNELS(name, op)                \
  EXACT_KERNEL(name##F16, op, ulpaudit::f16)   \
  EXACT_KERNEL(name##Bf16, op, ulpaudit::bf16) \
  EXACT_KERNEL(name##F32, op, float)           \
  EXACT_KERNEL(name##F64, op, double)
EXACT_KERNELS(Sigmoid, Op::kSigmoid)
EXACT_KERNELS(SigmoidGrad, Op::kSigmoidGrad)
EXACT_KERNELS(Bce, Op::kBce)
EXACT_KERNELS(BceGrad, Op::kBceGrad)

}  // namespace HWY_NAMESPACE
}  // namespace exact
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <ulpaudit/plugin.hpp>
#include <vector>

#include "contract_text.hpp"

namespace exact {
namespace {

// One table of targets for each kernel and dtype, and an overload by dtype on top.
#define EXACT_EXPORT(name)                                                                 \
  HWY_EXPORT(name##F16);                                                                   \
  HWY_EXPORT(name##Bf16);                                                                  \
  HWY_EXPORT(name##F32);                                                                   \
  HWY_EXPORT(name##F64);                                                                   \
  struct name {                                                                            \
    void operator()(const ulpaudit::f16* z, const ulpaudit::f16* y, ulpaudit::f16* out,    \
                    std::size_t n) const {                                                 \
      HWY_DYNAMIC_DISPATCH(name##F16)(z, y, out, n);                                       \
    }                                                                                      \
    void operator()(const ulpaudit::bf16* z, const ulpaudit::bf16* y, ulpaudit::bf16* out, \
                    std::size_t n) const {                                                 \
      HWY_DYNAMIC_DISPATCH(name##Bf16)(z, y, out, n);                                      \
    }                                                                                      \
    void operator()(const float* z, const float* y, float* out, std::size_t n) const {     \
      HWY_DYNAMIC_DISPATCH(name##F32)(z, y, out, n);                                       \
    }                                                                                      \
    void operator()(const double* z, const double* y, double* out, std::size_t n) const {  \
      HWY_DYNAMIC_DISPATCH(name##F64)(z, y, out, n);                                       \
    }                                                                                      \
  };
EXACT_EXPORT(Sigmoid)
EXACT_EXPORT(SigmoidGrad)
EXACT_EXPORT(Bce)
EXACT_EXPORT(BceGrad)

/// The results of all 65,536 inputs of a 16-bit dtype, computed once.
template <class F, class T>
const T* table() {
  static const std::vector<T> results = [] {
    std::vector<T> z(65536), out(65536);
    for (std::size_t i = 0; i < z.size(); ++i) z[i].bits = static_cast<std::uint16_t>(i);
    F()(z.data(), nullptr, out.data(), z.size());
    return out;
  }();
  return results.data();
}

/// out[i] = results[z[i]], eight at a time: all inputs are read before the first result is stored,
/// so out may be z. Two loads and a store each, of which Zen 3 and Golden Cove do three loads and
/// two stores a cycle: 2/3 of a cycle. Putting results together by PINSRW, which has one port on
/// Intel, takes a cycle (measured 0.32 ns); by shifts more operations than the loads it saves.
/// Measured on Zen 3 in L1, ns per element, best of 3,000 in four runs (bf16, f16): this 0.28 to
/// 0.32, 0.31 to 0.34; PINSRW 0.24 to 0.33, 0.34 to 0.35; inputs by words 0.38, 0.41; words in and
/// out 0.45, 0.45. AVX2's gather is twice as slow.
template <class T>
void look_up(const T* results, const T* z, T* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const T a = results[z[i].bits], b = results[z[i + 1].bits];
    const T c = results[z[i + 2].bits], d = results[z[i + 3].bits];
    const T e = results[z[i + 4].bits], f = results[z[i + 5].bits];
    const T g = results[z[i + 6].bits], h = results[z[i + 7].bits];
    out[i] = a, out[i + 1] = b, out[i + 2] = c, out[i + 3] = d;
    out[i + 4] = e, out[i + 5] = f, out[i + 6] = g, out[i + 7] = h;
  }
  for (; i < n; ++i) out[i] = results[z[i].bits];
}

template <class F>
struct UnaryKernel {
  template <class T>
  void operator()(const T* z, T* out, std::size_t n) const {
    if constexpr (sizeof(T) == 2) {
      look_up(table<F, T>(), z, out, n);
    } else {
      F()(z, nullptr, out, n);
    }
  }
};

template <class F>
auto unary(const char* name, const char* op, const char* formula) {
  return ulpaudit::unary_arrays(name, op, formula, UnaryKernel<F>())
      .tags(ulpaudit::shim::kElementTags);
}

template <class F>
auto binary(const char* name, const char* op, const char* formula) {
  return ulpaudit::binary_arrays(name, op, formula, F()).tags(ulpaudit::shim::kElementTags);
}

}  // namespace
}  // namespace exact

ULPAUDIT_PLUGIN("exact", "1.0", kContract,
                exact::unary<exact::Sigmoid>(
                    "sigmoid", "sigmoid", "RN((z<0 ? e : 1)/(1+e)): double, double-double, MPFR"),
                exact::unary<exact::SigmoidGrad>("sigmoid_grad", "sigmoid_grad",
                                                 "RN(e/(1+e)^2): double, double-double, MPFR"),
                exact::binary<exact::Bce>("bce", "bce_with_logits",
                                          "RN(|z|*c+log1p(e)): double, double-double, MPFR"),
                exact::binary<exact::BceGrad>(
                    "bce_grad", "bce_with_logits_grad",
                    "RN(R+w), w = tanh(z/2)/2 or e/(1+e): double, double-double, MPFR"))

#endif  // HWY_ONCE
