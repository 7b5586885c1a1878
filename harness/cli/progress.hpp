// A line on stderr with done share, rate and time left.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace ulpaudit {

class Progress {
 public:
  /// `unit`: what is counted, in units of 1, or in millions where it is "million …".
  explicit Progress(bool shown, const char* unit = "million evaluations")
      : shown_(shown), unit_(unit), start_(std::chrono::steady_clock::now()) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Redraws at most ten times a second.
  void update(std::uint64_t done, std::uint64_t total);
  void clear();

 private:
  bool shown_;
  bool drawn_ = false;
  std::string_view unit_;
  std::chrono::steady_clock::time_point start_, last_{};
};

}  // namespace ulpaudit
