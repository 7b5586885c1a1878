// What a device counts of one stretch of f32 inputs: plain data that it and the host share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ulpaudit {

/// Inputs in order of z, of one region, inside one chunk and one bin of the curve.
struct DeviceStretch {
  std::uint64_t at;     ///< place of the first input in the device's arrays
  std::uint32_t first;  ///< its ordinal
  std::uint32_t n;
  std::uint32_t chunk;    ///< number of the chunk in its batch
  std::uint8_t region;    ///< Region
  std::uint8_t special;   ///< region of NaNs and infinities
  std::uint8_t preceded;  ///< the input before the first one lies in front of it
};

/// Lanes of a kind: how many, the first and the last.
struct LaneKind {
  std::uint32_t n = 0, first = ~std::uint32_t{0}, last = 0;
};
/// Kinds of lanes of which the first and the last are wanted: all rare in a kernel worth its name.
/// broken_order: of pairs that break monotonicity, the upper one.
enum class Kind : std::uint8_t {
  wrong_zero,
  out_of_range,
  wrong_sign,
  flushed,
  vanished,
  new_nan,
  lost_nan,
  wrong_infinity,
  broken_order
};
inline constexpr int kKinds = 9;

/// Over all lanes that are counted; errors of the measured ones in units of 2^-20 ulp.
struct LaneSums {
  std::uint64_t digest = 0;  ///< over all lanes, slow ones too
  std::int64_t sum_signed = 0;
  std::uint64_t sum_abs = 0;
  std::uint64_t squares_high = 0, squares_low = 0;  ///< high·2^40 + low units of 2^-20 ulp²
  double max_signed = 0, min_signed = 0;            ///< ulps; valid where measured != 0
  std::uint32_t top = 0, bottom = 0;                ///< first lanes with them
  std::uint32_t measured = 0;
  std::uint32_t unmeasured = 0;  ///< of a category that has no error
  std::uint32_t correctly_rounded = 0, faithful = 0, allclose_failures = 0;
  std::uint32_t right_nans = 0;  ///< NaN for NaN, in none of the counts above
  std::uint32_t pairs = 0;
};
static_assert(sizeof(LaneSums) % 4 == 0);  // threads hand it on by words

struct StretchCount {
  LaneSums sums;
  LaneKind kinds[kKinds];
  // Results at the lanes that are reported: of each kind the first.
  std::uint32_t got_top = 0, got_bottom = 0, got_lower = 0;  ///< lower: in front of broken_order
  std::uint32_t got[kKinds] = {};
  const LaneKind& operator[](Kind k) const { return kinds[static_cast<int>(k)]; }
};

/// A lane for score().
struct SlowLane {
  std::uint32_t stretch, lane, got;
};

/// Where an op rises and falls, in ordinals: `left` up to left_end, `right` from right_from on.
struct DeviceTrend {
  std::uint32_t first, last;  ///< -infinity, +infinity
  std::uint32_t left_end, right_from;
  std::int32_t left, right;
};

}  // namespace ulpaudit
