// The progress line.
// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace ulpaudit {

void Progress::update(std::uint64_t done, std::uint64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done) / seconds;
  const double left = done != 0 ? static_cast<double>(total - done) / rate : 0;
  const double unit = unit_.rfind("million ", 0) == 0 ? 1e6 : 1;
  // Not fmt::print, which throws where stderr is full.
  const std::string line = fmt::format(
      "\r\033[K{:5.1f} %  {:.1f} {}/s  {:.0f} s left",
      100.0 * static_cast<double>(done) / static_cast<double>(total), rate / unit, unit_, left);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

void Progress::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace ulpaudit
