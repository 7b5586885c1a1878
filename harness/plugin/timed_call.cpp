// Timed calls.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/timed_call.hpp"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "plugin/call_times.hpp"
#include "plugin/plain_call.hpp"

// Callgrind counts inside of a function that is called so (throughput/callgrind.cpp): not copied,
// or it would have another name.
#if defined(__clang__)
#define ULPAUDIT_ONE_COPY __attribute__((noinline, used))
#else
#define ULPAUDIT_ONE_COPY __attribute__((noinline, noclone, used))
#endif
extern "C" {
ULPAUDIT_ONE_COPY void ulpaudit_counted_call(void (*call)(void*), void* data) {
  call(data);
  asm volatile("" : : : "memory");  // no tail call: the function ends when the call has
}
}

namespace ulpaudit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostCalls = 1'000'000;

std::uint64_t nanoseconds(Clock::duration d) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(d).count());
}

/// What two readings of the clock see of themselves: the median of many.
std::uint64_t clock_cost() {
  std::array<std::uint64_t, 201> cost{};
  for (std::uint64_t& c : cost) {
    const auto start = Clock::now();
    c = nanoseconds(Clock::now() - start);
  }
  std::nth_element(cost.begin(), cost.begin() + cost.size() / 2, cost.end());
  return cost[cost.size() / 2];
}

/// Whole pages of this process.
class Pages {
 public:
  explicit Pages(std::uint64_t bytes) : bytes_(bytes) {
    base_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ != MAP_FAILED) ::madvise(base_, bytes, MADV_HUGEPAGE);
  }
  ~Pages() {
    if (base_ != MAP_FAILED) ::munmap(base_, bytes_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  char* base() const { return base_ == MAP_FAILED ? nullptr : static_cast<char*>(base_); }

 private:
  void* base_;
  std::uint64_t bytes_;
};

/// Instructions of this thread in user mode, where the machine counts them.
class Instructions {
 public:
  Instructions() {
    perf_event_attr a{};
    a.size = sizeof a;
    a.type = PERF_TYPE_HARDWARE;
    a.config = PERF_COUNT_HW_INSTRUCTIONS;
    a.disabled = 1;
    a.exclude_kernel = 1;
    a.exclude_hv = 1;
    fd_ = static_cast<int>(::syscall(SYS_perf_event_open, &a, 0, -1, -1, 0));
  }
  ~Instructions() {
    if (fd_ >= 0) ::close(fd_);
  }
  Instructions(const Instructions&) = delete;
  Instructions& operator=(const Instructions&) = delete;

  /// Of one call of `work`; 0: not counted here.
  template <class Work>
  std::uint64_t of(Work work) const {
    std::uint64_t count = 0;
    const auto call = [](void* w) { (*static_cast<Work*>(w))(); };
    if (fd_ >= 0) ::ioctl(fd_, PERF_EVENT_IOC_RESET, 0);
    if (fd_ >= 0) ::ioctl(fd_, PERF_EVENT_IOC_ENABLE, 0);
    ulpaudit_counted_call(call, &work);
    if (fd_ < 0) return 0;
    ::ioctl(fd_, PERF_EVENT_IOC_DISABLE, 0);
    return ::read(fd_, &count, sizeof count) == sizeof count ? count : 0;
  }

 private:
  int fd_ = -1;
};

/// bytes of `to` from the `period` bytes of `from`, over and over.
void tile(char* to, std::uint64_t bytes, const char* from, std::uint64_t period) {
  for (std::uint64_t done = 0; done < bytes; done += period)
    std::memcpy(to + done, from, std::min(period, bytes - done));
}

/// `call(z, y, out)` runs the kernel once and says for how long; `warm` does so with an eye on its
/// call conformance, and `tidy` puts the environment right, neither under the clock.
template <class Call, class Warm, class Tidy>
Outcome time_calls(Dtype d, std::uint64_t n, const void* z, const void* y, const Timing& timing,
                   Call call, Warm warm, Tidy tidy) {
  if (n == 0 || timing.elements == 0 || timing.elements > std::uint64_t{1} << 32)
    return {Outcome::Kind::failed, "no elements to time, or more than 2^32", 0};
  const auto width = static_cast<std::uint64_t>(format(d).bytes());
  const std::uint64_t bytes = timing.elements * width, period = n * width;
  const std::uint64_t array = (bytes + 8191) / 4096 * 4096;
  const Pages pages(3 * array + 4096);
  if (pages.base() == nullptr)
    return {Outcome::Kind::failed, fmt::format("no memory for {} elements", timing.elements), 0};
  // Half a page off each other: equal offsets modulo 4096 alias in the store buffer.
  char* z_at = pages.base();
  char* y_at = y == nullptr ? nullptr : pages.base() + array + 1024;
  char* out_at = pages.base() + 2 * array + 2048;
  const auto* z_given = static_cast<const char*>(z);
  const auto* y_given = static_cast<const char*>(y);
  std::memset(out_at, 0, bytes);
  tile(z_at, bytes, z_given, period);
  if (y != nullptr) tile(y_at, bytes, y_given, period);
  Outcome total = warm(z_at, y_at, out_at);  // not timed: pages, code and tables come near
  if (total.kind != Outcome::Kind::ok) return total;
  CallTimes times;
  const std::uint64_t windows = bytes < period ? period / bytes : 1, cost = clock_cost();
  do {
    if (windows > 1) {
      const std::uint64_t at = times.calls() % windows * bytes;
      std::memcpy(z_at, z_given + at, bytes);
      if (y != nullptr) std::memcpy(y_at, y_given + at, bytes);
    }
    const Outcome one = call(z_at, y_at, out_at);
    tidy();
    if (one.kind != Outcome::Kind::ok) return one;
    times.add(one.nanoseconds - std::min(one.nanoseconds, cost));
  } while (!times.enough(timing.nanoseconds, kMostCalls));
  times.into(total);
  total.instructions = Instructions().of([&] { call(z_at, y_at, out_at); });
  tidy();
  return total;
}

}  // namespace

Outcome run_timed(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                  const void* z, const void* y, const Timing& timing) {
  if (plugin.info().kernels[index].on_device)
    return keeping_environment([&] { return plugin.time(index, d, n, z, y, timing); });
  const Environment clean = Environment::now(Watch::arithmetic);
  return time_calls(
      d, n, z, y, timing,
      [&](char* z_at, char* y_at, char* out_at) {
        return plugin.run(index, d, timing.elements, z_at, y_at, out_at);
      },
      [&](char* z_at, char* y_at, char* out_at) {
        return run_plain(plugin, index, d, timing.elements, z_at, y_at, out_at);
      },
      [&] { clean.restore(); });
}

Outcome copy_timed(Dtype d, std::uint64_t n, const void* z, const Timing& timing) {
  const auto bytes =
      static_cast<std::size_t>(timing.elements) * static_cast<std::size_t>(format(d).bytes());
  const auto copy = [&](char* z_at, char*, char* out_at) {
    const auto start = Clock::now();
    std::memcpy(out_at, z_at, bytes);
    asm volatile("" : : "r"(out_at) : "memory");
    return Outcome{Outcome::Kind::ok, "", nanoseconds(Clock::now() - start)};
  };
  return time_calls(d, n, z, nullptr, timing, copy, copy, [] {});
}

}  // namespace ulpaudit
