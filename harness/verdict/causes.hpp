// Findings that have one cause, brought together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/report.hpp"

namespace ulpaudit {

/// Numbers the causes (Finding::cause) and sorts the findings: errors, expected failures, notes;
/// in each, by implementation as they are listed, unwritten output and ends of the worker first;
/// in each cause the worst first. What is wrong with the size of a result, by whatever rule, in
/// whatever region and dtype, by sweep or check, is one cause; so is every other rule.
void group_by_cause(Report& report);

}  // namespace ulpaudit
