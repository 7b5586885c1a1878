// Plug-in `cuda-host`: the plain arithmetic of the plug-in `cuda`, run on the CPU with the host's
// libm. What it errs by is the formula's and the host's; the device's exp and log are others.
#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"
#include "ops.hpp"

namespace {

float widen(ulpaudit::f16 x) { return float(x); }
float widen(ulpaudit::bf16 x) { return float(x); }
float widen(float x) { return x; }
double widen(double x) { return x; }

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

}  // namespace

using namespace cuda_ops;
ULPAUDIT_PLUGIN(
    "cuda-host", "1.0", kContract, unary<NaiveSigmoid>("sigmoid_naive", "sigmoid", "1/(1+exp(-z))"),
    unary<StableSigmoid>("sigmoid_stable", "sigmoid", "(z<0 ? e : 1)/(1+e), e = exp(-|z|)"),
    unary<NaiveSigmoidGrad>("sigmoid_grad_naive", "sigmoid_grad", "s*(1-s), s = 1/(1+exp(-z))"),
    unary<StableSigmoidGrad>("sigmoid_grad_stable", "sigmoid_grad", "e/(1+e)^2, e = exp(-|z|)"),
    binary<NaiveBce>("bce_naive", "bce_with_logits", "max(z,0)-z*y+log(1+exp(-|z|))"),
    binary<StableBce>("bce_stable", "bce_with_logits", "|z|*c+log1p(exp(-|z|)), c = z<0 ? y : 1-y"),
    binary<NaiveBceGrad>("bce_grad_naive", "bce_with_logits_grad", "1/(1+exp(-z))-y"),
    binary<StableBceGrad>("bce_grad_stable", "bce_with_logits_grad",
                          "|z|<1: tanh(z/2)/2+(1/2-y), else (1-y)-e/(1+e) or e/(1+e)-y"))
