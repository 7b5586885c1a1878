// Where a run's chunks come from and where their counts go: this process, or another one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "sweep/checkpoint.hpp"
#include "sweep/end_budget.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {

/// A chunk of a job.
struct WorkItem {
  std::size_t job, chunk;
};

/// By job and target.
using EndBudgets = std::vector<std::unique_ptr<EndBudget[]>>;

/// Hands out chunks in order, merges their counts into the jobs, and keeps the checkpoint.
class LocalQueue : public ChunkQueue {
 public:
  /// Throws BadCheckpoint. All arguments outlive the queue.
  LocalQueue(std::vector<Job>& jobs, const std::vector<WorkItem>& items, EndBudgets& budgets,
             const EngineOptions& options);

  std::vector<std::size_t> next(std::size_t most) override;
  void finish(const std::vector<std::size_t>& items,
              const std::vector<Accumulator>& counts) override;
  void give_up() override;
  /// After all threads ended: the last checkpoint.
  void close();
  const EngineOutcome& outcome() const { return outcome_; }

 private:
  bool out_of_time();
  void resume();
  void save();
  std::uint64_t evaluations(std::size_t item) const;

  std::vector<Job>& jobs_;
  const std::vector<WorkItem>& items_;
  EndBudgets& budgets_;
  const EngineOptions& options_;
  std::mutex mutex_;  // guards all below and the jobs' results
  bool halted_ = false;
  std::size_t next_ = 0;
  std::uint64_t total_ = 0;
  std::vector<char> done_;
  std::chrono::steady_clock::time_point saved_;
  EngineOutcome outcome_;
};

}  // namespace ulpaudit
