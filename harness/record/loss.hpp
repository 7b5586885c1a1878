// Points that never came back from a kernel, by the way in which it ended.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/tally.hpp"

namespace ulpaudit {

/// Batches that did not come back, of one kind of end: the shortest of them, the lowest of such.
struct Loss {
  /// "crash", "exit", "hang", "status", "protocol", "load"; or the rule of what a call did that
  /// came back: "batch.not_written" (what it did not write is lost), "environment.…" (nothing is).
  std::string kind;
  std::string message;
  std::uint64_t batches = 0, points = 0;
  Case first;  ///< first input of the (shortest) batch
  std::uint64_t length = 0;
  Bits low = 0, high = 0;     ///< the z of all these batches lie between
  std::uint64_t not_run = 0;  ///< of the points: not tried, as the time for going on was spent
};

/// Adds to the loss of its kind; the shortest batch, of equal ones the lowest, is the one shown.
/// Sorted by kind, so that the order of adding leaves no trace.
void add_loss(Dtype d, std::vector<Loss>& losses, Loss loss);

}  // namespace ulpaudit
