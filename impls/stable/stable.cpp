// SPDX-License-Identifier: Apache-2.0
// Plug-in `stable`: each op in a form that neither overflows nor cancels (but for the gradient of
// the loss at its own zero), in the arithmetic of the dtype over libm. f16 and bf16 are computed in
// float and rounded once.
#include <algorithm>
#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"

namespace {

double wide(double v) { return v; }
float wide(float v) { return v; }
float wide(ulpaudit::f16 v) { return static_cast<float>(v); }
float wide(ulpaudit::bf16 v) { return static_cast<float>(v); }

template <class T>
T sigmoid(T z) {
  const T e = exp(-fabs(z));
  return (z < 0 ? e : T(1)) / (T(1) + e);
}

// Beside z = 0 the quotient alone can round to the number above 1/4 (f32: 0x1.000002p-2 at
// z = -0x1.69ff44p-12), and no value of the function is that large. std::min hands a NaN through.
template <class T>
T sigmoid_grad(T z) {
  const T e = exp(-fabs(z));
  return std::min(e / ((T(1) + e) * (T(1) + e)), T(0.25));
}

// Two terms >= 0. The test of c keeps inf*0 out: the loss of an infinite, right logit is 0. A NaN
// in z then comes through e, one in y through c.
template <class T>
T bce(T z, T y) {
  const T a = fabs(z);
  const T c = z < 0 ? y : T(1) - y;
  return (c == 0 ? T(0) : a * c) + log1p(exp(-a));
}

// Near 0 the digits of z must survive beside ½; in the tails those of e beside 1-y or y.
template <class T>
T bce_grad(T z, T y) {
  if (fabs(z) < 1) return T(0.5) * tanh(T(0.5) * z) + (T(0.5) - y);
  const T e = exp(-fabs(z));
  const T s = e / (T(1) + e);
  return z < 0 ? s - y : (T(1) - y) - s;
}

}  // namespace

// Another name where it is compiled by other flags (impls/peers).
#ifndef ULPAUDIT_PLUGIN_NAME
#define ULPAUDIT_PLUGIN_NAME "stable"
#endif
#define ELEMENT(f) [](auto... v) { return f(wide(v)...); }

ULPAUDIT_PLUGIN(ULPAUDIT_PLUGIN_NAME, "1.0", kContract,
                ulpaudit::unary("sigmoid", "sigmoid", "(z<0 ? e : 1)/(1+e), e = exp(-|z|)",
                                ELEMENT(sigmoid)),
                ulpaudit::unary("sigmoid_grad", "sigmoid_grad",
                                "min(e/(1+e)^2, 1/4), e = exp(-|z|)", ELEMENT(sigmoid_grad)),
                ulpaudit::binary("bce", "bce_with_logits",
                                 "|z|*c+log1p(exp(-|z|)), c = z<0 ? y : 1-y", ELEMENT(bce)),
                ulpaudit::binary("bce_grad", "bce_with_logits_grad",
                                 "|z|<1: tanh(z/2)/2+(1/2-y), else (1-y)-e/(1+e) or e/(1+e)-y",
                                 ELEMENT(bce_grad)))
