// A contract drafted from what was measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// The contract of one plug-in as TOML, for those of its kernels that are named ("plugin/kernel"):
/// budgets of what was measured, rounded up to two digits; what an exhaustive result shows; the
/// universal rules that are broken as expected failures, with the reason that the report has or
/// an empty one, which parse_contract() refuses until it is filled in.
std::string draft_contract(const Report& report, const std::string& plugin,
                           const std::vector<std::string>& kernels);

/// The smallest number of two significant digits that is not below v >= 0, as TOML writes it.
std::string two_digits_up(double v);

}  // namespace ulpaudit
