// What a device counts of one stretch of f32 inputs: plain data that it and the host share.
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
  std::uint8_t special;   ///< region of NaNs, infinities and 0: counted there only where NaN is right
  std::uint8_t preceded;  ///< the input before the first one lies in front of it
};

/// Lanes of a kind: how many, the first and the last.
struct LaneKind {
  std::uint32_t n = 0, first = ~std::uint32_t{0}, last = 0;
};

/// Over scored lanes, as BlockScore has them; errors in units of 2^-20 ulp, |error| < 2^20 ulp.
struct StretchCount {
  std::uint64_t digest = 0;  ///< over all lanes
  std::int64_t sum_signed = 0;
  std::uint64_t sum_abs = 0;
  std::uint64_t squares_high = 0, squares_low = 0;  ///< high·2^32 + low units of 2^-20 ulp²
  double max_signed = 0, min_signed = 0;            ///< ulps; valid where scored != 0
  std::uint32_t top = 0, bottom = 0;                ///< first lanes with them
  std::uint32_t scored = 0, correctly_rounded = 0, faithful = 0, allclose_failures = 0;
  LaneKind wrong_zero, out_of_range, wrong_sign;
  std::uint32_t right_nans = 0;  ///< NaN for NaN
  std::uint32_t slow = 0;        ///< lanes for score()
  std::uint32_t pairs = 0;
  LaneKind violations;  ///< of monotonicity, by the upper lane of the pair
  // Results at the lanes above.
  std::uint32_t got_top = 0, got_bottom = 0, got_wrong_zero = 0, got_out_of_range = 0,
                got_wrong_sign = 0, got_lower = 0, got_upper = 0;
};
static_assert(sizeof(StretchCount) % 8 == 0);  // threads hand it on by words

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
