// From counts to the report's results and findings about the run itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "record/report.hpp"
#include "sweep/engine.hpp"
#include "sweep/spot_checks.hpp"

namespace ulpaudit {

/// Appends the job's raw results to the report: for each target region "all", then each region that
/// has points. `checks`: one per target, of spot_checks().
void append_results(const Job& job, const std::vector<SpotChecks>& checks, Report& report);

/// Fills what follows from raw results, of a run or of merged shards, and appends a finding for
/// each way in which a worker ended. `whole`: every chunk of the inputs was run.
void derive_results(bool whole, Report& report);

}  // namespace ulpaudit
