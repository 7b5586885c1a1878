// The times of repeated calls, without what the scheduler took from them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "plugin/description.hpp"

namespace ulpaudit {

/// On a busy machine a call that loses its processor takes a time slice (milliseconds) longer; the
/// calls of a repetition have inputs of one kind, and differ by less.
class CallTimes {
 public:
  void add(std::uint64_t nanoseconds) {
    times_.push_back(nanoseconds);
    sum_ += nanoseconds;
  }
  std::size_t calls() const { return times_.size(); }
  /// Enough for a repetition of so many nanoseconds: a few calls at least, since one that lost its
  /// processor may fill it alone; no more than `most`.
  bool enough(std::uint64_t nanoseconds, std::size_t most) const {
    return times_.size() >= most ||
           (sum_ >= nanoseconds && (times_.size() >= kFew || sum_ >= kFew * nanoseconds));
  }

  /// Calls and nanoseconds of those within kMost times the median.
  void into(Outcome& o) {
    const auto middle = times_.begin() + static_cast<std::ptrdiff_t>(times_.size() / 2);
    std::nth_element(times_.begin(), middle, times_.end());
    const std::uint64_t most = kMost * *middle;
    o.calls = o.nanoseconds = 0;
    for (const std::uint64_t t : times_) {
      if (t > most) continue;
      o.nanoseconds += t;
      ++o.calls;
    }
  }

 private:
  static constexpr std::uint64_t kMost = 4;
  static constexpr std::size_t kFew = 8;
  std::vector<std::uint64_t> times_;
  std::uint64_t sum_ = 0;
};

}  // namespace ulpaudit
