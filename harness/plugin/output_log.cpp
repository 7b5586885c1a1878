// The output of kernels.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/output_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <initializer_list>

namespace ulpaudit {
namespace {

constexpr off_t kLong = 4 << 20;
constexpr int kHighFd = 200;  // out of the way of what closes the first few

int g_log = -1, g_nowhere = -1;
bool g_to_log = true;

bool log_is_long() {
  static bool is_long = false;
  struct stat s = {};
  is_long = is_long || (::fstat(g_log, &s) == 0 && s.st_size > kLong);
  return is_long;
}

}  // namespace

void note_output_log() {
  struct stat s = {};
  if (::fstat(STDOUT_FILENO, &s) != 0 || !S_ISREG(s.st_mode)) return;
  g_log = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kHighFd);
  g_nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
}

void direct_output(bool watched) {
  if (g_log < 0 || g_nowhere < 0) return;
  const bool to_log = watched || !log_is_long();
  if (to_log == g_to_log) return;
  std::fflush(nullptr);
  g_to_log = to_log;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(to_log ? g_log : g_nowhere, fd);
}

}  // namespace ulpaudit
