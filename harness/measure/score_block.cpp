// Vectorised scoring of blocks. Mirrors truth/score.cpp and decide(); tests compare them lane by
// lane.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "measure/score_block.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <limits>

#include "measure/error_sums-inl.h"
#include "measure/score_block.hpp"
#include "truth/load_double-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Lanes of a kind, and where they are.
struct RareLanes {
  LaneCount count;
  bool any = false;

  HWY_INLINE RareLanes() {}
  HWY_INLINE void Add(M m, std::size_t i, LaneSpan& span) {
    count.Add(m);
    const auto at = hn::FindFirstTrue(D(), m);
    if (at < 0) return;
    if (!any) span.first = static_cast<std::uint16_t>(i + static_cast<std::size_t>(at));
    any = true;
    span.last = static_cast<std::uint16_t>(LastTrue(m, i));
  }
};

/// Where t lies among the numbers of the dtype.
struct Placed {
  V inverse;         ///< of ulp(t)
  V units, low;      ///< t in ulps, as an unevaluated sum
  V rounded, other;  ///< the two neighbours of t, `rounded` the nearer, in ulps
  M decided;
  HWY_INLINE Placed() {}  // written out, so that it is compiled for the target
};

/// kWide: the dtype is f64.
template <bool kWide>
HWY_INLINE Placed Place(V hi, V lo, V delta, V smallest_binade, V ulp_of_binade) {
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
  const V ulp = hn::Mul(hn::Max(binade, smallest_binade), ulp_of_binade);
  p.inverse = hn::BitCast(d, hn::Sub(hn::Set(du, std::uint64_t{2046} << 52), hn::BitCast(du, ulp)));
  // In units of ulp: hi = m + off exactly, |off| <= 1/2.
  const V units = p.units = hn::Mul(hi, p.inverse);
  const V low = p.low = hn::Mul(lo, p.inverse);
  V m = ToInteger(units);
  V off = hn::Sub(units, m);
  const M tie = hn::Eq(hn::Abs(off), Set(0.5));
  if (!hn::AllFalse(d, tie)) {
    const M beyond = hn::And(tie, hn::Gt(hn::Mul(off, low), hn::Zero(d)));
    m = hn::IfThenElse(beyond, hn::Add(m, hn::Add(off, off)), m);
    off = hn::IfThenElse(beyond, hn::Neg(off), off);
  }
  const V v = hn::Add(off, low);
  // Where off = 0, t lies on the side of low; |low| < 2^-28 in the narrower formats, so that the
  // midpoint is far and its side does not matter.
  const V toward = kWide ? hn::IfThenElse(hn::Eq(off, hn::Zero(d)), low, off) : off;
  const V to_midpoint =
      hn::Sub(hn::Sub(Set(0.5), hn::Abs(off)), hn::Xor(low, hn::And(toward, Set(-0.0))));
  const V bound = hn::Mul(delta, p.inverse);
  p.decided = hn::And(hn::Gt(hn::Min(hn::Abs(v), hn::Abs(to_midpoint)), bound),
                      hn::And(hn::Le(bound, Set(0x1p-21)), hn::Ge(delta, hn::Zero(d))));
  p.rounded = m;
  p.other = hn::Add(m, hn::CopySign(Set(1.0), v));
  return p;
}

/// Lists the histogram bins of scored lanes; vectors of categories alone are only counted.
HWY_INLINE void ListBins(V error, M scored, M category, std::size_t i, BlockScore& s,
                         BlockScratch& scratch) {
  const D d;
  const U64 du;
  if (hn::AllTrue(d, category)) {
    s.bulk_category += hn::Lanes(d);
    return;
  }
  // histogram_bin(): the clamps stand for its two ends, 2^62 for the bin behind the last.
  V size = hn::Min(hn::Max(hn::Abs(error), Set(0x1.fp-21)), Set(0x1.fp61));
  size = hn::IfThenElse(category, Set(0x1p62), size);
  const auto bin =
      hn::Sub(hn::ShiftRight<49>(hn::BitCast(du, size)), hn::Set(du, ((1023 - 20) << 3) - 1));
  std::uint64_t* out = scratch.bin + s.bins;
  hn::StoreU(bin, du, out);
  if (hn::AllTrue(d, scored)) {
    s.bins += hn::Lanes(d);
    return;
  }
  for (std::size_t k = 0, n = hn::Lanes(d), to = 0; k < n; ++k) {
    const bool keep = scratch.e[i + k] == scratch.e[i + k];
    out[to] = out[k];
    to += keep ? 1 : 0;
    s.bins += keep ? 1 : 0;
  }
}

/// The second pass over a block: a loop of its own, since each is a long chain of steps and a core
/// overlaps the turns of short loops only.
void SumErrors(std::size_t n, BlockScore& s, BlockScratch& scratch) {
  const D d;
  Errors errors;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V error = hn::Load(d, scratch.e + i);
    const M scored = hn::Eq(error, error);
    errors.Add(error, scored);
    ListBins(error, scored, hn::MaskFromVec(hn::Load(d, scratch.category + i)), i, s, scratch);
  }
  errors.Store(s);
}

template <class T>
BlockScore Score(int kind, const Format& f, Range range, const FastValues& values, const T* out,
                 std::size_t n, BlockScratch& scratch) {
  const D d;
  const V smallest = Set(exp2i(f.emin)), ulp_of_binade = Set(exp2i(1 - f.p));
  const V nan = Set(std::numeric_limits<double>::quiet_NaN());
  const V infinity = Set(std::numeric_limits<double>::infinity());
  LaneCount exact_lanes, faithful_lanes, far_lanes;
  RareLanes out_of_range, wrong_sign, wrong_zeros;
  BlockScore s;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V hi = hn::LoadU(d, values.hi + i), lo = hn::LoadU(d, values.lo + i);
    const V got = LoadDouble(out + i, kind);
    const Placed p =
        Place<sizeof(T) == 8>(hi, lo, hn::LoadU(d, values.delta + i), smallest, ulp_of_binade);
    // Exact, but where it over- or underflows, which is far from both neighbours.
    const V got_units = hn::Mul(got, p.inverse);
    const V e = hn::Sub(hn::Sub(got_units, p.units), p.low);
    const M zero = hn::Eq(got, hn::Zero(d));
    // A zero where t rounds to none is a category that has no part in the sums.
    M scored = hn::AndNot(hn::And(zero, hn::Ne(p.rounded, hn::Zero(d))),
                          hn::And(p.decided, hn::Lt(hn::Abs(got), infinity)));
    if (i + hn::Lanes(d) > n) scored = hn::And(scored, hn::FirstN(d, n - i));
    const M other_sign = IsNegative(hn::Xor(got, hi));
    const M outside = hn::Or(hn::Lt(got, Set(range.lo)), hn::Gt(got, Set(range.hi)));
    const M category = hn::And(scored, hn::Or(outside, hn::AndNot(zero, other_sign)));
    const M nearest = hn::And(scored, hn::Eq(got_units, p.rounded));
    const M far =
        hn::Gt(hn::Abs(hn::Sub(got, hi)), hn::Add(Set(1e-8), hn::Mul(Set(1e-5), hn::Abs(hi))));
    exact_lanes.Add(hn::AndNot(category, nearest));
    faithful_lanes.Add(hn::Or(nearest, hn::And(scored, hn::Eq(got_units, p.other))));
    far_lanes.Add(hn::And(scored, far));
    hn::Store(hn::IfThenElse(scored, Quantise(e), nan), d, scratch.e + i);
    hn::Store(got, d, scratch.got + i);
    hn::Store(hn::VecFromMask(d, category), d, scratch.category + i);
    // Signs differ: a category, or a zero.
    if (!hn::AllFalse(d, hn::Or(category, hn::And(scored, other_sign)))) {
      out_of_range.Add(hn::And(scored, outside), i, scratch.out_of_range);
      wrong_sign.Add(hn::AndNot(outside, category), i, scratch.wrong_sign);
      wrong_zeros.Add(hn::And(hn::And(scored, other_sign), zero), i, scratch.wrong_zero);
    }
    if (!hn::AllTrue(d, scored)) {
      for (std::size_t k = i; k < n && k < i + hn::Lanes(d); ++k)
        if (scratch.e[k] != scratch.e[k])
          scratch.slow_lanes[s.slow++] = static_cast<std::uint16_t>(k);
    }
  }
  s.scored = n - s.slow;
  s.correctly_rounded = exact_lanes.Total();
  s.faithful = faithful_lanes.Total();
  s.allclose_failures = far_lanes.Total();
  if (out_of_range.any) s.out_of_range = out_of_range.count.Total();
  if (wrong_sign.any) s.wrong_sign = wrong_sign.count.Total();
  if (wrong_zeros.any) s.wrong_zeros = wrong_zeros.count.Total();
  SumErrors(n, s, scratch);
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

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ulpaudit {
namespace {
HWY_EXPORT(Score16);
HWY_EXPORT(Score32);
HWY_EXPORT(Score64);
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

}  // namespace ulpaudit
#endif  // HWY_ONCE
