// Trains each chosen network with each implementation, beside the reference.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "record/report.hpp"
#include "training/kernels.hpp"
#include "training/kinds.hpp"

namespace ulpaudit {

struct DataSet;

/// One row of the report.
struct TrainingRun {
  NetworkKind network{};
  DataKind data{};
  Path path{};
  Dtype dtype{};
  std::string implementation;  ///< kExactKernels: no kernel of a plug-in
  KernelSet kernels;
};

struct TrainingChoice {
  // 0: the network's own.
  std::uint64_t steps = 0, batch = 0;
  double rate = 0;
  int depth = 0;  ///< of the deep nets
  std::uint64_t seed = 1;
  std::shared_ptr<const DataSet> file;  ///< what runs on data `file` learn from
  int threads = 1;
  const std::atomic<bool>* stop = nullptr;  ///< where it becomes true, the rest is left out
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  /// A row of an earlier, broken-off call, as `finished` got it; null: the run has to be made.
  std::function<const Training*(const TrainingRun&)> known;
  std::function<void(const Training&)> finished;  ///< for each row that was made, from any thread
};

/// The ops that a run calls.
std::vector<OpId> ops_used(const TrainingRun& run);

inline constexpr char kExactKernels[] = "exact kernels";

/// The final loss may differ this much from the reference's, as a part of it, to be called equal.
inline constexpr double kDriftTolerance = 0.01;

/// A row per run, in their order, whatever the number of threads. In front of the runs of one
/// network, data, path and dtype comes one with exact kernels. Without replay.
std::vector<Training> run_training(const std::vector<TrainingRun>& runs,
                                   const TrainingChoice& choice, const SessionOptions& options);

}  // namespace ulpaudit
