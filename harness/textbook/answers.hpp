// The textbook's claims about sigmoid and BCE, answered by running the kernels at hand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "record/report.hpp"
#include "sweep/batch_runner.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {

/// Appends an answer for each claim that the jobs' kernels can answer.
/// Figures over all inputs are taken from the report's results.
void append_textbook(const std::vector<Job>& jobs, SessionPool& sessions, Report& report);

}  // namespace ulpaudit
