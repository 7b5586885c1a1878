// Counts pairs of 16 bits in rows, one z with kLabelRow labels each: a bin of the curve has too few
// inputs of one label to be worth a block.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "inputs/plan.hpp"
#include "score/accumulator.hpp"
#include "score/trend_spans.hpp"
#include "truth/fast_judge.hpp"

namespace ulpaudit {

/// Rows of a block.
inline constexpr std::uint64_t kBlockRows = kBlock / kLabelRow;

/// What a segment's rows have in common, and their truth. One thread's; reused from segment to
/// segment.
class LabelRows {
 public:
  void start(const InputPlan& plan, const Segment& segment);

  const InputPlan& plan() const { return *plan_; }
  const std::vector<Bits>& labels() const { return labels_; }
  std::uint64_t first_ordinal() const { return first_; }
  const std::vector<RegionSpan>& spans(std::size_t label) const { return spans_[label]; }
  const TrendSpans& trend(std::size_t label) const { return trends_[label]; }
  /// Values of rows row … of one block, lanes in order, with room to read 16 behind.
  FastValues values(std::uint64_t row);
  /// The truth of a pair whose value is v, decided by whom it takes.
  Truth truth(Bits z, Bits y, double hi, double lo, double delta, JudgedCount& judged) const;

 private:
  const InputPlan* plan_ = nullptr;
  OpId op_{};
  Dtype d_ = Dtype::f32;
  std::uint64_t first_ = 0, rows_ = 0;  // the line, by the ordinal of its first z
  std::vector<Bits> labels_;
  std::vector<double> label_values_;
  std::vector<std::vector<RegionSpan>> spans_;  // by label
  std::vector<TrendSpans> trends_;
  std::vector<double> zd_, part_;  // what the op takes from each z of the line alone
  std::vector<double> hi_, lo_, delta_;
  std::uint64_t block_ = 0;  // the one that these hold
};

/// Counts what one implementation returned for rows first … first+count-1 of the segment.
class RowCounter {
 public:
  struct Batch {
    std::uint64_t first, count;  ///< rows
    bool leads;                  ///< the first one only precedes the others (monotonicity)
    const void *z, *y;           ///< packed lanes
  };
  RowCounter(LabelRows& rows, const Batch& batch, BlockScratch& scratch, Accumulator& into)
      : rows_(rows),
        op_(rows.plan().op),
        d_(rows.plan().dtype),
        batch_(batch),
        scratch_(scratch),
        into_(into) {}

  /// Their packed results.
  void operator()(const void* out);

 private:
  /// Rows in one bin of the curve and one block, each label with one region.
  struct Stretch {
    std::uint64_t first, last;
    std::array<Region, kLabelRow> regions;
  };
  Stretch next_stretch(std::uint64_t row, std::uint64_t end);
  void count_stretch(const Stretch& s);
  /// The lanes of some labels.
  void count_some(const Stretch& s, Region region);
  /// n lanes of one region with their values.
  void count_lanes(Region region, const FastValues& v, const PackedCases& cases, std::size_t n);
  void count_pairs_of(const Stretch& s);
  PackedCases cases_from(std::uint64_t row) const;
  Bits z_of(std::uint64_t row) const { return from_ordinal(d_, rows_.first_ordinal() + row); }
  /// +1 or -1 where t is monotone from row a to row b for all labels, else 0.
  int direction(std::uint64_t a, std::uint64_t b) const;

  LabelRows& rows_;
  OpId op_;
  Dtype d_;
  Batch batch_;
  BlockScratch& scratch_;
  Accumulator& into_;
  const void* out_ = nullptr;
  std::array<std::size_t, kLabelRow> span_ = {};
};

}  // namespace ulpaudit
