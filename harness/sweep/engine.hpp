// The sweep engine: runs implementations over input plans in chunks, on several threads, and
// counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inputs/plan.hpp"
#include "plugin/session_pool.hpp"
#include "score/accumulator.hpp"
#include "sweep/checkpoint.hpp"
#include "sweep/target.hpp"

namespace ulpaudit {

/// All implementations of one op and dtype that are run over the same inputs.
struct Job {
  InputPlan plan;
  std::vector<Target> targets;
  std::vector<Accumulator> results;  ///< one per target, filled by run_jobs
  /// Has it a target for a device?
  bool for_device() const {
    return std::any_of(targets.begin(), targets.end(),
                       [](const Target& t) { return t.device_arrays; });
  }
};

/// Where chunks come from and where their counts go. All threads call it at once.
class ChunkQueue {
 public:
  virtual ~ChunkQueue() = default;
  /// Numbers of chunks of this run that are still to be run: one, or up to `most` of one segment in
  /// order; none where no more are to be had.
  virtual std::vector<std::size_t> next(std::size_t most) = 0;
  /// Their counts together, by target.
  virtual void finish(const std::vector<std::size_t>& chunks,
                      const std::vector<Accumulator>& counts) = 0;
  /// Several chunks of next() stay undone, as the run is to end.
  virtual void give_up() {}
};

struct EngineOptions {
  int threads = 1;
  SessionOptions session;
  /// Kernels that take a device's arrays are judged there, where a sweep is of f32 runs.
  bool judge_on_device = true;
  /// Workers of kernels on a device; where given, they live on there.
  SessionPool* device_sessions = nullptr;
  std::uint64_t shard = 0, shards = 1;  ///< chunks with index % shards == shard are run
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  const std::atomic<bool>* stop = nullptr;
  /// Called from one thread at a time with results so far (evaluations = inputs × targets).
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  /// For each target of a job: what may be spent on the search for the inputs that end its worker,
  /// each kind of end, and on going on behind them.
  std::chrono::milliseconds search_for_ends{3000}, go_on_behind_ends{6000};
  CheckpointOptions checkpoint;
  /// Chunks come from another process, and their counts go there: results stay empty here.
  ChunkQueue* queue = nullptr;
  /// Runs beside the threads of this process and hands chunks to other processes; returns when
  /// none of them needs any more.
  std::function<void(ChunkQueue&)> serve;
};

struct EngineOutcome {
  bool ended_early = false;  ///< by the time limit
  bool interrupted = false;
  std::uint64_t evaluations = 0;
  std::string device;          ///< that judged results; empty: none did
  std::string device_trouble;  ///< why it stopped; empty: it did not
  /// The device's arrays, which `device_sessions` have open: to live longer than these.
  std::shared_ptr<void> arrays;
};

/// Throws Undecided where the truth stays open, BadCheckpoint where --resume cannot be.
EngineOutcome run_jobs(std::vector<Job>& jobs, const EngineOptions& options);

}  // namespace ulpaudit
