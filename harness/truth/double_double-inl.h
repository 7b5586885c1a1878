// SPDX-License-Identifier: Apache-2.0
// Vectors of double-doubles, numbers as unevaluated sums hi + lo: arithmetic, e^-a, log(1+e).
// Included once per SIMD target (Highway's -inl convention). u = 2^-53; bounds hold with and
// without fused multiply-add; docs/fast-judge-f64.md derives them.
#if defined(ULPAUDIT_DOUBLE_DOUBLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_DOUBLE_DOUBLE_INL_H_
#undef ULPAUDIT_DOUBLE_DOUBLE_INL_H_
#else
#define ULPAUDIT_DOUBLE_DOUBLE_INL_H_
#endif

#include "truth/simd-inl.h"

#ifndef ULPAUDIT_FAST_JUDGE_F64_TABLE  // once, whatever the number of targets
#define ULPAUDIT_FAST_JUDGE_F64_TABLE
namespace ulpaudit {
namespace {
#include "truth/fast_judge_f64_table.inc"
}
}  // namespace ulpaudit
#endif

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace dd {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;
using I = hn::RebindToSigned<D>;
using U = hn::RebindToUnsigned<D>;

HWY_INLINE V Set(double x) { return hn::Set(D(), x); }

/// lo is small beside hi, not always below ulp(hi)/2.
struct Pair {
  V hi, lo;
};

HWY_INLINE Pair Select(M m, Pair yes, Pair no) {
  return {hn::IfThenElse(m, yes.hi, no.hi), hn::IfThenElse(m, yes.lo, no.lo)};
}

/// a + b = hi + lo exactly, hi = RN(a + b) (Knuth).
HWY_INLINE Pair TwoSum(V a, V b) {
  const V s = hn::Add(a, b);
  const V bb = hn::Sub(s, a);
  return {s, hn::Add(hn::Sub(a, hn::Sub(s, bb)), hn::Sub(b, bb))};
}

/// The same where |a| >= |b|, a = 0, or a + b is exact (Dekker).
HWY_INLINE Pair FastTwoSum(V a, V b) {
  const V s = hn::Add(a, b);
  return {s, hn::Sub(b, hn::Sub(s, a))};
}

/// Without fused multiply-add the split below overflows beyond this.
constexpr double kLargestFactor = HWY_NATIVE_FMA ? 0x1.fffffffffffffp1023 : 0x1p996;

/// a·b = hi + lo exactly, hi = RN(a·b), where |a·b| >= 2^-968 (or 0); below, lo is within 2^-1074
/// with fused multiply-add and within 2^-1072 without.
HWY_INLINE Pair TwoProd(V a, V b) {
  const V p = hn::Mul(a, b);
#if HWY_NATIVE_FMA
  return {p, hn::MulSub(a, b, p)};
#else  // Dekker, with Veltkamp's split into 26 + 26 bits
  const V split = Set(0x1p27 + 1);
  const V ta = hn::Mul(a, split), tb = hn::Mul(b, split);
  const V ah = hn::Sub(ta, hn::Sub(ta, a)), bh = hn::Sub(tb, hn::Sub(tb, b));
  const V al = hn::Sub(a, ah), bl = hn::Sub(b, bh);
  V e = hn::Sub(hn::Mul(ah, bh), p);
  e = hn::Add(e, hn::Mul(ah, bl));
  e = hn::Add(e, hn::Mul(al, bh));
  return {p, hn::Add(e, hn::Mul(al, bl))};
#endif
}

/// a·b. With |lo| <= 4u|hi| in both: within 32u² = 2^-101 relative.
HWY_INLINE Pair Mul(Pair a, Pair b) {
  Pair p = TwoProd(a.hi, b.hi);
  p.lo = hn::Add(p.lo, hn::MulAdd(a.hi, b.lo, hn::Mul(a.lo, b.hi)));
  return p;
}

HWY_INLINE Pair Square(Pair a) {
  Pair p = TwoProd(a.hi, a.hi);
  p.lo = hn::MulAdd(hn::Add(a.hi, a.hi), a.lo, p.lo);
  return p;
}

/// a + b where |a.hi| >= |b.hi| or a.hi = 0. Error: three roundings of low words.
HWY_INLINE Pair AddSmaller(Pair a, Pair b) {
  Pair s = FastTwoSum(a.hi, b.hi);
  s.lo = hn::Add(s.lo, hn::Add(a.lo, b.lo));
  return s;
}

/// a/b by one step of Newton's: with |lo| <= 4u|hi| in both, within 64u² = 2^-100 relative.
HWY_INLINE Pair Div(Pair a, Pair b) {
  const V inverse = hn::Div(Set(1.0), b.hi);
  const V q = hn::Mul(a.hi, inverse);
#if HWY_NATIVE_FMA
  const V rest = hn::NegMulAdd(q, b.hi, a.hi);
#else
  const Pair back = TwoProd(q, b.hi);
  const V rest = hn::Sub(hn::Sub(a.hi, back.hi), back.lo);
#endif
  const V low = hn::NegMulAdd(q, b.lo, a.lo);
  return {q, hn::Mul(hn::Add(rest, low), inverse)};
}

constexpr double kMagic = 0x1.8p52;  // x + kMagic has RN(x) in its low bits, |x| < 2^51

struct Exponential {
  Pair e, m;  ///< e^-a within 2^-94.8; 1 - e^-a within 2^-90.2, for a < 1 only
};

/// 0 <= a <= 667. n = RN(a·1024/ln2), x = n·ln2/1024 - a, e = 2^(-n/1024)·e^x, |x| < 2^-11.5.
HWY_INLINE Exponential ExpMinus(V a) {
  const D d;
  const U du;
  const I di;
  const V shifted = hn::MulAdd(a, Set(kStepsPerUnit), Set(kMagic));
  const V n = hn::Sub(shifted, Set(kMagic));
  const auto bits = hn::BitCast(du, shifted);
  const auto index =
      hn::BitCast(di, hn::Add(hn::And(bits, hn::Set(du, 1023)), hn::And(bits, hn::Set(du, 1023))));
  const auto k = hn::And(hn::ShiftLeft<42>(bits), hn::Set(du, 0x7ffull << 52));
  const V scale = hn::BitCast(d, hn::Sub(hn::Set(du, 1023ull << 52), k));
  const Pair s = {hn::Mul(scale, hn::GatherIndex(d, kExpTable, index)),
                  hn::Mul(scale, hn::GatherIndex(d, kExpTable + 1, index))};
  Pair x = TwoSum(hn::MulSub(n, Set(kStep1), a), hn::Mul(n, Set(kStep2)));  // both exact
  x.lo = hn::MulAdd(n, Set(kStep3), x.lo);
  // p = e^x - 1 = x + x²(½ + x(1/6 + x·q)), q = 1/24 + …, remainder x⁸/40320.
  V q = hn::MulAdd(x.hi, Set(1.0 / 5040), Set(1.0 / 720));
  q = hn::MulAdd(q, x.hi, Set(1.0 / 120));
  q = hn::MulAdd(q, x.hi, Set(1.0 / 24));
  Pair c = FastTwoSum(Set(kSixthHi), hn::Mul(x.hi, q));
  c.lo = hn::Add(c.lo, Set(kSixthLo));
  const Pair xc = Mul(x, c);
  Pair half = FastTwoSum(Set(0.5), xc.hi);
  half.lo = hn::Add(half.lo, xc.lo);
  const Pair p = AddSmaller(x, Mul(Square(x), half));
  const Pair v = Mul(s, p);
  // 1 - s is exact, or needs one bit more; it is 0 or larger than v.
  Pair m = FastTwoSum(Set(1.0), hn::Neg(s.hi));
  const Pair mv = FastTwoSum(m.hi, hn::Neg(v.hi));
  m = {mv.hi, hn::Add(mv.lo, hn::Sub(m.lo, hn::Add(s.lo, v.lo)))};
  return {AddSmaller(s, v), m};
}

/// log(1+e) within 2^-94, 0 < e <= 1. c = RN(1024/(1+e))/1024, f = c(1+e) - 1,
/// log(1+e) = -log(c) + f - f²(½ - f(1/3 - f/4 + f²·q)), |f| < 2^-9.9, and < 2^-10.9 where c = 1.
HWY_INLINE Pair LogOnePlus(Pair e) {
  const D d;
  const U du;
  const I di;
  const V inverse = hn::Div(Set(1024.0), hn::Add(e.hi, Set(1.0)));
  const V shifted = hn::Add(inverse, Set(kMagic));
  const V c = hn::Mul(hn::Sub(shifted, Set(kMagic)), Set(0x1p-10));
  const auto bits = hn::BitCast(du, shifted);
  const auto from512 = hn::Sub(hn::And(bits, hn::Set(du, 2047)), hn::Set(du, 512));
  const auto index = hn::BitCast(di, hn::Add(from512, from512));
  const Pair log_c = {hn::GatherIndex(d, kLogTable, index),
                      hn::GatherIndex(d, kLogTable + 1, index)};
  const Pair ce = TwoProd(c, e.hi);
  Pair f = FastTwoSum(hn::Sub(c, Set(1.0)), ce.hi);  // exact sum, or c = 1
  f.lo = hn::Add(f.lo, hn::MulAdd(c, e.lo, ce.lo));
  V q = hn::MulAdd(f.hi, Set(1.0 / 9), Set(-1.0 / 8));
  q = hn::MulAdd(q, f.hi, Set(1.0 / 7));
  q = hn::MulAdd(q, f.hi, Set(-1.0 / 6));
  q = hn::MulAdd(q, f.hi, Set(1.0 / 5));
  Pair b = FastTwoSum(Set(kThirdHi), hn::Mul(f.hi, Set(-0.25)));
  b.lo = hn::Add(b.lo, hn::MulAdd(f.lo, Set(-0.25), Set(kThirdLo)));
  b.lo = hn::MulAdd(hn::Mul(f.hi, f.hi), q, b.lo);
  const Pair fb = Mul(f, b);
  Pair half = FastTwoSum(Set(0.5), hn::Neg(fb.hi));
  half.lo = hn::Sub(half.lo, fb.lo);
  const Pair w = Mul(Square(f), half);
  return AddSmaller(log_c, AddSmaller(f, {hn::Neg(w.hi), hn::Neg(w.lo)}));
}

}  // namespace dd
}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
