// Staged calls.
#include "plugin/staged_call.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>

#include "plugin/environment.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr unsigned char kCanary = 0xc5;
constexpr std::size_t kMostFacts = 8;  ///< of one rule's kind in one call

std::uint64_t whole_pages(std::uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

/// A buffer between two pages that cannot be touched; what is left of its own pages is canaries.
class Guarded {
 public:
  /// `name` in messages; bytes may be 0: then it is a single untouchable page.
  Guarded(const char* name, std::uint64_t bytes, const Stage& stage, std::uint32_t offset)
      : name_(name), bytes_(bytes) {
    const bool start = stage.edge == Stage::Edge::start;
    pages_ = bytes == 0 ? 0 : whole_pages(bytes + (start ? offset : 0));
    map_bytes_ = pages_ + 2 * kPage;
    void* base = ::mmap(nullptr, map_bytes_, stage.readable ? PROT_READ : PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) throw std::runtime_error("mmap of a guarded buffer failed");
    base_ = static_cast<unsigned char*>(base);
    if (pages_ != 0 && ::mprotect(base_ + kPage, pages_, PROT_READ | PROT_WRITE) != 0)
      throw std::runtime_error("mprotect of a guarded buffer failed");
    data_ = base_ + kPage + (start ? offset : pages_ - bytes);
    fill_canaries();
  }
  ~Guarded() { ::munmap(base_, map_bytes_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  unsigned char* data() const { return data_; }
  void forbid_writing() const {
    if (pages_ != 0) ::mprotect(base_ + kPage, pages_, PROT_READ);
  }

  /// The first canary that was written over, as a sentence; empty while all are whole.
  std::string damage() const {
    const auto broken = [&](const unsigned char* from, const unsigned char* to) {
      return std::find_if(from, to, [](unsigned char c) { return c != kCanary; });
    };
    if (pages_ == 0) return "";
    if (const auto* p = broken(base_ + kPage, data_); p != data_)
      return fmt::format("wrote {} bytes in front of {}", data_ - p, name_);
    const unsigned char* end = base_ + kPage + pages_;
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
  void fill_canaries() const {
    if (pages_ == 0) return;
    std::fill(base_ + kPage, data_, kCanary);
    std::fill(data_ + bytes_, base_ + kPage + pages_, kCanary);
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

/// Fills the stack below the caller, so that a kernel that reads what lay there shows it.
__attribute__((noinline)) void fill_stack(std::uint8_t value) {
  volatile unsigned char room[48 * 1024];
  for (std::size_t i = 0; i < sizeof room; ++i) room[i] = value;
}

class StagedCall {
 public:
  StagedCall(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
             const Stage& stage)
      : plugin_(plugin),
        index_(index),
        d_(d),
        given_(n * bytes_of_one()),
        n_(stage.tile != 0 ? stage.tile : n),
        bytes_(n_ * bytes_of_one()),
        stage_(stage) {}

  Outcome run(const void* z, const void* y, void* out) {
    make_inputs(z, y);
    for (std::uint32_t t = 0; t < std::max(1u, stage_.threads); ++t)
      outs_.push_back(std::make_unique<Guarded>("out", bytes_, stage_, stage_.out_offset));
    std::vector<const Guarded*> buffers = {z_.get()};
    if (y_) buffers.push_back(y_.get());
    for (const auto& o : outs_) buffers.push_back(o.get());
    g_buffers = &buffers;
    Outcome o = stage_.threads > 1 ? call_in_threads() : call_alone();
    g_buffers = nullptr;
    for (const Guarded* b : buffers) {
      const std::string damage = b->damage();
      if (!damage.empty()) o.facts.push_back({"batch.write_outside", damage, 0});
    }
    if (stage_.tile != 0) compare_tiles(o);
    std::memcpy(out, result(0), std::min(given_, bytes_));
    return o;
  }

 private:
  std::uint64_t bytes_of_one() const { return static_cast<std::uint64_t>(format(d_).bytes()); }
  unsigned char* result(std::size_t thread) const {
    return stage_.in_place ? z_->data() : outs_[thread]->data();
  }

  void make_inputs(const void* z, const void* y) {
    z_ = std::make_unique<Guarded>("z", bytes_, stage_, stage_.z_offset);
    fill_input(z_->data(), z);
    if (!stage_.in_place) z_->forbid_writing();
    if (y == nullptr) return;
    y_ = std::make_unique<Guarded>("y", bytes_, stage_, stage_.y_offset);
    fill_input(y_->data(), y);
    y_->forbid_writing();
  }
  void fill_input(unsigned char* to, const void* from) const {
    if (given_ == 0) return;
    for (std::uint64_t done = 0; done < bytes_; done += given_)
      std::memcpy(to + done, from, std::min(given_, bytes_ - done));
  }

  /// One call in the stage's environment, with what it changed.
  Outcome call(unsigned char* out, bool watch) const {
    if (!stage_.in_place && bytes_ != 0) std::memset(out, stage_.out_fill, bytes_);
    fill_stack(stage_.stack_fill);
    const Environment outside = Environment::now(false);
    enter(stage_);
    set_flags(stage_.flags_up);
    const Environment before = Environment::now(watch && stage_.process);
    Outcome o = plugin_.run(index_, d_, n_, z_->data(), y_ ? y_->data() : nullptr,
                            stage_.in_place ? z_->data() : out);
    const Environment after = Environment::now(watch && stage_.process);
    if (!watch) {
      outside.restore();
      return o;
    }
    o.raised = after.flags();
    o.facts = after.changed_since(before);
    outside.restore();
    if (stage_.flags_up && (before.flags() & ~after.flags()) != 0)
      o.facts.push_back({"environment.flags",
                         fmt::format("cleared exception flags that were raised (left 0x{:02x} of "
                                     "0x{:02x})",
                                     after.flags(), before.flags()),
                         0});
    return o;
  }

  Outcome call_alone() {
    Outcome o = call(outs_[0]->data(), true);
    if (stage_.repeats <= 1 || o.kind != Outcome::Kind::ok) return o;
    const std::vector<unsigned char> first(result(0), result(0) + bytes_);
    for (std::uint32_t k = 2; k <= stage_.repeats; ++k) {
      const Outcome again = call(outs_[0]->data(), false);
      if (again.kind != Outcome::Kind::ok) return again;
      if (!differs(first.data(), result(0), fmt::format("call {}", k), "determinism.repeat", o))
        continue;
      std::copy(first.begin(), first.end(), result(0));
      break;
    }
    return o;
  }

  Outcome call_in_threads() {
    std::atomic<std::uint32_t> waiting{stage_.threads};
    std::vector<Outcome> ends(stage_.threads);
    std::vector<std::thread> threads;
    const auto work = [&](std::uint32_t t) {
      --waiting;
      while (waiting.load() != 0) {
      }
      for (std::uint32_t k = 0; k < stage_.repeats && ends[t].kind == Outcome::Kind::ok; ++k) {
        ends[t] = call(outs_[t]->data(), false);
        if (k == 0 && stage_.repeats > 1) {
          firsts_[t].assign(result(t), result(t) + bytes_);
        } else if (k != 0) {
          Outcome o;
          if (differs(firsts_[t].data(), result(t), fmt::format("call {} of thread {}", k + 1, t),
                      "determinism.threads", o))
            ends[t].facts = o.facts;
        }
        if (!ends[t].facts.empty()) return;
      }
    };
    firsts_.resize(stage_.threads);
    for (std::uint32_t t = 0; t < stage_.threads; ++t) threads.emplace_back(work, t);
    for (std::thread& t : threads) t.join();
    Outcome o = ends[0];
    for (std::uint32_t t = 1; t < stage_.threads; ++t) {
      if (ends[t].kind != Outcome::Kind::ok) return ends[t];
      if (!ends[t].facts.empty()) o.facts = ends[t].facts;
      differs(result(0), result(t), fmt::format("thread {}", t), "determinism.threads", o);
    }
    return o;
  }

  /// Adds a fact where two results of the batch differ.
  bool differs(const unsigned char* first, const unsigned char* other, const std::string& where,
               const char* rule, Outcome& o) const {
    const auto at = std::mismatch(first, first + bytes_, other).first;
    if (at == first + bytes_) return false;
    const std::uint64_t element = static_cast<std::uint64_t>(at - first) / bytes_of_one();
    const auto already = std::count_if(o.facts.begin(), o.facts.end(),
                                       [&](const Fact& f) { return f.rule == rule; });
    if (static_cast<std::size_t>(already) < kMostFacts)
      o.facts.push_back({rule,
                         fmt::format("{} gives 0x{} for element {}, the first gave 0x{}", where,
                                     hex(other, element), element, hex(first, element)),
                         element});
    return true;
  }
  std::string hex(const unsigned char* results, std::uint64_t element) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, results + element * bytes_of_one(), bytes_of_one());
    return fmt::format("{:0{}x}", bits, 2 * bytes_of_one());
  }

  void compare_tiles(Outcome& o) const {
    if (o.kind != Outcome::Kind::ok || given_ == 0) return;
    const unsigned char* first = result(0);
    for (std::uint64_t done = given_; done < bytes_; done += given_) {
      const std::uint64_t size = std::min(given_, bytes_ - done);
      if (std::memcmp(first, first + done, size) == 0) continue;
      const auto at = std::mismatch(first, first + size, first + done).first;
      const std::uint64_t element = static_cast<std::uint64_t>(at - first) / bytes_of_one();
      const std::uint64_t far = element + done / bytes_of_one();
      const unsigned char* value = first + far * bytes_of_one();
      if (std::all_of(value, value + bytes_of_one(),
                      [&](unsigned char c) { return c == stage_.out_fill; })) {
        o.facts.push_back({"batch.not_written",
                           fmt::format("of {} elements, number {} is not written", n_, far),
                           element});
        return;
      }
      o.facts.push_back({"batch.length",
                         fmt::format("of {} elements, number {} gives 0x{}, number {} with the "
                                     "same input 0x{}",
                                     n_, far, hex(first, far), element, hex(first, element)),
                         element});
      return;
    }
  }

  const LoadedPlugin& plugin_;
  std::size_t index_;
  Dtype d_;
  std::uint64_t given_, n_, bytes_;
  const Stage& stage_;
  std::unique_ptr<Guarded> z_, y_;
  std::vector<std::unique_ptr<Guarded>> outs_;
  std::vector<std::vector<unsigned char>> firsts_;
};

}  // namespace

Outcome run_staged(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                   const void* z, const void* y, void* out, const Stage& stage) {
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
