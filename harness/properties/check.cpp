// Explores, shrinks, and goes on behind what it found.
// SPDX-License-Identifier: Apache-2.0
#include "properties/check.hpp"

#include <fmt/format.h>
#include <rapidcheck/Gen.h>
#include <rapidcheck/Random.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "contract/rules.hpp"
#include "fp/storage.hpp"
#include "fp/text.hpp"
#include "properties/applicable.hpp"
#include "properties/manners.hpp"
#include "properties/value_rules.hpp"

namespace ulpaudit {
namespace {

/// Of an unstable kernel, what is blamed shows in so many calls out of so many: by chance alone a
/// result that is wrong half the time does so once in 10^9.
constexpr int kVotes = 30;
/// Votes are taken for so long on batches, and for as long again on values.
constexpr std::chrono::milliseconds kVotingTime{800};
constexpr std::uint32_t kFewRepeats = 40;
/// Seconds that all calls of a trial may take to be asked for.
constexpr double kLongestCall = 2;
/// And one on a long batch, which is made several times where it breaks a rule.
constexpr double kLongestBatch = 1.2;
/// Trials of one kind that may end the worker before the others of the kind are left out.
constexpr int kEndsOfAKind = 8;
/// Ends of the worker that are looked into in one trial.
constexpr int kEndsOfATrial = 4;
/// A time bomb with fewer calls than this is a matter of votes, not of fresh processes.
constexpr std::uint64_t kFewCalls = 8;

bool starts_with(const std::string& rule, const char* prefix) { return rule.rfind(prefix, 0) == 0; }

/// Rules that compare results, which chance can break for a while.
bool by_results(const std::string& rule) {
  if (starts_with(rule, "value.") || starts_with(rule, "accuracy.") ||
      starts_with(rule, "symmetry") || starts_with(rule, "determinism."))
    return true;
  static const std::set<std::string> batch = {
      "batch.length",   "batch.position", "batch.neighbours", "batch.alignment",
      "batch.in_place", "batch.empty",    "batch.not_written"};
  return batch.count(rule) != 0;
}

/// Of an unstable kernel only what every one of kVotes calls shows, in the same words.
Judge steady(Subject& subject, Judge judge) {
  return [&subject, judge = std::move(judge)](const Trial& t) {
    std::vector<Violation> found = judge(t);
    if (!subject.unstable()) return found;
    const auto doubtful = [](const Violation& v) {
      return by_results(v.rule) && !v.ended && v.rule != "determinism.repeat";
    };
    for (int i = 1; i < kVotes && std::any_of(found.begin(), found.end(), doubtful); ++i) {
      // Every second call may be the wrong one, and each vote may take an even number of calls.
      if (i % 2 != 0) subject.run(t);
      const std::vector<Violation> again = judge(t);
      found.erase(std::remove_if(found.begin(), found.end(),
                                 [&](const Violation& v) {
                                   return doubtful(v) &&
                                          std::none_of(
                                              again.begin(), again.end(), [&](const Violation& x) {
                                                return x.rule == v.rule && x.message == v.message;
                                              });
                                 }),
                  found.end());
    }
    return found;
  };
}

std::optional<Violation> breaks(const std::string& rule, const Judge& judge, const Trial& t) {
  for (Violation& v : judge(t))
    if (v.rule == rule) return std::move(v);
  return std::nullopt;
}

void sort_by_rule(std::vector<Breach>& breaches) {
  const auto place = [](const Breach& b) { return find_rule(b.violation.rule); };
  std::stable_sort(breaches.begin(), breaches.end(),
                   [&](const Breach& a, const Breach& b) { return place(a) < place(b); });
}

/// The first trial that breaks each rule.
class Breaches {
 public:
  /// Is the rule new?
  bool add(Dtype d, const Trial& t, const Violation& v) {
    Breach& b = found_[v.rule];
    b.add(d, t, v);
    return b.count == 1;
  }
  void add(Dtype d, const Trial& t, const std::vector<Violation>& violations) {
    for (const Violation& v : violations) add(d, t, v);
  }
  Breach& of(const std::string& rule) { return found_.at(rule); }
  bool has(const std::string& rule) const { return found_.count(rule) != 0; }
  std::vector<Breach> in_order() {
    std::vector<Breach> out;
    for (auto& [rule, breach] : found_) out.push_back(std::move(breach));
    sort_by_rule(out);
    return out;
  }

 private:
  std::map<std::string, Breach> found_;
};

Trial single(const Subject& subject, Bits z, Bits y) {
  Trial t;
  t.z = {z};
  if (subject.two_arguments()) t.y = {y};
  return t;
}

/// What is particular about a trial's stage, in one word for trials that end alike. Plain trials,
/// whose ends are a matter of inputs and lengths, have none of it.
std::string kind_of(const Trial& t) {
  const Stage& s = t.stage;
  std::string kind;
  const auto add = [&kind](bool is, char letter) {
    if (is) kind += letter;
  };
  add(s.z_offset != 0 || s.y_offset != 0 || s.out_offset != 0, 'o');
  add(s.in_place, 'z');
  add(s.in_place_y, 'y');
  add(s.rounding != Stage::Rounding::nearest, 'r');
  add(s.flush, 'f');
  add(s.process, 'p');
  add(s.flags_up, 'u');
  add(s.threads > 1, 't');
  add(s.repeats > 1, 'c');
  add(s.tile != 0, 'l');
  return kind;
}

Judge value_judge(ValueRules& values) {
  return [&values](const Trial& t) {
    if (t.z.size() != 1) return std::vector<Violation>();
    return values.judge(t.z[0], t.y.empty() ? 0 : t.y[0]);
  };
}

class Check {
 public:
  Check(Subject& subject, const CheckChoice& choice)
      : subject_(subject),
        choice_(choice),
        values_(subject),
        manners_(steady(subject, [&](const Trial& t) { return judge_manners(subject, t); })),
        value_(steady(subject, value_judge(values_))) {}

  Checked run() {
    rc::Random random(choice_.seed);
    for (const Trial& t : chance_cases(subject_, choice_.seed)) look_at(t);
    for (const Trial& t : fixed_cases(subject_, choice_.seed, choice_.lengths)) look_at(t);
    const rc::Gen<Trial> batch = batches(subject_.letters(), 100);
    for (std::uint64_t i = 0; i < choice_.batches; ++i) look_at(batch(random.split(), 100).value());
    const rc::Gen<Trial> one = batches(subject_.letters(), 1);
    voting_until_.reset();
    for (const auto& [z, y] : values_.set_pieces()) look_at_value(single(subject_, z, y));
    for (std::uint64_t i = 0; i < choice_.values; ++i)
      look_at_value(one(random.split(), 100).value());
    out_.breaches = found_.in_order();
    for (Breach& b : out_.breaches)
      if (shrunk_.count(b.violation.rule) == 0) shrink(subject_, judge_of(b), b);
    out_.counts.explain(subject_);
    out_.unstable = subject_.unstable();
    return std::move(out_);
  }

 private:
  const Judge& judge_of(const Breach& b) const {
    return values_found_.count(b.violation.rule) != 0 ? value_ : manners_;
  }

  /// The time for votes on an unstable kernel is used up.
  bool over_voting() {
    const auto now = Subject::Clock::now();
    if (!voting_until_) voting_until_ = now + kVotingTime;
    return now > *voting_until_;
  }

  void stopped() {
    out_.counts.stop(fmt::format(
        "calls ended its worker {} times, and the time for that is used up", subject_.ends()));
  }

  /// One batch, and once more without what ended it, as long as that helps.
  void look_at(const Trial& whole) {
    Trial possible_trial = possible(subject_.plugin(), whole);
    // Of a kernel whose calls take milliseconds, thousands are not asked for.
    std::uint32_t& repeats = possible_trial.stage.repeats;
    if (subject_.seconds_of_a_call() * repeats > kLongestCall)
      repeats = std::min(repeats, kFewRepeats);
    // Of a slow kernel the longest batches are not asked for, but for the one past 2^31.
    const double seconds = subject_.nanoseconds() * 1e-9 * static_cast<double>(length(whole));
    if (whole.stage.tile != 0 && length(whole) < 2 * choice_.lengths.longest &&
        seconds > kLongestBatch)
      return;
    const std::vector<std::string> rules = rules_about(subject_, possible_trial);
    out_.counts.ask(rules);
    if (subject_.unstable()) {
      // What takes long is not worth thirty votes.
      const Stage& s = possible_trial.stage;
      if (over_voting() || s.tile != 0 || s.threads > 1 || s.repeats > 1 || possible_trial.fresh ||
          possible_trial.others)
        return out_.counts.stop("its results differ from call to call");
    }
    // Thousands of calls are waited for long: not where the first ones do not come back.
    if (repeats > kFewRepeats) {
      Trial few = possible_trial;
      few.stage.repeats = kFewRepeats / 2;
      const std::vector<Violation> found = manners_(few);
      for (const Violation& v : found) learn(few, v);
      if (std::any_of(found.begin(), found.end(), [](const Violation& v) { return v.ended; }))
        return out_.counts.stop("some batches end its worker whatever their inputs");
    }
    int& ends = ends_of_kind_[kind_of(possible_trial)];
    std::optional<Trial> t = subject_.avoiding(possible_trial);
    if (ends >= kEndsOfAKind && !kind_of(possible_trial).empty()) return stopped();
    for (int i = 0; t && i < kEndsOfATrial; ++i) {
      if (subject_.spent()) return stopped();
      subject_.know_batches_differ(batches_differ_);
      const std::vector<Violation> found = manners_(*t);
      subject_.know_batches_differ(false);
      bool ended = false;
      const bool guarded = !subject_.guards_dropped();
      for (const Violation& v : found) {
        ended = ended || v.ended;
        learn(*t, v);
      }
      if (!ended) {
        if (length(*t) == length(possible_trial)) out_.counts.answer(rules);
        return;
      }
      ++ends;
      const std::optional<Trial> next = subject_.avoiding(*t);
      const bool other_buffers = guarded && subject_.guards_dropped();
      if (next && *next == *t && !other_buffers) break;
      t = next;
    }
    if (subject_.spent()) return stopped();
    out_.counts.stop("some batches end its worker whatever their inputs");
  }

  /// What a violation says about how the kernel must be run from here on.
  void learn(const Trial& t, const Violation& v) {
    // How many long batches are asked for depends on the kernel's speed: counts must not.
    if (t.stage.tile != 0 && !v.ended && found_.has(v.rule)) return;
    const bool fresh = found_.add(subject_.dtype(), t, v);
    if (v.rule == "determinism.repeat" && fresh) return unsettle();
    batches_differ_ = batches_differ_ || (starts_with(v.rule, "batch.") && by_results(v.rule));
    if (!v.ended || t.z.empty()) return;
    if (starts_with(v.rule, "batch.")) {
      // While there are guards: without them it does not show.
      if (fresh) shrink(subject_, manners_, found_.of(v.rule));
      shrunk_.insert(v.rule);
      return subject_.drop_guards();
    }
    // The first end of a kind is shrunk now; of each, the input that does it is avoided from here
    // on, as it was met: the simplest one is the same every time.
    if (fresh) {
      Breach& b = found_.of(v.rule);
      shrink(subject_, manners_, b);
      shrunk_.insert(v.rule);
      if (ends_by_count(b)) return subject_.limit_calls(b.trial.stage.repeats);
      return avoid(b);
    }
    Breach b;
    b.add(subject_.dtype(), t, v);
    isolate(subject_, manners_, b);
    if (!b.alone && !subject_.spent()) shrink(subject_, manners_, b);
    avoid(b);
  }

  /// Is it the number of the call in its process that ends it, whatever the input?
  bool ends_by_count(Breach& b) {
    if (b.trial.stage.repeats < 2 || b.trial.stage.threads > 1) return false;
    Trial first = b.trial;
    first.fresh = true;
    Trial before = first;
    before.stage.repeats -= 1;
    if (breaks(b.violation.rule, manners_, before) || !breaks(b.violation.rule, manners_, first))
      return false;
    b.trial = first;
    return true;
  }

  void avoid(const Breach& b) {
    if (b.alone) subject_.avoid(b.alone->first, b.alone->second);
    if (length(b.trial) == 1)
      subject_.avoid(b.trial.z[0], b.trial.y.empty() ? 0 : b.trial.y[0]);
    else if (b.trial.stage == Stage())
      subject_.avoid_length(length(b.trial));
  }

  /// Results differ from call to call. Where they do so from a certain call of a process on, no
  /// process makes that many; else votes decide.
  void unsettle() {
    Breach& b = found_.of("determinism.repeat");
    shrink(subject_, manners_, b);
    shrunk_.insert("determinism.repeat");
    const std::uint64_t calls = b.trial.stage.repeats;
    Trial before = b.trial;
    before.stage.repeats = static_cast<std::uint32_t>(calls - 1);
    const bool counted = b.trial.fresh && calls > kFewCalls &&
                         !breaks(b.violation.rule, manners_, before) &&
                         breaks(b.violation.rule, manners_, b.trial);
    if (counted)
      subject_.limit_calls(calls);
    else
      subject_.call_unstable();
  }

  void look_at_value(const Trial& t) {
    const Bits z = t.z[0], y = t.y.empty() ? 0 : t.y[0];
    const std::vector<std::string> rules = rules_about_value(subject_, z, y);
    out_.counts.ask(rules);
    if (subject_.spent()) return stopped();
    if (subject_.unstable() && over_voting())
      return out_.counts.stop("its results differ from call to call");
    if (!subject_.single(z, y) && !subject_.avoided(z, y)) {
      for (const Violation& v : manners_(t)) learn(t, v);
      if (!subject_.avoided(z, y)) return out_.counts.stop("some inputs gave no result");
    }
    out_.counts.answer(rules);  // one that ends the worker has its finding
    for (const Violation& v : value_(t)) {
      found_.add(subject_.dtype(), t, v);
      values_found_.insert(v.rule);
    }
  }

  Subject& subject_;
  const CheckChoice& choice_;
  ValueRules values_;
  Judge manners_, value_;
  Breaches found_;
  std::set<std::string> values_found_, shrunk_;
  std::map<std::string, int> ends_of_kind_;
  bool batches_differ_ = false;
  std::optional<Subject::Clock::time_point> voting_until_;
  Checked out_;
};

}  // namespace

Checked check(Subject& subject, const CheckChoice& choice) { return Check(subject, choice).run(); }

namespace {

const std::vector<std::string>& mirrored_rules() {
  static const std::vector<std::string> rules = {"symmetry"};
  return rules;
}

/// One label; T holds an encoding. Ends where `enough` inputs broke a rule.
template <class T>
void look_at_mirrored(Subject& subject, ValueRules& values, Bits y, const MirrorRange& range,
                      std::size_t& enough, Breaches& found, RuleCounts& counts) {
  constexpr Bits kPart = Bits{1} << 17, kBlock = 256;
  for (Bits first = range.first; first <= range.last; first += kPart) {
    if (enough == 0) return;
    const Bits count = std::min(kPart, range.last - first + 1);
    counts.ask(mirrored_rules(), count);
    const Subject::Line at_z = subject.line(first, count, y);
    const auto at = values.mirror(first, y);
    const Subject::Line at_mirror = subject.line(at->first, count, at->second);
    const auto* right = reinterpret_cast<const T*>(at_z.packed.data());
    const auto* left = reinterpret_cast<const T*>(at_mirror.packed.data());
    const bool whole = at_z.missing.empty() && at_mirror.missing.empty();
    const auto there = [&](Bits i) {
      return (at_z.missing.empty() || !at_z.missing[i]) &&
             (at_mirror.missing.empty() || !at_mirror.missing[i]);
    };
    for (Bits block = 0; block < count; block += kBlock) {
      const Bits end = std::min(count, block + kBlock);
      if constexpr (sizeof(T) == 4)
        if (whole &&
            values.plainly_mirrored(first + block, right + block, left + block, end - block)) {
          counts.answer(mirrored_rules(), end - block);
          continue;
        }
      for (Bits i = block; i < end && enough > 0; ++i) {
        // An input that ends the worker alone has a finding of its own.
        if (there(i) || subject.avoided(first + i, y) || subject.avoided(at->first + i, at->second))
          counts.answer(mirrored_rules());
        if (!there(i) || values.plainly_mirrored(first + i, right[i], left[i])) continue;
        const std::pair<Bits, Bits> mirrored = {at->first + i, at->second};
        auto at_first = values.judge_mirrored(first + i, y, right[i], mirrored, left[i]);
        for (Violation& v : values.judge_decision(first + i, right[i])) at_first.push_back(v);
        const auto at_second = values.judge_decision(mirrored.first, left[i]);
        if (at_first.empty() && at_second.empty()) continue;
        found.add(subject.dtype(), single(subject, first + i, y), at_first);
        found.add(subject.dtype(), single(subject, mirrored.first, mirrored.second), at_second);
        --enough;
      }
    }
  }
  if (subject.spent())
    counts.stop(fmt::format("calls ended its worker {} times, and the time for that is used up",
                            subject.ends()));
}

}  // namespace

Checked check_mirrored(Subject& subject, const std::vector<Bits>& labels,
                       const MirrorRange& range) {
  ValueRules values(subject);
  const Format& f = format(subject.dtype());
  const MirrorRange finite = {range.first, std::min(range.last, f.max_finite())};
  Breaches found;
  Checked out;
  std::size_t enough = 10000;
  for (const Bits y : labels)
    if (values.mirror(0, y)) {
      with_storage(subject.dtype(), [&](auto zero) {
        look_at_mirrored<decltype(zero)>(subject, values, y, finite, enough, found, out.counts);
      });
    }
  out.breaches = found.in_order();
  return out;
}

void shrink_values(Subject& subject, std::vector<Breach>& breaches) {
  ValueRules values(subject);
  const Judge judge = steady(subject, value_judge(values));
  for (Breach& b : breaches) shrink(subject, judge, b);
}

namespace {

/// Of two inputs in their order, where the op has one direction: results that go the other way.
void look_at_order(Subject& subject, const Trial& t, std::vector<Breach>& out) {
  const Dtype d = subject.dtype();
  const std::vector<Bits> got = subject.run(t).out;
  for (std::size_t i = 0; i + 1 < got.size(); ++i) {
    const Bits y = t.y.empty() ? 0 : t.y[i];
    if (!t.y.empty() && t.y[i + 1] != y) continue;
    const Bits a = t.z[i], b = t.z[i + 1];
    if (!is_finite(d, a) || !is_finite(d, b) || ordinal(d, a) >= ordinal(d, b) ||
        is_nan(d, got[i]) || is_nan(d, got[i + 1]) || is_nan(d, y))
      continue;
    const int direction = trend(subject.op(), decode(d, a), decode(d, y));
    if (direction == 0 || direction != trend(subject.op(), decode(d, b), decode(d, y))) continue;
    const double change = decode(d, got[i + 1]) - decode(d, got[i]);
    if (change * direction >= 0) continue;
    const Violation v = {
        "monotone",
        fmt::format("the op {} from z = {} to z = {}, and the result {} from {} to {}",
                    direction > 0 ? "rises" : "falls", decimal(d, a), decimal(d, b),
                    direction > 0 ? "falls" : "rises", decimal(d, got[i]), decimal(d, got[i + 1])),
        subject.contract().monotone, i, got[i]};
    out.emplace_back().add(d, t, v);
  }
}

}  // namespace

std::vector<Breach> check_case(Subject& subject, const Trial& trial) {
  std::vector<Breach> out;
  const auto add = [&](const std::vector<Violation>& violations) {
    for (const Violation& v : violations) out.emplace_back().add(subject.dtype(), trial, v);
  };
  const std::vector<Violation> manners = judge_manners(subject, trial);
  add(manners);
  // Whatever else there is to say of it, a hang is not waited for once more.
  if (std::any_of(manners.begin(), manners.end(), [](const Violation& v) { return v.ended; })) {
    sort_by_rule(out);
    return out;
  }
  const bool plain = trial.stage == Stage();
  if (trial.z.size() == 1 && plain) {
    ValueRules values(subject);
    add(values.judge(trial.z[0], trial.y.empty() ? 0 : trial.y[0]));
  }
  if (trial.z.size() > 1 && plain) look_at_order(subject, trial, out);
  sort_by_rule(out);
  return out;
}

std::optional<Breach> simplest(Subject& subject, const std::string& rule, Bits z, Bits y) {
  ValueRules values(subject);
  const Judge judge = steady(subject, value_judge(values));
  Breach b;
  b.trial = single(subject, z, y);
  auto v = breaks(rule, judge, b.trial);
  if (!v) return std::nullopt;
  b.violation = std::move(*v);
  b.count = 1;
  shrink(subject, judge, b);
  return b;
}

std::optional<Breach> consistency(Subject& narrow, Subject& wide, const CheckChoice& choice) {
  constexpr std::size_t kInputs = 4000;
  rc::Random random(choice.seed);
  const Dtype d = narrow.dtype();
  const rc::Gen<Trial> generator = batches(narrow.letters(), 1);
  Trial t, widened;
  for (std::size_t i = 0; i < kInputs; ++i) {
    const Trial one = generator(random.split(), 100).value();
    t.z.push_back(one.z[0]);
    widened.z.push_back(encode(Dtype::f32, decode(d, one.z[0])));
    if (one.y.empty()) continue;
    t.y.push_back(one.y[0]);
    widened.y.push_back(encode(Dtype::f32, decode(d, one.y[0])));
  }
  const Answer a = narrow.run(t), b = wide.run(widened);
  if (a.out.empty() || b.out.empty()) return std::nullopt;
  Breach breach;
  for (std::size_t i = 0; i < kInputs; ++i) {
    const Bits once = encode(d, decode(Dtype::f32, b.out[i]));
    if (once == a.out[i] || (is_nan(d, once) && is_nan(d, a.out[i]))) continue;
    const Violation v = {"consistency.f32",
                         fmt::format("got {}, the f32 result rounded once is {}",
                                     decimal(d, a.out[i]), decimal(d, once)),
                         false, 0, a.out[i]};
    breach.add(d, single(narrow, t.z[i], t.y.empty() ? 0 : t.y[i]), v);
  }
  if (breach.count == 0) return std::nullopt;
  breach.violation.message += fmt::format(" ({} of {} inputs)", breach.count, kInputs);
  return breach;
}

}  // namespace ulpaudit
