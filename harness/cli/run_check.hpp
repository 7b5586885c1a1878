// The property checks of the chosen kernels, as findings of a report.
#pragma once

#include "cli/catalog.hpp"

namespace ulpaudit {

/// Checks every chosen kernel in every chosen dtype and appends what it breaks, and what its
/// plug-in did when it was loaded.
void append_properties(const Catalog& catalog, const Options& o, Report& report);

/// Gives the findings about values the simplest input that shows them.
void simplify_values(const Catalog& catalog, const Options& o, Report& report);

/// Runs one case, as `to_text(Trial)` writes it, through the chosen kernels. Throws UsageError.
void append_case(const Catalog& catalog, const Options& o, const std::string& text, Report& report);

}  // namespace ulpaudit
