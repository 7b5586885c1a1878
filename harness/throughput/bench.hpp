// Times kernels, all of a run interleaved, beside a plain copy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "ops/op.hpp"
#include "plugin/session.hpp"
#include "record/report.hpp"
#include "throughput/batches.hpp"
#include "throughput/callgrind.hpp"

namespace ulpaudit {

/// A kernel in a dtype.
struct TimedKernel {
  std::string name;  ///< of the implementation
  std::string plugin_path;
  std::size_t kernel = 0;
  OpId op{};
  Dtype dtype{};
  bool on_device =
      false;  ///< timed by its device, in its memory: the levels of the host's are not its
};

struct BenchChoice {
  std::vector<Level> levels = {std::begin(kLevels), std::end(kLevels)};
  std::vector<Workload> workloads = {std::begin(kWorkloads), std::end(kWorkloads)};
  /// Where false, workloads but the first are timed in the first level only.
  bool all_pairs = false;
  /// Many and short: the other thread of a core may be busy half of the time, and one repetition
  /// without it tells a kernel's best time (eleven missed it once in some 1,500 rows).
  int repetitions = 21;
  double milliseconds = 2.5;  ///< inside the kernel, of each repetition, at least
  std::uint64_t seed = 1;
  const Callgrind* callgrind = nullptr;     ///< counts the instructions of typical inputs in L1
  const std::atomic<bool>* stop = nullptr;  ///< where it becomes true, the rest is left out
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// A row per kernel, workload and level, in that order, and a row of memcpy per dtype, size and
/// level (of a device: of its own copy). Repetitions of all rows are interleaved at random, so that
/// a slow spell of the machine falls on all alike. A row whose single call would take over a
/// quarter of a second is left out.
std::vector<Benchmark> run_benchmarks(const std::vector<TimedKernel>& kernels,
                                      const BenchChoice& choice, const SessionOptions& options);

/// Median, quartiles, noise and bandwidth from `ns`, and the ratios within `rows`.
void summarise(std::vector<Benchmark>& rows);

}  // namespace ulpaudit
