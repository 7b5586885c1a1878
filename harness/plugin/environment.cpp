// Reads and compares the environment.
#include "plugin/environment.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <cstdio>
#include <cstring>
#include <filesystem>

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

Environment Environment::now(bool process) {
  Environment e;
  e.flags_ = raised();
  e.rounding_ = std::fegetround();
  e.control_ = control();
#if defined(__x86_64__)
  const X87 x = x87();
  e.x87_control_ = x.control;
  e.x87_tags_ = x.tags;
#endif
  if (!process) return e;
  for (int s = 1; s <= 64; ++s) e.handlers_[static_cast<std::size_t>(s)] = handler_of(s);
  e.threads_ = thread_count();
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
  if (printed_ > b.printed_)
    add("environment.output",
        fmt::format("{} bytes were printed to stdout or stderr", printed_ - b.printed_));
  return facts;
}

void Environment::restore() const {
#if defined(__x86_64__)
  __asm__ volatile("fninit");
  __asm__ volatile("fldcw %0" : : "m"(x87_control_));
#endif
  std::fesetround(rounding_);
  set_control(control_);
}

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
