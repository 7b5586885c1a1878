// SPDX-License-Identifier: Apache-2.0
// The first step: values of the ops in double with a bound, for the dtypes up to f32, compiled once
// per Highway target. u = 2^-53; rounding to nearest; bounds are relative unless said. Only
// NormalUnary needs a fused multiply-add. Coefficients and the bounds on them: constants.sollya.
#if defined(ULPAUDIT_EXACT_FAST_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_EXACT_FAST_INL_H
#undef ULPAUDIT_EXACT_FAST_INL_H
#else
#define ULPAUDIT_EXACT_FAST_INL_H
#endif

#include <cmath>

#include "hwy/highway.h"
#include "op.hpp"

HWY_BEFORE_NAMESPACE();
namespace exact {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

HWY_INLINE V Set(double x) { return hn::Set(D(), x); }

/// The smaller of the two; x where it is a NaN: on x86 the operation returns its second argument
/// then, elsewhere the one that is a number.
HWY_INLINE V AtMost(double limit, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Min(Set(limit), x);
#else
  return hn::IfThenElse(hn::Lt(Set(limit), x), Set(limit), x);
#endif
}

struct Sum {
  // Written out, so that they are compiled for the target.
  HWY_INLINE Sum() {}
  HWY_INLINE Sum(V h, V l) : hi(h), lo(l) {}
  V hi, lo;
};
/// a + b = hi + lo exactly (Knuth).
HWY_INLINE Sum AddExactly(V a, V b) {
  const V s = hn::Add(a, b);
  const V bb = hn::Sub(s, a);
  return {s, hn::Add(hn::Sub(a, hn::Sub(s, bb)), hn::Sub(b, bb))};
}

/// t = r.hi + r.lo + w, the sum r exact and of one sign with r.hi, w within kFastEta/2 of its own.
struct Parts {
  HWY_INLINE Parts() {}
  HWY_INLINE Parts(Sum sum, V part) : r(sum), w(part) {}
  Sum r;
  V w;
};

/// Two numbers, low <= t <= high.
struct Bounds {
  V low, high;
};

/// Beyond this e^-a < 2^-288: with R of at most 2^-149·2^-24 in its last bit (t = R + epsilon), any
/// positive number below that serves.
constexpr double kLargestA = 200;

/// e = e^-a within 2^-49 and m = e - 1 within 2^-47, for 0 <= a <= 200. k = RN(a log2 e), r = k ln2
/// - a: ln2 in 42 + 53 bits, k·hi exact, so is the difference; |r| within 2^-54. r + r^2 q(r) is
/// within 2^-49.3, 5u for its steps: 2^-49 of e^r - 1, and e is within 2^-49. For k = 0 m is that;
/// else |m| > 0.29 and nothing cancels but 2^-k - 1, exact: 2^-47.
struct FastExponential {
  HWY_INLINE FastExponential() {}
  V e, m;
};
/// N vectors go through each step together: a chain is longer than a core looks ahead.
#undef EXACT_EACH
#define EXACT_EACH _Pragma("GCC unroll 8") for (int u = 0; u < N; ++u)
template <int N>
HWY_INLINE void FastExp(const V (&a)[N], FastExponential (&x)[N]) {
  const D d;
  const hn::RebindToSigned<D> di;
  const V magic = Set(0x1.8p52);
  V kf[N], k[N], r1[N], r[N], r2[N], r4[N], e23[N], e45[N], e67[N], e89[N], p[N], scale[N];
  EXACT_EACH kf[u] = hn::MulAdd(a[u], Set(0x1.71547652b82fep0), magic);
  EXACT_EACH k[u] = hn::Sub(kf[u], magic);
  EXACT_EACH r1[u] = hn::NegMulAdd(k[u], Set(0x1.62e42fefa38p-1), a[u]);
  EXACT_EACH r[u] = hn::MulSub(k[u], Set(0x1.ef35793c7673p-45), r1[u]);
  EXACT_EACH r2[u] = hn::Mul(r[u], r[u]);
  EXACT_EACH r4[u] = hn::Mul(r2[u], r2[u]);
  EXACT_EACH e23[u] = hn::MulAdd(Set(0x1.555555555227p-3), r[u], Set(0x1.fffffffffffbfp-2));
  EXACT_EACH e45[u] = hn::MulAdd(Set(0x1.1111112131eb2p-7), r[u], Set(0x1.5555555564a27p-5));
  EXACT_EACH e67[u] = hn::MulAdd(Set(0x1.a0199c0a93f1p-13), r[u], Set(0x1.6c16c135c4c9p-10));
  EXACT_EACH e89[u] = hn::MulAdd(Set(0x1.72da33a55ab97p-19), r[u], Set(0x1.a01a7873a0625p-16));
  EXACT_EACH e23[u] = hn::MulAdd(e45[u], r2[u], e23[u]);
  EXACT_EACH e89[u] = hn::MulAdd(Set(0x1.27dcd147db563p-22), r2[u], e89[u]);
  EXACT_EACH e67[u] = hn::MulAdd(e89[u], r2[u], e67[u]);
  EXACT_EACH p[u] = hn::MulAdd(hn::MulAdd(e67[u], r4[u], e23[u]), r2[u], r[u]);
  const auto one = hn::BitCast(di, Set(1.0));
  EXACT_EACH scale[u] = hn::BitCast(d, hn::Sub(one, hn::ShiftLeft<52>(hn::BitCast(di, kf[u]))));
  EXACT_EACH x[u].e = hn::MulAdd(scale[u], p[u], scale[u]);
  EXACT_EACH x[u].m = hn::MulAdd(scale[u], p[u], hn::Sub(scale[u], Set(1.0)));
}
HWY_INLINE FastExponential FastExp(V a) {
  const V as[1] = {a};
  FastExponential x[1];
  FastExp<1>(as, x);
  return x[0];
}

/// log(1+e) for 0 <= e <= 1 and a little: 2 atanh(s), s = e/(2+e), within 2^-46: the polynomial
/// 2^-47.1, its steps 6u.
HWY_INLINE V FastLogOnePlus(V e) {
  const V s = hn::Div(e, hn::Add(Set(2.0), e));
  const V w = hn::Mul(s, s), w2 = hn::Mul(w, w), w4 = hn::Mul(w2, w2);
  const V l01 = hn::MulAdd(Set(0x1.9999999be0698p-2), w, Set(0x1.5555555555144p-1));
  const V l23 = hn::MulAdd(Set(0x1.c71d5f8bd7feep-3), w, Set(0x1.249247796cfebp-2));
  const V l45 = hn::MulAdd(Set(0x1.3d7259345bdb4p-3), w, Set(0x1.743cbf91d0f7ep-3));
  const V l67 = hn::MulAdd(Set(0x1.6ce3a29dd9ca7p-3), w, Set(0x1.f1aa5fa8325adp-4));
  const V l = hn::MulAdd(hn::MulAdd(l67, w2, l45), w4, hn::MulAdd(l23, w2, l01));
  return hn::MulAdd(hn::Mul(s, w), l, hn::Add(s, s));
}

/// Twice what is claimed of every function of z below; derived: 2^-46 and a little (log1p: its
/// condition in e is at most 1; the square of 1+e: (1-e)/(1+e) <= 1).
constexpr double kFastEta = 0x1p-44;

/// The ops of one argument, which have no exact part.
template <Op kOp, int N>
HWY_INLINE void FastUnary(const V (&z)[N], V (&w)[N]) {
  const V one = Set(1.0);
  V a[N], one_plus[N];
  FastExponential x[N];
  EXACT_EACH a[u] = AtMost(kLargestA, hn::Abs(z[u]));
  FastExp<N>(a, x);
  EXACT_EACH one_plus[u] = hn::Add(one, x[u].e);
  if (kOp == Op::kSigmoid) {
    EXACT_EACH w[u] = hn::Div(hn::IfNegativeThenElse(z[u], x[u].e, one), one_plus[u]);
  } else {
    EXACT_EACH w[u] = hn::Div(x[u].e, hn::Mul(one_plus[u], one_plus[u]));
  }
}

/// Results in f32 are normal for |z| up to this.
constexpr float kNormal = 87.0f;

/// The ops of one argument for |z| <= kNormal, within kNormalEta of their own.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
/// e^-a = 2^(k/16) e^r, k = RN(-16 a log2 e), |k| <= 2009. r = -a - k·RN(ln2/16): that is within
/// 2^-58, so r within 2^-47 and its rounding. The polynomial adds 2^-46.6, 2^(j/16), the roundings
/// of e and of p 3u: e is within 2^-45.7. 1/D, D = 1+e, from a value within 2^-14 (Intel's and
/// AMD's manuals), h = 1 - yD: y(1+h+h^2) leaves 2^-42. So the sigmoid is within 2^-41.8, the
/// gradient e/D^2 (condition of e at most 1) within 2^-40.8.
constexpr double kNormalEta = 0x1p-40;
/// The bits of 2^(j/16), less j where k's bits will be added.
HWY_ALIGN constexpr std::uint64_t kSixteenths[16] = {
    0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238,
    0x3fef06fe0a31b715, 0x3feedea64c123422, 0x3feebfdad5362a27, 0x3feeab07dd485429,
    0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
    0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da};
template <Op kOp, int N>
HWY_INLINE void NormalUnary(const V (&z)[N], V (&w)[N]) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  const V magic = Set(0x1.8p52), one = Set(1.0);
  const __m512d table0 = _mm512_castsi512_pd(hn::Load(du, kSixteenths).raw);
  const __m512d table8 = _mm512_castsi512_pd(hn::Load(du, kSixteenths + 8).raw);
  V kf[N], k[N], r[N], r2[N], q[N], p[N], e[N], y[N], h[N];
  hn::Vec<decltype(du)> s[N];
  EXACT_EACH e[u] = kOp == Op::kSigmoid ? z[u] : hn::Abs(z[u]);
  EXACT_EACH kf[u] = hn::NegMulAdd(e[u], Set(0x1.71547652b82fep4), magic);
  EXACT_EACH k[u] = hn::Sub(kf[u], magic);
  EXACT_EACH r[u] = hn::NegMulSub(k[u], Set(0x1.62e42fefa39efp-5), e[u]);
  EXACT_EACH r2[u] = hn::Mul(r[u], r[u]);
  EXACT_EACH q[u] = hn::MulAdd(Set(0x1.55555556267fep-3), r[u], Set(0x1.fffffffe5ce21p-2));
  EXACT_EACH p[u] = hn::MulAdd(Set(0x1.1111404f3d134p-7), r[u], Set(0x1.55570a505ad99p-5));
  EXACT_EACH q[u] = hn::MulAdd(p[u], r2[u], q[u]);
  EXACT_EACH p[u] = hn::MulAdd(q[u], r2[u], r[u]);
  // The index is the lowest four bits.
  EXACT_EACH s[u] =
      hn::BitCast(du, V{_mm512_permutex2var_pd(table0, hn::BitCast(du, kf[u]).raw, table8)});
  EXACT_EACH s[u] = hn::Add(s[u], hn::ShiftLeft<48>(hn::BitCast(du, kf[u])));
  EXACT_EACH e[u] = hn::MulAdd(hn::BitCast(d, s[u]), p[u], hn::BitCast(d, s[u]));
  EXACT_EACH h[u] = hn::Add(one, e[u]);
  EXACT_EACH y[u] = V{_mm512_rcp14_pd(h[u].raw)};  // not in Highway 1.0.3
  EXACT_EACH h[u] = hn::NegMulAdd(y[u], h[u], one);
  EXACT_EACH h[u] = hn::MulAdd(h[u], h[u], h[u]);
  EXACT_EACH w[u] = hn::MulAdd(y[u], h[u], y[u]);
  if (kOp == Op::kSigmoidGrad) {
    EXACT_EACH w[u] = hn::Mul(hn::Mul(w[u], w[u]), e[u]);
  }
}
#else
constexpr double kNormalEta = kFastEta;
template <Op kOp, int N>
HWY_INLINE void NormalUnary(const V (&z)[N], V (&w)[N]) {
  FastUnary<kOp, N>(z, w);
}
#endif

/// The op at z (any double of a narrow dtype) and y in [0, 1]; NaN in either comes through. R, the
/// exact part, is a sum of two doubles: a·y has at most 48 bits, ½-y and 1-y are sums of two.
template <Op kOp>
HWY_INLINE Parts Fast(V z, V y) {
  const V zero = hn::Zero(D()), one = Set(1.0);
  const V size = hn::Abs(z);
  const V a = AtMost(kLargestA, size);
  const M negative = hn::Lt(z, zero);
  const FastExponential x = FastExp(a);
  const V one_plus = hn::Add(one, x.e);
  if (!has_label(kOp)) {
    const V zs[1] = {z};
    V w[1];
    FastUnary<kOp, 1>(zs, w);
    return {{zero, zero}, w[0]};
  }
  if (kOp == Op::kBce) {
    // Infinity times c is infinity in the dtype or 0, and so is this.
    const V finite = AtMost(0x1p900, size);
    const V ay = hn::Mul(finite, y);
    const V rest = hn::Sub(finite, ay);
    const V low = hn::Sub(hn::Sub(finite, rest), ay);  // exact: ay <= a
    return {{hn::IfThenElse(negative, ay, rest), hn::IfThenElse(negative, zero, low)},
            FastLogOnePlus(x.e)};
  }
  // |z| < 1: (½-y) + ½tanh(z/2); else (1-y) - e/(1+e) and -y + e/(1+e). ½tanh(a/2) = -½m/(1+e).
  const M core = hn::Lt(a, one);
  const V num = hn::IfThenElse(core, hn::Mul(Set(-0.5), x.m), x.e);
  V w = hn::Div(num, one_plus);
  w = hn::IfThenElse(hn::Eq(size, Set(HUGE_VAL)), zero, w);
  w = hn::IfThenElse(hn::Xor(negative, core), w, hn::Neg(w));
  const V base = hn::IfThenElse(core, Set(0.5), hn::IfThenElse(negative, zero, one));
  return {AddExactly(base, hn::Neg(y)), w};
}

/// Bounds in double. Beside kFastEta/2·|w| for roundings in w's size: r.lo, and the roundings of
/// the sum and of the bounds, make 3u of r.hi.
template <Op kOp>
HWY_INLINE Bounds QuickBounds(const Parts& t) {
  V hi = t.w, delta = hn::Mul(hn::Abs(t.w), Set(kFastEta));
  if (has_label(kOp)) {
    hi = hn::Add(t.r.hi, t.w);
    delta = hn::MulAdd(hn::Abs(t.r.hi), Set(0x1p-51), delta);
  }
  return {hn::Sub(hi, delta), hn::Add(hi, delta)};
}

/// hi + lo rounded to odd: the number itself, else of its two neighbours the odd one. So any number
/// with a shorter significand (numbers and midpoints of a narrow dtype) keeps its side.
HWY_INLINE V RoundToOdd(V a, V b) {
  const D d;
  const hn::RebindToSigned<D> di;
  const Sum s = AddExactly(a, b);
  const auto hi = hn::BitCast(di, s.hi), lo = hn::BitCast(di, s.lo);
  const auto outward = hn::Or(hn::BroadcastSignBit(hn::Xor(hi, lo)), hn::Set(di, 1));  // ±1
  const auto odd = hn::And(hi, hn::Set(di, 1));
  const auto step = hn::IfThenElse(hn::Eq(odd, hn::Zero(di)), outward, hn::Zero(di));
  const M exact = hn::Eq(s.lo, hn::Zero(d));
  return hn::IfThenElse(exact, s.hi, hn::BitCast(d, hn::Add(hi, step)));
}

/// Bounds rounded to odd, which decide beside an exact R too: r.lo + s.lo and lo ± delta round, in
/// all by 2u·|lo|.
HWY_INLINE Bounds OddBounds(const Parts& t) {
  const Sum s = AddExactly(t.r.hi, t.w);
  const V lo = hn::Add(s.lo, t.r.lo);
  const V delta = hn::MulAdd(hn::Abs(lo), Set(0x1p-52), hn::Mul(hn::Abs(t.w), Set(kFastEta)));
  return {RoundToOdd(s.hi, hn::Sub(lo, delta)), RoundToOdd(s.hi, hn::Add(lo, delta))};
}

}  // namespace HWY_NAMESPACE
}  // namespace exact
HWY_AFTER_NAMESPACE();
#endif
