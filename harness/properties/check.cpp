// Explores and shrinks.
#include "properties/check.hpp"

#include <fmt/format.h>
#include <rapidcheck/Gen.h>
#include <rapidcheck/Random.h>
#include <rapidcheck/Seq.h>
#include <rapidcheck/seq/Create.h>
#include <rapidcheck/shrinkable/Create.h>

#include <algorithm>
#include <functional>
#include <map>

#include "contract/rules.hpp"
#include "fp/text.hpp"
#include "properties/applicable.hpp"
#include "properties/manners.hpp"
#include "properties/value_rules.hpp"

namespace ulpaudit {
namespace {

using Judge = std::function<std::vector<Violation>(const Trial&)>;

/// A new process, threads or repetitions: long for each trial.
bool costly(const Trial& t) { return t.fresh || t.stage.threads > 1 || t.stage.repeats > 1; }

bool ends_worker(const std::string& rule) { return rule.rfind("plugin.", 0) == 0; }

/// Trials that a shrink may run: those that end a worker, and long ones, cost more.
int shrink_budget(const std::string& rule, const Trial& t) {
  if (rule == "plugin.hang") return 10;
  if (t.stage.tile > (1u << 24)) return 2;
  if (costly(t)) return 60;
  return ends_worker(rule) || rule == "batch.read_outside" || rule == "batch.write_outside" ||
                 rule == "batch.input_changed"
             ? 120
             : 1500;
}

std::optional<Violation> breaks(const std::string& rule, const Judge& judge, const Trial& t) {
  for (Violation& v : judge(t))
    if (v.rule == rule) return std::move(v);
  return std::nullopt;
}

/// Walks down RapidCheck's tree of simpler trials as long as the rule stays broken.
void shrink(Subject& subject, const Judge& judge, Breach& b) {
  const Alphabet& a = subject.letters();
  // Not as a costly one where the rule is broken without: the budget would be small.
  const auto take = [&](const Trial& t) {
    auto v = breaks(b.violation.rule, judge, t);
    if (!v) return false;
    b.violation = std::move(*v);
    b.trial = t;
    return true;
  };
  if (costly(b.trial)) {
    Trial later = b.trial, quiet = b.trial;
    later.fresh = quiet.fresh = false;
    quiet.stage.threads = quiet.stage.repeats = 1;
    if (!take(quiet) && b.trial.fresh) take(later);
  }
  auto node = rc::shrinkable::shrinkRecur(
      b.trial, [&a](const Trial& t) { return rc::seq::fromContainer(simpler(a, t)); });
  int left = shrink_budget(b.violation.rule, b.trial);
  for (bool simpler_found = true; simpler_found && left > 0;) {
    simpler_found = false;
    auto candidates = node.shrinks();
    while (auto candidate = candidates.next()) {
      if (left-- <= 0 || subject.worn_out()) return;
      if (!take(candidate->value())) continue;
      node = std::move(*candidate);
      simpler_found = true;
      break;
    }
  }
}

/// The first trial that breaks each rule.
class Breaches {
 public:
  void add(Dtype d, const Trial& t, const std::vector<Violation>& violations) {
    for (const Violation& v : violations) found_[v.rule].add(d, t, v);
  }
  std::vector<Breach> shrunk(Subject& subject, const Judge& judge) {
    std::vector<Breach> out;
    for (const Rule& r : rules()) {
      const auto found = found_.find(std::string(r.id));
      if (found == found_.end()) continue;
      shrink(subject, judge, found->second);
      out.push_back(std::move(found->second));
    }
    return out;
  }

 private:
  std::map<std::string, Breach> found_;
};

Trial single(Subject& subject, Bits z, Bits y) {
  Trial t;
  t.z = {z};
  if (subject.two_arguments()) t.y = {y};
  return t;
}

Judge value_judge(ValueRules& values) {
  return [&values](const Trial& t) {
    if (t.z.size() != 1) return std::vector<Violation>();
    return values.judge(t.z[0], t.y.empty() ? 0 : t.y[0]);
  };
}

void sort_by_rule(std::vector<Breach>& breaches) {
  const auto place = [](const Breach& b) { return find_rule(b.violation.rule); };
  std::stable_sort(breaches.begin(), breaches.end(),
                   [&](const Breach& a, const Breach& b) { return place(a) < place(b); });
}

}  // namespace

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

std::vector<Breach> check(Subject& subject, const CheckChoice& choice) {
  const Alphabet& a = subject.letters();
  rc::Random random(choice.seed);
  const Judge manners = [&](const Trial& t) { return judge_manners(subject, t); };
  Breaches found;
  std::vector<Trial> trials = set_pieces(subject, choice.seed, choice.huge);
  const rc::Gen<Trial> generator = batches(a, 100);
  for (std::uint64_t i = 0; i < choice.batches; ++i)
    trials.push_back(generator(random.split(), 100).value());
  for (const Trial& whole : trials) {
    if (subject.worn_out()) break;
    const Trial t = possible(subject.plugin(), whole);
    found.add(subject.dtype(), t, manners(t));
  }
  std::vector<Breach> out = found.shrunk(subject, manners);
  ValueRules values(subject);
  const Judge value = value_judge(values);
  Breaches wrong;
  std::vector<Trial> inputs;
  for (const auto& [z, y] : values.set_pieces()) inputs.push_back(single(subject, z, y));
  const rc::Gen<Trial> one = batches(a, 1);
  for (std::uint64_t i = 0; i < choice.values; ++i)
    inputs.push_back(one(random.split(), 100).value());
  for (const Trial& t : inputs) {
    if (subject.worn_out()) break;
    wrong.add(subject.dtype(), t, value(t));
  }
  for (Breach& b : wrong.shrunk(subject, value)) out.push_back(std::move(b));
  sort_by_rule(out);
  return out;
}

std::vector<Breach> check_mirrored(Subject& subject, const std::vector<Bits>& labels,
                                   const MirrorRange& range) {
  constexpr Bits kPart = Bits{1} << 17;
  ValueRules values(subject);
  const Judge judge = value_judge(values);
  const Dtype d = subject.dtype();
  Breaches found;
  constexpr std::size_t kEnough = 10000;
  std::size_t broken = 0;
  const Bits last = std::min(range.last, format(d).max_finite());
  for (Bits y : labels) {
    if (!values.mirror(0, y)) continue;
    for (Bits first = range.first; first <= last && broken < kEnough; first += kPart) {
      if (subject.worn_out()) break;
      const Bits count = std::min(kPart, last - first + 1);
      const auto right = subject.line(first, count, y);
      const auto at = values.mirror(first, y);
      const auto left = subject.line(at->first, count, at->second);
      for (std::size_t i = 0; i < std::min(right.size(), left.size()); ++i) {
        if (values.plainly_mirrored(first + i, right[i], left[i])) continue;
        const std::pair<Bits, Bits> mirrored = {at->first + i, at->second};
        auto v = values.judge_mirrored(first + i, y, right[i], mirrored, left[i]);
        if (v.empty()) continue;
        found.add(d, single(subject, first + i, y), v);
        if (++broken >= kEnough) break;
      }
    }
  }
  return found.shrunk(subject, judge);
}

std::vector<Breach> check_case(Subject& subject, const Trial& trial) {
  std::vector<Breach> out;
  const auto add = [&](const std::vector<Violation>& violations) {
    for (const Violation& v : violations) out.emplace_back().add(subject.dtype(), trial, v);
  };
  add(judge_manners(subject, trial));
  if (trial.z.size() == 1) {
    ValueRules values(subject);
    add(values.judge(trial.z[0], trial.y.empty() ? 0 : trial.y[0]));
  }
  sort_by_rule(out);
  return out;
}

std::optional<Breach> simplest(Subject& subject, const std::string& rule, Bits z, Bits y) {
  ValueRules values(subject);
  const Judge judge = value_judge(values);
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
