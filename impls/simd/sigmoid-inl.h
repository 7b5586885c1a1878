// The sigmoid and its gradient, compiled once per Highway target.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_SIMD_SIGMOID_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_SIMD_SIGMOID_INL_H
#undef ULPAUDIT_SIMD_SIGMOID_INL_H
#else
#define ULPAUDIT_SIMD_SIGMOID_INL_H
#endif

#include "exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simd {
namespace HWY_NAMESPACE {

// |z| between kNear and kFar.
template <class D, class V>
HWY_INLINE V Magnitude(D d, V z) {
  using C = Num<hn::TFromD<D>>;
  return hn::Max(hn::Min(hn::Abs(z), hn::Set(d, C::kFar)), hn::Set(d, C::kNear));
}

// x <= 1, or a quiet NaN where z is one.
template <class D, class V>
HWY_INLINE V OrNaN(D d, V z, V x) {
  return AtMost(x, hn::Add(hn::Abs(z), hn::Set(d, hn::TFromD<D>(1))));
}

// 1/(1+t), 1+t = d1 + d2 exactly (for t > 1 too: d1 - 1 is then a number of t's binade): one
// rounding, of the last addition. Without FMA, where the residual of d1 would cost more than it
// brings, two.
template <class D, class V>
HWY_INLINE V InverseOf1Plus(D d, V t) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V d1 = hn::Add(one, t);
  const V y = hn::Div(one, d1);
  const V d2 = hn::Sub(t, hn::Sub(d1, one));
#if HWY_NATIVE_FMA
  return hn::MulAdd(y, hn::NegMulAdd(y, d2, hn::NegMulAdd(y, d1, one)), y);
#else
  return hn::Sub(y, hn::Mul(y, hn::Mul(y, d2)));
#endif
}

#if HWY_NATIVE_FMA
// A first value of 1/x, and how many powers of its error e = 1 - x/x' a result then takes. AVX-512
// has one within 2^-14 (Intel's manual) much sooner than a division is done: what is left is at
// most 2^-42 (float; 2^-28 in the loss, which takes e alone) and 2^-56 (double). With e alone 4 of
// all neighbours were not monotone on a Xeon of 2023.
template <class T>
struct FirstInverse {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  static constexpr int kPowers = sizeof(T) == 4 ? 2 : 3;
  static HWY_INLINE hn::Vec512<float> Of(hn::Vec512<float> x) {
    return hn::ApproximateReciprocal(x);
  }
  static HWY_INLINE hn::Vec512<double> Of(hn::Vec512<double> x) {
    return hn::Vec512<double>{_mm512_rcp14_pd(x.raw)};  // not in Highway 1.0.3
  }
#else
  static constexpr int kPowers = 1;
  template <class V>
  static HWY_INLINE V Of(V x) {
    return hn::Div(hn::Set(hn::DFromV<V>(), T(1)), x);
  }
#endif
};

// The larger of |a| and |b|. Of a NaN and a number, either; so a third is not compared with it.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
HWY_INLINE hn::Vec512<float> LargerSize(hn::Vec512<float> a, hn::Vec512<float> b) {
  return hn::Vec512<float>{_mm512_range_ps(a.raw, b.raw, 11)};  // one operation for three
}
HWY_INLINE hn::Vec512<double> LargerSize(hn::Vec512<double> a, hn::Vec512<double> b) {
  return hn::Vec512<double>{_mm512_range_pd(a.raw, b.raw, 11)};
}
#else
template <class V>
HWY_INLINE V LargerSize(V a, V b) {
  return hn::Max(hn::Abs(b), hn::Abs(a));
}
#endif

// P - 1 and the bits of 2^n, the power of 2 nearest e^-x: e^-x = 2^n P, or with kPlus e^x = 2^-n P.
// P is too large by kMore/2 (see Sigmoid), but with kSharp P - 1 is right where it is tiny too.
// `mirror`: also 1/P - 1. The bits are times 2^kScale.
template <bool kPlus, int N, bool kSharp = false, int kScale = 0, class D, class V, class I>
HWY_INLINE void ExpParts(D d, const V (&x)[N], V (&p)[N], I (&bits)[N], V* mirror = nullptr) {
  using C = Num<hn::TFromD<D>>;
  const hn::RebindToSigned<D> di;
  const V magic = hn::Set(d, C::kMagic + C::kBias + kScale);
  const V hi = hn::Set(d, C::kLn2Hi), lo = hn::Set(d, C::kLn2Lo);
  V kf[N], k[N], r[N], r2[N], odd[N];
  SIMD_EACH kf[u] = hn::NegMulAdd(x[u], hn::Set(d, C::kLog2E), magic);
  SIMD_EACH k[u] = hn::Sub(kf[u], magic);
  SIMD_EACH bits[u] = hn::ShiftLeft<C::kMantissa>(hn::BitCast(di, kf[u]));
  SIMD_EACH r[u] = kPlus ? hn::MulAdd(k[u], hi, x[u]) : hn::NegMulSub(k[u], hi, x[u]);  // exact
  SIMD_EACH r[u] = kPlus ? hn::MulAdd(k[u], lo, r[u]) : hn::NegMulAdd(k[u], lo, r[u]);
  SIMD_EACH r2[u] = hn::MulAdd(r[u], r[u], hn::Set(d, kSharp ? C::kTiny : C::kMore));
  SIMD_EACH p[u] = Horner(d, r2[u], C::kShort, 0, 2);
  SIMD_EACH odd[u] = Horner(d, r2[u], C::kShort, 1, 2);
  if (mirror != nullptr) {
    SIMD_EACH mirror[u] = hn::MulSub(r2[u], hn::NegMulAdd(r[u], odd[u], p[u]), r[u]);
  }
  SIMD_EACH p[u] = hn::MulAdd(r[u], odd[u], p[u]);
  if (kSharp) {
    SIMD_EACH p[u] = hn::MulAdd(r[u], hn::Mul(r[u], p[u]), r[u]);
  } else {
    SIMD_EACH p[u] = hn::MulAdd(r2[u], p[u], r[u]);
  }
}

// 1/(b + t) in two steps: y of b + t rounded, then what its error e = 1 - y(b + t) is.
template <int N, class D, class V>
HWY_INLINE void InverseParts(D d, const V (&b)[N], const V (&t)[N], V (&y)[N], V (&e)[N]) {
  using First = FirstInverse<hn::TFromD<D>>;
  SIMD_EACH y[u] = First::Of(hn::Add(b[u], t[u]));
  SIMD_EACH e[u] = hn::NegMulAdd(y[u], b[u], hn::Set(d, hn::TFromD<D>(1)));
  SIMD_EACH e[u] = hn::NegMulAdd(y[u], t[u], e[u]);
  if (First::kPowers == 3) {
    SIMD_EACH e[u] = hn::MulAdd(e[u], hn::MulAdd(e[u], e[u], e[u]), e[u]);
  } else if (First::kPowers == 2) {
    SIMD_EACH e[u] = hn::MulAdd(e[u], e[u], e[u]);
  }
}
template <int N, class D, class V>
HWY_INLINE void Inverse(D d, const V (&b)[N], const V (&t)[N], V (&out)[N]) {
  V y[N], e[N];
  InverseParts<N>(d, b, t, y, e);
  SIMD_EACH out[u] = hn::MulAdd(y[u], e[u], y[u]);
}

// Whether all |z| are at most `limit`; maybe also where one is a NaN.
template <int N, class D, class V>
HWY_INLINE bool AllWithin(D d, const V (&z)[N], V limit) {
  static_assert(N == 1 || N % 2 == 0);
  auto all = hn::Le(LargerSize(z[0], z[N == 1 ? 0 : 1]), limit);
  for (int u = 2; u < N; u += 2) all = hn::And(all, hn::Le(LargerSize(z[u], z[u + 1]), limit));
  return hn::AllTrue(d, all);
}

// Op's steps for |z| up to kFast (and NaN), where all are, or else those for every z.
template <class Op, int N, class D, class V>
HWY_INLINE void BySize(D d, const V (&z)[N], const V* y, V (&out)[N]) {
  if (HWY_LIKELY(AllWithin(d, z, hn::Set(d, Num<hn::TFromD<D>>::kFast))))
    Op::template Steps<false, N>(d, z, y, out);
  else
    Op::template Steps<true, N>(d, z, y, out);
}

// 2^k as bits.
template <class D>
using Bits = hn::Vec<hn::RebindToSigned<D>>;
template <class D>
HWY_INLINE Bits<D> Exponent(D, int k) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  return hn::Set(di, static_cast<I>(static_cast<I>(Num<hn::TFromD<D>>::kBias) + k)
                         << Num<hn::TFromD<D>>::kMantissa);
}

// How a result may be subnormal. With AVX-512 D is taken times 2^-kDown, and 1/D, times 2^kDown and
// so a normal number, is scaled by one operation that rounds it again. Elsewhere kDown is 0, and
// PowerOr and OrSubnormal do it.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
template <class T>
inline constexpr int kDown = sizeof(T) == 4 ? 32 : 64;
HWY_INLINE hn::Vec512<float> ScaledBack(hn::Vec512<float> x) {
  return hn::Vec512<float>{_mm512_scalef_ps(x.raw, _mm512_set1_ps(-kDown<float>))};
}
HWY_INLINE hn::Vec512<double> ScaledBack(hn::Vec512<double> x) {
  return hn::Vec512<double>{_mm512_scalef_pd(x.raw, _mm512_set1_pd(-kDown<double>))};
}
#else
template <class T>
inline constexpr int kDown = 0;
template <class V>
HWY_INLINE V ScaledBack(V x) {
  return x;
}
#endif

// `bits`, or those of 2^k where x is below -kBorder and the exponent may be more than there is.
template <class D, class V>
HWY_INLINE V PowerOr(D d, int k, V x, Bits<D> bits) {
  const hn::RebindToSigned<D> di;
  const auto small = hn::RebindMask(di, hn::Lt(x, hn::Set(d, -Num<hn::TFromD<D>>::kBorder)));
  return hn::BitCast(d, hn::IfThenElse(small, Exponent(d, k), bits));
}

// The power of 2 that s is; a finite number where it is what a NaN's bits left: inf - inf would be
// a NaN of another payload.
template <class D, class V>
HWY_INLINE V FinitePower(D d, V s) {
  return hn::Min(hn::Abs(s),
                 hn::BitCast(d, Exponent(d, static_cast<int>(Num<hn::TFromD<D>>::kBias))));
}

// y, or 2^-k times 2^64 y in [1/2, sqrt2) where x is below -kBorder, m the bits of 2^(k-126) 2^-64
// (float): m's ulp is the smallest subnormal number, times 2^-k-64 as y is, so the sum rounds to
// it, and what its bits have above those of m is the encoding, without arithmetic with subnormals.
template <class D, class V>
HWY_INLINE V OrSubnormal(D d, V x, V y, Bits<D> m) {
  const hn::RebindToSigned<D> di;
  const V sum = hn::Add(y, hn::BitCast(d, m));
  const V tiny = hn::BitCast(d, hn::Sub(hn::BitCast(di, sum), m));
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, -Num<hn::TFromD<D>>::kBorder)), tiny, y);
}

// The sigmoid. With e^-z = 2^k P, P = e^r and |r| <= ln2/2, it is 1/D, D = 1 + 2^k + 2^k (P - 1):
// no two cases for the sign of z, and where D is large the result is small with the error of P. D
// is only rounded for the first value y of 1/D, which is corrected by e = 1 - yD of the exact
// terms.
//
// Error, in ulps of the result: 0.5 for the last rounding, and the relative errors of D, of which
// 2^-p is one ulp at most: the roundings of r, P - 1 and 1 - y(1 + 2^k) (2^-p-2 each), the
// polynomial (num.hpp), what the first value leaves (double 2^-p-3). Besides, 1 + 2^k is
// exact but for |k| > 23 (double 52):
//   float   For z < 0 it loses 1 of D > 2^24, an error of 2^-24 for k = 24 and less beyond; kMore,
//           which makes D too large by 2^-26, takes a quarter of it away. For z > 0 it loses 2^-24,
//           so that the result is 1 where it should be 1 - 2^-24: an error of P <= 1.42 ulps, on
//           16.28 < z < 17.33.
//   double  |z| > kFast, where what is lost is added to the small terms, is rare.
// The measured maxima, with witnesses, are in contract.toml.
//
// Subnormal results, infinities and what else is beyond kFast take some operations more, in a step
// that has such a z. Other lanes get the same bits either way.
//
// Counted for AVX-512 in float: 21 operations, 3 of them for y, and 1.25 for the test of the size.
// On Intel they have two ports: measured on a Xeon at 2.1 GHz, without e^2, four vectors at a time
// and eight, ns a result: 0.320 and 0.309 beside XNNPACK's 0.363, double 0.854 and 0.808. On Zen 5
// there are four pipes, but two multiply: 14 multiplications or FMAs and the first value make 7.5
// cycles, of which four vectors at a time take 9.0, two 9.5, six 9.2, eight 10 (they spill), a
// division in place of the first value and e^2 9.0; XNNPACK, with 7 and a division of 2.5
// cycles, 5.9 (reports/samples/avx512.md). Tried: 1 + 2^k in two exact parts (1.1 ulp; a cycle
// more).
//
// With AVX2 on Zen 3, in L1, ns a result, medians of two runs: float 0.58 where it took 0.97,
// double 1.4 where it took 2.2.
//
// Counted for AVX2 in float, a vector of 8: 13 multiplications or FMAs and the division on two
// ports (Zen 3: FP0 and FP1), so 7 cycles; measured 6.9 (0.57 ns at 1.50 GHz, by a chain of
// additions), SLEEF's stable form 12.6. On Intel the 3 additions take the same ports: 8.5 cycles,
// measured 9.1. For 0.44 of SLEEF's time 11 would have to do on Zen 3: but 3 reduce z, 6 are the
// polynomial and r^2 for 2^-26 on |r| <= ln2/2, one is its product with 2^k, and without the 3
// behind the division the roundings of D and of 1/D alone make 1.5 ulps. A vrcpps instead of the
// division takes one FMA more (on Zen 5 0.25 ns for 0.27; SLEEF 0.44). Steps<true> has 11
// operations more, none of them one of the 13.
struct Sigmoid {
  static constexpr bool kLabels = false;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    BySize<Sigmoid>(d, z, y, out);
  }

  // kAll: for every z, else for |z| up to kFast and NaN. Subnormal z, which Clamped may catch, are
  // right there, if slow on some processors.
  template <bool kAll, int N, class D, class V>
  static HWY_INLINE void Steps(D d, const V (&z)[N], const V*, V (&out)[N]) {
    using T = hn::TFromD<D>;
    using C = Num<T>;
    constexpr int down = kAll ? kDown<T> : 0;
    const V one = hn::BitCast(d, Exponent(d, -down));  // of D
    V x[N], p[N], s[N], b[N], t[N];
    Bits<D> s_bits[N];
    SIMD_EACH x[u] = kAll ? Clamped(d, z[u]) : z[u];
    ExpParts<false, N, false, -down>(d, x, p, s_bits);
    // 2^k; for subnormal results any beside which 1 does not count.
    SIMD_EACH s[u] = kAll && !down ? PowerOr(d, 64, x[u], s_bits[u]) : hn::BitCast(d, s_bits[u]);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH s[u] = FinitePower(d, s[u]);
    }
    SIMD_EACH b[u] = hn::Add(s[u], one);
    SIMD_EACH t[u] = hn::Mul(s[u], p[u]);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH t[u] = hn::MulAdd(s[u], p[u], hn::Sub(one, hn::Sub(b[u], s[u])));
    }
    Inverse<N>(d, b, t, out);
    if (down != 0) {
      SIMD_EACH out[u] = ScaledBack(out[u]);
    } else if (kAll) {
      SIMD_EACH out[u] = OrSubnormal(d, x[u], out[u], hn::Sub(s_bits[u], Exponent(d, 63)));
    }
  }

  // z between -kFar and kFar/2, where the result is 1. Without AVX-512 0 if no larger than kNear:
  // subnormal numbers may cost a hundred cycles. With it they do not on Zen 5, nor on a Xeon of
  // 2023 in XNNPACK's kernel, which has the same products of z. A NaN stays.
  template <class D, class V>
  static HWY_INLINE V Clamped(D d, V z) {
    using C = Num<hn::TFromD<D>>;
    const V x = AtMost(hn::Set(d, C::kFar / 2), AtLeast(hn::Set(d, -C::kFar), z));
    if (kDown<hn::TFromD<D>> != 0) return x;
    return hn::IfThenZeroElse(hn::Le(hn::Abs(z), hn::Set(d, C::kNear)), x);
  }
};
// Its gradient: 1/(E + 2 + 1/E) for E = e^|z| = 2^k P, k >= 0, so 1/D with
//
//   D = 2^k + 2 + 2^k (P - 1) + 2^-k / P,
//
// 1/P by the same polynomial at -r, and 1/D as for the sigmoid. Another rounding (of the small
// terms' sum) and the error of 1/P join: at k = 0 both beside D = 4. 2^k + 2 is inexact for k > 24
// (double 53). At k = 0 the odd powers of P - 1 and 1/P cancel, so that no result exceeds 1/4.
struct SigmoidGrad {
  static constexpr bool kLabels = false;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    BySize<SigmoidGrad>(d, z, y, out);
  }

  // kAll: for every z, else for |z| up to kFast and NaN.
  template <bool kAll, int N, class D, class V>
  static HWY_INLINE void Steps(D d, const V (&z)[N], const V*, V (&out)[N]) {
    using T = hn::TFromD<D>;
    using C = Num<T>;
    const hn::RebindToSigned<D> di;
    constexpr int down = kAll ? kDown<T> : 0;
    const V two = hn::BitCast(d, Exponent(d, 1 - down));  // of D
    V x[N], p[N], m[N], s[N], b[N], t[N];
    Bits<D> s_bits[N], m_bits[N];
    SIMD_EACH x[u] = hn::Or(z[u], hn::SignBit(d));  // -|z|
    if (kAll) {
      SIMD_EACH x[u] = AtMost(hn::Set(d, -C::kNear), AtLeast(hn::Set(d, -C::kFar), x[u]));
    }
    ExpParts<false, N, false, -down>(d, x, p, s_bits, m);
    SIMD_EACH s[u] = kAll && !down ? PowerOr(d, 64, x[u], s_bits[u]) : hn::BitCast(d, s_bits[u]);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH s[u] = FinitePower(d, s[u]);
    }
    SIMD_EACH b[u] = hn::Add(s[u], two);
    // 2^-k, or 0 where that is too small a number.
    SIMD_EACH m_bits[u] =
        hn::Sub(Exponent(d, 0), hn::Sub(hn::BitCast(di, s[u]), Exponent(d, -2 * down)));
    if (down != 0) {
      SIMD_EACH m_bits[u] = hn::Max(m_bits[u], hn::Zero(di));
    }
    SIMD_EACH t[u] = hn::BitCast(d, m_bits[u]);
    SIMD_EACH t[u] = hn::MulAdd(t[u], m[u], t[u]);
    SIMD_EACH t[u] = hn::MulAdd(s[u], p[u], t[u]);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH t[u] = hn::Add(t[u], hn::Sub(two, hn::Sub(hn::Add(s[u], two), s[u])));
    }
    Inverse<N>(d, b, t, out);
    if (down != 0) {
      SIMD_EACH out[u] = ScaledBack(out[u]);
    } else if (kAll) {
      SIMD_EACH out[u] = OrSubnormal(d, x[u], out[u], hn::Sub(s_bits[u], Exponent(d, 63)));
    }
  }
};
#else
// The sigmoid without FMA. With a = |z|, e^a = 2^k P, P = e^r and |r| <= ln2/2:
//
//   sigma(-a) = 2^-k / (P + 2^-k),   sigma(a) = 1 - sigma(-a).
//
// P and 2^-k are added before either is rounded: D = 1 + t, t = (P - 1) + 2^-k, in two parts.
//
// Error of sigma(-a), in its ulps: 1.0 for the division and the last rounding, and the relative
// errors of D, of which 2^-p is one ulp at most: the rounding of P - 1 (2^-p-2), of its sum with
// 2^-k (2^-p-1; for k = 0 2^-p, beside D >= 2), of w and r (2^-p-2 together), the polynomial
// (num.hpp). They never meet at their largest. 1 - s adds 0.5 to at most half the error of s.
struct Sigmoid {
  static constexpr bool kLabels = false;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V*, V (&out)[N]) {
    using T = hn::TFromD<D>;
    V a[N], t[N];
    Exp<D> e[N];
    SIMD_EACH a[u] = Magnitude(d, z[u]);
    ExpOf<N>(d, a, Num<T>::kShort, e);
    SIMD_EACH t[u] = hn::Add(hn::Add(e[u].r1, e[u].w), PowerOf<1>(d, e[u].k_bits));
    SIMD_EACH t[u] = InverseOf1Plus(d, t[u]);
    SIMD_EACH t[u] = TimesPower(d, t[u], a[u], e[u].k_bits);
    SIMD_EACH t[u] = hn::IfNegativeThenElse(z[u], t[u], hn::Sub(hn::Set(d, T(1)), t[u]));
    SIMD_EACH out[u] = OrNaN(d, z[u], t[u]);
  }
};

// Its gradient: e/(1+e)^2 = 2^-k / Q with s = 2^-k, Q = P + 2s + s^2/P. 1/P comes from the same
// polynomial at -r. Q = 1 + t is summed small parts first, r1 + w and s^2 (1/P - 1), whose odd
// powers cancel at k = 0, before the constant 2s + s^2 joins. Errors as for the sigmoid: t below 4
// beside Q >= 4 (k = 0) gives 2^-p-1. Q >= 4 at k = 0 in floating point too, as rounding is
// monotone (r1 + w >= r1 - mirror), so that no result exceeds 1/4.
struct SigmoidGrad {
  static constexpr bool kLabels = false;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V*, V (&out)[N]) {
    using T = hn::TFromD<D>;
    V a[N], s[N], s2[N], t[N];
    Exp<D> e[N];
    SIMD_EACH a[u] = Magnitude(d, z[u]);
    ExpOf<N>(d, a, Num<T>::kShort, e);
    SIMD_EACH s[u] = PowerOf<1>(d, e[u].k_bits);
    SIMD_EACH s2[u] = PowerOf<2>(d, e[u].k_bits);
    SIMD_EACH t[u] = hn::Add(e[u].r1, e[u].w);
    SIMD_EACH t[u] = hn::MulAdd(s2[u], hn::Sub(e[u].mirror, e[u].r1), t[u]);
    SIMD_EACH t[u] = hn::Add(t[u], hn::Add(hn::Add(s[u], s[u]), s2[u]));
    SIMD_EACH t[u] = InverseOf1Plus(d, t[u]);
    SIMD_EACH t[u] = TimesPower(d, t[u], a[u], e[u].k_bits);
    SIMD_EACH out[u] = OrNaN(d, z[u], t[u]);
  }
};
#endif

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
