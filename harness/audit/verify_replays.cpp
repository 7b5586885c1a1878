// Runs replay lines.
// SPDX-License-Identifier: Apache-2.0
#include "audit/verify_replays.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "audit/context.hpp"
#include "audit/exit_code.hpp"
#include "plugin/program.hpp"
#include "plugin/session.hpp"
#include "record/replay.hpp"

extern char** environ;

namespace ulpaudit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRuns = 3;
constexpr std::chrono::seconds kLongestRun{20};
/// For all findings of a run together; what is left then keeps its line, which was not run.
constexpr std::chrono::seconds kBudget{30};
constexpr unsigned long long kLongestTile = 1ull << 26;

class Process {
 public:
  explicit Process(const std::vector<std::string>& words) {
    std::vector<char*> argv;
    for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(Process&& request) noexcept : pid_(std::exchange(request.pid_, -1)) {}
  Process& operator=(Process&&) = delete;

  /// Its exit code; nothing where it ended otherwise or not by then.
  std::optional<int> wait(Clock::time_point until) {
    int status = 0;
    while (pid_ >= 0) {
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
      }
      if (Clock::now() > until) return std::nullopt;
      ::usleep(2000);
    }
    return std::nullopt;
  }

 private:
  pid_t pid_ = -1;
};

std::string program() { return program_folder() + "/ulpaudit"; }

/// Does a replay that ends so show the fault? 4 is for what ends the worker, which buffers that
/// are touched outside may do.
bool shows(const Finding& f, const std::optional<int>& code) {
  const bool ends = f.rule.rfind("plugin.", 0) == 0, buffers = f.rule.rfind("batch.", 0) == 0;
  return (code == static_cast<int>(Exit::finding) && !ends) ||
         (code == static_cast<int>(Exit::plugin) && (ends || buffers));
}

/// In how many of kRuns runs, all at once, the fault shows.
std::uint64_t shown(const Finding& f, const std::string& line) {
  std::vector<std::string> words = words_of(line);
  words[0] = program();
  words.insert(words.begin() + 2, {"--quiet", "--color", "never"});
  std::vector<Process> runs;
  for (std::uint64_t i = 0; i < kRuns; ++i) runs.emplace_back(words);
  const auto until = Clock::now() + kLongestRun;
  std::uint64_t n = 0;
  for (Process& p : runs) {
    const std::optional<int> code = p.wait(until);
    n += shows(f, code) ? 1 : 0;
  }
  return n;
}

/// The line as it is, then larger forms of it; where results differ from call to call, a thousand
/// calls come first: two of them may agree.
std::vector<std::string> forms(const Report& report, const Finding& f) {
  std::vector<std::string> out = {f.replay};
  const Replay kernel(report, f.implementation, f.dtype);
  const std::size_t end = f.replay.rfind('\'');
  if (f.rule == "determinism.repeat" && f.replay.find("--case '") != std::string::npos &&
      f.replay.find("repeats=") == std::string::npos)
    out.insert(out.begin(), std::string(f.replay).insert(end, " repeats=1000"));
  const auto add = [&](const std::string& line) {
    if (std::find(out.begin(), out.end(), line) == out.end()) out.push_back(line);
  };
  if (f.witness && f.dtype != "" && f.phase != "load") {
    const std::string label = f.witness->y ? " y=" + f.witness->y->bits : "";
    for (const char* length : {"", "*8", "*64", "*4096"})
      add(kernel.check_case(fmt::format("z={}{}{}", f.witness->z.bits, length, label)));
  }
  if (f.phase == "check" || f.phase == "sweep")
    add(kernel.check(fmt::format("--seed {}", report.context.seed)));
  return out;
}

/// A batch past 2^31 bytes takes gigabytes and minutes, three at once more than there are.
bool too_long(const std::string& line) {
  const std::size_t at = line.find("tile=");
  return at != line.npos && std::strtoull(line.c_str() + at + 5, nullptr, 10) > kLongestTile;
}

void verify(const Request& request, const Report& report, Finding& f, Clock::time_point end) {
  if (too_long(f.replay)) {
    f.message += "; its replay takes long and was not run";
    return;
  }
  std::uint64_t seen = 0;
  for (const std::string& line : forms(report, f)) {
    if (Clock::now() > end || request.stopped()) return;
    std::uint64_t n = shown(f, line);
    // What chance shows three times it may not show the fourth time.
    const bool by_chance = f.rule.rfind("determinism.", 0) == 0;
    for (std::uint64_t i = 1; by_chance && n == kRuns && i < kRuns; ++i) n = shown(f, line);
    if (request.stopped()) return;  // Ctrl-C ends the replays too: that says nothing of the fault
    seen = std::max(seen, n);
    if (n != kRuns) continue;
    f.replay = line;
    f.replay_shown = f.replay_runs = kRuns;
    return;
  }
  f.replay_shown = seen;
  f.replay_runs = kRuns;
  f.message += fmt::format("; seen in {} of {} runs of its replay", seen, kRuns);
  // A busy machine looks like a hang.
  if (f.rule == "plugin.hang" && seen == 0) f.severity = Severity::note;
}

bool asks(const Finding& f) {
  return f.severity == Severity::error && f.expected_failure.empty() && f.rule != "plugin.load" &&
         f.replay.rfind(kReplayProgram, 0) == 0 && f.phase != "bench" && f.phase != "train";
}

}  // namespace

void verify_replays(const Request& request, Report& report) {
  // A replay verifies nothing of its own, and Python's own functions live in the caller.
  if (std::getenv("ULPAUDIT_REPLAY") != nullptr || !std::filesystem::exists(program())) return;
  std::vector<Finding*> asked;
  std::uint64_t cause = 0;
  for (Finding& f : report.findings) {
    if (!asks(f) || (f.cause != 0 && f.cause == cause)) continue;
    cause = f.cause;
    asked.push_back(&f);
  }
  ::setenv("ULPAUDIT_REPLAY", "1", 1);
  const auto end = Clock::now() + kBudget;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < asked.size(); i = next++)
      verify(request, report, *asked[i], end);
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < std::min<int>(request.thread_count(), static_cast<int>(asked.size())); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread& t : threads) t.join();
  ::unsetenv("ULPAUDIT_REPLAY");
}

void name_program(Report& report) {
  const std::string name = called_as() + " ";
  const auto rename = [&](std::string& line) {
    if (line.rfind(kReplayProgram, 0) == 0) line.replace(0, kReplayProgram.size(), name);
  };
  for (Finding& f : report.findings) rename(f.replay);
  for (Training& t : report.training) rename(t.replay);
  for (TextbookAnswer& t : report.textbook) rename(t.replay);
  for (Verdict& v : report.verdicts)
    if (const std::size_t at = v.scope.find(kReplayProgram); at != v.scope.npos)
      v.scope.replace(at, kReplayProgram.size(), name);
}

}  // namespace ulpaudit
