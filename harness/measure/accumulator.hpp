// Everything that is counted while one implementation runs over one op and dtype.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "measure/score_block.hpp"
#include "record/loss.hpp"
#include "record/search.hpp"
#include "record/tally.hpp"
#include "truth/score.hpp"

namespace ulpaudit {

struct MonotoneCount {
  std::uint64_t pairs = 0, violations = 0;
  Case lower, upper;  ///< the lowest pair that breaks it
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

  void add(Dtype d, Region region, const Case& c, const Score& s);
  /// The plain lanes of a block whose inputs lie in one region and one bin of the curve, in order
  /// of z; z(i) gives input i. Slow lanes are not counted.
  void add_block(Dtype d, Region region, const BlockScore& s, const BlockScratch& scratch,
                 std::size_t n, const std::function<Case(std::size_t)>& case_at);
  /// n >= 2 points from first to last, in one region and bin, whose results all equal the correctly
  /// rounded one with an error of 0 quanta.
  void add_constant(Dtype d, Region region, const Case& first, std::uint64_t n);
  void add_pair(Dtype d, int direction, const Case& before, const Case& after);
  void add_loss(Dtype d, Loss loss);
  void merge(Dtype d, const Accumulator& other);

 private:
  CurveBin& bin_of(Dtype d, Bits z);
  BinSpan span_{};
  CurveBin* last_ = nullptr;
};

}  // namespace ulpaudit
