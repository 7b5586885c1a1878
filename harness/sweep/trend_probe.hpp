// Do a kernel's results move against the op over a whole region? A few inputs of each tell.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "plugin/session_pool.hpp"
#include "record/report.hpp"
#include "score/packed.hpp"
#include "sweep/end_budget.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {

/// The regions in which they do so, for some label of the job. Along 65 inputs of the region,
/// spread evenly in z, more than half of the steps between neighbours go strictly the wrong way,
/// and so do all of them together; where the op turns in the region, on one side of that. Nothing
/// is said of a region, or side, with fewer than 8 steps. Rounding alone cannot do this: the
/// results of a kernel that is within its errors of a rising op may fall at some steps, but then
/// not from the first to the last, or stay where they are.
std::map<Region, Reversal> reversed_regions(const Job& job, const Target& target,
                                            SessionPool& sessions, EndBudget& ends);

}  // namespace ulpaudit
