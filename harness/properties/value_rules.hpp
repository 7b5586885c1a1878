// Rules about values at one input, or at an input and its mirror image: by the final judge.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "properties/violation.hpp"
#include "truth/score.hpp"

namespace ulpaudit {

/// Every value rule that the kernel breaks at (z, y).
class ValueRules {
 public:
  explicit ValueRules(Subject& subject);

  std::vector<Violation> judge(Bits z, Bits y);
  /// The same of a result that is at hand: of (z, y) alone.
  std::vector<Violation> judge_result(Bits z, Bits y, Bits got);
  /// Where the op's value mirrors that at (z, y); nothing where no number does.
  std::optional<std::pair<Bits, Bits>> mirror(Bits z, Bits y) const;
  /// The rule `symmetry` on two results that are at hand; `at` = mirror(z, y).
  std::vector<Violation> judge_mirrored(Bits z, Bits y, Bits got, const std::pair<Bits, Bits>& at,
                                        Bits other);
  /// The rule `value.threshold` on a result that is at hand.
  std::vector<Violation> judge_decision(Bits z, Bits got);
  /// True where neither of these rules can be broken at z >= 0 and its mirror image: the common
  /// case.
  bool plainly_mirrored(Bits z, Bits got, Bits other) const;
  /// The same of f32's n results from z on, all of them, many at a time.
  bool plainly_mirrored(Bits z, const std::uint32_t* got, const std::uint32_t* other,
                        std::size_t n) const;
  /// Inputs that the rules speak of, as far as they are admitted: exact values, NaN labels of every
  /// kind, the decision threshold and its neighbours, labels outside [0, 1] where the contract
  /// speaks of them.
  std::vector<std::pair<Bits, Bits>> set_pieces() const;

 private:
  void accuracy(Bits z, Bits y, Bits got);
  void budgets(Bits z, Bits y, Bits got, const Truth& t, const Score& s);
  void outside_labels(Bits z, Bits y, Bits got);
  bool promised_at(Bits z) const;
  void exact(Bits z, Bits y, Bits got);
  void threshold(Bits z, Bits got);
  void symmetry(Bits z, Bits y, Bits got);
  void compare_mirrored(Bits z, Bits y, Bits got, const std::pair<Bits, Bits>& at, Bits other);
  const std::vector<RegionSpan>& spans(Bits y);
  Region region(Bits z, Bits y);
  /// The least of the budgets there; nothing where the contract promises none.
  std::optional<double> budget(const Budgets& budgets, Bits z, Bits y);
  std::optional<double> budget(Bits z, Bits y) { return budget(subject_.contract().max_ulp, z, y); }
  void add(const char* rule, std::string message, bool promised, Bits got);

  Subject& subject_;
  Dtype d_;
  OpId op_;
  bool sums_to_one_ = false;
  double least_budget_ = 0;  ///< of any region, in ulps; 0 where symmetry is promised to be exact
  std::string at_region_;    ///< of the input that is judged
  Bits threshold_ = 0;       ///< sigmoid: the smallest z at which it rounds above one half
  std::map<Bits, std::vector<RegionSpan>> spans_;
  std::vector<Violation> out_;
};

}  // namespace ulpaudit
