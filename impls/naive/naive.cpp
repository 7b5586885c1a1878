// Plug-in `naive`: the ops as people write them and are taught them, every operation rounded to the
// dtype. Kept wrong on purpose; contract.toml says where and why each one fails.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cfloat>
#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"

namespace {

// x87 would keep wider intermediates.
static_assert(FLT_EVAL_METHOD == 0, "every operation must be rounded to its own type");

using std::max;
using std::min;

template <class T>
T sigmoid(T z) {
  return T(1) / (T(1) + exp(-z));
}

template <class T>
T sigmoid_exp(T z) {
  return exp(z) / (T(1) + exp(z));
}

template <class T>
T sigmoid_grad(T z) {
  const T s = sigmoid(z);
  return s * (T(1) - s);
}

template <class T>
T bce_prob(T z, T y) {
  const T p = sigmoid(z);
  return -(y * log(p) + (T(1) - y) * log(T(1) - p));
}

// PyTorch's BCELoss clamps each logarithm at -100.
template <class T>
T bce_prob_clamp(T z, T y) {
  const T p = sigmoid(z);
  return -(y * max(log(p), T(-100)) + (T(1) - y) * max(log(T(1) - p), T(-100)));
}

// Keras clips the probability; 1e-7 is the default of its backend.epsilon().
template <class T>
T bce_prob_eps(T z, T y) {
  const T eps = T(1e-7);
  const T p = min(max(sigmoid(z), eps), T(1) - eps);
  return -(y * log(p) + (T(1) - y) * log(T(1) - p));
}

template <class T>
T bce_log(T z, T y) {
  return -y * z + log(T(1) + exp(z));
}

template <class T>
T bce_max(T z, T y) {
  return max(z, T(0)) - z * y + log(T(1) + exp(-abs(z)));
}

// The current BCEWithLogitsLoss of PyTorch, over its log_sigmoid.
template <class T>
T bce_logsigmoid(T z, T y) {
  const T log_sigmoid = min(z, T(0)) - log1p(exp(-abs(z)));
  return (T(1) - y) * z - log_sigmoid;
}

template <class T>
T bce_grad(T z, T y) {
  return sigmoid(z) - y;
}

}  // namespace

// Another name where it is compiled by other flags (impls/peers).
#ifndef ULPAUDIT_PLUGIN_NAME
#define ULPAUDIT_PLUGIN_NAME "naive"
#endif
#define ELEMENT(f) [](auto... v) { return f(v...); }

ULPAUDIT_PLUGIN(
    ULPAUDIT_PLUGIN_NAME, "1.0", kContract,
    ulpaudit::unary("sigmoid", "sigmoid", "1/(1+exp(-z))", ELEMENT(sigmoid)),
    ulpaudit::unary("sigmoid_exp", "sigmoid", "exp(z)/(1+exp(z))", ELEMENT(sigmoid_exp)),
    ulpaudit::unary("sigmoid_grad", "sigmoid_grad", "s*(1-s), s = 1/(1+exp(-z))",
                    ELEMENT(sigmoid_grad)),
    ulpaudit::binary("bce_prob", "bce_with_logits", "-(y*log(p)+(1-y)*log(1-p)), p = 1/(1+exp(-z))",
                     ELEMENT(bce_prob)),
    ulpaudit::binary("bce_prob_clamp", "bce_with_logits",
                     "-(y*max(log(p),-100)+(1-y)*max(log(1-p),-100)), p = 1/(1+exp(-z))",
                     ELEMENT(bce_prob_clamp)),
    ulpaudit::binary("bce_prob_eps", "bce_with_logits",
                     "-(y*log(p)+(1-y)*log(1-p)), p = clip(1/(1+exp(-z)), 1e-7, 1-1e-7)",
                     ELEMENT(bce_prob_eps)),
    ulpaudit::binary("bce_log", "bce_with_logits", "-y*z+log(1+exp(z))", ELEMENT(bce_log)),
    ulpaudit::binary("bce_max", "bce_with_logits", "max(z,0)-z*y+log(1+exp(-|z|))",
                     ELEMENT(bce_max)),
    ulpaudit::binary("bce_logsigmoid", "bce_with_logits", "(1-y)*z-(min(z,0)-log1p(exp(-|z|)))",
                     ELEMENT(bce_logsigmoid)),
    ulpaudit::binary("bce_grad", "bce_with_logits_grad", "1/(1+exp(-z))-y", ELEMENT(bce_grad)))
