// What is audited and how: made once from what a user asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "plugin/session.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// What was asked for cannot be: exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// No kernel is what was asked for. Its text is empty where a plug-in could not be loaded, which
/// has been told.
class NothingChosen : public std::runtime_error {
 public:
  NothingChosen(bool broken, const std::string& what) : std::runtime_error(what), broken_(broken) {}
  /// A plug-in could not be loaded: exit code 4, else 5.
  bool broken() const { return broken_; }

 private:
  bool broken_;
};

/// The profile that a sweep's report names: it has no textbook.
inline constexpr char kSweepProfile[] = "sweep";
/// And that of a check.
inline constexpr char kCheckProfile[] = "check";

/// Inputs where the request says nothing else.
struct InputDefaults {
  std::uint64_t points = 20000;
  std::uint64_t searched_points = 10'000'000;
  bool f64_search = false;
  bool f32_unary_exhaustive = false;
  bool f32_labels_exhaustive = false;  ///< two-argument ops over f32, each default label
  bool all_16bit_labels = false;       ///< every pair of f16 and bf16
};

/// What comes on top of the sweep.
struct Extras {
  bool textbook = false;    ///< the measured claims
  bool properties = false;  ///< the rules of `check`
  bool bench = false;       ///< times
  bool train = false;       ///< networks
};

/// done and total, from one thread at a time.
using ProgressCallback = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct Request {
  // Kernels.
  std::vector<std::string> ops, impls, dtypes;  ///< globs; empty: all
  std::vector<std::string> plugins;             ///< files, and addresses of programs (--exec)
  std::string also_load;  ///< a plug-in that is opened though no glob chooses it
  /// Where plug-ins are given and no --impl: these alone are chosen.
  bool given_alone = false;
  std::string contract;  ///< a file that stands in for the plug-in's own; empty: none does

  // Inputs.
  std::optional<std::pair<std::string, std::string>> range;  ///< first and last z, numbers as texts
  std::vector<std::string> labels;                           ///< numbers as texts, or "all"
  std::uint64_t points = 0;                                  ///< 0: of `defaults`
  bool exhaustive = false, search = false, huge = false;
  std::uint64_t seed = 1;
  Shard shard;
  InputDefaults defaults;

  // What is done.
  std::string profile;  ///< as the report names it
  Extras extras;

  // How.
  std::optional<int> threads;  ///< else one per core
  bool judge_on_device = true;
  std::optional<std::chrono::milliseconds> time_limit;
  std::string checkpoint;  ///< a file; empty: none
  bool resume = false;
  std::chrono::milliseconds checkpoint_every{2000};
  std::optional<std::chrono::milliseconds> deadline;  ///< for one batch; else 20 s
  std::optional<std::uint64_t> memory_limit_mib;      ///< 0: none; else 8192
  bool isolate = true;

  // Whom it is told to.
  const std::atomic<bool>* stop = nullptr;           ///< true: end in good order
  std::function<void(const std::string&)> notice{};  ///< a sentence for the user
  /// Begins a line of progress that ends with the callback; "million …" counts in millions.
  std::function<ProgressCallback(const char* unit)> progress{};
  /// Called once it is known that there is something to do, before it is done. May throw.
  std::function<void()> ready{};

  int thread_count() const;
  SessionOptions session() const;
  bool stopped() const { return stop != nullptr && stop->load(); }
  void tell(const std::string& sentence) const {
    if (notice) notice(sentence);
  }
  ProgressCallback begin_progress(const char* unit) const {
    return progress ? progress(unit) : [](std::uint64_t, std::uint64_t) {};
  }
};

}  // namespace ulpaudit
