// Processes, by /proc.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/processes.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace ulpaudit {
namespace {

namespace fs = std::filesystem;

/// "" where it cannot be read.
std::string text_of(const std::string& path) {
  std::string text;
  std::FILE* f = std::fopen(path.c_str(), "re");
  if (f == nullptr) return text;
  char part[4096];
  for (std::size_t k; (k = std::fread(part, 1, sizeof part, f)) > 0;) text.append(part, k);
  std::fclose(f);
  return text;
}

/// The number behind `name` in a text of lines "name: number kB"; 0 where there is none.
std::uint64_t kib_of(const std::string& text, const char* name) {
  const std::size_t at = text.find(name);
  return at == text.npos ? 0 : std::strtoull(text.c_str() + at + std::strlen(name), nullptr, 10);
}

pid_t parent_of(const std::string& pid) {
  const std::string stat = text_of("/proc/" + pid + "/stat");
  // The name stands in parentheses, and may hold some; then the state, then the parent.
  const std::size_t end = stat.rfind(") ");
  return end == stat.npos ? 0 : static_cast<pid_t>(std::atol(stat.c_str() + end + 4));
}

/// By looking at every process: where the kernel keeps no list of children.
std::vector<pid_t> children_by_search(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    if (parent_of(name) == parent) found.push_back(static_cast<pid_t>(std::atol(name.c_str())));
  }
  return found;
}

/// Files in memory that the process holds open.
std::uint64_t open_memory_files(pid_t process) {
  std::vector<std::pair<dev_t, ino_t>> seen;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", process), error)) {
    char target[64];
    const ssize_t k = ::readlink(entry.path().c_str(), target, sizeof target - 1);
    if (k <= 0) continue;
    target[k] = '\0';
    if (std::strncmp(target, "/memfd:", 7) != 0 && std::strncmp(target, "/dev/shm/", 9) != 0)
      continue;
    struct stat s = {};
    if (::stat(entry.path().c_str(), &s) != 0) continue;
    const auto key = std::pair(s.st_dev, s.st_ino);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    bytes += static_cast<std::uint64_t>(s.st_blocks) * 512;
  }
  return bytes;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  static const bool listed = ::access("/proc/thread-self/children", R_OK) == 0;
  if (!listed) return children_by_search(parent);
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", parent), error)) {
    const std::string text = text_of(task.path().string() + "/children");
    for (const char *at = text.data(), *end = at + text.size(); at < end;) {
      pid_t child = 0;
      const auto [next, wrong] = std::from_chars(at, end, child);
      if (wrong == std::errc() && child > 0) found.push_back(child);
      at = next + 1;
    }
  }
  return found;
}

std::vector<pid_t> descendants(pid_t root) {
  std::vector<pid_t> found = children_of(root);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const pid_t child : children_of(found[i])) found.push_back(child);
  return found;
}

std::uint64_t memory_of(pid_t process) {
  const std::string status = text_of(fmt::format("/proc/{}/status", process));
  // A file in memory that is mapped counts once.
  return kib_of(status, "RssAnon:") * 1024 +
         std::max(kib_of(status, "RssShmem:") * 1024, open_memory_files(process));
}

std::chrono::nanoseconds waited_for_processor(pid_t process) {
  std::uint64_t longest = 0;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream in(task.path() / "schedstat");
    std::uint64_t ran = 0, waited = 0;
    if (in >> ran >> waited) longest = std::max(longest, waited);
  }
  return std::chrono::nanoseconds(longest);
}

void end_descendants() {
  while (true) {
    const std::vector<pid_t> children = children_of(::getpid());
    for (const pid_t p : children) ::kill(p, SIGKILL);
    for (const pid_t p : children) ::waitpid(p, nullptr, 0);
    if (children.empty() && ::waitpid(-1, nullptr, WNOHANG) < 0) return;
    if (children.empty()) ::usleep(1000);
  }
}

}  // namespace ulpaudit
