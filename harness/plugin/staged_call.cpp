// Staged calls.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/staged_call.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "plugin/environment.hpp"
#include "plugin/output_log.hpp"
#include "plugin/poison.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kPage = 4096;
/// Untouchable memory on both sides of a buffer: an access further off meets it as well.
constexpr std::uint64_t kGuard = 64 * kPage;
constexpr unsigned char kCanary = 0xc5;

std::uint64_t whole_pages(std::uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

/// A buffer between pages that cannot be touched; what is left of its own pages is canaries.
class Guarded {
 public:
  /// `name` in messages; bytes may be 0: then there is nothing but untouchable pages.
  Guarded(const char* name, std::uint64_t bytes, const Stage& stage, std::uint32_t offset)
      : name_(name), bytes_(bytes) {
    const bool start = stage.edge == Stage::Edge::start;
    pages_ = bytes == 0 ? 0 : whole_pages(bytes + (start ? offset : 0));
    map_bytes_ = pages_ + 2 * kGuard;
    void* base = ::mmap(nullptr, map_bytes_, stage.readable ? PROT_READ : PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) throw std::runtime_error("mmap of a guarded buffer failed");
    base_ = static_cast<unsigned char*>(base);
    if (pages_ != 0 && ::mprotect(base_ + kGuard, pages_, PROT_READ | PROT_WRITE) != 0)
      throw std::runtime_error("mprotect of a guarded buffer failed");
    data_ = base_ + kGuard + (start ? offset : pages_ - bytes);
    fill_canaries();
  }
  ~Guarded() { ::munmap(base_, map_bytes_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  unsigned char* data() const { return data_; }
  /// Fills the buffer with `period` over and over, from its byte `start` on. A long one is mapped
  /// from one copy of a few MiB, again and again, and so takes no memory while it is only read.
  void fill(const unsigned char* period, std::uint64_t length, std::uint64_t start) const {
    if (length == 0 || bytes_ == 0) return;
    if (bytes_ <= kMappedFrom || !map_copies(period, length, start))
      repeat(data_, bytes_, period, length, start);
    fill_canaries();  // where mapped: into private copies of the first and the last page
  }
  void forbid_writing() const {
    if (pages_ != 0) ::mprotect(base_ + kGuard, pages_, PROT_READ);
  }

  /// The first canary that was written over, as a sentence; empty while all are whole.
  std::string damage() const {
    const auto broken = [&](const unsigned char* from, const unsigned char* to) {
      return std::find_if(from, to, [](unsigned char c) { return c != kCanary; });
    };
    if (pages_ == 0) return "";
    if (const auto* p = broken(base_ + kGuard, data_); p != data_)
      return fmt::format("wrote {} bytes in front of {}", data_ - p, name_);
    const unsigned char* end = base_ + kGuard + pages_;
    if (const auto* p = broken(data_ + bytes_, end); p != end)
      return fmt::format("wrote behind the end of {}, {} bytes from it", name_,
                         p - (data_ + bytes_));
    return "";
  }

  bool holds(const unsigned char* address) const {
    return address >= base_ && address < base_ + map_bytes_;
  }
  /// What touching `address` in this buffer's mapping breaks.
  Fact fault_at(const unsigned char* address, bool write) const {
    const char* verb = write ? "writes" : "reads";
    const std::string rule = write ? "batch.write_outside" : "batch.read_outside";
    if (bytes_ == 0) return {"batch.empty", fmt::format("{} {} of an empty batch", verb, name_), 0};
    if (address < data_)
      return {rule, fmt::format("{} {} bytes in front of {}", verb, data_ - address, name_), 0};
    if (address >= data_ + bytes_)
      return {rule,
              fmt::format("{} behind the end of {}, {} bytes from it", verb, name_,
                          address - (data_ + bytes_)),
              0};
    return {"batch.input_changed", fmt::format("writes to {}, an input", name_), 0};
  }

 private:
  static constexpr std::uint64_t kMappedFrom = std::uint64_t{64} << 20;
  static constexpr std::uint64_t kCopy = std::uint64_t{4} << 20;

  static void repeat(unsigned char* to, std::uint64_t bytes, const unsigned char* period,
                     std::uint64_t length, std::uint64_t start) {
    for (std::uint64_t done = 0; done < bytes;) {
      const std::uint64_t at = (start + done) % length;
      const std::uint64_t part = std::min(length - at, bytes - done);
      std::memcpy(to + done, period + at, part);
      done += part;
    }
  }

  /// false: the system refused.
  bool map_copies(const unsigned char* period, std::uint64_t length, std::uint64_t start) const {
    // A whole number of periods and of pages; its first byte lies at the first of our pages.
    const std::uint64_t turn = std::lcm(length, kPage);
    const std::uint64_t copy = turn * std::max<std::uint64_t>(1, kCopy / turn);
    const auto lead = static_cast<std::uint64_t>(data_ - (base_ + kGuard));
    const int fd = ::memfd_create("ulpaudit-tile", MFD_CLOEXEC);
    bool good = fd >= 0 && ::ftruncate(fd, static_cast<off_t>(copy)) == 0;
    void* master =
        good ? ::mmap(nullptr, copy, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    good = master != MAP_FAILED;
    if (good) {
      repeat(static_cast<unsigned char*>(master), copy, period, length,
             (start + length - lead % length) % length);
      ::munmap(master, copy);
    }
    for (std::uint64_t done = 0; good && done < pages_; done += copy)
      good = ::mmap(base_ + kGuard + done, std::min(copy, pages_ - done), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0) != MAP_FAILED;
    if (fd >= 0) ::close(fd);
    return good;
  }

  void fill_canaries() const {
    if (pages_ == 0) return;
    std::fill(base_ + kGuard, data_, kCanary);
    std::fill(data_ + bytes_, base_ + kGuard + pages_, kCanary);
  }

  const char* name_;
  std::uint64_t bytes_, pages_ = 0, map_bytes_ = 0;
  unsigned char* base_ = nullptr;
  unsigned char* data_ = nullptr;
};

// What the handler may look at: buffers of the call that runs.
std::atomic<const std::vector<const Guarded*>*> g_buffers{nullptr};
void (*g_report)(const Fact&) = nullptr;

bool was_write(void* context) {
#if defined(__x86_64__)
  return (static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
  (void)context;
  return false;
#endif
}

void on_fault(int signal, siginfo_t* what, void* context) {
  const auto* address = static_cast<const unsigned char*>(what->si_addr);
  if (const auto* buffers = g_buffers.load())
    for (const Guarded* b : *buffers)
      if (b->holds(address)) g_report(b->fault_at(address, was_write(context)));
  ::signal(signal, SIG_DFL);  // and the instruction faults again
}

/// Ends a worker in which one of many calls in a row hangs, long before the time for all of them is
/// over. By the timer that the worker has armed; where there is none, it does nothing.
class CallTimer {
 public:
  CallTimer() {
    itimerval t = {};
    armed_ =
        ::getitimer(ITIMER_REAL, &t) == 0 && (t.it_value.tv_sec != 0 || t.it_value.tv_usec != 0);
  }
  /// For one call, of a kernel whose slowest one took so long.
  void start(std::uint64_t nanoseconds) const {
    if (!armed_) return;
    const std::uint64_t us = kLeast + kFactor * nanoseconds / 1000;
    const itimerval t = {
        {0, 0}, {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)}};
    ::setitimer(ITIMER_REAL, &t, nullptr);
  }

 private:
  static constexpr std::uint64_t kLeast = 500'000, kFactor = 50;  // us
  bool armed_ = false;
};

class StagedCall {
 public:
  StagedCall(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
             const Stage& stage)
      : plugin_(plugin),
        index_(index),
        size_(static_cast<std::uint64_t>(format(d).bytes())),
        d_(d),
        given_(n * size_),
        n_(stage.tile != 0 ? stage.tile : n),
        bytes_(n_ * size_),
        stage_(stage) {}

  Outcome run(const void* z, const void* y, void* out) {
    for (std::uint32_t t = 0; t < std::max(1u, stage_.threads); ++t) add_caller(t, z, y);
    std::vector<const Guarded*> buffers;
    for (const Caller& c : callers_)
      for (const Guarded* b : {c.z.get(), c.y.get(), c.out.get()})
        if (b != nullptr) buffers.push_back(b);
    g_buffers = &buffers;
    Outcome o = callers_.size() > 1 ? call_in_threads() : call_alone();
    g_buffers = nullptr;
    for (const Guarded* b : buffers) {
      const std::string damage = b->damage();
      if (!damage.empty()) o.facts.push_back({"batch.write_outside", damage, 0});
    }
    if (stage_.tile != 0 && o.unwritten == 0) compare_tiles(o);
    std::memcpy(out, result(callers_[0]), std::min(given_, bytes_));
    return o;
  }

 private:
  /// The buffers of one thread. Thread t has the inputs in another order, begun at element t, so
  /// that results which are mixed up among threads show.
  struct Caller {
    std::unique_ptr<Guarded> z, y, out;
  };

  void add_caller(std::uint32_t t, const void* z, const void* y) {
    Caller c;
    c.z = std::make_unique<Guarded>("z", bytes_, stage_, stage_.z_offset);
    c.z->fill(static_cast<const unsigned char*>(z), given_, t * size_);
    if (!stage_.in_place) c.z->forbid_writing();
    if (y != nullptr) {
      c.y = std::make_unique<Guarded>("y", bytes_, stage_, stage_.y_offset);
      c.y->fill(static_cast<const unsigned char*>(y), given_, t * size_);
      if (!stage_.in_place_y) c.y->forbid_writing();
    }
    c.out = std::make_unique<Guarded>("out", bytes_, stage_, stage_.out_offset);
    callers_.push_back(std::move(c));
  }
  unsigned char* result(const Caller& c) const {
    return stage_.in_place ? c.z->data() : stage_.in_place_y ? c.y->data() : c.out->data();
  }
  bool in_place() const { return stage_.in_place || stage_.in_place_y; }

  /// One call in the stage's environment. `watch`: with what it changed.
  Outcome call(const Caller& c, bool watch) const { return call(c, watch, stage_.out_fill); }
  Outcome call(const Caller& c, bool watch, std::uint8_t fill) const {
    if (!in_place() && bytes_ != 0) std::memset(c.out->data(), fill, bytes_);
    // Locale, directory and umask are the process's: no other thread may call meanwhile.
    const Watch how = !watch           ? Watch::arithmetic
                      : stage_.process ? Watch::process
                                       : Watch::surroundings;
    const Environment outside = Environment::now(watch ? Watch::surroundings : Watch::arithmetic);
    enter(stage_);
    const Environment before = watch_flags(how);
    Outcome o = plugin_.run(index_, d_, n_, c.z->data(), c.y ? c.y->data() : nullptr, result(c),
                            stage_.stack_fill);
    const Environment after = Environment::now(how);
    outside.restore();
    if (!watch) return o;
    o.raised = after.flags();
    o.facts = after.changed_since(before);
    if (stage_.process) before.end_new_processes();
    if (stage_.flags_up && (before.flags() & ~after.flags()) != 0)
      o.facts.push_back({"environment.flags",
                         fmt::format("cleared exception flags that were raised (left 0x{:02x} of "
                                     "0x{:02x})",
                                     after.flags(), before.flags()),
                         0});
    return o;
  }

  /// The environment now, the exception flags set as the stage says: looking may raise some.
  Environment watch_flags(Watch how) const {
    const Environment seen = Environment::now(how);
    set_flags(stage_.flags_up);
    return seen.with_flags_now();
  }

  /// Adds a fact where the call that was just made did not write all of `out`: where its filling is
  /// left, a call on another one tells whether the kernel returns it.
  void find_unwritten(const Caller& c, Outcome& o) const {
    if (in_place() || bytes_ == 0 || o.kind != Outcome::Kind::ok) return;
    const Untouched untouched(c.out->data(), n_, size_, poison_of_bytes(stage_.out_fill, size_));
    if (!untouched.any()) return;
    // What does not fit into memory twice is left as the second call has it.
    std::vector<unsigned char> results;
    if (bytes_ <= kKept) results.assign(c.out->data(), c.out->data() + bytes_);
    const auto other = static_cast<std::uint8_t>(stage_.out_fill ^ 0x5a);
    const Outcome again = call(c, false, other);
    if (again.kind == Outcome::Kind::ok) {
      const Untouched::Answer a =
          untouched.left_by_both(c.out->data(), poison_of_bytes(other, size_));
      o.unwritten = a.count;
      o.poison = poison_of_bytes(results.empty() ? other : stage_.out_fill, size_);
      if (a.count != 0) add_not_written(o, a, n_, given_ == 0 ? 0 : a.first % (given_ / size_));
    }
    std::copy(results.begin(), results.end(), c.out->data());
  }

  Outcome call_alone() {
    const Caller& c = callers_[0];
    const CallTimer timer;
    Outcome o = call(c, true);
    std::uint64_t slowest = o.nanoseconds;
    find_unwritten(c, o);
    if (stage_.repeats <= 1 || o.kind != Outcome::Kind::ok) return o;
    const std::vector<unsigned char> first(result(c), result(c) + bytes_);
    for (std::uint32_t k = 2; k <= stage_.repeats; ++k) {
      direct_output(false);
      timer.start(slowest);
      const Outcome again = call(c, false);
      if (again.kind != Outcome::Kind::ok) return again;
      slowest = std::max(slowest, again.nanoseconds);
      if (!differs(first.data(), result(c), fmt::format("call {}", k), "determinism.repeat", o))
        continue;
      std::copy(first.begin(), first.end(), result(c));
      break;
    }
    return o;
  }

  /// All threads call at once, again and again; then each caller's batch is run alone, and must
  /// give what each of its calls gave.
  Outcome call_in_threads() {
    std::atomic<std::size_t> waiting{callers_.size()};
    std::vector<Outcome> ends(callers_.size());
    // What the first call of each thread gave, and the first later one that differed.
    std::vector<std::vector<unsigned char>> firsts(callers_.size()), others(callers_.size());
    const auto work = [&](std::size_t t) {
      const Caller& c = callers_[t];
      --waiting;
      while (waiting.load() != 0) {
      }
      for (std::uint32_t k = 0; k < stage_.repeats; ++k) {
        ends[t] = call(c, false);
        if (ends[t].kind != Outcome::Kind::ok) return;
        if (k == 0) firsts[t].assign(result(c), result(c) + bytes_);
        if (std::equal(firsts[t].begin(), firsts[t].end(), result(c))) continue;
        others[t].assign(result(c), result(c) + bytes_);
        return;
      }
    };
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < callers_.size(); ++t) threads.emplace_back(work, t);
    for (std::thread& t : threads) t.join();
    Outcome o = ends[0];
    for (std::size_t t = 0; t < callers_.size(); ++t) {
      if (ends[t].kind != Outcome::Kind::ok) return ends[t];
      Outcome alone = call(callers_[t], false);
      if (alone.kind != Outcome::Kind::ok) return alone;
      find_unwritten(callers_[t], alone);
      if (o.unwritten == 0 && alone.unwritten != 0) {
        o.unwritten = alone.unwritten;
        o.poison = alone.poison;
        for (Fact& f : alone.facts) o.facts.push_back(std::move(f));
      }
      for (const auto& then : {firsts[t], others[t]})
        if (!then.empty())
          differs(result(callers_[t]), then.data(), fmt::format("thread {} of several", t),
                  "determinism.threads", o);
    }
    if (!firsts[0].empty()) std::copy(firsts[0].begin(), firsts[0].end(), result(callers_[0]));
    return o;
  }

  /// Adds a fact where two results of a batch differ.
  bool differs(const unsigned char* right, const unsigned char* other, const std::string& who,
               const char* rule, Outcome& o) const {
    const auto at = std::mismatch(right, right + bytes_, other).first;
    if (at == right + bytes_) return false;
    const std::uint64_t element = static_cast<std::uint64_t>(at - right) / size_;
    o.facts.push_back({rule,
                       fmt::format("{} gives 0x{} for element {}, elsewhere it gives 0x{}", who,
                                   hex(other, element), element, hex(right, element)),
                       element});
    return true;
  }
  std::string hex(const unsigned char* results, std::uint64_t element) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, results + element * size_, size_);
    return fmt::format("{:0{}x}", bits, 2 * size_);
  }

  void compare_tiles(Outcome& o) const {
    if (o.kind != Outcome::Kind::ok || given_ == 0) return;
    const unsigned char* first = result(callers_[0]);
    for (std::uint64_t done = given_; done < bytes_; done += given_) {
      const std::uint64_t part = std::min(given_, bytes_ - done);
      if (std::memcmp(first, first + done, part) == 0) continue;
      const auto at = std::mismatch(first, first + part, first + done).first;
      const std::uint64_t element = static_cast<std::uint64_t>(at - first) / size_;
      const std::uint64_t far = element + done / size_;
      o.facts.push_back(
          {"batch.length",
           fmt::format("of {} elements, number {} gives 0x{}, number {} with the same input 0x{}",
                       n_, far, hex(first, far), element, hex(first, element)),
           element});
      return;
    }
  }

  static constexpr std::uint64_t kKept = std::uint64_t{64} << 20;

  const LoadedPlugin& plugin_;
  std::size_t index_;
  std::uint64_t size_;  ///< bytes of an element
  Dtype d_;
  std::uint64_t given_, n_, bytes_;
  const Stage& stage_;
  std::vector<Caller> callers_;
};

}  // namespace

Outcome run_staged(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                   const void* z, const void* y, void* out, const Stage& stage) {
  if (const std::string why = refusal(stage, y != nullptr); !why.empty())
    return {Outcome::Kind::failed, why, 0};
  return StagedCall(plugin, index, d, n, stage).run(z, y, out);
}

void watch_faults(void (*report)(const Fact& fact)) {
  g_report = report;
  // A stack of its own: a kernel may have used up the other one.
  static unsigned char room[64 * 1024];
  stack_t stack = {};
  stack.ss_sp = room;
  stack.ss_size = sizeof room;
  ::sigaltstack(&stack, nullptr);
  struct sigaction a = {};
  a.sa_sigaction = on_fault;
  a.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &a, nullptr);
  ::sigaction(SIGBUS, &a, nullptr);
}

}  // namespace ulpaudit
