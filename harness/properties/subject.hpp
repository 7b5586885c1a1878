// The kernel under test in one dtype: runs trials, remembers what single elements give, and goes on
// behind inputs that end its worker.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "contract/contract.hpp"
#include "plugin/session.hpp"
#include "properties/generators.hpp"
#include "properties/trial.hpp"

namespace ulpaudit {

struct Answer {
  Outcome outcome;
  std::vector<Bits> out;  ///< of the trial's elements; empty where the call did not end well
};

/// Time that may be spent on calls that end the worker, each with the start of the next one. Calls
/// that come back cost nothing of it.
struct Patience {
  double seconds = 0;
  std::chrono::milliseconds deadline{1000};  ///< of each call
};

class Subject {
 public:
  using Clock = std::chrono::steady_clock;

  /// The session outlives the subject. `choice`: the inputs that are admitted.
  Subject(std::string name, Session& session, std::size_t kernel, OpId op, Dtype d,
          const KernelContract& contract, const Admitted& choice = {});
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  const std::string& name() const { return name_; }
  OpId op() const { return alphabet_.op; }
  Dtype dtype() const { return alphabet_.d; }
  const KernelContract& contract() const { return contract_; }
  const KernelInfo& about() const { return session_.info().kernels[kernel_]; }
  const PluginInfo& plugin() const { return session_.info(); }
  const Alphabet& letters() const { return alphabet_; }
  bool two_arguments() const { return info(alphabet_.op).arity == 2; }

  /// One call. A trial that asks for nothing of the stage is run without guard pages once
  /// `drop_guards` was called.
  Answer run(const Trial& t);
  /// What a batch of this one element gives; remembered, unless the kernel is unstable. Nothing
  /// where it ends the worker or is not written.
  std::optional<Bits> single(Bits z, Bits y);

  /// Packed results of up to kBatchCapacity encodings from `first` on, with one label.
  struct Line {
    std::vector<std::uint8_t> packed;
    std::vector<bool> missing;  ///< empty: none is; elements that end the worker, or were not run
  };
  Line line(Bits first, std::uint64_t n, Bits y);

  /// Nanoseconds for an element, by the longest batch so far; 0 while none was long enough to tell.
  double nanoseconds() const { return at_longest_; }
  /// Seconds for a call on a short batch, the slowest so far.
  double seconds_of_a_call() const { return slowest_call_; }

  // --- What ends its worker.
  /// The limits from here on; restored by the guard's end.
  /// own: what is spent within the limit is forgotten; subjects: the subject's patience pays for
  /// it.
  enum class Cost : std::uint8_t { own, subjects };
  class Limit {
   public:
    Limit(Subject& s, const Patience& p, Cost cost)
        : subject_(s), before_(s.patience_), given_(p.seconds), cost_(cost) {
      subject_.patience_ = p;
      if (cost == Cost::subjects)
        subject_.patience_.seconds = given_ = std::min(given_, before_.seconds);
    }
    ~Limit() {
      const double spent = given_ - subject_.patience_.seconds;
      subject_.patience_ = before_;
      if (cost_ == Cost::subjects) subject_.patience_.seconds -= spent;
    }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;

   private:
    Subject& subject_;
    Patience before_;
    double given_;
    Cost cost_;
  };
  /// MiB that its worker may take; 0: no limit. Another limit starts another worker.
  std::uint64_t memory_limit() const { return session_.memory_limit(); }
  void set_memory_limit(std::uint64_t mib);
  /// The patience is spent: calls that might end the worker are not made any more.
  bool spent() const { return patience_.seconds <= 0; }
  int ends() const { return ends_; }
  /// (z, y) alone ends the worker, and so does whatever lies between two that do.
  void avoid(Bits z, Bits y);
  bool avoided(Bits z, Bits y) const;
  /// Batches of this length end the worker, and longer ones do.
  void avoid_length(std::uint64_t n) { endings_.longest = std::min(endings_.longest, n - 1); }
  /// What is known of endings, for another subject of the same kernel.
  struct Endings {
    std::set<std::pair<Bits, Bits>> inputs;
    /// By label: intervals of ordinals of z whose ends are avoided and whose middle is.
    std::map<Bits, std::vector<std::pair<std::uint64_t, std::uint64_t>>> spans;
    std::uint64_t longest = ~std::uint64_t{0};  ///< batch that comes back
    std::uint64_t most_calls = ~std::uint64_t{0};
    bool guards_dropped = false, unstable = false;
    bool hangs = false;  ///< somewhere: the whole deadline was waited for once
  };
  const Endings& endings() const { return endings_; }
  void know(const Endings& endings);
  /// The trial without avoided elements and lengths; nothing where nothing is left of it.
  std::optional<Trial> avoiding(const Trial& t) const;
  /// The kernel touches what lies outside its buffers, or writes to its inputs: where it can be,
  /// it gets buffers in which that is no harm, so that its values can be judged.
  void drop_guards() { endings_.guards_dropped = true; }
  bool guards_dropped() const { return endings_.guards_dropped; }

  /// Has the plug-in other kernels, or this one other dtypes?
  bool has_others() const;

  // --- What is known of its batches.
  /// Their results differ from those of single elements: long ones are not asked why they do.
  void know_batches_differ(bool known) { batches_differ_ = known; }
  bool batches_differ() const { return batches_differ_; }

  // --- Chance.
  /// Its results differ from call to call. Nothing is remembered then.
  void call_unstable() { endings_.unstable = true; }
  bool unstable() const { return endings_.unstable; }
  /// Its n-th call in a process gives something else, or ends it: no process makes that many from
  /// here on.
  void limit_calls(std::uint64_t n) { endings_.most_calls = n - 1; }

 private:
  Answer run_once(const Trial& t);
  void warm_up();
  void call_others();
  std::chrono::milliseconds time_for(const Trial& t) const;
  Outcome call(const Trial& t);
  bool any_avoided(Bits first, std::uint64_t n, Bits y) const;
  void run_line(Bits first, std::uint64_t n, Bits y, std::uint64_t offset, Line& into);
  void restart();

  std::string name_;
  Session& session_;
  std::size_t kernel_;
  const KernelContract& contract_;
  Alphabet alphabet_;
  std::map<std::pair<Bits, Bits>, std::optional<Bits>> singles_;
  Patience patience_{2.5, std::chrono::milliseconds(500)};
  int ends_ = 0;
  double slowest_ = 0, slowest_call_ = 0, at_longest_ = 0;
  std::uint64_t longest_timed_ = 0;
  std::set<std::pair<std::size_t, Dtype>>
      endings_of_others_;          ///< kernels that are not called again
  std::optional<Trial> harmless_;  ///< one element that came back
  bool batches_differ_ = false;
  bool ended_ = true;        ///< the next call is the first one of a process
  std::uint64_t calls_ = 0;  ///< of this process
  Endings endings_;
};

}  // namespace ulpaudit
