// Shrinks breaches.
// SPDX-License-Identifier: Apache-2.0
#include "properties/breach.hpp"

#include <rapidcheck/Seq.h>
#include <rapidcheck/seq/Create.h>
#include <rapidcheck/shrinkable/Create.h>

#include <algorithm>

namespace ulpaudit {
namespace {

using std::chrono::milliseconds;

/// A new process, threads or repetitions: long for each trial.
bool costly(const Trial& t) { return t.fresh || t.stage.threads > 1 || t.stage.repeats > 1; }

/// Calls in a fresh process among which one that differs is looked for.
constexpr std::uint32_t kCallsOfAProcess = 4096;

constexpr int kMostTrials = 1500;
/// Times that a race must show again.
constexpr int kRaces = 3;
/// Of batches whose one call takes about a second.
constexpr int kMostLongTrials = 3;
constexpr std::uint64_t kLittleMemory = 128;  ///< MiB
constexpr std::uint64_t kLong = std::uint64_t{1} << 25;

/// What a shrink may spend on calls that end the worker. A hang that was seen within the long
/// deadline is looked for with a short one.
Patience shrink_patience(const std::string& rule) {
  if (rule == "plugin.hang") return {1.3, milliseconds(120)};
  return {0.7, milliseconds(500)};
}

class Shrink {
 public:
  Shrink(Subject& subject, const Judge& judge, Breach& b, Subject::Cost cost)
      : subject_(subject),
        judge_(judge),
        b_(b),
        limit_(subject, shrink_patience(b.violation.rule), cost) {
    left_ = length(b.trial) > kLong ? kMostLongTrials : kMostTrials;
    const int most = subject.unstable() ? 300 : costly(b.trial) ? 1500 : 2000;
    end_ = Subject::Clock::now() + milliseconds(most);
    // What fills memory without end fills this much soon.
    if (b.violation.message.find("MiB of memory") != std::string::npos)
      subject_.set_memory_limit(std::min(memory_, kLittleMemory));
  }
  ~Shrink() { subject_.set_memory_limit(memory_); }
  Shrink(const Shrink&) = delete;
  Shrink& operator=(const Shrink&) = delete;

  void run() {
    if (b_.violation.rule == "determinism.repeat") as_a_number_of_calls();
    if (costly(b_.trial)) with_less_ado();
    if (ends_worker(b_.violation.rule)) isolate();
    walk();
  }

  void isolate() {
    one_element();
    if (b_.trial.z.size() == 1 && length(b_.trial) == 1)
      b_.alone = {b_.trial.z[0], b_.trial.y.empty() ? 0 : b_.trial.y[0]};
  }

 private:
  bool over() { return left_ <= 0 || subject_.spent() || Subject::Clock::now() > end_; }

  bool take(const Trial& t) {
    if (over()) return false;
    // In a process that has made calls before, the number of calls is another one.
    if (ends_worker(b_.violation.rule) && b_.trial.fresh && !t.fresh && t.stage.repeats > 1)
      return false;
    --left_;
    for (Violation& v : judge_(t)) {
      if (v.rule != b_.violation.rule || !again(t)) continue;
      // How long it was waited for at first is what the finding says.
      if (v.rule == "plugin.hang") v.message = b_.violation.message;
      b_.violation = std::move(v);
      b_.trial = t;
      return true;
    }
    return false;
  }

  /// A race that shows once in a while is no simpler than one that always does.
  bool again(const Trial& t) {
    const std::string& rule = b_.violation.rule;
    const bool race = rule == "determinism.threads" || rule == "determinism.first_call";
    if (!race && !(ends_worker(rule) && t.stage.threads > 1)) return true;
    for (int i = 0; i < kRaces; ++i) {
      const std::vector<Violation> found = judge_(t);
      if (std::none_of(found.begin(), found.end(),
                       [&](const Violation& v) { return v.rule == rule; }))
        return false;
    }
    return true;
  }

  /// "The 1000th call of a process" is simpler than 37 elements that were that call.
  void as_a_number_of_calls() {
    const std::size_t i = b_.violation.element;
    Trial t;
    t.fresh = true;
    t.stage.repeats = kCallsOfAProcess;
    if (i < b_.trial.z.size()) {
      t.z = {b_.trial.z[i]};
      if (!b_.trial.y.empty()) t.y = {b_.trial.y[i]};
      if (take(t)) return;
    }
    t.z = b_.trial.z;
    t.y = b_.trial.y;
    take(t);
  }

  /// Where the rule is broken without, the trials that follow are not costly.
  void with_less_ado() {
    Trial later = b_.trial, quiet = b_.trial;
    later.fresh = quiet.fresh = false;
    quiet.stage.threads = quiet.stage.repeats = 1;
    if (!take(quiet) && b_.trial.fresh && b_.violation.rule != "determinism.repeat") take(later);
  }

  /// By halves, on plain buffers: an end by one input needs no more.
  void one_element() {
    if (b_.trial.z.size() < 2) return;
    Trial t = b_.trial;
    t.stage = {};
    t.fresh = false;
    while (t.z.size() > 1) {
      const std::size_t half = t.z.size() / 2;
      Trial front = t, back = t;
      const auto cut = [half](std::vector<Bits>& v, bool to_front) {
        if (v.empty()) return;
        const auto middle = v.begin() + static_cast<std::ptrdiff_t>(half);
        to_front ? v.erase(middle, v.end()) : v.erase(v.begin(), middle);
      };
      cut(front.z, true);
      cut(front.y, true);
      cut(back.z, false);
      cut(back.y, false);
      if (take(front))
        t = std::move(front);
      else if (take(back))
        t = std::move(back);
      else
        return;
    }
  }

  void walk() {
    const Alphabet& a = subject_.letters();
    auto node = rc::shrinkable::shrinkRecur(
        b_.trial, [&a](const Trial& t) { return rc::seq::fromContainer(simpler(a, t)); });
    for (bool simpler_found = true; simpler_found && !over();) {
      simpler_found = false;
      auto candidates = node.shrinks();
      while (auto candidate = candidates.next()) {
        if (over()) return;
        if (!take(candidate->value())) continue;
        node = std::move(*candidate);
        simpler_found = true;
        break;
      }
    }
  }

  Subject& subject_;
  const Judge& judge_;
  Breach& b_;
  Subject::Limit limit_;
  std::uint64_t memory_ = subject_.memory_limit();
  int left_;
  Subject::Clock::time_point end_;
};

}  // namespace

bool ends_worker(const std::string& rule) { return rule.rfind("plugin.", 0) == 0; }

void Breach::add(Dtype d, const Trial& t, const Violation& v) {
  if (count++ == 0) {
    trial = t;
    violation = v;
  }
  if (v.got && v.element < t.z.size()) widen(d, {t.z[v.element], t.z[v.element]});
  if (ends_worker(v.rule))
    for (const Bits z : t.z) widen(d, {z, z});
}

void Breach::widen(Dtype d, const std::pair<Bits, Bits>& other) {
  if (!range) range = other;
  if (ordinal(d, other.first) < ordinal(d, range->first)) range->first = other.first;
  if (ordinal(d, other.second) > ordinal(d, range->second)) range->second = other.second;
}

void shrink(Subject& subject, const Judge& judge, Breach& breach) {
  Shrink(subject, judge, breach, Subject::Cost::own).run();
}

void isolate(Subject& subject, const Judge& judge, Breach& breach) {
  Shrink(subject, judge, breach, Subject::Cost::subjects).isolate();
}

}  // namespace ulpaudit
