// How one call of a kernel is set up so that its call conformance shows: where its buffers lie,
// what lay in them, the floating-point environment, repetitions, threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace ulpaudit {

struct Stage {
  /// end: each buffer ends where memory that cannot be touched begins. start: each begins `offset`
  /// bytes behind such memory. What is left of a buffer's pages holds canaries.
  enum class Edge : std::uint8_t { end, start } edge = Edge::end;
  std::uint32_t z_offset = 0, y_offset = 0, out_offset = 0;  ///< bytes, below 4096; edge start
  bool readable = false;         ///< that memory can be read, and only writing is stopped
  bool in_place = false;         ///< `out` is the buffer of z
  bool in_place_y = false;       ///< `out` is the buffer of y; not with in_place
  std::uint8_t out_fill = 0xa5;  ///< each byte of `out` before each call
  std::uint8_t stack_fill = 0;   ///< each byte of the stack below the call
  enum class Rounding : std::uint8_t { nearest, up, down, zero } rounding = Rounding::nearest;
  bool flush = false;         ///< FTZ and DAZ are on during the call
  bool process = false;       ///< signal handlers, threads and output are watched too
  bool flags_up = false;      ///< all exception flags are raised before the call
  std::uint32_t threads = 1;  ///< each makes all calls on an `out` of its own, all at once
  std::uint32_t repeats = 1;  ///< calls; the results of all must equal those of the first
  /// Not 0: the kernel gets this many elements, the n given ones over and over; results must
  /// repeat likewise.
  std::uint64_t tile = 0;

  bool operator==(const Stage&) const = default;
};

/// Why a kernel cannot be called so; empty where it can.
inline std::string refusal(const Stage& s, bool has_labels) {
  if (s.in_place && s.in_place_y) return "`out` cannot be the buffers of z and of y at once";
  if (s.in_place_y && !has_labels) return "`out` cannot be the buffer of y: the op takes no labels";
  return "";
}

}  // namespace ulpaudit
