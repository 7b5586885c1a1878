// A line on stderr with done share, rate and time left.
#pragma once

#include <chrono>
#include <cstdint>

namespace ulpaudit {

class Progress {
 public:
  explicit Progress(bool shown) : shown_(shown), start_(std::chrono::steady_clock::now()) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Redraws at most ten times a second.
  void update(std::uint64_t done, std::uint64_t total);
  void clear();

 private:
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_{};
};

}  // namespace ulpaudit
