// How a kernel treats its buffers, its environment and the order of calls: rules batch.…,
// environment.…, determinism.… and plugin.…
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "properties/violation.hpp"

namespace ulpaudit {

/// Every rule that the kernel breaks in this trial.
std::vector<Violation> judge_manners(Subject& subject, const Trial& trial);

}  // namespace ulpaudit
