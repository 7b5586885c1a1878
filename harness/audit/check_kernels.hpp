// The property checks of the chosen kernels, as findings of a report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <utility>

#include "audit/catalog.hpp"

namespace ulpaudit {

/// Checks every chosen kernel in every chosen dtype and appends what it breaks, and what its
/// plug-in did when it was loaded.
/// Kernels whose results differ from call to call: implementation and dtype.
using Unstable = std::set<std::pair<std::string, std::string>>;
Unstable append_properties(const Catalog& catalog, const Request& request, Report& report);

/// Gives the findings about values the simplest input that shows them. What an unstable kernel does
/// not do in each of many calls becomes a note.
void simplify_values(const Catalog& catalog, const Request& request, const Unstable& unstable,
                     Report& report);

/// Runs one case, as `to_text(Trial)` writes it, through the chosen kernels. Throws UsageError.
void append_case(const Catalog& catalog, const Request& request, const std::string& text,
                 Report& report);

}  // namespace ulpaudit
