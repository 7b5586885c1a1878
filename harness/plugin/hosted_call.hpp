// Staged and timed calls of programs that do not set them up themselves: the host does, with plain
// calls on places in the data file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "plugin/description.hpp"
#include "plugin/stage.hpp"
#include "plugin/timing.hpp"

namespace ulpaudit {

/// Bytes behind a buffer, and in front of `out`, that are nobody's. Offsets of a stage fit in.
inline constexpr std::uint64_t kSlack = 4096;

/// The buffers in the data file, the first n elements of z and y given.
struct HostedBuffers {
  unsigned char *z, *y, *out;
  std::uint64_t capacity;  ///< bytes of each, kSlack not counted
  std::uint64_t n, width;  ///< elements, bytes of one
  bool two_arguments;
};

/// A plain call: where the arrays lie, in bytes behind the starts of their buffers.
struct PlainCall {
  std::uint64_t n = 0, z = 0, y = 0, out = 0;
  bool in_place = false;    ///< the results go where z is
  bool in_place_y = false;  ///< or where y is
};
using CallPlainly = std::function<Outcome(const PlainCall&)>;

/// Offsets, in_place, what lies in `out` before, repeats and tile of a stage, and what shows in the
/// data file: inputs changed, bytes written beside `out`, elements not written.
Outcome stage_by_host(const HostedBuffers& buffers, const Stage& stage, const CallPlainly& call);

/// By the nanoseconds that the program says. timing.elements must fit into a buffer.
Outcome time_by_host(const HostedBuffers& buffers, const Timing& timing, const CallPlainly& call);

}  // namespace ulpaudit
