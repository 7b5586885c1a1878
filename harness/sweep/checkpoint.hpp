// A run's finished chunks in a file, so that a killed run goes on where it was.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "score/accumulator.hpp"

namespace ulpaudit {

/// What a run is, as names and values: a checkpoint of another run is refused.
using RunIdentity = std::vector<std::pair<std::string, std::string>>;

/// The file is not a checkpoint of this run, or cannot be read or written; the text says why.
class BadCheckpoint : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct CheckpointOptions {
  std::string path;  ///< empty: none is written
  bool resume = false;
  std::chrono::milliseconds every{2000};
  RunIdentity identity;
};

/// All that a run has counted.
struct Progressed {
  std::vector<char> done;                            ///< by number of the chunk in this run
  std::vector<std::vector<Accumulator>> results;     ///< job, target
  std::vector<std::vector<std::int64_t>> time_left;  ///< job, target: EndBudget::left(), ns
};

/// Replaces the file in one step: whenever the process ends, a whole checkpoint is there.
void write_checkpoint(const CheckpointOptions& o, const Progressed& p);

/// False where there is no file yet. `p` tells how many chunks, jobs and targets there are.
bool read_checkpoint(const CheckpointOptions& o, Progressed& p);

}  // namespace ulpaudit
