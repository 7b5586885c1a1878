// Vectorised scoring of blocks. Mirrors truth/score.cpp and decide(); tests compare them lane by
// lane.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "measure/score_block.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "measure/score_block.hpp"
#include "truth/load_double-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;
using U64 = hn::RebindToUnsigned<D>;

inline V Set(double x) { return hn::Set(D(), x); }
/// v rounded to the nearest integer, |v| < 2^51.
inline V ToInteger(V v) { return hn::Round(v); }

/// Where t lies among the numbers of the dtype.
struct Placed {
  V rounded, other;  ///< the two neighbours of t, `rounded` the nearer
  V ulp, inverse;    ///< ulp(t) and its reciprocal
  M decided;
};

inline Placed Place(V hi, V lo, V delta, V smallest_binade, V ulp_of_binade) {
  const D d;
  const U64 du;
  const auto sign_bit = hn::Set(du, 0x8000000000000000u);
  // |hi| - 1 bit where t lies on the inner side of hi: the binade below a power of two.
  const auto bits_hi = hn::BitCast(du, hi);
  const auto inner = hn::ShiftRight<63>(hn::Xor(bits_hi, hn::BitCast(du, lo)));
  const auto nonzero_lo = hn::VecFromMask(du, hn::RebindMask(du, hn::Ne(lo, hn::Zero(d))));
  const auto size = hn::Sub(hn::AndNot(sign_bit, bits_hi), hn::And(inner, nonzero_lo));
  const V binade = hn::BitCast(d, hn::And(size, hn::Set(du, 0x7ff0000000000000u)));
  Placed p;
  p.ulp = hn::Mul(hn::Max(binade, smallest_binade), ulp_of_binade);
  p.inverse =
      hn::BitCast(d, hn::Sub(hn::Set(du, std::uint64_t{2046} << 52), hn::BitCast(du, p.ulp)));
  // In units of ulp: hi = m + off exactly, |off| <= 1/2.
  const V units = hn::Mul(hi, p.inverse);
  const V low = hn::Mul(lo, p.inverse);
  V m = ToInteger(units);
  V off = hn::Sub(units, m);
  const auto tie = hn::Eq(hn::Abs(off), Set(0.5));
  const auto beyond = hn::And(tie, hn::Gt(hn::Mul(off, low), hn::Zero(d)));
  m = hn::IfThenElse(beyond, hn::Add(m, hn::Add(off, off)), m);
  off = hn::IfThenElse(beyond, hn::Neg(off), off);
  const V v = hn::Add(off, low);
  const V toward = hn::IfThenElse(hn::Eq(off, hn::Zero(d)), low, off);
  const V to_midpoint =
      hn::Sub(hn::Sub(Set(0.5), hn::Abs(off)), hn::Xor(low, hn::And(toward, Set(-0.0))));
  const V bound = hn::Mul(delta, p.inverse);
  p.decided = hn::And(hn::Gt(hn::Min(hn::Abs(v), hn::Abs(to_midpoint)), bound),
                      hn::And(hn::Le(bound, Set(0x1p-21)), hn::Ge(delta, hn::Zero(d))));
  p.rounded = hn::Mul(m, p.ulp);
  p.other = hn::Mul(hn::Add(m, hn::CopySign(Set(1.0), v)), p.ulp);
  return p;
}

template <class T>
BlockScore Score(int kind, const Format& f, Range range, const FastValues& values, const T* out,
                 std::size_t n, BlockScratch& scratch) {
  const D d;
  const V smallest = Set(exp2i(f.emin)), ulp_of_binade = Set(exp2i(1 - f.p));
  const V quantum = Set(0x1p20), unit = Set(0x1p-20);
  V sum = hn::Zero(d), sum_abs = hn::Zero(d), sum_squares = hn::Zero(d);
  V top = Set(-std::numeric_limits<double>::infinity());
  V bottom = Set(std::numeric_limits<double>::infinity());
  const V nan = Set(std::numeric_limits<double>::quiet_NaN());
  BlockScore s;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V hi = hn::LoadU(d, values.hi + i), lo = hn::LoadU(d, values.lo + i);
    const V got = LoadDouble(out + i, kind);
    const Placed p = Place(hi, lo, hn::LoadU(d, values.delta + i), smallest, ulp_of_binade);
    const V e = hn::Sub(hn::Mul(hn::Sub(got, hi), p.inverse), hn::Mul(lo, p.inverse));
    const V units = ToInteger(hn::Mul(e, quantum));
    const V error = hn::Mul(units, unit);
    const auto same_sign = hn::Ge(hn::Xor(got, hn::And(hi, Set(-0.0))), hn::Zero(d));  // ±0 pass
    const auto zero_got = hn::Eq(got, hn::Zero(d));
    const auto wrongly_zero = hn::And(zero_got, hn::Ne(p.rounded, hn::Zero(d)));
    M plain = hn::And(hn::And(p.decided, same_sign),
                      hn::And(hn::Lt(hn::Abs(e), Set(64.0)),
                              hn::And(hn::Ge(got, Set(range.lo)), hn::Le(got, Set(range.hi)))));
    plain = hn::AndNot(wrongly_zero, plain);
    if (i + hn::Lanes(d) > n) plain = hn::And(plain, hn::FirstN(d, n - i));
    const V abs_units = hn::Abs(units);
    sum = hn::Add(sum, hn::IfThenElseZero(plain, units));
    sum_abs = hn::Add(sum_abs, hn::IfThenElseZero(plain, abs_units));
    sum_squares = hn::Add(
        sum_squares, hn::IfThenElseZero(plain, ToInteger(hn::Mul(hn::Mul(error, error), quantum))));
    top = hn::Max(top, hn::IfThenElse(plain, error, top));
    bottom = hn::Min(bottom, hn::IfThenElse(plain, error, bottom));
    const auto exact = hn::And(plain, hn::Eq(got, p.rounded));
    const auto faithful = hn::And(plain, hn::Or(exact, hn::Eq(got, p.other)));
    const V distance = hn::Abs(hn::Mul(e, p.ulp));
    const auto far =
        hn::And(plain, hn::Gt(distance, hn::Add(Set(1e-8), hn::Mul(Set(1e-5), hn::Abs(hi)))));
    s.plain += hn::CountTrue(d, plain);
    s.correctly_rounded += hn::CountTrue(d, exact);
    s.faithful += hn::CountTrue(d, faithful);
    s.allclose_failures += hn::CountTrue(d, far);
    hn::StoreU(hn::IfThenElse(plain, error, nan), d, scratch.e + i);
    hn::StoreU(got, d, scratch.got + i);
    // Sign bits differ: only possible for plain lanes where got is a zero.
    const auto signs = hn::MaskFromVec(hn::BitCast(
        d, hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<D>(), hn::Xor(got, hi)))));
    const auto wrong_zero = hn::And(plain, hn::And(zero_got, signs));
    if (!hn::AllFalse(d, wrong_zero)) {
      if (s.wrong_zeros == 0)
        scratch.wrong_zero_lane = static_cast<std::uint16_t>(
            i + static_cast<std::size_t>(hn::FindFirstTrue(d, wrong_zero)));
      s.wrong_zeros += hn::CountTrue(d, wrong_zero);
    }
    if (!hn::AllTrue(d, plain)) {
      for (std::size_t k = i; k < n && k < i + hn::Lanes(d); ++k)
        if (scratch.e[k] != scratch.e[k])
          scratch.slow_lanes[s.slow++] = static_cast<std::uint16_t>(k);
    }
  }
  s.sum_signed = hn::GetLane(hn::SumOfLanes(d, sum));
  s.sum_abs = hn::GetLane(hn::SumOfLanes(d, sum_abs));
  s.sum_squares = hn::GetLane(hn::SumOfLanes(d, sum_squares));
  s.max_signed = hn::GetLane(hn::MaxOfLanes(d, top));
  s.min_signed = hn::GetLane(hn::MinOfLanes(d, bottom));
  return s;
}

BlockScore Score16(int kind, const Format& f, Range r, const FastValues& v,
                   const std::uint16_t* out, std::size_t n, BlockScratch& scratch) {
  return Score(kind, f, r, v, out, n, scratch);
}
BlockScore Score32(const Format& f, Range r, const FastValues& v, const std::uint32_t* out,
                   std::size_t n, BlockScratch& scratch) {
  return Score(0, f, r, v, out, n, scratch);
}

BlockScore Score64(const Format& f, Range r, const FastValues& v, const std::uint64_t* out,
                   std::size_t n, BlockScratch& scratch) {
  return Score(0, f, r, v, out, n, scratch);
}

PairCount Pairs(const double* got, std::size_t n, int direction) {
  const D d;
  PairCount c;
  const V sign = Set(direction > 0 ? 1.0 : -1.0);
  for (std::size_t i = 0; i + 1 < n; i += hn::Lanes(d)) {
    const V a = hn::Mul(hn::LoadU(d, got + i), sign), b = hn::Mul(hn::LoadU(d, got + i + 1), sign);
    M numbers = hn::And(hn::Eq(a, a), hn::Eq(b, b));
    if (i + hn::Lanes(d) > n - 1) numbers = hn::And(numbers, hn::FirstN(d, n - 1 - i));
    c.pairs += hn::CountTrue(d, numbers);
    c.violations += hn::CountTrue(d, hn::And(numbers, hn::Lt(b, a)));
  }
  return c;
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ulpaudit {
namespace {
HWY_EXPORT(Score16);
HWY_EXPORT(Score32);
HWY_EXPORT(Score64);
HWY_EXPORT(Pairs);
}  // namespace

BlockScore score_block(Dtype d, Range range, const FastValues& v, const void* out, std::size_t n,
                       BlockScratch& scratch) {
  if (d == Dtype::f64)
    return HWY_DYNAMIC_DISPATCH(Score64)(format(d), range, v,
                                         static_cast<const std::uint64_t*>(out), n, scratch);
  if (d == Dtype::f32)
    return HWY_DYNAMIC_DISPATCH(Score32)(format(d), range, v,
                                         static_cast<const std::uint32_t*>(out), n, scratch);
  return HWY_DYNAMIC_DISPATCH(Score16)(d == Dtype::bf16 ? 1 : 0, format(d), range, v,
                                       static_cast<const std::uint16_t*>(out), n, scratch);
}

namespace {
template <class T>
bool all_equal_to(const void* out, std::size_t n, T want) {
  const T* p = static_cast<const T*>(out);
  T difference = 0;
  for (std::size_t i = 0; i < n; ++i) difference |= static_cast<T>(p[i] ^ want);
  return difference == 0;
}
}  // namespace

bool all_equal(Dtype d, const void* out, std::size_t n, Bits want) {
  switch (format(d).width) {
    case 16:
      return all_equal_to(out, n, static_cast<std::uint16_t>(want));
    case 32:
      return all_equal_to(out, n, static_cast<std::uint32_t>(want));
    default:
      return all_equal_to(out, n, want);
  }
}

PairCount count_pairs(const double* got, std::size_t n, int direction) {
  return HWY_DYNAMIC_DISPATCH(Pairs)(got, n, direction);
}

}  // namespace ulpaudit
#endif  // HWY_ONCE
