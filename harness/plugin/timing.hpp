// How a kernel is timed: the size of its batches and for how long.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ulpaudit {

struct Timing {
  /// Of one call. Where fewer than the n given ones, each call gets other ones of them, copied in
  /// front of it, so that no branch predictor learns them; where more, the n over and over.
  std::uint64_t elements = 0;
  /// Calls are made until they took this long in all; those are counted that kept their processor.
  std::uint64_t nanoseconds = 0;
  bool device_copy = false;  ///< of a kernel on a device: a copy there in its place
};

}  // namespace ulpaudit
