// SPDX-License-Identifier: Apache-2.0
// Each op as a formula over vectors of the compiler (vector_size) and a library's exp, log1p and
// tanh: in a form that neither overflows nor cancels, and as textbooks have it. The forms are those
// of impls/stable and impls/naive. No branch: both sides are computed and one is taken.
#pragma once

#include <type_traits>

namespace peers {
namespace {

template <class V>
using LaneOf = typename std::remove_reference<decltype(V{}[0])>::type;
template <class V>
using IntOf = decltype(V{} < V{});

template <class V>
V all(LaneOf<V> x) {
  return V{} + x;
}

template <class V>
V abs(V v) {
  return (V)((IntOf<V>)v & ~(IntOf<V>)-V{});
}

// z < 0 is false for a NaN: it comes through e.
template <class M, class V>
V sigmoid(V z) {
  const V e = M::exp(-abs(z));
  return (z < 0 ? e : all<V>(1)) / (1 + e);
}

template <class M, class V>
V sigmoid_naive(V z) {
  return 1 / (1 + M::exp(-z));
}

// No value of the function is above 1/4, but the quotient can round to one.
template <class M, class V>
V sigmoid_grad(V z) {
  const V e = M::exp(-abs(z));
  const V q = e / ((1 + e) * (1 + e)), most = all<V>(0.25);
  return q > most ? most : q;
}

template <class M, class V>
V sigmoid_grad_naive(V z) {
  const V s = sigmoid_naive<M>(z);
  return s * (1 - s);
}

// The test of c keeps inf*0 out: the loss of an infinite, right logit is 0.
template <class M, class V>
V bce(V z, V y) {
  const V a = abs(z);
  const V c = z < 0 ? y : 1 - y;
  return (c == 0 ? V{} : a * c) + M::log1p(M::exp(-a));
}

template <class M, class V>
V bce_max(V z, V y) {
  return (z > 0 ? z : V{}) - z * y + M::log1p(M::exp(-abs(z)));
}

template <class M, class V>
V bce_grad(V z, V y) {
  const V e = M::exp(-abs(z));
  const V s = e / (1 + e);
  const V core = LaneOf<V>(0.5) * M::tanh(LaneOf<V>(0.5) * z) + (LaneOf<V>(0.5) - y);
  return abs(z) < 1 ? core : z < 0 ? s - y : (1 - y) - s;
}

template <class M, class V>
V bce_grad_naive(V z, V y) {
  return sigmoid_naive<M>(z) - y;
}

}  // namespace
}  // namespace peers
