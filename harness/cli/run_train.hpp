// Training runs of the chosen plug-ins, as training[] of a report.
#pragma once

#include "cli/catalog.hpp"
#include "training/training.hpp"

namespace ulpaudit {

/// Globs, and of data the name of one CSV file; empty: the combinations that show most
/// (docs/training.md).
struct TrainingGlobs {
  std::vector<std::string> networks, paths, data;
  int label_columns = 1;  ///< of a file
};

/// Trains every chosen network with the kernels of every chosen plug-in in every chosen dtype (f32
/// and bf16 unless some are named). Of each op the first kernel that --impl chooses, or else the
/// plug-in's first; with --op the kernels of these ops alone. `choice` without seed, threads, stop
/// and progress. False where nothing was chosen; throws UsageError for an unknown name.
bool append_training(const Catalog& catalog, const Options& o, const TrainingGlobs& globs,
                     TrainingChoice choice, Report& report);

}  // namespace ulpaudit
