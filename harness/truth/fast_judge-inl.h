// SPDX-License-Identifier: Apache-2.0
// The fast judge's formulas for f16, bf16 and f32, and their error bounds. Derivation of each
// bound: docs/fast-judge.md. u = 2^-53. No step relies on MulAdd being fused, so the bounds hold on
// SSE4 too. Included once per SIMD target (Highway's -inl convention), and by the judge on a CUDA
// device, where a vector has one lane.
#if defined(ULPAUDIT_FAST_JUDGE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_FAST_JUDGE_INL_H_
#undef ULPAUDIT_FAST_JUDGE_INL_H_
#else
#define ULPAUDIT_FAST_JUDGE_INL_H_
#endif

#include "truth/simd-inl.h"

#include "truth/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using I = hn::RebindToSigned<D>;

struct Pair {
  V hi, lo;
};
/// a + b = hi + lo exactly (Knuth).
HWY_INLINE Pair TwoSum(V a, V b) {
  const V s = hn::Add(a, b);
  const V bb = hn::Sub(s, a);
  return {s, hn::Add(hn::Sub(a, hn::Sub(s, bb)), hn::Sub(b, bb))};
}

/// Beyond this every e^-a is below 2^-288: far under half of any subnormal up to f32's.
constexpr double kLargestA = 200;

/// e^-a and e^-a - 1 for 0 <= a <= 200, each within 2^-50 relative: k = round(a log2 e),
/// r = a - k ln2 in two exact-product parts; Taylor to degree 12: remainder 2^-52.4 at |r| = 0.347.
struct Exponential {
  V e, em1;
};
HWY_INLINE Exponential ExpMinus(V a) {
  const V k = hn::Round(hn::Mul(a, Set(1.4426950408889634)));
  // ln2 = hi + lo: hi has 42 bits, so k·hi is exact for k < 2^11. (mpmath: ln2 =
  // 0x1.62e42fefa39ef35793c76p-1)
  V r = hn::Sub(a, hn::Mul(k, Set(0x1.62e42fefa38p-1)));
  r = hn::Neg(hn::Sub(r, hn::Mul(k, Set(0x1.ef35793c7673p-45))));
  constexpr double c[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
      1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5};
  // Two interleaved chains (even and odd coefficients) halve the latency.
  const V r2 = hn::Mul(r, r);
  V even = Set(c[0]), odd = Set(c[1]);
  for (int i = 2; i < 10; i += 2) even = hn::MulAdd(even, r2, Set(c[i]));
  even = hn::MulAdd(even, r2, Set(c[10]));
  for (int i = 3; i < 11; i += 2) odd = hn::MulAdd(odd, r2, Set(c[i]));
  const V q = hn::MulAdd(odd, r, even);
  const V p = hn::MulAdd(r2, q, r);  // e^r - 1
  // 2^-k, exact: the last bits of 2^52 + n are n.
  const V exponent = hn::Sub(Set(0x1p52 + 1023), k);
  const V scale = hn::BitCast(D(), hn::ShiftLeft<52>(hn::BitCast(I(), exponent)));
  const V scaled = hn::Mul(scale, p);
  return {hn::Add(scale, scaled), hn::Add(hn::Sub(scale, Set(1.0)), scaled)};
}

/// log(1+e), within 2^-48.5: 2 atanh(s) with s = e/(2+e) below sqrt(2)-1, else ln2 + 2 atanh(s)
/// with s = (e-1)/(e+3); |s| <= 0.1716, series to s^19 (remainder 2^-55 relative to s).
HWY_INLINE V LogOnePlus(const Exponential& x) {
  const auto small = hn::Lt(x.e, Set(0.41421356237309503));
  const V top = hn::IfThenElse(small, x.e, x.em1);
  const V s = hn::Div(top, hn::Add(x.e, hn::IfThenElse(small, Set(2.0), Set(3.0))));
  const V w = hn::Mul(s, s);
  V p = Set(2.0 / 19);
  for (int k = 17; k >= 3; k -= 2) p = hn::MulAdd(p, w, Set(2.0 / k));
  const V two_atanh = hn::MulAdd(hn::Mul(s, w), p, hn::Add(s, s));
  return hn::Add(two_atanh, hn::IfThenElse(small, hn::Zero(D()), Set(0x1.62e42fefa39efp-1)));
}

/// ½tanh(a/2) = -m/(2(2+m)), m = e^-a - 1: within 2^-49.
HWY_INLINE V HalfTanh(const Exponential& x) {
  const V twice = hn::Add(Set(2.0), x.em1);
  return hn::Neg(hn::Div(x.em1, hn::Add(twice, twice)));
}

/// ½tanh(z/2) - z/4 for |z| < 2^-4: Taylor to z^13, remainder below 2^-60 relative.
/// (tanh x = x - x³/3 + 2x⁵/15 - 17x⁷/315 + 62x⁹/2835 - 1382x¹¹/155925 + …)
HWY_INLINE V HalfTanhMinusQuarter(V z) {
  const V w = hn::Mul(z, z);
  V p = Set(-1382.0 / 155925 / 4096);
  p = hn::MulAdd(p, w, Set(62.0 / 2835 / 1024));
  p = hn::MulAdd(p, w, Set(-17.0 / 315 / 256));
  p = hn::MulAdd(p, w, Set(2.0 / 15 / 64));
  p = hn::MulAdd(p, w, Set(-1.0 / 3 / 16));
  return hn::Mul(hn::Mul(z, w), p);
}

enum class Part { sigmoid, sigmoid_grad, loss, grad };

/// The function of z that each op needs:
///  sigmoid, grad: ½tanh(z/2) (grad below 2^-4: that minus z/4) for |z| < 1, else ∓σ(-|z|), its
///  sign that of -z; sigmoid_grad: ½tanh(|z|/2) for |z| < 1, else e/(1+e)²; loss: log1p(e).
template <Part kPart>
HWY_INLINE V PartOf(V z) {
  const V a = hn::Min(hn::Abs(z), Set(kLargestA));
  const Exponential x = ExpMinus(a);
  if (kPart == Part::loss) return LogOnePlus(x);
  const V one_plus = hn::Add(Set(1.0), x.e);
  const auto core = hn::Lt(a, Set(1.0));
  if (kPart == Part::sigmoid_grad) {
    const V num = hn::IfThenElse(core, hn::Mul(Set(-0.5), x.em1), x.e);
    const V den = hn::IfThenElse(core, one_plus, hn::Mul(one_plus, one_plus));
    return hn::Div(num, den);
  }
  // One division serves both: ½(1-e)/(1+e) and e/(1+e).
  const V num = hn::IfThenElse(core, hn::CopySign(hn::Mul(Set(0.5), x.em1), z), x.e);
  V part = hn::Div(num, one_plus);
  part = hn::IfThenElse(hn::AndNot(core, hn::Gt(z, hn::Zero(D()))), hn::Neg(part), part);
  if (kPart == Part::grad)
    part = hn::IfThenElse(hn::Lt(a, Set(0.0625)), HalfTanhMinusQuarter(z), part);
  return part;
}

constexpr double kEta = 0x1p-48;    // on parts, four times what the derivation gives
constexpr double kLoEta = 0x1p-51;  // on sums of low parts

struct Value {
  V hi, lo, delta;
};

/// A TwoSum as it is.
HWY_INLINE Value Finish(Pair sum, V delta) {
  return {sum.hi, sum.lo, hn::MulAdd(Set(kLoEta), hn::Abs(sum.lo), delta)};
}
HWY_INLINE Value Finish(Pair sum, V rest, V delta) {
  const V lo = hn::Add(sum.lo, rest);
  const V hi = hn::Add(sum.hi, lo);
  const V low = hn::Sub(lo, hn::Sub(hi, sum.hi));
  return {hi, low, hn::MulAdd(Set(kLoEta), hn::Abs(lo), delta)};
}

/// By where z lies: |z| < 1, z < 0, else.
HWY_INLINE V ByZ(hn::Mask<D> core, V z, V inside, V left, V right) {
  return hn::IfThenElse(core, inside, hn::IfNegativeThenElse(z, left, right));
}

/// What depends on the label alone.
template <Part kPart>
struct Label {
  explicit HWY_INLINE Label(double) {}
  HWY_INLINE Value Combine(V z, V w) const {
    const auto core = hn::Lt(hn::Abs(z), Set(1.0));
    if (kPart == Part::sigmoid) {
      const V base = ByZ(core, z, Set(0.5), hn::Zero(D()), Set(1.0));
      return Finish(TwoSum(base, w), hn::Mul(Set(kEta), hn::Abs(w)));
    }
    const V square = hn::IfThenElse(core, hn::Neg(hn::Mul(w, w)), w);
    const V base = hn::IfThenElseZero(core, Set(0.25));
    return Finish(TwoSum(base, square), hn::Mul(Set(4 * kEta), hn::Abs(square)));
  }
};

/// a·c is exact where c is a float: products of two numbers of at most 24 bits.
template <>
struct Label<Part::loss> {
  explicit HWY_INLINE Label(double label) : Label(Set(label), TakesTheShortWay(label)) {}
  /// A label for each lane; all of them take the short way, or none does: that has the same values.
  HWY_INLINE Label(V labels, bool short_way)
      : y(labels), one_minus_y(hn::Sub(Set(1.0), labels)), exact(short_way) {}
  static HWY_INLINE bool TakesTheShortWay(double label) {
    const double c = 1 - label;
    return label >= 0 && c >= 0 && 1 - c == label &&
           static_cast<double>(static_cast<float>(c)) == c;
  }
  HWY_INLINE Value Combine(V z, V part) const {
    const V a = hn::Abs(z), delta = hn::Mul(Set(kEta), part);
    if (exact)
      return Finish(TwoSum(hn::Mul(a, hn::IfNegativeThenElse(z, y, one_minus_y)), part), delta);
    const V ay = hn::Mul(a, y);  // exact likewise
    const Pair linear = TwoSum(hn::IfNegativeThenElse(z, hn::Zero(D()), a),
                               hn::IfNegativeThenElse(z, ay, hn::Neg(ay)));
    return Finish(TwoSum(linear.hi, part), linear.lo, delta);
  }
  V y, one_minus_y;
  bool exact;
};

template <>
struct Label<Part::grad> {
  // No member is default-constructed: that would not be compiled for the target.
  explicit HWY_INLINE Label(double label) : Label(Set(label), true) {}
  /// A label for each lane.
  HWY_INLINE Label(V labels, bool)
      : inside(TwoSum(Set(0.5), hn::Neg(labels))),
        left(TwoSum(hn::Zero(D()), hn::Neg(labels))),
        right(TwoSum(Set(1.0), hn::Neg(labels))) {
    const V low = hn::Or(hn::Abs(inside.lo), hn::Abs(right.lo));
    exact = hn::AllTrue(D(), hn::Eq(low, hn::Zero(D())));
  }
  HWY_INLINE Value Combine(V z, V w) const {
    const D d;
    const auto core = hn::Lt(hn::Abs(z), Set(1.0)), near = hn::Lt(hn::Abs(z), Set(0.0625));
    const V delta = hn::Mul(Set(kEta), hn::Abs(w));
    const V hi = ByZ(core, z, inside.hi, left.hi, right.hi);
    const bool far = hn::AllFalse(d, near);
    if (far && exact) return Finish(TwoSum(hi, w), delta);
    const V lo = ByZ(core, z, inside.lo, left.lo, right.lo);
    if (far) return Finish(TwoSum(hi, w), lo, delta);
    const Pair moved = TwoSum(hi, hn::IfThenElseZero(near, hn::Mul(z, Set(0.25))));
    return Finish(TwoSum(moved.hi, w), hn::Add(moved.lo, lo), delta);
  }
  static HWY_INLINE bool TakesTheShortWay(double) { return true; }  ///< it finds out
  Pair inside, left, right;                                         ///< ½ - y, -y, 1 - y
  bool exact;                                                       ///< their low parts are 0
};

/// Most floats are tiny or huge. For |z| < 2^-27 the parts are z/4, |z|/4 and ln2 - |z|/2, what is
/// left out being below 2^-55 of them (z²/12, z²/8); beyond kLargestA they are constant.
template <Part kPart>
HWY_INLINE V TinyPart(V z) {
  if (kPart == Part::loss) return hn::Sub(Set(0x1.62e42fefa39efp-1), hn::Mul(hn::Abs(z), Set(0.5)));
  if (kPart == Part::grad) return HalfTanhMinusQuarter(z);
  return hn::Mul(kPart == Part::sigmoid_grad ? hn::Abs(z) : z, Set(0.25));
}

/// The part at z, by the short way where all lanes have one; `far` is PartOf(kLargestA). NaN where
/// nothing is judged, so that a sum with it and its delta are NaN too: z is infinite or NaN, or 0
/// where the result is rational.
template <Part kPart>
HWY_INLINE V PartAt(V z, V far) {
  const D d;
  const V a = hn::Abs(z);
  V p;
  if (hn::AllTrue(d, hn::Ge(a, Set(kLargestA))))
    p = kPart == Part::sigmoid || kPart == Part::grad ? hn::IfNegativeThenElse(z, hn::Neg(far), far)
                                                      : far;
  else if (hn::AllTrue(d, hn::Lt(a, Set(0x1p-27))))
    p = TinyPart<kPart>(z);
  else
    p = PartOf<kPart>(z);
  auto ours = hn::Lt(a, Set(0x1p200));
  if (kPart != Part::loss) ours = hn::And(ours, hn::Gt(a, hn::Zero(d)));
  return hn::IfThenElse(ours, p, hn::BitCast(d, hn::Set(U64(), 0x7ff8000000000000u)));
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
