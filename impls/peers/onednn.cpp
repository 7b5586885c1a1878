// Plug-in `onednn`: the eltwise primitives of oneDNN, which chooses the instruction set itself:
// logistic, its backward from z and from the saved sigmoid, and loss and gradient over them.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <cstdlib>
#include <deque>
#include <dnnl.hpp>
#include <string>
#include <type_traits>
#include <ulpaudit/plugin.hpp>
#include <vector>

namespace {

using dnnl::algorithm;
using dnnl::memory;
using ulpaudit::bf16;
using ulpaudit::f16;

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// oneDNN takes the number of threads from OpenMP, which keeps one for each thread that calls.
void one_thread() {
  thread_local bool done = false;
  if (done) return;
  if (void* set = dlsym(RTLD_DEFAULT, "omp_set_num_threads"))
    reinterpret_cast<void (*)(int)>(set)(1);
  done = true;
}

template <class T>
memory::desc vector_of(std::size_t n) {
  const auto type = std::is_same<T, f16>::value    ? memory::data_type::f16
                    : std::is_same<T, bf16>::value ? memory::data_type::bf16
                                                   : memory::data_type::f32;
  return {{static_cast<memory::dim>(n)}, type, memory::format_tag::a};
}

template <class T>
memory wrap(const T* p, std::size_t n) {
  return {vector_of<T>(n), engine(), const_cast<T*>(p)};
}

// The second parameter of soft_relu is 1 from version 2.7 on; no other one here has any.
constexpr float kAlpha = 1.0f, kBeta = 0.0f;

dnnl::eltwise_forward::primitive_desc forward_desc(algorithm a, const memory::desc& v) {
  const auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kind, a, v, v, kAlpha, kBeta};
#else
  return {{kind, a, v, kAlpha, kBeta}, engine()};
#endif
}

dnnl::eltwise_backward::primitive_desc backward_desc(algorithm a, const memory::desc& v) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), a, v, v, v, kAlpha, kBeta, forward_desc(a, v)};
#else
  return {{a, v, v, kAlpha, kBeta}, engine(), forward_desc(a, v)};
#endif
}

// The primitive for the size of the last call: a size is compiled in.
template <algorithm kAlgorithm, class T, class Primitive, class Desc>
Primitive& for_size(std::size_t n, Desc desc) {
  thread_local std::size_t size = 0;
  thread_local Primitive primitive;
  if (size != n) {
    primitive = Primitive(desc(kAlgorithm, vector_of<T>(n)));
    size = n;
  }
  return primitive;
}

template <algorithm kAlgorithm, class T>
void forward(const T* z, T* out, std::size_t n) {
  one_thread();
  dnnl::stream stream(engine());
  auto& p = for_size<kAlgorithm, T, dnnl::eltwise_forward>(n, forward_desc);
  p.execute(stream, {{DNNL_ARG_SRC, wrap(z, n)}, {DNNL_ARG_DST, wrap(out, n)}});
  stream.wait();
}

// The derivative times 1, of what `from` holds: z (DNNL_ARG_SRC) or sigma (DNNL_ARG_DST).
template <algorithm kAlgorithm, int kArgument, class T>
void backward(const T* from, T* out, std::size_t n) {
  one_thread();
  const std::vector<T> ones(n, T(1.0f));
  dnnl::stream stream(engine());
  auto& p = for_size<kAlgorithm, T, dnnl::eltwise_backward>(n, backward_desc);
  p.execute(stream, {{kArgument, wrap(from, n)},
                     {DNNL_ARG_DIFF_DST, wrap(ones.data(), n)},
                     {DNNL_ARG_DIFF_SRC, wrap(out, n)}});
  stream.wait();
}

struct Sigmoid {
  template <class T>
  void operator()(const T* z, T* out, std::size_t n) const {
    forward<algorithm::eltwise_logistic>(z, out, n);
  }
};

struct SigmoidGrad {
  template <class T>
  void operator()(const T* z, T* out, std::size_t n) const {
    backward<algorithm::eltwise_logistic, DNNL_ARG_SRC>(z, out, n);
  }
};

struct SigmoidGradSaved {
  template <class T>
  void operator()(const T* z, T* out, std::size_t n) const {
    std::vector<T> s(n);
    forward<algorithm::eltwise_logistic_use_dst_for_bwd>(z, s.data(), n);
    backward<algorithm::eltwise_logistic_use_dst_for_bwd, DNNL_ARG_DST>(s.data(), out, n);
  }
};

// oneDNN has neither loss nor its gradient: as its users compose them.
struct Bce {
  void operator()(const float* z, const float* y, float* out, std::size_t n) const {
    std::vector<float> soft(n);
    forward<algorithm::eltwise_soft_relu>(z, soft.data(), n);
    for (std::size_t i = 0; i < n; ++i) out[i] = soft[i] - z[i] * y[i];
  }
};

struct BceGrad {
  void operator()(const float* z, const float* y, float* out, std::size_t n) const {
    std::vector<float> s(n);
    forward<algorithm::eltwise_logistic>(z, s.data(), n);
    for (std::size_t i = 0; i < n; ++i) out[i] = s[i] - y[i];
  }
};

/// Why oneDNN refuses the dtype, in its own words; nullptr where it does not.
template <class T, class F>
const char* refusal(F f) {
  static std::deque<std::string> texts;
  try {
    const std::vector<T> z(64, T(0.5f));
    std::vector<T> out(64);
    f(z.data(), out.data(), z.size());
    return nullptr;
  } catch (const std::exception& e) {
    return texts.emplace_back(e.what()).c_str();
  }
}

template <class T, class F>
auto unary(const char* name, const char* op, const char* formula, F f) {
  return ulpaudit::unary_arrays<T>(name, op, formula, f).needs("", refusal<T>(f));
}

template <class F>
auto binary(const char* name, const char* op, const char* formula, F f) {
  return ulpaudit::binary_arrays<float>(name, op, formula, f);
}

}  // namespace

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define VERSION TEXT(DNNL_VERSION_MAJOR) "." TEXT(DNNL_VERSION_MINOR) "." TEXT(DNNL_VERSION_PATCH)
#define UNARY(T, at)                                                                              \
  unary<T>("sigmoid" at, "sigmoid", "eltwise_logistic", Sigmoid()),                               \
      unary<T>("sigmoid_grad" at, "sigmoid_grad", "backward of eltwise_logistic", SigmoidGrad()), \
      unary<T>("sigmoid_grad_saved" at, "sigmoid_grad",                                           \
               "backward of eltwise_logistic_use_dst_for_bwd", SigmoidGradSaved())

ULPAUDIT_PLUGIN("onednn", VERSION, "", UNARY(float, ""), UNARY(bf16, "@bf16"), UNARY(f16, "@f16"),
                binary("bce", "bce_with_logits", "eltwise_soft_relu(z)-z*y", Bce()),
                binary("bce_grad", "bce_with_logits_grad", "eltwise_logistic(z)-y", BceGrad()))
