// Training runs of the chosen plug-ins, as training[] of a report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/catalog.hpp"
#include "training/training.hpp"

namespace ulpaudit {

/// What is trained where no glob says so (docs/training.md).
enum class TrainingProfile { quick, standard, full };
/// Of its name: one of "quick", "standard", "full".
TrainingProfile training_profile(const std::string& name);

/// Globs, and of data the name of one CSV file; empty: the combinations that show most
/// (docs/training.md).
struct TrainingGlobs {
  std::vector<std::string> networks, paths, data;
  int label_columns = 1;  ///< of a file
  TrainingProfile profile = TrainingProfile::quick;
};

/// Trains every chosen network with the kernels of every chosen plug-in in every chosen dtype (the
/// profile's unless some are named). Of each op the first kernel that --impl chooses, or else the
/// plug-in's first; with --op the kernels of these ops alone. `choice` without seed, threads, stop
/// and progress; finished runs are kept in the options' checkpoint. False where no implementation
/// was chosen; throws UsageError for an unknown name, a checkpoint of another run, and for
/// implementations without an op or dtype that a network calls (not where the report has results:
/// of an audit).
bool append_training(const Catalog& catalog, const Request& request, const TrainingGlobs& globs,
                     TrainingChoice choice, Report& report);

/// The textbook's claims about networks, with the kernels that the options choose.
void append_training_answers(const Catalog& catalog, const Request& request, Report& report);

}  // namespace ulpaudit
