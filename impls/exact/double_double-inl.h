// SPDX-License-Identifier: Apache-2.0
// Numbers as unevaluated sums of two doubles, and e^x and log(1+e) on them, compiled once per
// Highway target. u = 2^-53; rounding to nearest; bounds are relative unless said. No step needs a
// fused multiply-add.
#if defined(ULPAUDIT_EXACT_DOUBLE_DOUBLE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_EXACT_DOUBLE_DOUBLE_INL_H
#undef ULPAUDIT_EXACT_DOUBLE_DOUBLE_INL_H
#else
#define ULPAUDIT_EXACT_DOUBLE_DOUBLE_INL_H
#endif

#include "fast-inl.h"
#include "hwy/highway.h"
#include "table.hpp"

HWY_BEFORE_NAMESPACE();
namespace exact {
namespace HWY_NAMESPACE {

using Pair = Sum;
HWY_INLINE Pair TwoSum(V a, V b) { return AddExactly(a, b); }

/// a + b exactly, |a| >= |b| or a = 0.
HWY_INLINE Pair FastTwoSum(V a, V b) {
  const V s = hn::Add(a, b);
  return {s, hn::Sub(b, hn::Sub(s, a))};
}

/// a·b exactly, where the low part does not underflow and |a|, |b| < 2^996.
HWY_INLINE Pair TwoProd(V a, V b) {
  const V p = hn::Mul(a, b);
#if HWY_NATIVE_FMA
  return {p, hn::MulSub(a, b, p)};
#else
  const V splitter = Set(0x1p27 + 1);
  const V ca = hn::Mul(splitter, a), cb = hn::Mul(splitter, b);
  const V ah = hn::Sub(ca, hn::Sub(ca, a)), bh = hn::Sub(cb, hn::Sub(cb, b));
  const V al = hn::Sub(a, ah), bl = hn::Sub(b, bh);
  V e = hn::Sub(hn::Mul(ah, bh), p);
  e = hn::Add(e, hn::Mul(ah, bl));
  e = hn::Add(e, hn::Mul(al, bh));
  return {p, hn::Add(e, hn::Mul(al, bl))};
#endif
}

HWY_INLINE Pair Select(M m, Pair yes, Pair no) {
  return {hn::IfThenElse(m, yes.hi, no.hi), hn::IfThenElse(m, yes.lo, no.lo)};
}

/// Within 2^-103 where |a| >= 2|b|, or where both have one sign and |a| >= |b|.
HWY_INLINE Pair AddSmaller(Pair a, Pair b) {
  const Pair s = TwoSum(a.hi, b.hi);
  return FastTwoSum(s.hi, hn::Add(s.lo, hn::Add(a.lo, b.lo)));
}

/// Within 2^-102.
HWY_INLINE Pair Mul(Pair a, Pair b) {
  const Pair p = TwoProd(a.hi, b.hi);
  return FastTwoSum(p.hi, hn::Add(p.lo, hn::Add(hn::Mul(a.hi, b.lo), hn::Mul(a.lo, b.hi))));
}

/// Within 2^-100: the rest after the first quotient is exact but for 4u^2.
HWY_INLINE Pair Div(Pair a, Pair b) {
  const V q = hn::Div(a.hi, b.hi);
  const Pair p = TwoProd(q, b.hi);
  const V rest = hn::Sub(hn::Add(hn::Sub(hn::Sub(a.hi, p.hi), p.lo), a.lo), hn::Mul(q, b.lo));
  return FastTwoSum(q, hn::Div(rest, b.hi));
}

/// e = e^x·2^shift and m = e^x - 1 (of use for shift = 0 alone).
struct Exponential {
  Pair e, m;
};

/// For -708 - shift·ln2 < x < 1. With n = RN(256x/ln2), |n| < 2^19, and r = x - n ln2/256,
/// |r| < 2^-9.5 and a little: e^x = 2^(n/256)·(1 + p), p = e^r - 1.
///
/// r: x - n·kStep1 is exact (n = 0: trivially; else |x| > 2^-10 is a multiple of 2^-62, and the
/// difference is below 2^-9), n·kStep2 too; n·kStep3 < 2^-55 rounds, and so does its sum: within
/// 2^-107 absolutely, for n = 0 not at all.
///
/// p = r(1 + r(1/2 + r(1/6 + r(1/24 + r·c)))), c = 1/120 + … + r^4/362880 in double. Relative to p:
/// left-out term 2^-107; error of c and of r·c (2^-16.4·2^-52) times r^3: 2^-97; of r.lo left out
/// there likewise below 2^-97; roundings of the pairs: 2^-102 each, the outer ones alone count in
/// full. Together p is within 2^-95. m: for n = 0 it is p; else |m| > 2^-9.6, 2^(n/256) - 1 and its
/// product with p add 2^-106·2^9.6 and the error of r 2^-107·2^9.6: within 2^-94.
/// e: p below 2^-9.5, within 2^-95·2^-9.5 + 2^-107 + 3·2^-103: 2^-100.
HWY_INLINE Exponential Exp(V x, int shift = 0) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const V magic = Set(0x1.8p52);
  const V kf = hn::MulAdd(x, Set(kStepsPerUnit), magic);
  const V n = hn::Sub(kf, magic);
  const V r1 = hn::Sub(x, hn::Mul(n, Set(kStep1)));
  Pair r = TwoSum(r1, hn::Neg(hn::Mul(n, Set(kStep2))));
  r = FastTwoSum(r.hi, hn::Sub(r.lo, hn::Mul(n, Set(kStep3))));

  V c = Set(1.0 / 362880);
  c = hn::MulAdd(c, r.hi, Set(1.0 / 40320));
  c = hn::MulAdd(c, r.hi, Set(1.0 / 5040));
  c = hn::MulAdd(c, r.hi, Set(1.0 / 720));
  c = hn::MulAdd(c, r.hi, Set(1.0 / 120));
  Pair p = FastTwoSum(Set(kTwentyFourthHi), hn::Mul(c, r.hi));
  p.lo = hn::Add(p.lo, Set(kTwentyFourthLo));
  p = AddSmaller({Set(kSixthHi), Set(kSixthLo)}, Mul(p, r));
  p = AddSmaller({Set(0.5), Set(0.0)}, Mul(p, r));
  p = AddSmaller(r, Mul(Mul(r, r), p));

  // kf holds n in its low bits. n + 256·(1023 + shift) > 0 is the exponent field and the index.
  const auto offset = hn::Set(di, 256 * (1023 + static_cast<std::int64_t>(shift)));
  const auto bits = hn::Sub(hn::BitCast(di, kf), hn::BitCast(di, magic));
  const auto up = hn::BitCast(du, hn::Add(bits, offset));
  const auto j = hn::BitCast(di, hn::And(up, hn::Set(du, 255)));
  const V scale = hn::BitCast(d, hn::ShiftLeft<52>(hn::ShiftRight<8>(up)));
  const Pair s = {hn::Mul(hn::GatherIndex(d, kPowerHi, j), scale),
                  hn::Mul(hn::GatherIndex(d, kPowerLo, j), scale)};
  const Pair sp = Mul(s, p);
  // s - 1 is exact but for n >= 256 (x > ln2/2 there: the bound holds) and s.lo.
  const Pair s1 = TwoSum(s.hi, Set(-1.0));
  const Pair s1n = FastTwoSum(s1.hi, hn::Add(s1.lo, s.lo));
  const Pair t = TwoSum(s1n.hi, sp.hi);
  const Pair m = FastTwoSum(t.hi, hn::Add(t.lo, hn::Add(s1n.lo, sp.lo)));
  return {AddSmaller(s, sp), Select(hn::Eq(n, hn::Zero(d)), p, m)};
}

/// log(1+e) for 0 < e <= 1, e within 2^-98: within 2^-92. With y0 = log(1+e) in double, within
/// 2^-45 (fast-inl.h), and m = e^y0 - 1: log(1+e) = y0 + log(1+h), h = (e-m)/(1+m), |h| < 2^-44·y0.
/// m is within 2^-94 and m/(1+m) <= y0; e-m is exact but for its low words; h rounds by 2^-52·|h|,
/// and h^3 is nothing.
HWY_INLINE Pair LogOnePlus(Pair e) {
  const V y0 = FastLogOnePlus(e.hi);
  const Pair m = Exp(y0).m;
  const V diff = hn::Add(hn::Sub(e.hi, m.hi), hn::Sub(e.lo, m.lo));
  const V h = hn::Div(diff, hn::Add(Set(1.0), m.hi));
  const V h2 = hn::Mul(hn::Mul(Set(0.5), h), h);
  return FastTwoSum(y0, hn::Sub(h, h2));
}

}  // namespace HWY_NAMESPACE
}  // namespace exact
HWY_AFTER_NAMESPACE();
#endif
