// What all kernels of `simd` share, compiled once per Highway target: e^|z| in parts, products with
// their exact error, and multiplication by 2^-k with one rounding.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_SIMD_EXP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_SIMD_EXP_INL_H
#undef ULPAUDIT_SIMD_EXP_INL_H
#else
#define ULPAUDIT_SIMD_EXP_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "num.hpp"

HWY_BEFORE_NAMESPACE();
namespace simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One vector is a chain of some 80 cycles, more than a core looks ahead to overlap. So N vectors go
// through each step together.
#undef SIMD_EACH
#define SIMD_EACH _Pragma("GCC unroll 8") for (int u = 0; u < N; ++u)

// The smaller, the larger of x and a limit; x where it is a NaN. On x86 the operation returns its
// second argument beside a NaN, elsewhere the one that is a number.
template <class V>
HWY_INLINE V AtMost(V limit, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Min(limit, x);
#else
  return hn::IfThenElse(hn::Lt(limit, x), limit, x);
#endif
}
template <class V>
HWY_INLINE V AtLeast(V limit, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Max(limit, x);
#else
  return hn::IfThenElse(hn::Gt(limit, x), limit, x);
#endif
}

// p(x) by Horner, from the coefficient `first` on, each `step`-th.
template <class D, class V, class T, std::size_t M>
HWY_INLINE V Horner(D d, V x, const T (&c)[M], std::size_t first, std::size_t step) {
  const std::size_t last = first + (M - 1 - first) / step * step;
  V p = hn::Set(d, c[last]);
  _Pragma("GCC unroll 16") for (std::size_t i = last; i != first; i -= step) p =
      hn::MulAdd(p, x, hn::Set(d, c[i - step]));
  return p;
}

// The upper half of the digits of x: without FMA the product of two of them is exact.
template <class D, class V>
HWY_INLINE V UpperHalf(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  return hn::And(x, hn::BitCast(d, hn::Set(du, Num<hn::TFromD<D>>::kUpperHalf)));
}

// n - x*y for n near x*y, rounded once (without FMA: with an error of 2^-35 or 2^-79 of n).
template <class D, class V>
HWY_INLINE V Residual(D d, V n, V x, V y) {
#if HWY_NATIVE_FMA
  (void)d;
  return hn::NegMulAdd(x, y, n);
#else
  const V xh = UpperHalf(d, x), yh = UpperHalf(d, y);
  const V xl = hn::Sub(x, xh), yl = hn::Sub(y, yh);
  const V high = hn::Sub(hn::Sub(n, hn::Mul(xh, yh)), hn::Mul(xh, yl));
  return hn::Sub(hn::Sub(high, hn::Mul(xl, yh)), hn::Mul(xl, yl));
#endif
}

// e^a = 2^k (1 + r1 + w), a = |z| up to kFar, |r1| <= ln2/2. A NaN becomes anything.
template <class D>
struct Exp {
  HWY_INLINE Exp() {}                     // written out, so that it is compiled for the target
  hn::Vec<D> r1;                          // exact
  hn::Vec<D> w;                           // c + r^2 q(r), c = -k*lo, r = r1 + c
  hn::Vec<D> mirror;                      // -c + r^2 q(-r): e^-a = 2^-k (1 - r1 + mirror)
  hn::Vec<hn::RebindToSigned<D>> k_bits;  // k in the exponent's place
};

// k to the nearest integer, in the low bits of kf. k*hi is exact, and so is r1 = a - k*hi: it is
// below 1/2 and a multiple of ulp(a) or of ulp(hi). q by even and odd powers: `mirror`, where it is
// wanted, takes two operations more.
template <int N, class D, class V, std::size_t M>
HWY_INLINE void ExpOf(D d, const V (&a)[N], const hn::TFromD<D> (&q)[M], Exp<D> (&e)[N]) {
  using C = Num<hn::TFromD<D>>;
  const hn::RebindToSigned<D> di;
  V kf[N], k[N], c[N], r[N], r2[N], even[N], odd[N];
  const V magic = hn::Set(d, C::kMagic);
  SIMD_EACH kf[u] = hn::MulAdd(a[u], hn::Set(d, C::kLog2E), magic);
  SIMD_EACH k[u] = hn::Sub(kf[u], magic);
  SIMD_EACH e[u].k_bits = hn::ShiftLeft<C::kMantissa>(hn::BitCast(di, kf[u]));
  SIMD_EACH e[u].r1 = hn::NegMulAdd(k[u], hn::Set(d, C::kLn2Hi), a[u]);
  SIMD_EACH c[u] = hn::Mul(k[u], hn::Set(d, -C::kLn2Lo));
  SIMD_EACH r[u] = hn::Add(e[u].r1, c[u]);
  SIMD_EACH r2[u] = hn::Mul(r[u], r[u]);
  SIMD_EACH even[u] = Horner(d, r2[u], q, 0, 2);
  SIMD_EACH odd[u] = Horner(d, r2[u], q, 1, 2);
  SIMD_EACH e[u].w = hn::MulAdd(r2[u], hn::MulAdd(r[u], odd[u], even[u]), c[u]);
  SIMD_EACH e[u].mirror = hn::MulSub(r2[u], hn::NegMulAdd(r[u], odd[u], even[u]), c[u]);
}

// 2^-(times*k), or 0 from the smallest normal number on, where it no longer counts beside 1.
template <int times, class D, class I>
HWY_INLINE hn::Vec<D> PowerOf(D d, I k_bits) {
  const hn::RebindToSigned<D> di;
  I bits = hn::Sub(hn::BitCast(di, hn::Set(d, hn::TFromD<D>(1))), k_bits);
  if (times == 2) bits = hn::Sub(bits, k_bits);
  return hn::BitCast(d, hn::Max(bits, hn::Zero(di)));
}

// x 2^-k on the bits, for x = 1/(P + …) and k of e^a = 2^k P. Where that is below the smallest
// normal number, x + m with m = 2^(k-126) (float) rounds x to a multiple of 2^(k-149), and what its
// bits have above those of m is the encoding of the result: one rounding, and no arithmetic with
// subnormals. Elsewhere m = 0.
template <class D, class V, class I>
HWY_INLINE V TimesPower(D d, V x, V a, I k_bits) {
  using C = Num<hn::TFromD<D>>;
  const hn::RebindToSigned<D> di;
  const I unit = hn::Set(di, hn::TFromD<decltype(di)>(1) << C::kMantissa);
  const I small = hn::BitCast(di, hn::VecFromMask(d, hn::Gt(a, hn::Set(d, C::kBorder))));
  const I m = hn::And(small, hn::Add(k_bits, unit));
  const V sum = hn::Add(x, hn::BitCast(d, m));
  return hn::BitCast(d, hn::Sub(hn::BitCast(di, sum), hn::Max(k_bits, m)));
}

// x, or z as a quiet NaN where z is a NaN.
template <class D, class V>
HWY_INLINE V KeepNaN(D d, V z, V x) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const V quiet = hn::BitCast(d, hn::Set(di, I{1} << (Num<hn::TFromD<D>>::kMantissa - 1)));
  return hn::IfThenElse(hn::IsNaN(z), hn::Or(z, quiet), x);
}

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
