// SPDX-License-Identifier: Apache-2.0
// The search for a kernel's largest error in one binade: a stratified start, halving of the most
// promising intervals, an exhaustive finish in what is left of them.
//
// After P. Zimmermann et al., "Accuracy of Mathematical Functions in Single, Double, Double
// Extended, and Quadruple Precision": intervals are kept by their largest error and by mean plus
// spread of the error, the latter because a smooth bump shows there before its top is hit.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "inputs/plan.hpp"

namespace ulpaudit {

/// Proposes inputs, is told their errors, and proposes the next: a function of the binade, the seed
/// and the errors alone.
class BinadeSearch {
 public:
  /// `points`: all that may be proposed, in batches of at most `most`.
  BinadeSearch(const Stratum& binade, std::uint64_t seed, std::uint64_t points, std::uint64_t most);

  /// Ordinals of the next inputs, ascending, no two equal; none when all points are spent.
  const std::vector<std::uint64_t>& next();
  /// |error| in ulps of each of them; NaN where it is not known; infinite for a category.
  void learn(const std::vector<double>& errors);

 private:
  struct Interval {
    std::uint64_t first, size;
    std::uint64_t ask = 0;  ///< points of this round
    // Over this round's points; the parent's largest error is inherited where it lies inside.
    double max = -1, sum = 0, squares = 0;
    std::uint64_t at = 0, known = 0;
    double mean_plus_spread() const;
  };

  void halve();
  void propose_intervals();
  void propose_neighbours();
  /// Up to `keep` intervals by each of the two measures, in order.
  std::vector<Interval> most_promising(std::size_t keep) const;

  const std::uint64_t seed_, first_, last_, most_;
  std::uint64_t left_;             ///< points that may still be proposed
  std::uint64_t words_ = 0;        ///< random words used
  int rounds_left_ = 0;            ///< halvings that are planned
  std::vector<Interval> live_;     ///< ascending, disjoint
  std::size_t from_ = 0, to_ = 0;  ///< the intervals of the batch
  double best_ = -1;
  std::uint64_t best_at_;
  /// The run of neighbours around best_at_ that was proposed: the finish; empty before it.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> run_;
  std::vector<std::uint64_t> batch_;
};

}  // namespace ulpaudit
