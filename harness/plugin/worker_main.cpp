// SPDX-License-Identifier: Apache-2.0
// ulpaudit-worker PLUGIN.so MEMORY_LIMIT_MIB: loads one plug-in and runs its kernels for the host.
// Requests on fd 3, replies on fd 4, data in the file on fd 5 (docs/worker-protocol.md).
// ulpaudit-worker --guard PROGRAM ARGUMENTS…: runs a program that is a worker itself, and ends what
// it leaves behind. ulpaudit-worker --alone PLUGIN.so MEMORY_LIMIT_MIB: without a guard
// (plugin/guard.hpp), for tools that follow one process.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "plugin/environment.hpp"
#include "plugin/guard.hpp"
#include "plugin/output_log.hpp"
#include "plugin/plain_call.hpp"
#include "plugin/processes.hpp"
#include "plugin/protocol.hpp"
#include "plugin/staged_call.hpp"
#include "plugin/timed_call.hpp"

namespace {

using namespace ulpaudit;

bool send(const std::string& line) {
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t k = ::write(protocol::kReplyFd, line.data() + sent, line.size() - sent);
    if (k <= 0) return false;
    sent += static_cast<std::size_t>(k);
  }
  return true;
}

std::optional<std::string> receive(std::string& pending) {
  while (true) {
    if (const std::size_t end = pending.find('\n'); end != pending.npos) {
      std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      return line;
    }
    char buffer[4096];
    const ssize_t k = ::read(protocol::kRequestFd, buffer, sizeof buffer);
    if (k <= 0) return std::nullopt;
    pending.append(buffer, static_cast<std::size_t>(k));
  }
}

/// Private writable memory that this process uses now, in bytes.
std::uint64_t data_in_use() {
  std::FILE* f = std::fopen("/proc/self/status", "r");
  if (f == nullptr) return 0;
  char line[256];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof line, f) != nullptr)
    if (std::sscanf(line, "VmData: %llu", &kib) == 1) break;
  std::fclose(f);
  return kib * 1024;
}

/// After loading, not before exec: a limit in force at the start stops ASan and CUDA.
void limit_memory(std::uint64_t mib) {
  if (mib == 0) return;
  const rlim_t bytes = data_in_use() + (mib << 20);
  const rlimit limit = {bytes, bytes};
  ::setrlimit(RLIMIT_DATA, &limit);
}

/// A kernel that never returns must not outlive a host that was killed.
void arm_timer(std::uint64_t ms) {
  const itimerval t = {
      {0, 0}, {static_cast<time_t>(ms / 1000), static_cast<suseconds_t>(ms % 1000 * 1000)}};
  ::setitimer(ITIMER_REAL, &t, nullptr);
}

struct Data {
  char* base = nullptr;
  std::uint64_t bytes = 0;
  /// The buffer of `size` bytes at `offset`; null where it does not lie inside the file.
  char* at(std::uint64_t offset, std::uint64_t size) const {
    return offset <= bytes && size <= bytes - offset ? base + offset : nullptr;
  }
};

Data map_data() {
  struct stat s = {};
  if (::fstat(protocol::kDataFd, &s) != 0) return {};
  void* base = ::mmap(nullptr, static_cast<std::size_t>(s.st_size), PROT_READ | PROT_WRITE,
                      MAP_SHARED, protocol::kDataFd, 0);
  if (base == MAP_FAILED) return {};
  return {static_cast<char*>(base), static_cast<std::uint64_t>(s.st_size)};
}

/// The host, if it lives, ends us before this timer does and says why; on a busy machine it waits
/// for five deadlines.
template <class Call>
Outcome within(std::uint64_t deadline_ms, Call call) {
  arm_timer(6 * deadline_ms);
  Outcome o = call();
  arm_timer(0);
  return o;
}

Outcome run(const LoadedPlugin& plugin, const Data& data, const protocol::RunRequest& q) {
  if (q.kernel >= plugin.info().kernels.size()) return {Outcome::Kind::failed, "no such kernel", 0};
  if (q.device)
    return within(q.deadline_ms, [&] {
      return keeping_environment(
          [&] { return plugin.run_on_device(q.kernel, q.dtype, q.n, *q.device, q.y.has_value()); });
    });
  const std::uint64_t size = q.n * static_cast<std::uint64_t>(format(q.dtype).bytes());
  char* z = data.at(q.z, size);
  char* y = q.y ? data.at(*q.y, size) : nullptr;
  char* out = data.at(q.out, size);
  if (q.n > data.bytes || z == nullptr || out == nullptr || (q.y && y == nullptr))
    return {Outcome::Kind::failed, "a buffer lies outside the data file", 0};
  direct_output(q.stage && q.stage->process);
  return within(q.deadline_ms, [&] {
    return q.stage    ? run_staged(plugin, q.kernel, q.dtype, q.n, z, y, out, *q.stage)
           : q.timing ? run_timed(plugin, q.kernel, q.dtype, q.n, z, y, *q.timing)
                      : run_plain(plugin, q.kernel, q.dtype, q.n, z, y, out);
  });
}

std::uint64_t g_request = 0;  // the one that runs

/// The kernel touched memory that it must not: the host is told, and this process ends.
[[noreturn]] void report_fault(const Fact& fact) {
  Outcome o;
  o.kind = Outcome::Kind::crashed;
  o.message = fact.text;
  o.facts = {fact};
  send(protocol::done_reply(g_request, o));
  ::_exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "--guard") == 0) guard_program(argv + 2);
  const bool alone = argc >= 2 && std::strcmp(argv[1], "--alone") == 0;
  argc -= alone ? 1 : 0;
  argv += alone ? 1 : 0;
  if (argc != 3) {
    std::fprintf(stderr,
                 "usage: ulpaudit-worker PLUGIN.so MEMORY_LIMIT_MIB, or --guard PROGRAM … (started "
                 "by ulpaudit)\n");
    return 2;
  }
  if (!alone) watch_processes_below(fork_under_guard());
  const pid_t self = ::getpid();
  std::string pending;
  std::unique_ptr<LoadedPlugin> plugin;
  std::string load_error;
  note_output_log();
  watch_faults([](const Fact& f) { report_fault(f); });
  try {
    plugin = load_plugin(argv[1], Watch::process);
  } catch (const LoadError& e) {
    load_error = e.what();
  }
  const Data data = map_data();
  limit_memory(std::strtoull(argv[2], nullptr, 10));
  while (const auto line = receive(pending)) {
    protocol::Request q;
    try {
      q = protocol::parse_request(*line);
    } catch (const protocol::Error& e) {
      std::fprintf(stderr, "%s\n", e.what());
      return 70;
    }
    if (q.kind == protocol::Request::Kind::stop) break;
    g_request = q.run.id;
    std::string reply;
    if (q.kind == protocol::Request::Kind::describe)
      reply = plugin ? protocol::description_reply(plugin->info())
                     : protocol::load_error_reply(load_error);
    else
      reply =
          protocol::done_reply(q.run.id, plugin ? run(*plugin, data, q.run)
                                                : Outcome{Outcome::Kind::failed, load_error, 0});
    if (::getpid() != self) ::_exit(0);  // a child that the kernel forked, and let return
    if (!send(reply)) break;
  }
  // No exit handlers of the plug-in: it is being ended, not asked.
  std::fflush(nullptr);
  ::_exit(0);
}
