// Explores and shrinks.
#include "properties/check.hpp"

#include <fmt/format.h>
#include <rapidcheck/Gen.h>
#include <rapidcheck/Random.h>
#include <rapidcheck/Seq.h>
#include <rapidcheck/seq/Create.h>
#include <rapidcheck/shrinkable/Create.h>

#include <algorithm>
#include <cstring>
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
  /// In the order in which the rules stand.
  std::vector<Breach> as_found() {
    std::vector<Breach> out;
    for (const Rule& r : rules()) {
      const auto found = found_.find(std::string(r.id));
      if (found != found_.end()) out.push_back(std::move(found->second));
    }
    return out;
  }
  std::vector<Breach> shrunk(Subject& subject, const Judge& judge) {
    std::vector<Breach> out = as_found();
    for (Breach& b : out) shrink(subject, judge, b);
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

namespace {

/// One label; T holds an encoding. Ends where `enough` inputs broke a rule.
template <class T>
void look_at_mirrored(Subject& subject, ValueRules& values, Bits y, const MirrorRange& range,
                      std::size_t& enough, Breaches& found) {
  constexpr Bits kPart = Bits{1} << 17, kBlock = 256;
  std::vector<T> right(kPart);
  for (Bits first = range.first; first <= range.last; first += kPart) {
    if (subject.worn_out() || enough == 0) return;
    const Bits count = std::min(kPart, range.last - first + 1);
    const void* results = subject.line(first, count, y);
    if (results == nullptr) continue;
    std::memcpy(right.data(), results, count * sizeof(T));
    const auto at = values.mirror(first, y);
    const auto* left = static_cast<const T*>(subject.line(at->first, count, at->second));
    if (left == nullptr) continue;
    for (Bits block = 0; block < count; block += kBlock) {
      const Bits end = std::min(count, block + kBlock);
      if constexpr (sizeof(T) == 4)
        if (values.plainly_mirrored(first + block, &right[block], &left[block], end - block))
          continue;
      for (Bits i = block; i < end && enough > 0; ++i) {
        if (values.plainly_mirrored(first + i, right[i], left[i])) continue;
        const std::pair<Bits, Bits> mirrored = {at->first + i, at->second};
        auto at_z = values.judge_mirrored(first + i, y, right[i], mirrored, left[i]);
        for (Violation& v : values.judge_decision(first + i, right[i])) at_z.push_back(v);
        const auto at_mirror = values.judge_decision(mirrored.first, left[i]);
        if (at_z.empty() && at_mirror.empty()) continue;
        found.add(subject.dtype(), single(subject, first + i, y), at_z);
        found.add(subject.dtype(), single(subject, mirrored.first, mirrored.second), at_mirror);
        --enough;
      }
    }
  }
}

}  // namespace

std::vector<Breach> check_mirrored(Subject& subject, const std::vector<Bits>& labels,
                                   const MirrorRange& range) {
  ValueRules values(subject);
  const Format& f = format(subject.dtype());
  const MirrorRange finite = {range.first, std::min(range.last, f.max_finite())};
  Breaches found;
  std::size_t enough = 10000;
  for (const Bits y : labels)
    if (values.mirror(0, y)) {
      if (f.width == 16)
        look_at_mirrored<std::uint16_t>(subject, values, y, finite, enough, found);
      else
        look_at_mirrored<std::uint32_t>(subject, values, y, finite, enough, found);
    }
  return found.as_found();
}

void shrink_values(Subject& subject, std::vector<Breach>& breaches) {
  ValueRules values(subject);
  const Judge judge = value_judge(values);
  for (Breach& b : breaches) shrink(subject, judge, b);
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
