// The fast judge for f64: formulas in double-double, and their error bounds. Derivation of each
// bound: docs/fast-judge-f64.md. u = 2^-53; a = |z|, e = e^-a.
// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "truth/fast_judge_f64.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>

#include "truth/double_double-inl.h"
#include "truth/fast_judge_f64.hpp"
#ifndef ULPAUDIT_FAST_JUDGE_F64_PART  // once, whatever the number of targets
#define ULPAUDIT_FAST_JUDGE_F64_PART
namespace ulpaudit {
enum class F64Part { sigmoid, sigmoid_grad, loss, grad };
}
#endif

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace f64 {
namespace hn = hwy::HWY_NAMESPACE;
using namespace dd;

constexpr double kEta = 0x1p-87;       // on ε; at least four times what the derivation gives
constexpr double kNearEta = 0x1p-48;   // on ½tanh(z/2) - z/4 in double, likewise
constexpr double kErrorEta = 0x1p-50;  // on a sum of up to three rounding errors, in double
constexpr double kFloor = 0x1p-100;    // |lo|/|hi| is this at least
constexpr double kSmallest = 0x1p-960;
/// A stand-in m for an unknown number in (0, m]: m·(1 - 2^-5 … 1 + 2^-5) leaves out 0.
constexpr double kInside = 31.0 / 32;
constexpr double kFar = 667;      // e^-667 < 2^-962
constexpr double kFarther = 745;  // e^-745 < 2^-1074
constexpr double kSmallTerm = 0x1p-700;
constexpr double kNear = 0x1p-36;  // below, ½tanh(z/2) is z/4 - z³/48
constexpr double kCubeless = 0x1p-300;
constexpr double kTiny = 0x1p-959;  // below, z/4 may not be exact

struct Value {
  V hi, lo, delta;
};

/// The interval for s + l + error, known within delta. Where hi + lo may be a breakpoint (|lo| is a
/// power of two) and `error` is certain to point to one side, lo moves one double that way.
HWY_INLINE Value Finish(V s, V l, V error, V delta) {
  const D d;
  const I di;
  const Pair t = TwoSum(s, l);
  const Pair low = TwoSum(t.lo, error);
  const V size = hn::Abs(low.lo);
  const auto other_sign = hn::BroadcastSignBit(hn::BitCast(di, hn::Xor(low.hi, low.lo)));
  const auto outward = hn::Or(other_sign, hn::Set(di, 1));  // ±1
  const auto fraction = hn::And(hn::BitCast(di, low.hi), hn::Set(di, (1ll << 52) - 1));
  const M power = hn::RebindMask(d, hn::Eq(fraction, hn::Zero(di)));
  const M beside = hn::And(power, hn::Gt(size, delta));
  const V from = hn::IfThenElse(beside, low.hi, Set(1.0));  // no needless subnormals
  const V next = hn::BitCast(d, hn::Add(hn::BitCast(di, from), outward));
  const V step = hn::Abs(hn::Sub(next, from));  // exact
  const Pair r = TwoSum(t.hi, hn::IfThenElse(beside, next, low.hi));
  delta = hn::IfThenElse(beside, hn::Mul(step, Set(kInside)), hn::Add(delta, size));
  // A low word of certain sign far below ulp(hi): any one below does, and this one scales with hi.
  const V floor = hn::Mul(hn::Abs(r.hi), Set(kFloor)), low_size = hn::Abs(r.lo);
  const M sign_only = hn::And(hn::Lt(hn::Add(low_size, delta), floor), hn::Gt(low_size, delta));
  return {r.hi, hn::IfThenElse(sign_only, hn::CopySign(floor, r.lo), r.lo),
          hn::IfThenElse(sign_only, hn::Mul(floor, Set(kInside)), delta)};
}

/// r + w, w within delta.
HWY_INLINE Value Sum(V r, Pair w, V delta) {
  const Pair s = TwoSum(r, w.hi);
  const Pair l = TwoSum(s.lo, w.lo);
  return Finish(s.hi, l.hi, l.lo, delta);
}
HWY_INLINE Value Sum(Pair r, Pair w, V delta) {
  const Pair s = TwoSum(r.hi, w.hi);
  const Pair l1 = TwoSum(s.lo, r.lo);
  const Pair l2 = TwoSum(l1.hi, w.lo);
  const V error = hn::Add(l1.lo, l2.lo);  // rounds
  return Finish(s.hi, l2.hi, error, hn::MulAdd(Set(kErrorEta), hn::Abs(error), delta));
}

/// What depends on the label: ½-y and 1-y exactly, and how to treat |z| < tiny.
struct Label {
  double y, half, half_low, one, one_low;
  double tiny;       ///< kTiny, or more where no bit of ½-y is nearly as small
  bool tiny_judged;  ///< R = ½-y is so far from 0 and from a breakpoint that z decides by its sign
  bool tiny_by_label;  ///< y is as small: z-4y decides
};
inline Label LabelOf(double y) {
  Label l{};
  const double h = 0.5 - y, hy = h - 0.5, o = 1.0 - y, oy = o - 1.0;
  l.y = y;
  l.half = h;
  l.half_low = (0.5 - (h - hy)) + (-y - hy);
  l.one = o;
  l.one_low = (1.0 - (o - oy)) + (-y - oy);
  l.tiny_by_label = y < 0x1p-962;
  l.tiny = y == 0 || (y >= 0x1p-64 && y != 0.5) ? 0x1p-200 : kTiny;
  l.tiny_judged = l.tiny_by_label || (y > 0x1p-850 && y != 0.5);
  return l;
}

/// t = r + w; w within delta.
struct Split {
  Pair r, w;
  V delta;
};

/// Beyond kFar, ε is in (0, m], m smaller than any distance of R from a breakpoint. `small`: R or a
/// part of it is below 2^-700 (then not judged up to kFarther).
HWY_INLINE void StandInFarOut(M far, M small, Pair& w, V& delta) {
  const V m = hn::IfThenElse(small, Set(0x1p-1068), Set(0x1p-900));
  w = Select(far, {m, hn::Zero(D())}, w);
  delta = hn::IfThenElse(far, hn::Mul(m, Set(kInside)), delta);
}

/// σ(z) - y for any label (σ: y = 0).
HWY_INLINE Split Gradient(V z, V a, const Label& label) {
  const V zero = hn::Zero(D());
  const M core = hn::Lt(a, Set(1.0)), negative = hn::Lt(z, zero);
  const M far = hn::Gt(a, Set(kFar)), near = hn::Lt(a, Set(kNear));
  // Where w is replaced below, any argument serves; subnormal words would be slow.
  const Exponential x = ExpMinus(hn::IfThenElse(hn::Or(far, near), Set(0.5), a));
  const V half = Set(0.5);
  const Pair num = Select(core, {hn::Mul(half, x.m.hi), hn::Mul(half, x.m.lo)}, x.e);
  Pair w = Div(num, AddSmaller({Set(1.0), zero}, x.e));  // ½tanh(a/2), or e/(1+e)
  V delta = hn::Mul(w.hi, Set(kEta));
  const bool small_label = label.y > 0 && label.y < kSmallTerm;
  const M small = small_label ? negative : hn::MaskFromVec(zero);
  StandInFarOut(far, small, w, delta);
  Pair r = Select(negative, {Set(-label.y), zero}, {Set(label.one), Set(label.one_low)});
  r = Select(core, {Set(label.half), Set(label.half_low)}, r);
  // w has the sign of z in the core, of -z outside.
  const V sign = hn::And(hn::Xor(z, hn::IfThenElse(core, zero, Set(-0.0))), Set(-0.0));
  w = {hn::Xor(w.hi, sign), hn::Xor(w.lo, sign)};
  if (!hn::AllFalse(D(), near)) {
    const V b = hn::Max(a, Set(kCubeless));
    const V cube = hn::CopySign(hn::Mul(hn::Mul(hn::Mul(b, b), b), Set(1.0 / 48)), hn::Neg(z));
    const M cubeless = hn::Lt(a, Set(kCubeless));
    const V stand_in = hn::Mul(hn::Max(a, Set(label.tiny)), Set(0x1p-92));
    const V low = hn::IfThenElse(cubeless, hn::CopySign(stand_in, cube), cube);
    const V on_low = hn::IfThenElse(cubeless, Set(kInside), Set(kNearEta));
    w = Select(near, {hn::Mul(z, Set(0.25)), low}, w);
    delta = hn::IfThenElse(near, hn::Mul(hn::Abs(low), on_low), delta);
    const M tiny = hn::Lt(a, Set(label.tiny));
    // z = 4y: what is left is -z³/48.
    const V moved = hn::Sub(z, Set(label.tiny_by_label ? 4 * label.y : 0.0));
    const V side = hn::IfThenElse(hn::Eq(moved, zero), hn::Neg(z), moved);
    const double m = label.tiny / 2;
    w = Select(tiny, {hn::CopySign(Set(m), side), zero}, w);
    delta = hn::IfThenElse(tiny, Set(label.tiny_judged ? m * kInside : -1.0), delta);
    if (label.tiny_by_label) r.lo = hn::IfThenZeroElse(tiny, r.lo);
  }
  if (small_label) {
    const M between = hn::And(far, hn::Lt(a, Set(kFarther)));
    delta = hn::IfThenElse(hn::And(between, small), Set(-1.0), delta);
  }
  // R = 0: t = ±ε < 2^-960.
  if (label.y == 0) delta = hn::IfThenElse(hn::And(far, negative), Set(-1.0), delta);
  if (label.y == 1) delta = hn::IfThenElse(hn::AndNot(negative, far), Set(-1.0), delta);
  return {r, w, delta};
}

HWY_INLINE Value SigmoidGrad(V a) {
  const V zero = hn::Zero(D());
  const M core = hn::Lt(a, Set(1.0));
  const M cubeless = hn::Lt(a, Set(kCubeless));
  const M far = hn::Gt(a, Set(kFar));
  const Exponential x = ExpMinus(hn::IfThenElse(far, Set(0.5), hn::Max(a, Set(kCubeless))));
  const Pair den = AddSmaller({Set(1.0), zero}, x.e);
  const V half = Set(0.5);
  const Pair num = Select(core, {hn::Mul(half, x.m.hi), hn::Mul(half, x.m.lo)}, x.e);
  const Pair part = Div(num, Select(core, den, Square(den)));
  const Pair square = Square(part);
  const Pair w = Select(core, {hn::Neg(square.hi), hn::Neg(square.lo)}, part);
  V delta = hn::Mul(hn::Abs(w.hi), Set(kEta));
  // Below kCubeless ε is in (0, 2^-604): w is its stand-in.
  delta = hn::IfThenElse(cubeless, hn::Mul(hn::Abs(w.hi), Set(kInside)), delta);
  Value v = Sum(hn::IfThenElseZero(core, Set(0.25)), w, delta);
  v.delta = hn::IfThenElse(far, Set(-1.0), v.delta);  // t < 2^-960
  return v;
}

HWY_INLINE Value Loss(V z, V a, V y) {
  const V zero = hn::Zero(D());
  const M far = hn::Gt(a, Set(kFar));
  // Below 2^-200 log(1+e) moves by less than 2^-201; beyond kFar w is replaced.
  const V clamped = hn::IfThenElse(far, Set(1.0), hn::Max(a, Set(0x1p-200)));
  Pair w = LogOnePlus(ExpMinus(clamped).e);
  V delta = hn::Mul(w.hi, Set(kEta));
  const Pair ay = TwoProd(a, y);
  const M small = hn::And(hn::Lt(ay.hi, Set(kSmallTerm)), hn::Gt(y, zero));
  StandInFarOut(far, small, w, delta);
  // The product's low word may fall below 2^-1074.
  const M lossy = hn::And(hn::Lt(ay.hi, Set(kSmallest)), small);
  const V slack = hn::IfThenElseZero(lossy, Set(0x1p-1070));
  delta = hn::Add(delta, slack);
  // R = a·y, or a - a·y as r + q.hi + q.lo.
  const M positive = hn::Gt(z, zero);
  const Pair difference = FastTwoSum(a, hn::Neg(ay.hi));
  const Pair r = Select(positive, difference, {ay.hi, zero});
  const Pair q = TwoSum(r.lo, hn::IfThenElse(positive, hn::Neg(ay.lo), ay.lo));
  const Pair s = TwoSum(r.hi, w.hi);
  const Pair l1 = TwoSum(s.lo, q.hi);
  const Pair l2 = TwoSum(l1.hi, w.lo);
  const V error = hn::Add(hn::Add(l1.lo, l2.lo), q.lo);  // rounds twice
  const V parts = hn::Add(hn::Add(hn::Abs(l1.lo), hn::Abs(l2.lo)), hn::Abs(q.lo));
  Value v = Finish(s.hi, l2.hi, error, hn::MulAdd(Set(kErrorEta), parts, delta));
  const M between = hn::And(far, hn::Lt(a, Set(kFarther)));
  const M nothing =
      hn::And(far, hn::And(hn::Eq(r.hi, zero), hn::Eq(q.hi, zero)));  // t = ε < 2^-960
  v.delta = hn::IfThenElse(hn::Or(nothing, hn::And(between, small)), Set(-1.0), v.delta);
  return v;
}

template <F64Part kPart>
HWY_INLINE void Judge(V z, const Label& label, double* hi, double* lo, double* delta) {
  const D d;
  // NaN, 0 and infinities out first: every lane then indexes inside the tables.
  const V size = hn::Abs(z);
  const double largest = kPart == F64Part::loss ? kLargestFactor : 0x1.fffffffffffffp1023;
  const M ours = hn::And(hn::Gt(size, hn::Zero(d)), hn::Le(size, Set(largest)));
  z = hn::IfThenElse(ours, z, Set(1.0));
  const V a = hn::Abs(z);
  Value v = {z, z, z};  // `Value v;` would call a constructor that is not compiled for the target
  M given = ours;
  if constexpr (kPart == F64Part::sigmoid_grad) {
    v = SigmoidGrad(a);
  } else if constexpr (kPart == F64Part::loss) {
    v = Loss(z, a, Set(label.y));
  } else {
    const Split s = Gradient(z, a, label);
    v = kPart == F64Part::sigmoid ? Sum(s.r.hi, s.w, s.delta) : Sum(s.r, s.w, s.delta);
    given = hn::And(given, hn::Ge(s.delta, hn::Zero(d)));
  }
  given = hn::And(given, hn::Ge(hn::Abs(v.hi), Set(kSmallest)));
  hn::StoreU(v.hi, d, hi);
  hn::StoreU(v.lo, d, lo);
  hn::StoreU(hn::IfThenElse(given, v.delta, Set(-1.0)), d, delta);
}

template <F64Part kPart>
void JudgeAll(double y, const double* z, std::size_t n, const FastValues& out) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  const Label label = LabelOf(kPart == F64Part::sigmoid ? 0.0 : y);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    Judge<kPart>(hn::LoadU(d, z + i), label, out.hi + i, out.lo + i, out.delta + i);
  if (i == n) return;
  constexpr std::size_t kMost = HWY_MAX_BYTES / sizeof(double);
  double in[kMost] = {}, hi[kMost], lo[kMost], delta[kMost];
  std::copy(z + i, z + n, in);
  Judge<kPart>(hn::LoadU(d, in), label, hi, lo, delta);
  std::copy_n(hi, n - i, out.hi + i);
  std::copy_n(lo, n - i, out.lo + i);
  std::copy_n(delta, n - i, out.delta + i);
}

}  // namespace f64

void JudgeF64(F64Part part, double y, const double* z, std::size_t n, const FastValues& out) {
  using P = F64Part;
  if (part == P::sigmoid) return f64::JudgeAll<P::sigmoid>(y, z, n, out);
  if (part == P::sigmoid_grad) return f64::JudgeAll<P::sigmoid_grad>(y, z, n, out);
  if (part == P::loss) return f64::JudgeAll<P::loss>(y, z, n, out);
  f64::JudgeAll<P::grad>(y, z, n, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ulpaudit {
namespace {
HWY_EXPORT(JudgeF64);
}  // namespace

void fast_values_f64(OpId op, double y, const double* z, std::size_t n, const FastValues& out) {
  const std::string_view name = info(op).name;
  const bool unary = info(op).arity == 1;
  const F64Part part = name == "sigmoid"           ? F64Part::sigmoid
                       : name == "sigmoid_grad"    ? F64Part::sigmoid_grad
                       : name == "bce_with_logits" ? F64Part::loss
                                                   : F64Part::grad;
  if (!unary && !(y >= 0 && y <= 1)) {
    std::fill_n(out.delta, n, -1.0);
    return;
  }
  // -0 is the label 0.
  HWY_DYNAMIC_DISPATCH(JudgeF64)(part, unary || y == 0 ? 0.0 : y, z, n, out);
}

}  // namespace ulpaudit
#endif  // HWY_ONCE
