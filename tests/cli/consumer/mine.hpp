// The kernel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

template <class T>
T my_sigmoid(T z) {
  using std::exp, std::fabs;
  const T e = exp(-fabs(z));
  return (z < T(0) ? e : T(1)) / (T(1) + e);
}
