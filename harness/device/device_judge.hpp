// SPDX-License-Identifier: Apache-2.0
// The fast judge and the counting on a CUDA device, for f32: inputs are made there, kernels write
// their results there, and only counts come back. The same formulas as on the CPU
// (truth/fast_judge-inl.h, device/count_lane-inl.h), so the same counts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device/stretch_count.hpp"
#include "ops/op.hpp"
#include "plugin/device_arrays.hpp"

namespace ulpaudit {

/// Inputs of a chunk: ordinals first .. first+n-1, the one in front of them too where there is one.
struct DeviceRun {
  std::uint32_t first, n;
};

/// A sweep's op and label, and what they tell of results.
struct DeviceTask {
  OpId op;
  std::uint32_t y;
  DeviceTrend trend;
};

/// Counts of one batch; where chunks are refused, which have too many lanes for score(), no others
/// are right either.
struct DeviceBatch {
  std::vector<StretchCount> counts;                    ///< one per stretch
  std::vector<std::vector<std::uint64_t>> histograms;  ///< by region
  std::vector<SlowLane> slow;
  std::vector<std::uint32_t> refused;
};
/// Lanes for score() that a chunk may have: with more, the host counts all of it as fast.
inline constexpr std::uint32_t kMostSlow = 4096;

/// The fast judge's values of some inputs, as it has them on the device.
struct DeviceValues {
  std::vector<double> hi, lo, delta;
};

/// Not thread-safe. All members throw std::runtime_error with CUDA's own words.
class DeviceJudge {
 public:
  /// Has this program the code for it? (Built where nvcc is.)
  static bool built();

  /// On the first device.
  DeviceJudge();
  ~DeviceJudge();
  DeviceJudge(const DeviceJudge&) = delete;
  DeviceJudge& operator=(const DeviceJudge&) = delete;

  /// The most chunks of one batch.
  static constexpr std::uint32_t kMostChunks = 64;
  /// Place of a chunk's first input in the arrays.
  static std::uint64_t place_of(std::uint32_t chunk) { return chunk * kStride + kFront; }

  /// Of the device, as CUDA has it.
  std::string name() const;
  /// z, labels and results, as another process may open them.
  const DeviceArrays& arrays() const;
  /// Elements of a batch of so many chunks, on which a kernel is to be run.
  static std::uint64_t elements(std::size_t chunks) { return chunks * kStride; }
  /// Makes the inputs of a batch of these chunks, with a label or none, and results that are wrong
  /// everywhere: NaN, and 0 where z is NaN.
  void fill(std::span<const DeviceRun> chunks, std::optional<std::uint32_t> y);
  DeviceBatch count(const DeviceTask& task, std::span<const DeviceStretch> stretches);
  DeviceValues values(const DeviceTask& task, std::span<const std::uint32_t> z);

 private:
  static constexpr std::uint64_t kFront =
      64;  ///< the chunk before ends, this one's lead stands here
  static constexpr std::uint64_t kStride = (std::uint64_t{1} << 20) + kFront;
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

}  // namespace ulpaudit
