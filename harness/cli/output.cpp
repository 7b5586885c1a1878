// What commands print.
// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>

namespace ulpaudit {

static int g_stdout_errno = 0;

void put_text(const std::string& text) {
  if (g_stdout_errno != 0) return;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    g_stdout_errno = errno != 0 ? errno : EIO;
}

bool stdout_lost() { return g_stdout_errno != 0; }

int stdout_trouble() {
  if (g_stdout_errno == 0) {
    errno = 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      g_stdout_errno = errno != 0 ? errno : EIO;
  }
  return g_stdout_errno;
}

void tell_text(const std::string& text) {
  const std::string line = "ulpaudit: " + printable(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace ulpaudit
