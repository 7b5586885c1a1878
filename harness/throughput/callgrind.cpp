// Workers under callgrind.
// SPDX-License-Identifier: Apache-2.0
#include "throughput/callgrind.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace ulpaudit {
namespace {

namespace fs = std::filesystem;

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  const std::string folders = path != nullptr ? path : "";
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    if (::access((folders.substr(at, end - at) + "/" + program).c_str(), X_OK) == 0) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

Callgrind::Callgrind(const SessionOptions& options) : options_(options) {
  if (!options.isolate)
    throw std::runtime_error("instructions are counted in a worker: not with --isolate off");
  if (!on_path("valgrind"))
    throw std::runtime_error(
        "there is no valgrind on PATH, which counts instructions (Debian: apt-get install "
        "valgrind)");
  std::string made = (fs::temp_directory_path() / "ulpaudit-callgrind-XXXXXX").string();
  if (::mkdtemp(made.data()) == nullptr)
    throw std::runtime_error(fmt::format("cannot make the folder '{}'", made));
  folder_ = made;
  // The worker's arguments go on; counting begins and ends with the function of timed_call.cpp.
  const fs::path script = folder_ / "worker";
  std::ofstream(script) << "#!/bin/sh\nexec valgrind --tool=callgrind --quiet"
                           " --callgrind-out-file='"
                        << (folder_ / "out").string()
                        << ".%p' --toggle-collect=ulpaudit_counted_call"
                           " --dump-after=ulpaudit_counted_call '"
                        << worker_path(options) << "' --alone \"$@\"\n";
  fs::permissions(script, fs::perms::owner_all);
  options_.worker = script.string();
  options_.memory_limit_mib = 0;  // valgrind's own memory counts too
}

Callgrind::~Callgrind() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

std::optional<std::uint64_t> Callgrind::take_count() const {
  std::optional<std::uint64_t> count;
  std::error_code error;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_, error)) {
    if (file.path().filename() == "worker") continue;
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);)
      if (line.rfind("totals: ", 0) == 0) {
        const auto n = std::strtoull(line.c_str() + 8, nullptr, 10);
        if (n != 0) count = n;
      }
    fs::remove(file.path(), error);
  }
  return count;
}

}  // namespace ulpaudit
