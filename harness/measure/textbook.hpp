// The textbook's claims about sigmoid and BCE, answered by running the kernels at hand.
#pragma once

#include <vector>

#include "measure/batch_runner.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// Appends an answer for each claim that the jobs' kernels can answer (by the numbers in docs/report.md).
/// Figures over all inputs are taken from the report's results.
void append_textbook(const std::vector<Job>& jobs, SessionPool& sessions, Report& report);

}  // namespace ulpaudit
