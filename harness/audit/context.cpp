// The circumstances of a run.
// SPDX-License-Identifier: Apache-2.0
#include "audit/context.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <mpfr.h>
#include <unistd.h>

#include <cfenv>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "plugin/environment.hpp"
#include "version.hpp"

namespace ulpaudit {
namespace {

std::vector<std::string>& arguments() {
  static std::vector<std::string> argv;
  return argv;
}

/// Bits 15 (FTZ) and 6 (DAZ) of the control and status register of SSE.
std::string ftz_daz() {
#if defined(__x86_64__)
  const unsigned csr = __builtin_ia32_stmxcsr();
  return fmt::format("FTZ {}, DAZ {}", (csr >> 15) & 1 ? "on" : "off",
                     (csr >> 6) & 1 ? "on" : "off");
#else
  return "unknown";
#endif
}

std::string isa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) return "x86-64 avx512";
  if (__builtin_cpu_supports("avx2") != 0) return "x86-64 avx2";
  return "x86-64 sse";
#elif defined(__aarch64__)
  return "aarch64 neon";
#else
  return "unknown";
#endif
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

}  // namespace

void remember_argv(int argc, char** argv) { arguments().assign(argv, argv + argc); }

std::string called_as() {
  if (const char* script = std::getenv("ULPAUDIT_CALLED_AS")) return script;
  return arguments().empty() ? "ulpaudit" : arguments().front();
}

std::string version_text() {
  return fmt::format("ulpaudit {} ({}), {}, {}", kVersion, kCommit, kCompiler, kFlags);
}

Context make_context(const Request& request) {
  return {kVersion,
          kCommit,
          kCompiler,
          kFlags,
          fmt::format("glibc {}", ::gnu_get_libc_version()),
          mpfr_get_version(),
          rounding_name(std::fegetround()),
          ftz_daz(),
          isa(),
          request.profile,
          request.seed,
          request.shard};
}

Volatile make_volatile(const Request& request) {
  Volatile v;
  v.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  v.host = host;
  v.cpu = cpu_model();
  v.argv = arguments();
  v.threads = request.thread_count();
  return v;
}

}  // namespace ulpaudit
