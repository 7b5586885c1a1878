// Reads and compares the environment.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/environment.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <utility>

#include "plugin/processes.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kDaz = 1u << 6, kMasks = 0x3fu << 7, kRounding = 3u << 13, kFtz = 1u << 15;
constexpr unsigned kMxcsrFlags = 0x3f;

#if defined(__x86_64__)
struct X87 {
  std::uint16_t control, unused1, status, unused2, tags, unused3;
  std::uint32_t rest[4];
};
X87 x87() {
  X87 e;
  // fnstenv masks all exceptions: fldenv puts them back.
  __asm__ volatile("fnstenv %0\n\tfldenv %0" : "=m"(e));
  return e;
}
std::uint64_t control() { return __builtin_ia32_stmxcsr() & ~kMxcsrFlags; }
void set_control(std::uint64_t c) {
  __builtin_ia32_ldmxcsr(static_cast<unsigned>(c) | (__builtin_ia32_stmxcsr() & kMxcsrFlags));
}
#elif defined(__aarch64__)
constexpr std::uint64_t kFpcrFlush = 1u << 24;
std::uint64_t control() {
  std::uint64_t c;
  __asm__ volatile("mrs %0, fpcr" : "=r"(c));
  return c;
}
void set_control(std::uint64_t c) { __asm__ volatile("msr fpcr, %0" : : "r"(c)); }
#else
std::uint64_t control() { return 0; }
void set_control(std::uint64_t) {}
#endif

unsigned raised() {
  const int f = std::fetestexcept(FE_ALL_EXCEPT);
  return ((f & FE_INVALID) != 0 ? kInvalid : 0) | ((f & FE_DIVBYZERO) != 0 ? kDivideByZero : 0) |
         ((f & FE_OVERFLOW) != 0 ? kOverflow : 0) | ((f & FE_UNDERFLOW) != 0 ? kUnderflow : 0) |
         ((f & FE_INEXACT) != 0 ? kInexact : 0);
}

std::size_t thread_count() {
  std::size_t n = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    (void)task;
    ++n;
  }
  return n;
}

/// Bytes in the log that stdout and stderr go to.
std::int64_t printed() {
  std::fflush(nullptr);
  struct stat s = {};
  return ::fstat(STDOUT_FILENO, &s) == 0 && S_ISREG(s.st_mode) ? s.st_size : 0;
}

std::uintptr_t handler_of(int signal) {
  struct sigaction a = {};
  if (::sigaction(signal, nullptr, &a) != 0) return 0;
  return (a.sa_flags & SA_SIGINFO) != 0 ? reinterpret_cast<std::uintptr_t>(a.sa_sigaction)
                                        : reinterpret_cast<std::uintptr_t>(a.sa_handler);
}

pid_t g_guard = 0;

/// What this process started and what still is: its children, and the orphans that its guard took
/// over.
std::vector<pid_t> started_processes() {
  std::vector<pid_t> found;
  const auto add = [&](pid_t root) {
    for (const pid_t p : descendants(root)) found.push_back(p);
  };
  // One call says that there is no child; their list is one file for each thread.
  siginfo_t what = {};
  if (::waitid(P_ALL, 0, &what, WEXITED | WNOHANG | WNOWAIT) == 0) add(::getpid());
  if (g_guard != 0)
    for (const pid_t child : children_of(g_guard))
      if (child != ::getpid()) {
        found.push_back(child);
        add(child);
      }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<pid_t> new_ones(const std::vector<pid_t>& before) {
  std::vector<pid_t> found = started_processes(), more;
  std::set_difference(found.begin(), found.end(), before.begin(), before.end(),
                      std::back_inserter(more));
  return more;
}

/// The mask belongs to the process and can be read only by setting it: one thread at a time, or
/// another takes what this one sets for what it was.
std::mutex g_umask;

mode_t umask_now() {
  const std::lock_guard lock(g_umask);
  const mode_t mask = ::umask(077);
  ::umask(mask);
  return mask;
}

std::string folder_now() {
  char path[4096];
  return ::getcwd(path, sizeof path) != nullptr ? path : "";
}

std::string locale_now() {
  const char* name = std::setlocale(LC_ALL, nullptr);
  return name != nullptr ? name : "";
}

std::string on_off(bool on) { return on ? "on" : "off"; }

}  // namespace

const char* rounding_name(int mode) {
  switch (mode) {
    case FE_TONEAREST:
      return "to nearest";
    case FE_UPWARD:
      return "upward";
    case FE_DOWNWARD:
      return "downward";
    case FE_TOWARDZERO:
      return "toward zero";
    default:
      return "unknown";
  }
}

Environment Environment::now(Watch watch) {
  Environment e;
  e.watch_ = watch;
  e.flags_ = raised();
  e.rounding_ = std::fegetround();
  e.control_ = control();
#if defined(__x86_64__)
  const X87 x = x87();
  e.x87_control_ = x.control;
  e.x87_tags_ = x.tags;
#endif
  if (watch == Watch::arithmetic) return e;
  e.locale_ = locale_now();
  e.thread_locale_ = ::uselocale(nullptr);
  e.folder_ = folder_now();
  e.umask_ = umask_now();
  if (watch == Watch::surroundings) return e;
  for (int s = 1; s <= 64; ++s) e.handlers_[static_cast<std::size_t>(s)] = handler_of(s);
  e.threads_ = thread_count();
  e.processes_ = started_processes();
  e.printed_ = printed();
  return e;
}

std::vector<Fact> Environment::changed_since(const Environment& b) const {
  std::vector<Fact> facts;
  const auto add = [&](const char* rule, std::string text) { facts.push_back({rule, text, 0}); };
  if (rounding_ != b.rounding_)
    add("environment.rounding_mode",
        fmt::format("the rounding mode was {} and is {}", rounding_name(b.rounding_),
                    rounding_name(rounding_)));
#if defined(__x86_64__)
  for (const auto& [bit, what] : {std::pair{kFtz, "FTZ"}, std::pair{kDaz, "DAZ"}})
    if (((control_ ^ b.control_) & bit) != 0)
      add("environment.ftz_daz",
          fmt::format("{} was {} and is {}", what, on_off((b.control_ & bit) != 0),
                      on_off((control_ & bit) != 0)));
  // fegetround reads the x87 unit's.
  if (((control_ ^ b.control_) & kRounding) != 0 && rounding_ == b.rounding_)
    add("environment.rounding_mode",
        fmt::format("the rounding mode of MXCSR was {} and is {}",
                    rounding_name(static_cast<int>((b.control_ & kRounding) >> 3)),
                    rounding_name(static_cast<int>((control_ & kRounding) >> 3))));
  if (((control_ ^ b.control_) & kMasks) != 0)
    add("environment.exception_masks",
        fmt::format("the exception masks of MXCSR were 0x{:02x} and are 0x{:02x}",
                    (b.control_ & kMasks) >> 7, (control_ & kMasks) >> 7));
  if (x87_control_ != b.x87_control_)
    add("environment.x87", fmt::format("the x87 control word was 0x{:04x} and is 0x{:04x}",
                                       b.x87_control_, x87_control_));
  if (x87_tags_ != b.x87_tags_)
    add("environment.x87", fmt::format("the x87/MMX registers were left in use (tag word 0x{:04x}; "
                                       "it was 0x{:04x}): emms is missing",
                                       x87_tags_, b.x87_tags_));
#elif defined(__aarch64__)
  if (((control_ ^ b.control_) & kFpcrFlush) != 0)
    add("environment.ftz_daz",
        fmt::format("flush-to-zero was {} and is {}", on_off((b.control_ & kFpcrFlush) != 0),
                    on_off((control_ & kFpcrFlush) != 0)));
#endif
  if (watch_ == Watch::arithmetic || b.watch_ == Watch::arithmetic) return facts;
  if (locale_ != b.locale_)
    add("environment.locale", fmt::format("the locale was {} and is {}", b.locale_, locale_));
  else if (thread_locale_ != b.thread_locale_)
    add("environment.locale", "the locale of the thread was changed (uselocale)");
  if (folder_ != b.folder_)
    add("environment.working_directory",
        fmt::format("the working directory was {} and is {}", b.folder_, folder_));
  if (umask_ != b.umask_)
    add("environment.umask", fmt::format("umask was {:04o} and is {:04o}", b.umask_, umask_));
  if (watch_ == Watch::surroundings || b.watch_ == Watch::surroundings) return facts;
  for (int s = 1; s <= 64; ++s)
    if (handlers_[static_cast<std::size_t>(s)] != b.handlers_[static_cast<std::size_t>(s)]) {
      const char* name = ::sigabbrev_np(s);
      add("environment.signal_handler",
          fmt::format("the handler of SIG{} was changed", name != nullptr ? name : "RT"));
    }
  if (threads_ > b.threads_) {
    std::size_t left = threads_;
    for (int i = 0; i < 20 && left > b.threads_; ++i) {
      ::usleep(5000);
      left = thread_count();
    }
    if (left > b.threads_)
      add("environment.thread", fmt::format("{} of its threads still {}", left - b.threads_,
                                            left - b.threads_ == 1 ? "runs" : "run"));
  }
  if (std::vector<pid_t> left = new_ones(b.processes_); !left.empty()) {
    for (int i = 0; i < 20 && !left.empty(); ++i) {
      ::usleep(5000);
      left = new_ones(b.processes_);
    }
    if (left.size() == 1)
      add("environment.process", "a process was left behind");
    else if (!left.empty())
      add("environment.process", fmt::format("{} processes were left behind", left.size()));
  }
  if (printed_ > b.printed_)
    add("environment.output",
        fmt::format("{} bytes were printed to stdout or stderr", printed_ - b.printed_));
  return facts;
}

Environment Environment::with_flags_now() const {
  Environment e = *this;
  e.flags_ = raised();
  return e;
}

void Environment::restore() const {
#if defined(__x86_64__)
  __asm__ volatile("fninit");
  __asm__ volatile("fldcw %0" : : "m"(x87_control_));
#endif
  std::fesetround(rounding_);
  set_control(control_);
  if (watch_ == Watch::arithmetic) return;
  if (::uselocale(nullptr) != thread_locale_) ::uselocale(static_cast<locale_t>(thread_locale_));
  if (locale_now() != locale_) std::setlocale(LC_ALL, locale_.c_str());
  if (folder_now() != folder_ && ::chdir(folder_.c_str()) != 0)
    std::fprintf(stderr, "the working directory %s cannot be entered again\n", folder_.c_str());
  const std::lock_guard lock(g_umask);
  ::umask(umask_);
}

void Environment::end_new_processes() const {
  if (g_guard == 0) return;
  for (int turn = 0; turn < 100; ++turn) {
    const std::vector<pid_t> left = new_ones(processes_);
    if (left.empty()) return;
    for (const pid_t p : left) {
      ::kill(p, SIGKILL);
      ::waitpid(p, nullptr, WNOHANG);  // our own children; the guard waits for the others
    }
    ::usleep(1000);
  }
}

void watch_processes_below(pid_t guard) { g_guard = guard; }

void enter(const Stage& stage) {
  switch (stage.rounding) {
    case Stage::Rounding::nearest:
      break;
    case Stage::Rounding::up:
      std::fesetround(FE_UPWARD);
      break;
    case Stage::Rounding::down:
      std::fesetround(FE_DOWNWARD);
      break;
    case Stage::Rounding::zero:
      std::fesetround(FE_TOWARDZERO);
      break;
  }
  if (!stage.flush) return;
#if defined(__x86_64__)
  set_control(control() | kFtz | kDaz);
#elif defined(__aarch64__)
  set_control(control() | kFpcrFlush);
#endif
}

void set_flags(bool up) {
  std::feclearexcept(FE_ALL_EXCEPT);
  if (!up) return;
#if defined(__x86_64__)
  // feraiseexcept computes; this sets the bits alone.
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | kMxcsrFlags);
#else
  std::feraiseexcept(FE_ALL_EXCEPT);
#endif
}

}  // namespace ulpaudit
