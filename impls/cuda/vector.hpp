// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the form `vector` where that of `stable` takes a GPU longer than its memory:
// 16-bit dtypes, computed in float, and the loss in double. For host and device alike; of Math come
//   exp2(float)          within 2^-22, results below 2^-126 are 0
//   reciprocal(float)    within 2^-23, of normal numbers
//   reciprocal(double)   within 2^-19, of numbers between 1/2 and 2
// Polynomials are by constants.sollya. Contracted where fma says so, and only there.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "ops.hpp"

namespace cuda_ops {

// c[0] + c[1] x + …
template <class T, int n>
CUDA_BOTH T polynomial(T x, const T (&c)[n]) {
  T p = c[n - 1];
  for (int i = n - 2; i >= 0; --i) p = fma(p, x, c[i]);
  return p;
}

// 2^k exp(-a), a >= 0, and 0 where that is below 2^-126: for k = 8 where exp(-a) is less than half
// the smallest bf16. Relative error 2^-21 and 2^-24 a (the product with log2 e is rounded).
template <int k, class Math>
CUDA_BOTH float scaled_exp(float a) {
  return Math::exp2(::fmaf(a, -0x1.715476p0f, float(k)));
}

// 1/(1+exp(-z)), times 2^8 below and 2^-8 after: exp(-z) does not overflow before the result is 0.
struct ShortSigmoid {
  template <class Math>
  static CUDA_BOTH float of(float z, float) {
    const float e = Math::exp2(::fmaf(z, -0x1.715476p0f, -8.0f));
    return Math::reciprocal(0x1p-8f + e) * 0x1p-8f;
  }
};

// e/(1+e)^2.
struct ShortSigmoidGrad {
  template <class Math>
  static CUDA_BOTH float of(float z, float) {
    const float e = scaled_exp<8, Math>(::fabsf(z));
    const float inverse = Math::reciprocal(::fmaf(e, 0x1p-4f, 16.0f));
    return e * inverse * inverse;
  }
};

// |z| c + log1p(e). An infinite z with c = 0 has no loss.
struct ShortBce {
  template <class Math>
  static CUDA_BOTH float of(float z, float y) {
    // log1p(e)/e for e <= 1, within 2^-22.2.
    const float kLog1p[] = {0x1.fffffap-1f, -0x1.fff958p-2f, 0x1.54bf34p-2f, -0x1.f5b912p-3f,
                            0x1.6b8ea4p-3f, -0x1.b969c2p-4f, 0x1.69a4c4p-5f, -0x1.184d48p-7f};
    const float a = ::fabsf(z), c = z < 0.0f ? y : 1.0f - y;
    const float e = scaled_exp<16, Math>(a) * 0x1p-16f;
    return ::fmaf(c == 0.0f ? 0.0f : a, c, e * polynomial(e, kLog1p));
  }
};

// (1/2-y) + tanh(z/2)/2 for |z| < 2; (1-y) - q or (0-y) + q beyond, q = e/(1+e). In the crossing
// the absolute errors remain, 2^-26 and 2^-21 q: below half the smallest f16 as far as q is 2^-4.
struct ShortBceGrad {
  template <class Math>
  static CUDA_BOTH float of(float z, float y) {
    // tanh(z/2)/(2z) in z^2 for |z| < 2, within 2^-27.5.
    const float kTanh[] = {0x1p-2f,         -0x1.55553ap-6f,  0x1.110ba6p-9f,  -0x1.b95cdap-13f,
                           0x1.5fed1ap-16f, -0x1.041158p-19f, 0x1.2cc77ap-23f, -0x1.75f4aep-28f};
    const float a = ::fabsf(z), e = scaled_exp<8, Math>(a);
    const float q = e * Math::reciprocal(256.0f + e);
    const float h = z * polynomial(z * z, kTanh);
    const float from = a < 2.0f ? 0.5f : z < 0.0f ? 0.0f : 1.0f;
    return (from - y) + (a < 2.0f ? h : ::copysignf(q, -z));
  }
};

// |z| c + log1p(e) in double. With e^-a = 2^n / P, P = e^r, |r| <= ln2/2, and v = 2e/(2+e),
//   log1p(e) = 2 atanh(v/2) = v (1 + v^2 q(v^2)),   v = 2^n / D, D = P + 2^(n-1).
// Relative errors of D, of which 2^-53 is an ulp at most: the roundings of r, P - 1 and D - 1,
// 2^-54.5 or less each, and the polynomial, 2^-55.7; of 1/D, 2^-57. The product and the sum round.
// Measured: 1.48 ulps.
struct LongBce {
  template <class Math>
  static CUDA_BOTH double of(double z, double y) {
    const double kExp[] = {0x1.0000000000001p-1,  0x1.5555555555558p-3,  0x1.5555555553cd9p-5,
                           0x1.111111110f8dbp-7,  0x1.6c16c178ab652p-10, 0x1.a01a01afb724fp-13,
                           0x1.a019b8b7aa0f6p-16, 0x1.71ddf787588eap-19, 0x1.2891d2916032cp-22,
                           0x1.af61c08e9711fp-26};
    const double kAtanh[] = {0x1.5555555555555p-4,  0x1.999999999a27cp-7,  0x1.24924923df843p-9,
                             0x1.c71c726c171afp-12, 0x1.745cf154e8581p-14, 0x1.3b18a6cd119f3p-16,
                             0x1.10acf61876aa7p-18, 0x1.eb8a175c590e7p-21, 0x1.688edd07e1f92p-23,
                             0x1.4afd63cfd0f0cp-24};
    const double a = ::fabs(z), c = z < 0.0 ? y : 1.0 - y;
    const double near = a > 746.0 ? 746.0 : a;  // e is 0 beyond; NaN stays
    // n + 1083 in the low bits of `rounded`, as if an integer: the exponent of 2^(n+60).
    const double magic = 0x1.8p52 + 1083.0;
    const double rounded = ::fma(near, -0x1.71547652b82fep0, magic), n = rounded - magic;
    const double r = ::fma(n, 0x1.ef35793c7673p-45, ::fma(n, 0x1.62e42fefa38p-1, near));
    std::uint64_t bits;
    std::memcpy(&bits, &rounded, sizeof bits);
    bits <<= 52;
    double scale;
    std::memcpy(&scale, &bits, sizeof scale);
    const double power = scale * 0x1p-60;  // may be subnormal or 0 where it does not count

    const double t = ::fma(power, 0.5, ::fma(r * r, polynomial(r, kExp), r));  // D - 1
    const double g = Math::reciprocal(1.0 + t);
    const double left = ::fma(-g, t, 1.0 - g);  // 1 - g D, but for a rounding of its own size
    const double rest = ::fma(left, left, left);
    const double v = power * ::fma(g, rest, g), v2 = v * v;
    const double w = v2 * polynomial(v2, kAtanh);
    const double factor = ::fma(g, ::fma(w, rest, w) + rest, g);  // (1 + w) / D
    const double loss = factor * scale * 0x1p-60;  // scaled again, as it may be subnormal
    return ::fma(c == 0.0 ? 0.0 : a, c, loss);
  }
};

// What the form `vector` computes in T.
template <class T>
constexpr bool kShort = sizeof(T) == 2;
template <class T>
using VectorSigmoid = std::conditional_t<kShort<T>, ShortSigmoid, StableSigmoid>;
template <class T>
using VectorSigmoidGrad = std::conditional_t<kShort<T>, ShortSigmoidGrad, StableSigmoidGrad>;
template <class T>
using VectorBce =
    std::conditional_t<kShort<T>, ShortBce, std::conditional_t<sizeof(T) == 8, LongBce, StableBce>>;
template <class T>
using VectorBceGrad = std::conditional_t<kShort<T>, ShortBceGrad, StableBceGrad>;

}  // namespace cuda_ops
