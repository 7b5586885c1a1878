// What is run of each kernel once its sweep is done: its special values, and the direction of its
// results in each region.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "plugin/session_pool.hpp"
#include "record/report.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {

struct SpotChecks {
  std::vector<Witness> special_values;
  std::map<Region, Reversal> reversed;  ///< regions in which results move against the op
};

/// Of each target of a job that run_jobs() has run. Calls that do not come back leave their inputs
/// out: how they end is told by the sweep's losses.
std::vector<SpotChecks> spot_checks(const Job& job, SessionPool& sessions);

}  // namespace ulpaudit
