// Scores a block of results against the fast judge's values, vectorised: the common case of
// score().
//
// A lane is plain where the truth is decided, the result is a finite number of the right sign and
// range, and the error is below 64 ulp. All others are listed for score().
#pragma once

#include <cstddef>
#include <cstdint>

#include "truth/fast_judge.hpp"

namespace ulpaudit {

inline constexpr std::size_t kBlock = 1024;

struct BlockScore {
  // Over plain lanes; sums are integers in units of 2^-20 ulp (squares: 2^-20 ulp²), exact.
  std::uint64_t plain = 0, correctly_rounded = 0, faithful = 0, allclose_failures = 0;
  std::uint64_t wrong_zeros = 0;
  double sum_signed = 0, sum_abs = 0, sum_squares = 0;
  double max_signed = 0, min_signed = 0;  ///< quantised ulps; valid where plain != 0
  std::uint64_t slow = 0;                 ///< lanes listed in slow_lanes
};

/// Room for one block; e holds the quantised error, NaN where not plain; got the result as double.
struct BlockScratch {
  alignas(64) double e[kBlock + 16];
  alignas(64) double got[kBlock + 16];
  std::uint16_t slow_lanes[kBlock + 16];
  std::uint16_t wrong_zero_lane = 0;  ///< the first one
};

/// n <= kBlock results `out` (packed) with values v (arrays of at least n, any alignment).
BlockScore score_block(Dtype d, Range range, const FastValues& v, const void* out, std::size_t n,
                       BlockScratch& scratch);

/// Do all n packed results equal `want`?
bool all_equal(Dtype d, const void* out, std::size_t n, Bits want);

/// Pairs (i, i+1) of numbers among n results, and those that move against `direction` (±1).
struct PairCount {
  std::uint64_t pairs = 0, violations = 0;
};
PairCount count_pairs(const double* got, std::size_t n, int direction);

}  // namespace ulpaudit
