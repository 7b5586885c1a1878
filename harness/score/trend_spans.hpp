// Where an op rises and falls in z for one label, found once per batch: trend() takes logarithms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/op.hpp"

namespace ulpaudit {

/// Along the line of all numbers trend() has one sign, then perhaps 0, then perhaps another.
class TrendSpans {
 public:
  TrendSpans(OpId op, Dtype d, Bits y) : d_(d) {
    const double yd = decode(d, y);
    const auto at = [&](std::uint64_t o) { return trend(op, decode(d, from_ordinal(d, o)), yd); };
    const std::uint64_t first = ordinal(d, negate(d, format(d).infinity()));
    const std::uint64_t last = ordinal(d, format(d).infinity());
    left_ = at(first);
    right_ = at(last);
    left_end_ = right_from_ = last;
    if (left_ == right_) return;
    // The last input with the sign of the first, the first one with the sign of the last.
    std::uint64_t lo = first, hi = last;
    while (hi - lo > 1) {
      const std::uint64_t mid = lo + (hi - lo) / 2;
      (at(mid) == left_ ? lo : hi) = mid;
    }
    left_end_ = lo;
    hi = last;
    while (hi - lo > 1) {
      const std::uint64_t mid = lo + (hi - lo) / 2;
      (at(mid) == right_ ? hi : lo) = mid;
    }
    right_from_ = hi;
  }

  /// trend() at every ordinal up to left_end(), and at every one from right_from() on; 0 between.
  int left() const { return left_; }
  int right() const { return right_; }
  std::uint64_t left_end() const { return left_end_; }
  std::uint64_t right_from() const { return right_from_; }
  /// trend() at z, a number or an infinity.
  int operator()(Bits z) const {
    const std::uint64_t o = ordinal(d_, z);
    return o <= left_end_ ? left_ : o >= right_from_ ? right_ : 0;
  }

 private:
  Dtype d_;
  int left_ = 0, right_ = 0;
  std::uint64_t left_end_ = 0, right_from_ = 0;
};

}  // namespace ulpaudit
