// SPDX-License-Identifier: Apache-2.0
// Plug-in `cuda-host`: the arithmetic of the plug-in `cuda`, run on the CPU with the host's libm:
// that of the plain variants, and of `vector` where it is another. What it errs by is the formula's
// and the host's; the device's exp and log, and its approximate instructions, are others.
#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"
#include "ops.hpp"
#include "vector.hpp"

namespace {

float widen(ulpaudit::f16 x) { return float(x); }
float widen(ulpaudit::bf16 x) { return float(x); }
float widen(float x) { return x; }
double widen(double x) { return x; }

// In place of the device's instructions: as near as a float is.
struct Vector : cuda_ops::Precise {
  static float exp2(float x) {
    const float e = ::exp2f(x);
    return e < 0x1p-126f ? 0.0f : e;
  }
  static float reciprocal(float x) { return 1.0f / x; }
  static double reciprocal(double x) { return static_cast<float>(1.0 / x); }
};

template <class Formula>
auto unary(const char* name, const char* op, const char* formula) {
  return ulpaudit::unary(name, op, formula,
                         [](auto z) {
                           const auto x = widen(z);
                           return Formula::template of<cuda_ops::Precise>(x, x);
                         })
      .needs("the host's libm", nullptr);
}

template <class Formula>
auto binary(const char* name, const char* op, const char* formula) {
  return ulpaudit::binary(name, op, formula,
                          [](auto z, auto y) {
                            return Formula::template of<cuda_ops::Precise>(widen(z), widen(y));
                          })
      .needs("the host's libm", nullptr);
}

template <template <class> class Formula, class... Ts>
auto vector_unary(const char* name, const char* op, const char* formula) {
  return ulpaudit::unary<Ts...>(
             name, op, formula,
             [](auto z) { return Formula<decltype(z)>::template of<Vector>(widen(z), widen(z)); })
      .needs("the host's libm", nullptr);
}

template <template <class> class Formula, class... Ts>
auto vector_binary(const char* name, const char* op, const char* formula) {
  return ulpaudit::binary<Ts...>(name, op, formula,
                                 [](auto z, auto y) {
                                   return Formula<decltype(z)>::template of<Vector>(widen(z),
                                                                                    widen(y));
                                 })
      .needs("the host's libm", nullptr);
}

}  // namespace

using namespace cuda_ops;
using ulpaudit::bf16;
using ulpaudit::f16;
ULPAUDIT_PLUGIN(
    "cuda-host", "1.0", kContract, unary<NaiveSigmoid>("sigmoid_naive", "sigmoid", "1/(1+exp(-z))"),
    unary<StableSigmoid>("sigmoid_stable", "sigmoid", "(z<0 ? e : 1)/(1+e), e = exp(-|z|)"),
    vector_unary<VectorSigmoid, f16, bf16>("sigmoid_vector", "sigmoid",
                                           "1/(1+exp(-z)), scaled by 2^8 and back"),
    unary<NaiveSigmoidGrad>("sigmoid_grad_naive", "sigmoid_grad", "s*(1-s), s = 1/(1+exp(-z))"),
    unary<StableSigmoidGrad>("sigmoid_grad_stable", "sigmoid_grad", "e/(1+e)^2, e = exp(-|z|)"),
    vector_unary<VectorSigmoidGrad, f16, bf16>("sigmoid_grad_vector", "sigmoid_grad",
                                               "e*r*r, e = exp(-|z|), r = 1/(1+e), scaled"),
    binary<NaiveBce>("bce_naive", "bce_with_logits", "max(z,0)-z*y+log(1+exp(-|z|))"),
    binary<StableBce>("bce_stable", "bce_with_logits", "|z|*c+log1p(exp(-|z|)), c = z<0 ? y : 1-y"),
    vector_binary<VectorBce, f16, bf16, double>(
        "bce_vector", "bce_with_logits",
        "fma(|z|,c,log1p(exp(-|z|))), c = z<0 ? y : 1-y, polynomials"),
    binary<NaiveBceGrad>("bce_grad_naive", "bce_with_logits_grad", "1/(1+exp(-z))-y"),
    binary<StableBceGrad>("bce_grad_stable", "bce_with_logits_grad",
                          "|z|<1: tanh(z/2)/2+(1/2-y), else (1-y)-e/(1+e) or e/(1+e)-y"),
    vector_binary<VectorBceGrad, f16, bf16>(
        "bce_grad_vector", "bce_with_logits_grad",
        "|z|<2: tanh(z/2)/2+(1/2-y), polynomial, else (1-y)-e/(1+e) or e/(1+e)-y"))
