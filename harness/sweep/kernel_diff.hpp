// Where two kernels give other bits on the same inputs. No truth is needed for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "inputs/plan.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {

/// A kernel failed, crashed, hung or left results unwritten: the text says which and how.
class DiffFailed : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An input with both results, and how many numbers lie between them.
struct DifferentBits {
  Bits z = 0, y = 0, a = 0, b = 0;
  std::uint64_t distance = 0;  ///< in steps of the dtype; the largest value where one is NaN
  std::uint64_t place = 0;     ///< ordinal of z
};

/// Of one region.
struct RegionDiff {
  std::uint64_t different = 0;
  std::optional<DifferentBits> first;  ///< the lowest z of the first label
};

struct KernelDiff {
  std::uint64_t points = 0, different = 0;
  std::uint64_t nan_in_one = 0;  ///< one result is NaN, the other is not; any NaN equals any NaN
  std::map<Region, RegionDiff> regions;
  /// How many inputs by the distance of the results, in steps: 1, 2, 3-4, 5-8, …, by upper border.
  std::map<std::uint64_t, std::uint64_t> distances;
  /// Kernel, and what it did besides that it should not: a rule and a sentence.
  std::set<std::pair<std::string, std::string>> facts;
  std::vector<DifferentBits> worst;  ///< ten at most, the furthest apart first; of equal ones the
                                     ///< lowest z
};

/// Runs both over the plan's inputs. The same for any number of threads. Throws DiffFailed.
KernelDiff diff_kernels(
    const InputPlan& plan, const Target& a, const Target& b, const SessionOptions& options,
    int threads, const std::atomic<bool>& stop,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace ulpaudit
