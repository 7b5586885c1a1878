// How a kernel treats its buffers, its environment and the order of calls: rules batch.…,
// environment.…, determinism.… and plugin.…
#pragma once

#include "properties/violation.hpp"

namespace ulpaudit {

/// Every rule that the kernel breaks in this trial.
std::vector<Violation> judge_manners(Subject& subject, const Trial& trial);

/// Trials that the rules need, whatever the kernel: lengths, alignments, fills, threads, …
std::vector<Trial> set_pieces(Subject& subject, std::uint64_t seed, bool huge);

}  // namespace ulpaudit
