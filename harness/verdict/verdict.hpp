// Judges a report's results by the universal rules and the contracts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "contract/contract.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// Contracts by plug-in name.
using Contracts = std::map<std::string, Contract>;

/// Appends a finding for each rule that a result breaks, marks the failures that contracts expect,
/// groups findings by cause, and gives the verdict of each implementation. `properties`: the rules
/// of `check` were checked too.
void judge_report(const Contracts& contracts, bool properties, Report& report);

/// Gives the verdicts anew, after findings were changed.
void give_verdicts(const Contracts& contracts, Report& report);

/// True where a finding of severity error is not an expected failure.
bool has_errors(const Report& report);

}  // namespace ulpaudit
