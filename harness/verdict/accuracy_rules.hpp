// One result by the universal rules and its contract.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "contract/contract.hpp"
#include "record/report.hpp"
#include "verdict/occurs.hpp"

namespace ulpaudit {

struct Broken {
  Finding finding;
  Regions where;  ///< of a finding of region "all": the regions in which it occurs
  /// Told already where an accuracy.max_ulp of this region or of all is an error of this dtype.
  bool unless_told = false;
};

/// What a result breaks or shows: findings without a replay line where they have a witness (the
/// caller knows how inputs are run again).
std::vector<Broken> judge_result(const Report& report, const Result& r, const KernelContract& k);

/// 2^(p/2): an error of more ulps leaves less than half of the digits.
double half_of_digits(Dtype d);

/// Every pattern of z that the contract speaks of and, for two-argument ops, every label in [0, 1].
bool every_input(const Result& r, const KernelContract& k);

}  // namespace ulpaudit
