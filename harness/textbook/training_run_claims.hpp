// The textbook's claims that training runs answer beside the kernels alone: T4, T10, T13.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// Answers from rows of run_training(); a claim that no row bears on is left out. T4 trains two
/// deep nets more, with exact kernels in f64.
std::vector<TextbookAnswer> answers_of_runs(const std::vector<Training>& rows, std::uint64_t seed);

}  // namespace ulpaudit
