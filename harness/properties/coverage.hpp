// How far a check of one kernel in one dtype got, rule by rule.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "properties/subject.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// Counts cases: those that were asked for, and those that were run to an answer.
class RuleCounts {
 public:
  void ask(const std::vector<std::string>& rules, std::uint64_t n = 1);
  void answer(const std::vector<std::string>& rules, std::uint64_t n = 1);
  /// Why cases were left out, in a few words; the first reason stays.
  void stop(const std::string& why) {
    if (why_.empty()) why_ = why;
  }
  void merge(const RuleCounts& other);
  /// Keeps why rules that no case asks for do not apply.
  void explain(const Subject& subject);

  /// In the order of rules(), of those that `check` finds. A rule that is known to be broken counts
  /// as checked, however many cases it took.
  std::vector<RuleCoverage> rows(const std::vector<std::string>& broken) const;

 private:
  struct Cases {
    std::uint64_t asked = 0, answered = 0;
  };
  std::map<std::string, Cases> cases_;
  std::map<std::string, std::string> reasons_;  ///< by rule, why it may not apply
  std::string why_;
};

/// Rules that the kernel's behaviour in this trial can break.
std::vector<std::string> rules_about(const Subject& subject, const Trial& trial);
/// Rules that its result at this input can break.
std::vector<std::string> rules_about_value(const Subject& subject, Bits z, Bits y);

}  // namespace ulpaudit
