// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the CUDA kernels, for host and device alike: a form of an op is a function
// object over float or double and a Math, which says what exp and log are. 16-bit dtypes are
// computed in float and rounded once.
#pragma once

#include <math.h>

#if defined(__CUDACC__)
#define CUDA_BOTH __host__ __device__ inline
#else
#define CUDA_BOTH inline
#endif

namespace cuda_ops {

// The precise functions: CUDA's on the device, the host's libm on the host.
struct Precise {
  static CUDA_BOTH float exp(float x) { return ::expf(x); }
  static CUDA_BOTH double exp(double x) { return ::exp(x); }
  static CUDA_BOTH float log(float x) { return ::logf(x); }
  static CUDA_BOTH double log(double x) { return ::log(x); }
  static CUDA_BOTH float log1p(float x) { return ::log1pf(x); }
  static CUDA_BOTH double log1p(double x) { return ::log1p(x); }
  static CUDA_BOTH float tanh(float x) { return ::tanhf(x); }
  static CUDA_BOTH double tanh(double x) { return ::tanh(x); }
};

template <class T>
CUDA_BOTH T magnitude(T z) {
  return z < T(0) ? -z : z;
}

// Textbook forms.
struct NaiveSigmoid {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T) {
    return T(1) / (T(1) + Math::exp(-z));
  }
};
struct NaiveSigmoidGrad {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T y) {
    const T s = NaiveSigmoid::of<Math>(z, y);
    return s * (T(1) - s);
  }
};
struct NaiveBce {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T y) {
    return (z > T(0) ? z : T(0)) - z * y + Math::log(T(1) + Math::exp(-magnitude(z)));
  }
};
struct NaiveBceGrad {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T y) {
    return NaiveSigmoid::of<Math>(z, y) - y;
  }
};

// Forms without cancellation and overflow; e = exp(-|z|). NaN passes through `magnitude`.
struct StableSigmoid {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T) {
    const T e = Math::exp(-magnitude(z));
    return (z < T(0) ? e : T(1)) / (T(1) + e);
  }
};
struct StableSigmoidGrad {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T) {
    const T e = Math::exp(-magnitude(z)), d = T(1) + e;
    return e / (d * d);
  }
};
struct StableBce {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T y) {
    const T a = magnitude(z), c = z < T(0) ? y : T(1) - y;
    return (c == T(0) ? c : a * c) + Math::log1p(Math::exp(-a));
  }
};
struct StableBceGrad {
  template <class Math, class T>
  static CUDA_BOTH T of(T z, T y) {
    const T a = magnitude(z);
    if (a < T(1)) return T(0.5) * Math::tanh(T(0.5) * z) + (T(0.5) - y);
    const T e = Math::exp(-a), q = e / (T(1) + e);
    return z < T(0) ? q - y : (T(1) - y) - q;
  }
};

}  // namespace cuda_ops
