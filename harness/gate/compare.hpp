// The gate: a report against its contracts, as judged, and against a baseline.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "gate/baseline.hpp"
#include "record/gate_report.hpp"

namespace ulpaudit {

struct GateChoice {
  bool missing_allowed = false;  ///< the report holds a part of what the baseline has
  /// Slower by this part and more is a regression, where the difference is significant too.
  double slower = 0.10;
};

/// `baseline` null: contracts alone judge.
GateReport compare(const Report& report, const Baseline* baseline, const GateChoice& choice);

/// The change in one line: what, where, before and after with their witnesses.
std::string in_one_line(const Change& change);

/// One-sided Mann-Whitney test that values of `b` tend to be larger than those of `a`, by the
/// normal approximation with correction for ties and continuity (Conover 1999, 5.1): the
/// probability of ranks as extreme by chance. Good for 8 values and more on each side.
double larger_by_chance(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace ulpaudit
