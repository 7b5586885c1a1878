// The kernel.
#pragma once

#include <cmath>

template <class T>
T my_sigmoid(T z) {
  using std::exp;
  return T(1) / (T(1) + exp(-z));
}
