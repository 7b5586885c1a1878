// What the ends of a kernel's worker may cost: time, not a number of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "plugin/session.hpp"

namespace ulpaudit {

/// Of one target in one job; shared by all threads. Looking for the inputs that end the worker and
/// going on behind them have budgets of their own, the first one for each kind of end.
class EndBudget {
 public:
  using Time = std::chrono::nanoseconds;

  explicit EndBudget(Time shrink = std::chrono::seconds(3), Time go_on = std::chrono::seconds(6))
      : shrink_(shrink), go_on_(go_on.count()) {}

  /// Before it is used.
  void limit(Time shrink, Time go_on) {
    shrink_ = shrink;
    go_on_ = go_on.count();
  }
  /// The first search of a kind has its own budget; further ones are part of going on.
  bool first_of(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    return found_.count(kind) == 0;
  }
  void found(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    found_.insert(kind);
  }
  /// Inputs that did so alone, a few.
  std::vector<Bits> ends_at(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    return known_[kind];
  }
  void add_end(const std::string& kind, Bits z) {
    const std::lock_guard lock(mutex_);
    std::vector<Bits>& known = known_[kind];
    if (known.size() < 8 && std::find(known.begin(), known.end(), z) == known.end())
      known.push_back(z);
  }
  Time shrink_time() const { return shrink_; }

  Time left() const { return Time(go_on_.load()); }
  bool spent() const { return go_on_.load() <= 0; }
  void spend(const std::string& kind, Time t) {
    if (go_on_.fetch_sub(t.count()) > t.count()) return;
    const std::lock_guard lock(mutex_);
    if (spent_by_.empty()) spent_by_ = kind;
  }
  /// The kind of end that used it up.
  std::string spent_by() const {
    const std::lock_guard lock(mutex_);
    return spent_by_.empty() ? "crash" : spent_by_;
  }
  /// As a checkpoint keeps it.
  void restore(Time left) { go_on_ = left.count(); }

  /// Batches of more elements end the worker, whatever is in them.
  std::uint64_t most_elements() const { return most_.load(); }
  void lower_most_elements(std::uint64_t n) {
    std::uint64_t known = most_.load();
    while (n < known && !most_.compare_exchange_weak(known, n)) {
    }
  }

  /// After the first hang no call waits for the whole deadline again.
  bool hung() const { return hung_.load(); }
  void set_hung() { hung_ = true; }
  /// Of a call that came back.
  void learn_speed(std::uint64_t nanoseconds, std::uint64_t n) {
    const std::uint64_t each = n < kSpeedFrom ? 0 : nanoseconds / n + 1;
    if (each > slowest_.load(std::memory_order_relaxed)) slowest_ = each;
  }
  /// For a batch of the most elements: eight times what such ones took so far, and a little.
  std::chrono::milliseconds patience() const {
    const std::uint64_t each = slowest_.load();
    const std::uint64_t batch = kBatchCapacity * (each == 0 ? kUnknownSpeed : each);
    return std::chrono::milliseconds(60 + 8 * batch / 1'000'000);
  }

 private:
  static constexpr std::uint64_t kSpeedFrom = 1024;   // elements: below, a call's own cost counts
  static constexpr std::uint64_t kUnknownSpeed = 50;  // ns an element
  Time shrink_;
  std::atomic<std::int64_t> go_on_;
  std::atomic<std::uint64_t> most_{kBatchCapacity}, slowest_{0};
  std::atomic<bool> hung_{false};
  mutable std::mutex mutex_;  // guards the rest
  std::set<std::string> found_;
  std::map<std::string, std::vector<Bits>> known_;
  std::string spent_by_;
};

}  // namespace ulpaudit
