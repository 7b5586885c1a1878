// SPDX-License-Identifier: Apache-2.0
// Scores a block of results against the fast judge's values, vectorised: the common case of
// score().
//
// A lane is scored here where the truth is decided and the result is a finite number, but for a
// zero where t rounds to none. All others are listed for score().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "truth/fast_judge.hpp"

namespace ulpaudit {

inline constexpr std::size_t kBlock = 1024;

/// Sums over lanes with large errors: of n as high·2^42 + low, of n² (of floor(n²/2^20), where n is
/// in units of 2^-20 ulp) as s0 + s1·2^22 + s2·2^42 + s3·2^64 + s4·2^84, the weights divided by
/// 2^20 but that of s0. All are integers below 2^53.
struct LimbSums {
  bool any = false;
  double high = 0, low = 0, signed_high = 0, signed_low = 0;
  std::array<double, 5> squares = {};
};

/// Over scored lanes, their categories included.
struct ScoredCount {
  std::uint64_t scored = 0, correctly_rounded = 0, faithful = 0, allclose_failures = 0;
  double max_signed = 0, min_signed = 0;  ///< quantised ulps; valid where scored != 0
};

/// All sums are exact.
struct BlockScore : ScoredCount {
  std::uint64_t wrong_zeros = 0, out_of_range = 0, wrong_sign = 0;
  std::uint64_t bins = 0;           ///< lanes whose bin is in BlockScratch::bin
  std::uint64_t bulk_category = 0;  ///< further lanes that belong in the bin of categories
  // |error| < 2^20 ulp, in units of 2^-20 ulp; squares, of 2^-20 ulp², as high·2^30 + low + small.
  double sum_signed = 0, sum_abs = 0, squares_high = 0, squares_low = 0;
  std::uint64_t small_squares = 0;
  LimbSums large;          ///< 2^20 <= |error| < 2^40, n in units of 2^-20 ulp
  LimbSums largest;        ///< 2^40 <= |error| <= kErrorCap, n in ulps
  std::uint64_t slow = 0;  ///< lanes listed in slow_lanes
};

/// The first and the last lane of a kind.
struct LaneSpan {
  std::uint16_t first = 0, last = 0;
};

/// Room for one block; e holds the quantised error, NaN where not scored; category all ones where
/// it has one, bin the histogram bins, in no order.
struct BlockScratch {
  alignas(64) double e[kBlock + 16];
  alignas(64) double category[kBlock + 16];
  alignas(64) std::uint64_t bin[kBlock + 16];
  std::uint16_t slow_lanes[kBlock + 16];
  // Of each kind, where it occurred:
  LaneSpan wrong_zero, out_of_range, wrong_sign;
};

/// n <= kBlock results `out` (packed) with values v (arrays of at least n, any alignment).
BlockScore score_block(Dtype d, Range range, const FastValues& v, const void* out, std::size_t n,
                       BlockScratch& scratch);

}  // namespace ulpaudit
