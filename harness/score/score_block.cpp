// Vectorised scoring of blocks. Mirrors truth/score.cpp and decide(); tests compare them lane by
// lane.
// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "score/score_block.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <limits>

#include "score/error_sums-inl.h"
#include "score/place-inl.h"
#include "score/score_block.hpp"
#include "truth/load_double-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A number of lanes, counted vector by vector.
class LaneCount {
 public:
  HWY_INLINE LaneCount() : count_(hn::Zero(U64())) {}
  HWY_INLINE void Add(M m) {
    count_ = hn::Sub(count_, hn::VecFromMask(U64(), hn::RebindMask(U64(), m)));
  }
  std::uint64_t Total() const { return SumModulo(count_); }

 private:
  hn::Vec<U64> count_;
};

/// i plus the last lane of m, which has one.
inline std::size_t LastTrue(M m, std::size_t i) {
  std::uint8_t bits[hn::MaxLanes(D()) / 8 + 8];
  hn::StoreMaskBits(D(), m, bits);
  std::size_t lane = hn::Lanes(D()) - 1;
  while ((bits[lane / 8] >> (lane % 8) & 1) == 0) --lane;
  return i + lane;
}

/// Lanes of a kind, and where they are.
class RareLanes {
 public:
  HWY_INLINE RareLanes() : last_(hn::MaskFromVec(hn::Zero(D()))) {}
  HWY_INLINE void Add(M m, std::size_t i) {
    const auto at = hn::FindFirstTrue(D(), m);
    if (at < 0) return;
    count_.Add(m);
    if (!any_) first_ = i + static_cast<std::size_t>(at);
    any_ = true;
    last_from_ = i;
    last_ = m;
  }
  /// How many, and their span where there are any.
  HWY_INLINE std::uint64_t Store(LaneSpan& span) const {
    if (!any_) return 0;
    span.first = static_cast<std::uint16_t>(first_);
    span.last = static_cast<std::uint16_t>(LastTrue(last_, last_from_));
    return count_.Total();
  }

 private:
  LaneCount count_;
  bool any_ = false;
  std::size_t first_ = 0, last_from_ = 0;
  M last_;
};

/// Lists the histogram bins of scored lanes; vectors of categories alone are only counted.
HWY_INLINE void ListBins(V size, M scored, M category, std::size_t i, BlockScore& s,
                         BlockScratch& scratch) {
  const D d;
  const U64 du;
  if (hn::AllTrue(d, category)) {
    s.bulk_category += hn::Lanes(d);
    return;
  }
  std::uint64_t* out = scratch.bin + s.bins;
  hn::StoreU(BinOf(hn::IfThenElse(category, Set(0x1p62), hn::Min(size, Set(0x1.fp61)))), du, out);
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
    const V error = hn::Load(d, scratch.e + i), size = hn::Abs(error);
    const M category = hn::MaskFromVec(hn::Load(d, scratch.category + i));
    const M small = hn::Lt(size, Set(kSmallError));  // not where not scored
    if (hn::AllTrue(d, hn::AndNot(category, small))) {
      errors.AddSmall(error, size);
      hn::StoreU(BinOf(size), U64(), scratch.bin + s.bins);
      s.bins += hn::Lanes(d);
      continue;
    }
    const M scored = hn::Eq(error, error);
    if (hn::AllTrue(d, small))
      errors.AddSmall(error, size);
    else
      errors.Add(error, scored);
    ListBins(size, scored, category, i, s, scratch);
  }
  errors.Store(s);
}

template <class T>
BlockScore Score(int kind, const Format& f, Range range, const FastValues& values, const T* out,
                 std::size_t n, BlockScratch& scratch) {
  const D d;
  const Grid grid(f.emin, f.p);
  const V nan = Set(std::numeric_limits<double>::quiet_NaN());
  const V infinity = Set(std::numeric_limits<double>::infinity());
  LaneCount exact_lanes, faithful_lanes, far_lanes;
  RareLanes out_of_range, wrong_sign, wrong_zeros;
  BlockScore s;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V hi = hn::LoadU(d, values.hi + i), lo = hn::LoadU(d, values.lo + i);
    const V got = LoadDouble(out + i, kind);
    const Placed p = Place<sizeof(T) == 8>(hi, lo, hn::LoadU(d, values.delta + i), grid);
    // Exact, but where it over- or underflows, which is far from both neighbours.
    const V got_units = hn::Mul(got, p.inverse);
    const V e = Quantise(hn::Sub(hn::Sub(got_units, p.units), p.low));
    const M nearest = hn::Eq(got_units, p.rounded), second = hn::Eq(got_units, p.other);
    const M far =
        hn::Gt(hn::Abs(hn::Sub(got, hi)), hn::Add(Set(1e-8), hn::Mul(Set(1e-5), hn::Abs(hi))));
    const M outside = hn::Or(hn::Lt(got, Set(range.lo)), hn::Gt(got, Set(range.hi)));
    // Neither 0 nor infinite where both factors are neither, but for products beyond a double,
    // which may as well take the longer way.
    const V product = hn::Mul(got, hi), product_size = hn::Abs(product);
    const M numbers = hn::And(hn::Gt(product_size, hn::Zero(d)), hn::Lt(product_size, infinity));
    if (i + hn::Lanes(d) <= n && hn::AllTrue(d, hn::And(p.decided, numbers))) {
      const M category = hn::Or(outside, hn::Lt(product, hn::Zero(d)));
      exact_lanes.Add(hn::AndNot(category, nearest));
      faithful_lanes.Add(hn::Or(nearest, second));
      far_lanes.Add(far);
      hn::Store(e, d, scratch.e + i);
      hn::Store(hn::VecFromMask(d, category), d, scratch.category + i);
      if (hn::AllFalse(d, category)) continue;
      out_of_range.Add(outside, i);
      wrong_sign.Add(hn::AndNot(outside, category), i);
      continue;
    }
    const M zero = hn::Eq(got, hn::Zero(d));
    // A zero where t rounds to none is a category that has no part in the sums.
    M scored = hn::AndNot(hn::And(zero, hn::Ne(p.rounded, hn::Zero(d))),
                          hn::And(p.decided, hn::Lt(hn::Abs(got), infinity)));
    if (i + hn::Lanes(d) > n) scored = hn::And(scored, hn::FirstN(d, n - i));
    const M other_sign = IsNegative(hn::Xor(got, hi));
    const M category = hn::And(scored, hn::Or(outside, hn::AndNot(zero, other_sign)));
    exact_lanes.Add(hn::AndNot(category, hn::And(scored, nearest)));
    faithful_lanes.Add(hn::And(scored, hn::Or(nearest, second)));
    far_lanes.Add(hn::And(scored, far));
    hn::Store(hn::IfThenElse(scored, e, nan), d, scratch.e + i);
    hn::Store(hn::VecFromMask(d, category), d, scratch.category + i);
    // Signs differ: a category, or a zero.
    if (!hn::AllFalse(d, hn::Or(category, hn::And(scored, other_sign)))) {
      out_of_range.Add(hn::And(scored, outside), i);
      wrong_sign.Add(hn::AndNot(outside, category), i);
      wrong_zeros.Add(hn::And(hn::And(scored, other_sign), zero), i);
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
  s.out_of_range = out_of_range.Store(scratch.out_of_range);
  s.wrong_sign = wrong_sign.Store(scratch.wrong_sign);
  s.wrong_zeros = wrong_zeros.Store(scratch.wrong_zero);
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
