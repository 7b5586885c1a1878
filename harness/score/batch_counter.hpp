// Counts what one implementation returned for one batch: plain lanes in vectorised blocks, the rest
// point by point.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "score/batch_truth.hpp"
#include "score/trend_spans.hpp"

namespace ulpaudit {

class BatchCounter {
 public:
  /// The first `lead` inputs only precede the batch (monotonicity); they are not counted.
  BatchCounter(const InputPlan& plan, Bits y, const std::vector<RegionSpan>& spans, const void* z,
               std::uint64_t lead, BatchTruth& truth, BlockScratch& scratch, Accumulator& into)
      : op_(plan.op),
        d_(plan.dtype),
        y_(y),
        trend_(plan.op, plan.dtype, y),
        spans_(spans),
        z_(z),
        lead_(lead),
        truth_(truth),
        scratch_(scratch),
        into_(into) {}

  /// From now on |error| of input i, quantised, goes to errors[i]: NaN where it has none (NaN,
  /// infinities, inputs that never came back).
  void keep_errors(std::vector<double>& errors) { errors_ = &errors; }

  /// Results of inputs offset .. offset+count-1, packed; of one batch in order of the inputs.
  void operator()(std::uint64_t offset, std::uint64_t count, const void* out);

 private:
  struct Stretch {
    std::uint64_t first, last;  ///< inputs of one region and one bin of the curve
    Region region;
    int way = 0;  ///< direction from the first to the last
  };
  Stretch next_stretch(std::uint64_t first, std::uint64_t end);
  /// Has the judge vectors of values for it?
  bool vectorised(const Stretch& s) const { return truth_.fast() && s.region != Region::special; }
  void count_blocks(Stretch s, std::uint64_t offset, const void* out);
  /// Of one block.
  void count_stretch(const Stretch& s, std::uint64_t offset, const void* out);
  /// All results are the one that is right everywhere in the stretch: counted at once.
  bool count_constant(const Stretch& s, std::uint64_t offset, const void* out);
  /// The same for results that are |z| times a power of two.
  bool count_scaled(const Stretch& s, std::uint64_t offset, const void* out);
  void count_right(const Stretch& s, const Case& first, const Case& last);
  /// All inputs and results are NaNs: counted at once.
  bool count_nans(const Stretch& s, std::uint64_t offset, const void* out);
  void count_one_by_one(const Stretch& s, std::uint64_t offset, const void* out);
  void count_slowly(std::uint64_t i, Region region, const Case& c);
  void count_pairs_of(const Stretch& s, std::uint64_t offset, const void* out);
  PackedCases cases_from(std::uint64_t i, std::uint64_t offset, const void* out) const;
  Case case_at(std::uint64_t i, std::uint64_t offset, const void* out) const;
  int direction(Bits a, Bits b) const;

  OpId op_;
  Dtype d_;
  Bits y_;
  TrendSpans trend_;
  const std::vector<RegionSpan>& spans_;
  const void* z_;
  std::uint64_t lead_;
  BatchTruth& truth_;
  BlockScratch& scratch_;
  Accumulator& into_;
  std::vector<double>* errors_ = nullptr;
  std::size_t span_ = 0;  ///< of the input before: inputs are in order
  Case before_;
  std::uint64_t before_end_ = ~std::uint64_t{0};  ///< index behind before_; none yet
};

}  // namespace ulpaudit
