// Everything that is counted while one implementation runs over one op and dtype.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "record/loss.hpp"
#include "record/search.hpp"
#include "record/tally.hpp"
#include "score/packed.hpp"
#include "score/scan_block.hpp"
#include "score/score_block.hpp"
#include "truth/score.hpp"

namespace ulpaudit {

struct MonotoneCount {
  std::uint64_t pairs = 0, violations = 0;
  Case lower, upper;  ///< the lowest pair that breaks it
  Bits last = 0;      ///< z of the lower member of the highest such pair
};

struct JudgedCount {
  std::uint64_t fast = 0, final_judge = 0, cross_checked = 0, disagreements = 0;
};

struct Accumulator {
  std::array<Tally, kRegionCount> regions;
  Curve curve;
  std::uint64_t digest = 0;
  MonotoneCount monotone;
  JudgedCount judged;
  std::uint64_t lost_points = 0;
  std::vector<Loss> losses;
  SearchedBinades search;

  /// Everything to its beginning. Bins of the curve stay, without points (merge() takes none of
  /// these), so that the next chunk finds them made.
  void restart();
  void add(Dtype d, Region region, const Case& c, const Score& s);
  /// The scored lanes of a block whose inputs lie in one region and one bin of the curve, in order
  /// of z. Slow lanes are not counted.
  void add_block(Region region, const BlockScore& s, const BlockScratch& scratch, std::size_t n,
                 const PackedCases& cases);
  /// kHistogramBins counts of points.
  void add_histogram(Region region, const std::vector<std::uint64_t>& bins);
  /// n points where NaN came out for a NaN, the first of them being `first`, in one bin.
  void add_nans(Dtype d, Region region, const Case& first, std::uint64_t n);
  /// n >= 2 points from first to last, in one region and bin, whose results are all correctly
  /// rounded, with an error of 0 quanta.
  void add_right_stretch(Dtype d, Region region, const Case& first, std::uint64_t n);
  void add_pair(Dtype d, int direction, const Case& before, const Case& after);
  /// Pairs of neighbours among cases in order of z.
  void add_pairs(const PairCount& pairs, const PackedCases& cases);
  /// n pairs that break monotonicity, from (before, after) to the one whose lower member is at
  /// last.
  void add_violations(Dtype d, const Case& before, const Case& after, Bits last, std::uint64_t n);
  void add_loss(Dtype d, Loss loss);
  /// The bin of the curve that holds z, made where there is none.
  CurveBin& bin_of(Dtype d, Bits z);
  /// Counts and sums of inputs of one region and one bin, that of bin_of(); gives the region's
  /// tally.
  Tally& add_scored(Region region, CurveBin& bin, const ScoredCount& c, const Sum& sum_signed,
                    const Sum& sum_abs, const Sum& sum_squares);
  void merge(Dtype d, const Accumulator& other);

 private:
  /// `n` correctly rounded results that start at `first`, in the region's tally, which it gives.
  Tally& add_right(Dtype d, Region region, const Case& first, std::uint64_t n);
  BinSpan span_{};
  Curve::iterator last_;  ///< the bin of span_
  bool has_last_ = false;
};

}  // namespace ulpaudit
