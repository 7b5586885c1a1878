// The second step: values of the ops in double-double with a bound, compiled once per Highway
// target. It is the first step of f64. u = 2^-53; bounds are relative unless said.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_EXACT_WIDE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_EXACT_WIDE_INL_H
#undef ULPAUDIT_EXACT_WIDE_INL_H
#else
#define ULPAUDIT_EXACT_WIDE_INL_H
#endif

#include "double_double-inl.h"
#include "fast-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace exact {
namespace HWY_NAMESPACE {

/// t in hi + lo + rest ± delta, |lo| <= ulp(hi)/2, |rest| <= ulp(lo). Nothing is said where
/// `unfit`.
struct WideValue {
  V hi, lo, rest, delta;
  M unfit;
};

/// Claimed of every part; derived: e, e/(1+e) 2^-98; m and ½tanh 2^-93, its square and log1p 2^-92.
constexpr double kWideEta = 0x1p-88;

/// R, up to three words, and w within delta. The sum of what is left of the additions rounds twice.
HWY_INLINE WideValue AddWords(Pair r, V r3, Pair w, V delta) {
  const Pair s = TwoSum(r.hi, w.hi);
  const Pair l1 = TwoSum(s.lo, r.lo);
  const Pair l2 = TwoSum(l1.hi, w.lo);
  const V rest = hn::Add(hn::Add(l1.lo, l2.lo), r3);
  const V size = hn::Add(hn::Add(hn::Abs(l1.lo), hn::Abs(l2.lo)), hn::Abs(r3));
  const Pair t = TwoSum(s.hi, l2.hi);
  const Pair low = TwoSum(t.lo, rest);
  return {t.hi, low.hi, low.lo, hn::MulAdd(size, Set(0x1p-51), delta), hn::Gt(t.hi, t.hi)};
}

/// Far out an ε that is only known to lie in (0, m] is replaced by m with this share of it as
/// delta. m is smaller than any distance of R from a number, midpoint or power of two but R.
constexpr double kInside = 31.0 / 32;
constexpr double kFar = 660;                 // f64: e^-660 < 2^-952
constexpr double kStandIn = 0x1p-900;        // last bit of R >= 2^-795 where y = 0 or >= 2^-700
constexpr double kFarther = 746;             // e^-746 < 2^-1076
constexpr double kSmallStandIn = 0x1p-1068;  // a·y >= 2^-960 has no bit below 2^-1066
constexpr double kSmallLabel = 0x1p-700;
constexpr double kNear = 0x1p-30;       // below, ½tanh(z/2) = z/4 - z^3/48 + …
constexpr double kCubeless = 0x1p-300;  // below, z^3/48 < |z|·2^-605 is replaced by |z|·2^-100
constexpr double kTiny = 0x1p-700;      // see `signs` in Wide
constexpr double kSmallest = 0x1p-960;  // |t| below this has no room for a low word

/// ½tanh(a/2) for a < 1, e/(1+e) beyond.
HWY_INLINE Pair TanhOrTail(const Exponential& x, M core) {
  const Pair half_m = {hn::Mul(Set(-0.5), x.m.hi), hn::Mul(Set(-0.5), x.m.lo)};
  return Div(Select(core, half_m, x.e), AddSmaller({Set(1.0), Set(0.0)}, x.e));
}

/// The op at z and y in [0, 1], finite; kNarrow: numbers of a narrow dtype, |z| <= 200 suffices.
/// Unfit: where words may underflow. Wrong (Tiny is right): |z| > 660 where R = 0.
template <Op kOp, bool kNarrow>
HWY_INLINE WideValue Wide(V z, V y) {
  const D d;
  const V zero = hn::Zero(d), one = Set(1.0);
  const V size = hn::Abs(z);
  const M negative = hn::Lt(z, zero);
  const V a = hn::Min(size, Set(kNarrow ? kLargestA : kFar));
  const M far = hn::Gt(size, Set(kNarrow ? HUGE_VAL : kFar));
  const M core = hn::Lt(a, one);
  const Exponential x = Exp(hn::Neg(a));
  Pair r = {zero, zero};
  V r3 = zero, r_size = zero;
  Pair w;
  // Then the stand-in must be smaller, and the gradient for z < 0 is Special's.
  const M small = hn::And(far, hn::And(hn::Gt(y, zero), hn::Lt(y, Set(kSmallLabel))));
  M unfit = hn::And(small, hn::Lt(size, Set(kFarther)));
  if (kOp == Op::kBce) {
    w = LogOnePlus(x.e);
#if HWY_NATIVE_FMA
    const V factor = size;
#else
    const V factor = hn::Min(size, Set(0x1p990));  // TwoProd would overflow
    unfit = hn::Or(unfit, hn::Gt(size, factor));
#endif
    const Pair ay = TwoProd(factor, y);
    r_size = hn::IfThenElse(hn::Eq(y, zero), Set(1.0), ay.hi);
    const Pair s = TwoSum(size, hn::Neg(ay.hi));
    const Pair l = TwoSum(s.lo, hn::Neg(ay.lo));
    r = Select(negative, ay, {s.hi, l.hi});
    r3 = hn::IfThenElse(negative, zero, l.lo);
  } else {
    w = TanhOrTail(x, core);
    if (kOp == Op::kSigmoidGrad) {
      // ¼ - (½tanh(a/2))^2, e/(1+e)^2.
      const Pair second = Select(core, w, Div({one, zero}, AddSmaller({one, zero}, x.e)));
      w = Mul(w, second);
      w = Select(core, {hn::Neg(w.hi), hn::Neg(w.lo)}, w);
      r.hi = hn::IfThenElse(core, Set(0.25), zero);
    } else {
      const V base = hn::IfThenElse(core, Set(0.5), hn::IfThenElse(negative, zero, one));
      r = TwoSum(base, hn::Neg(y));
      const M flip = hn::Not(hn::Xor(negative, core));
      w = Select(flip, {hn::Neg(w.hi), hn::Neg(w.lo)}, w);
    }
  }
  V delta = hn::Mul(hn::Abs(w.hi), Set(kWideEta));
  if (!kNarrow) {
    V m = Set(kStandIn);
    if (kOp == Op::kBce) m = hn::IfThenElse(small, Set(kSmallStandIn), m);
    w = Select(far, {hn::CopySign(m, w.hi), zero}, w);
    delta = hn::IfThenElse(far, hn::Mul(m, Set(kInside)), delta);
    if (kOp == Op::kBce)  // the low word of a·y underflows, then a·y > 2^-1065 decides for z > 0
      delta = hn::Add(delta, hn::IfThenElse(hn::Lt(r_size, Set(kSmallest)), Set(0x1p-1070), zero));
  }
  if (kOp == Op::kBceGrad || kOp == Op::kSigmoid) {
    const M near = hn::Lt(size, Set(kNear));
    // Where no bit of ½-y is nearly as small, and ½-y is not 0, a smaller z decides by its sign.
    const M signs =
        hn::Or(hn::Eq(y, zero), hn::AndNot(hn::Eq(y, Set(0.5)), hn::Ge(y, Set(0x1p-64))));
    const V small_z = hn::Min(size, one);  // no overflow below
    const V at_least = hn::IfThenElse(signs, hn::Max(small_z, Set(kTiny)), small_z);
    const V b = hn::CopySign(hn::IfThenElse(hn::Eq(z, zero), zero, at_least), z);
    const V cube = hn::Mul(hn::Mul(hn::Mul(b, b), b), Set(-1.0 / 48));
    const M cubeless = hn::Lt(size, Set(kCubeless));
    const V low = hn::IfThenElse(cubeless, hn::Mul(b, Set(-0x1p-100)), cube);
    w = Select(near, {hn::Mul(b, Set(0.25)), low}, w);
    const V share = hn::IfThenElse(cubeless, Set(kInside), Set(0x1p-49));
    delta = hn::IfThenElse(near, hn::Mul(hn::Abs(low), share), delta);
    if (!kNarrow) unfit = hn::Or(unfit, hn::Lt(hn::Abs(b), Set(0x1p-958)));
  }
  if (kOp == Op::kSigmoidGrad) {
    const M flat = hn::Lt(size, Set(kCubeless));  // ε = -z^2/16 and more, above -2^-604
    w = Select(flat, {Set(-0x1p-600), zero}, w);
    delta = hn::IfThenElse(flat, Set(0x1p-600 * kInside), delta);
  }
  WideValue v = AddWords(r, r3, w, delta);
  if (!kNarrow) v.unfit = hn::Or(unfit, hn::Lt(hn::Abs(v.hi), Set(kSmallest)));
  return v;
}

/// Is R = 0, so that for z beyond kFar t is e^-a alone?
template <Op kOp>
HWY_INLINE M NoExactPart(V z, V y) {
  const V zero = hn::Zero(D()), one = Set(1.0);
  const M negative = hn::Lt(z, zero);
  if (kOp == Op::kSigmoid) return negative;
  if (kOp == Op::kSigmoidGrad) return hn::Eq(zero, zero);
  if (kOp == Op::kBce) return hn::Eq(y, hn::IfThenElse(negative, zero, one));
  return hn::Eq(y, hn::IfThenElse(negative, zero, one));
}

/// e^-a rounded to f64 for a > 660 (beyond 746 it is below 2^-1076), computed times 2^200: below
/// 2^-1022 the sum with a number whose ulp is 2^-1074·2^200 does the rounding. What 1+e and log1p
/// differ by from 1 and e, below 2^-952, is in the bound.
HWY_INLINE V Tiny(V size, M& decided) {
  const Pair e = Exp(hn::Neg(hn::Min(size, Set(kFarther))), 200).e;
  const V delta = hn::Mul(e.hi, Set(kWideEta));
  const V grid = hn::IfThenElse(hn::Lt(e.hi, Set(0x1p-822)), Set(0x1p-822), hn::Zero(D()));
  const Pair s = TwoSum(grid, e.hi);
  const V low = RoundToOdd(s.lo, hn::Sub(e.lo, delta)),
          high = RoundToOdd(s.lo, hn::Add(e.lo, delta));
  const V q = hn::Add(s.hi, low);
  decided = hn::Eq(q, hn::Add(s.hi, high));
  return hn::Mul(hn::Sub(q, grid), Set(0x1p-200));
}

/// The ends of lo + rest ± delta, rounded to odd: hi + an end keeps its side of every number and
/// midpoint of f64 as well, since these lie at powers of two from hi, or on it.
struct Ends {
  V low, high;
};
HWY_INLINE Ends LowWords(const WideValue& v) {
  return {RoundToOdd(v.lo, hn::Sub(v.rest, v.delta)), RoundToOdd(v.lo, hn::Add(v.rest, v.delta))};
}

}  // namespace HWY_NAMESPACE
}  // namespace exact
HWY_AFTER_NAMESPACE();
#endif
