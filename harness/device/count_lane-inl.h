// One f32 result against the truth, counted: what each thread of a device does, and the test of it
// on the CPU. Mirrors score_block.cpp lane by lane, on the one lane of truth/one_lane.hpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "device/device_judge.hpp"
#include "score/place-inl.h"
#include "truth/fast_judge-inl.h"
#include "truth/fast_judge.hpp"

namespace ulpaudit {
namespace HWY_NAMESPACE {

HWY_INLINE std::uint32_t EncodingAt(std::uint32_t ordinal) {
  return (ordinal >> 31) != 0 ? ordinal ^ 0x80000000u : ~ordinal;
}
HWY_INLINE bool IsNan(std::uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u; }
HWY_INLINE double Decoded(std::uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/// Integers in the order of the numbers, both zeros as 0.
HWY_INLINE std::int32_t InOrder(std::uint32_t bits) {
  const auto size = static_cast<std::int32_t>(bits & 0x7fffffffu);
  return (bits >> 31) != 0 ? -size : size;
}

HWY_INLINE int DirectionAt(const DeviceTrend& t, std::uint32_t ordinal) {
  if (ordinal < t.first || ordinal > t.last) return 0;
  return ordinal <= t.left_end ? t.left : ordinal >= t.right_from ? t.right : 0;
}

HWY_INLINE void AddLane(LaneKind& k, std::uint32_t lane) {
  ++k.n;
  if (lane < k.first) k.first = lane;
  if (lane > k.last) k.last = lane;
}

HWY_INLINE void Merge(LaneSums& into, const LaneSums& c) {
  into.digest += c.digest;
  into.sum_signed += c.sum_signed;
  into.sum_abs += c.sum_abs;
  into.squares_high += c.squares_high;
  into.squares_low += c.squares_low;
  if (c.measured != 0) {
    const bool none = into.measured == 0;
    if (none || c.max_signed > into.max_signed ||
        (c.max_signed == into.max_signed && c.top < into.top)) {
      into.max_signed = c.max_signed;
      into.top = c.top;
    }
    if (none || c.min_signed < into.min_signed ||
        (c.min_signed == into.min_signed && c.bottom < into.bottom)) {
      into.min_signed = c.min_signed;
      into.bottom = c.bottom;
    }
  }
  into.measured += c.measured;
  into.unmeasured += c.unmeasured;
  into.correctly_rounded += c.correctly_rounded;
  into.faithful += c.faithful;
  into.allclose_failures += c.allclose_failures;
  into.right_nans += c.right_nans;
  into.pairs += c.pairs;
}

/// The results at the lanes that the host reports; `got` is that of lane 0.
HWY_INLINE void FetchResults(const std::uint32_t* got, StretchCount& c) {
  if (c.sums.measured != 0) {
    c.got_top = got[c.sums.top];
    c.got_bottom = got[c.sums.bottom];
  }
  for (int k = 0; k < kKinds; ++k)
    if (c.kinds[k].n != 0) c.got[k] = got[c.kinds[k].first];
  const LaneKind& upper = c.kinds[static_cast<int>(Kind::broken_order)];
  if (upper.n != 0) c.got_lower = *(got + upper.first - 1);
}

/// What became of a lane besides: for the histogram, or for score().
struct LaneFate {
  bool slow;
  int bin;  ///< -1: none
};

/// What is the same for all lanes of a sweep.
template <Part kPart>
class LaneJudge {
 public:
  /// `fault`: set_fast_judge_fault().
  HWY_INLINE LaneJudge(std::uint32_t y, double lo, double hi, double fault,
                       const DeviceTrend& trend)
      : y_(y),
        label_(Decoded(y)),
        far_(PartOf<kPart>(Set(kLargestA))),
        grid_(kEmin, kPrecision),
        lo_(lo),
        hi_(hi),
        fault_(fault),
        trend_(trend) {}

  HWY_INLINE Value ValueAt(double z) const {
    const V part = hn::Mul(PartAt<kPart>({z}, far_), Set(fault_));
    return label_.Combine({z}, part);
  }

  /// Counts lane i of a stretch, whose z has this ordinal; `before`: the result in front of it.
  /// add(kind) where the lane is of one.
  template <class Add>
  HWY_INLINE LaneFate Count(const DeviceStretch& s, std::uint32_t i, std::uint32_t got,
                            std::uint32_t before, LaneSums& c, const Add& add) const {
    const std::uint32_t ordinal = s.first + i, z = EncodingAt(ordinal);
    c.digest += digest_term(z, y_, got);
    if (i != 0 || s.preceded) CountPair(ordinal, before, got, c, add);
    if (s.special) {
      if (!IsNan(z)) {
        return {true, -1};
      }
      if (IsNan(got)) {
        ++c.right_nans;
        return {false, -1};
      }
      add(Kind::lost_nan);
      return Unmeasured(c);
    }
    return Score(i, Decoded(z), got, c, add);
  }

 private:
  static constexpr int kEmin = format(Dtype::f32).emin, kPrecision = format(Dtype::f32).p;
  static constexpr int kCategoryBin = kHistogramBins - 1;
  /// Errors beyond are score()'s: sums over a stretch have room for 2^16 of these.
  static constexpr double kFarthest = 0x1p26;

  template <class Add>
  HWY_INLINE void CountPair(std::uint32_t ordinal, std::uint32_t before, std::uint32_t got,
                            LaneSums& c, const Add& add) const {
    const int way = DirectionAt(trend_, ordinal);
    if (way == 0 || way != DirectionAt(trend_, ordinal - 1) || IsNan(before) || IsNan(got)) return;
    ++c.pairs;
    const std::int32_t a = InOrder(before), b = InOrder(got);
    if (way > 0 ? b < a : a < b) add(Kind::broken_order);
  }

  HWY_INLINE static LaneFate Unmeasured(LaneSums& c) {
    ++c.unmeasured;
    ++c.allclose_failures;
    return {false, kCategoryBin};
  }

  template <class Add>
  HWY_INLINE LaneFate Score(std::uint32_t i, double z, std::uint32_t got_bits, LaneSums& c,
                            const Add& add) const {
    const Value t = ValueAt(z);
    const Placed p = Place<false>(t.hi, t.lo, t.delta, grid_);
    if (!p.decided.raw) {
      return {true, -1};
    }
    const double got = Decoded(got_bits), hi = t.hi.raw;
    if (!(fabs(got) < HUGE_VAL)) {
      add(IsNan(got_bits) ? Kind::new_nan : Kind::wrong_infinity);
      return Unmeasured(c);
    }
    const double got_units = got * p.inverse.raw;
    const double e = Quantise({got_units - p.units.raw - p.low.raw}).raw, size = fabs(e);
    if (!(size < kFarthest)) {
      return {true, -1};
    }
    const bool zero = got == 0, nearest = got_units == p.rounded.raw;
    c.faithful += nearest || got_units == p.other.raw;
    c.allclose_failures += fabs(got - hi) > 1e-8 + 1e-5 * fabs(hi);
    const bool other_sign = IsNegative({got}).raw != IsNegative({hi}).raw;
    bool category = false;
    if (zero) {
      if (p.rounded.raw != 0) {
        category = true;
        if (p.inverse.raw == 0x1p149 && fabs(p.rounded.raw) < 0x1p23) {
          add(Kind::flushed);
          ++c.unmeasured;
          return {false, kCategoryBin};
        }
        add(Kind::vanished);
      } else if (other_sign) {
        add(Kind::wrong_zero);
      }
    } else if (got < lo_ || got > hi_) {
      category = true;
      add(Kind::out_of_range);
    } else if (other_sign) {
      category = true;
      add(Kind::wrong_sign);
    }
    c.correctly_rounded += nearest && !category;
    AddError(i, e, size, c);
    return {false, category ? kCategoryBin : static_cast<int>(BinOf({size}).raw)};
  }

  HWY_INLINE static void AddError(std::uint32_t i, double e, double size, LaneSums& c) {
    if (c.measured == 0 || e > c.max_signed) {
      c.max_signed = e;
      c.top = i;
    }
    if (c.measured == 0 || e < c.min_signed) {
      c.min_signed = e;
      c.bottom = i;
    }
    ++c.measured;
    const auto units = static_cast<std::uint64_t>(size * 0x1p20);  // < 2^46
    c.sum_signed += static_cast<std::int64_t>(e * 0x1p20);
    c.sum_abs += units;
    if (size < 0x1p20) {
      const auto square = static_cast<std::uint64_t>(rint(e * e * 0x1p20));  // <= 2^60
      c.squares_high += square >> 40;
      c.squares_low += square & kLow;
      return;
    }
    __extension__ using Wide = unsigned __int128;
    const Wide square = static_cast<Wide>(units) * units >> 20;
    c.squares_high += static_cast<std::uint64_t>(square >> 40);
    c.squares_low += static_cast<std::uint64_t>(square) & kLow;
  }
  static constexpr std::uint64_t kLow = (std::uint64_t{1} << 40) - 1;

  std::uint32_t y_;
  Label<kPart> label_;
  V far_;
  Grid grid_;
  double lo_, hi_, fault_;
  DeviceTrend trend_;
};

/// Calls `use` with the judge of the task's op. On the host.
template <class Use>
void with_judge(const DeviceTask& task, Use use) {
  const Range range = info(task.op).range;
  const auto judge = [&](auto part) {
    use(LaneJudge<decltype(part)::value>(task.y, range.lo, range.hi, fast_judge_fault(),
                                         task.trend));
  };
  switch (static_cast<Part>(fast_judge_formula(task.op))) {
    case Part::sigmoid:
      return judge(std::integral_constant<Part, Part::sigmoid>());
    case Part::sigmoid_grad:
      return judge(std::integral_constant<Part, Part::sigmoid_grad>());
    case Part::loss:
      return judge(std::integral_constant<Part, Part::loss>());
    case Part::grad:
      return judge(std::integral_constant<Part, Part::grad>());
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
