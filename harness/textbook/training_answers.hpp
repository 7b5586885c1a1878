// The textbook's claims about networks, answered by training them: T4 and T10-T15.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "record/report.hpp"
#include "training/kernels.hpp"

namespace ulpaudit {

/// A plug-in's kernels by dtype; none where it has none.
struct TrainedPlugin {
  std::string name;
  std::array<std::optional<KernelSet>, 4> kernels;  ///< in the order of kDtypes
};

/// Puts the answers among those that the report has, in the order of their numbers; T4, T10, T11
/// and T13 after the kernels' own of that number. Exact kernels stand in front of the plug-ins'. A
/// kernel that fails has '-' in its cells.
void append_training_textbook(const std::vector<TrainedPlugin>& plugins, std::uint64_t seed,
                              int threads, const SessionOptions& options, Report& report);

}  // namespace ulpaudit
