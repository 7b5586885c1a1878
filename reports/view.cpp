// Look-ups in a report that several renderers need.
// SPDX-License-Identifier: Apache-2.0
#include "reports/view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "reports/text.hpp"

namespace ulpaudit {
namespace {

void add_once(std::vector<std::string>& into, const std::string& s) {
  if (std::find(into.begin(), into.end(), s) == into.end()) into.push_back(s);
}

}  // namespace

Gravity gravity(const Finding& f) {
  if (!f.expected_failure.empty()) return Gravity::expected_failure;
  return f.severity == Severity::error ? Gravity::error : Gravity::note;
}

std::vector<const Finding*> findings_of(const Report& report, Gravity g) {
  std::vector<const Finding*> out;
  for (const Finding& f : report.findings)
    if (gravity(f) == g) out.push_back(&f);
  return out;
}

std::string FindingGroup::text() const {
  std::string out = first->implementation + " " + first->rule;
  for (const std::string& d : dtypes) out += (d.empty() ? "" : " ") + d;
  if (findings == 1 && first->region != "all" && !first->region.empty()) out += " " + first->region;
  if (findings == 1 && first->count > 1) out += " ×" + thousands(first->count);
  const bool expected = !first->expected_failure.empty();
  out += ": " + (expected ? first->expected_failure : first->message);
  return shown(findings > 1 && !expected ? out + " (first of " + thousands(findings) + ")" : out);
}

const char kNoContract[] = "no contract: measured only; ulpaudit contract report.json drafts one";

std::string ended_text(const Volatile& run) {
  if (!run.ended_early && run.ended_by.empty()) return "";
  return fmt::format("This run was ended by {}: it is not complete.",
                     run.ended_by.empty()       ? "its time limit or a signal"
                     : run.ended_by == "signal" ? "a signal"
                                                : "its " + shown(run.ended_by));
}

Style verdict_style(const Verdict& v) {
  return v.status == "fail"         ? Style::red
         : v.status == "incomplete" ? Style::yellow
         : v.status == "pass"       ? Style::green
                                    : Style::dim;
}

std::string short_scope(const Verdict& v) { return v.scope.substr(0, v.scope.find(';')); }

std::string coverage_text(const Report& report, const std::string& implementation) {
  // A rule that was stopped in one dtype was not checked.
  std::map<std::string, std::string> rules;
  for (const Coverage& c : report.coverage) {
    if (c.implementation != implementation) continue;
    for (const RuleCoverage& r : c.rules) {
      std::string& status = rules[r.rule];
      if (status.empty() || r.status == "stopped" ||
          (r.status == "checked" && status == "not_applicable"))
        status = r.status;
    }
  }
  if (rules.empty()) return "";
  std::uint64_t checked = 0, not_applicable = 0;
  std::vector<std::string> stopped;
  for (const auto& [rule, status] : rules) {
    checked += status == "checked" ? 1 : 0;
    not_applicable += status == "not_applicable" ? 1 : 0;
    if (status == "stopped") stopped.push_back(shown(rule));
  }
  std::string out = "checked " + counted(checked, "rule");
  if (!stopped.empty())
    out += fmt::format("; {} stopped: {}", stopped.size(), fmt::join(stopped, ", "));
  if (not_applicable != 0) out += fmt::format("; {} not applicable", not_applicable);
  return out;
}

std::vector<std::string> remarks_of(const Report& report, const Verdict& v) {
  std::vector<std::string> out;
  for (const std::string& u : v.unfinished) out.push_back("incomplete: " + shown(u));
  if (v.status == "no contract") out.emplace_back(kNoContract);
  if (!v.scope.empty()) out.push_back(shown(v.scope));
  if (const std::string rules = coverage_text(report, v.implementation); !rules.empty())
    out.push_back(rules);
  return out;
}

std::string extent(const Finding& f) {
  if (f.count <= 1) return "";
  const bool lower_bound = f.rule == "accuracy.max_ulp";
  std::string out =
      (lower_bound ? "at least " : "") + counted(f.count, f.phase == "sweep" ? "input" : "case");
  if (f.range && f.range->first.bits != f.range->last.bits)
    out += fmt::format(", z from {} to {}", shown(f.range->first.decimal),
                       shown(f.range->last.decimal));
  return out;
}

std::vector<FindingGroup> groups_of(const std::vector<const Finding*>& findings) {
  std::vector<FindingGroup> groups;
  std::map<std::vector<std::string>, std::size_t> at;
  for (const Finding* f : findings) {
    const bool error = gravity(*f) == Gravity::error;
    std::vector<std::string> key = {f->implementation, f->rule, f->expected_failure,
                                    error ? f->message : "", error ? f->replay : ""};
    if (error && f->cause != 0) key = {std::to_string(f->cause)};
    const auto [found, added] = at.emplace(key, groups.size());
    if (added) groups.push_back({f, {}, {}, 0});
    FindingGroup& group = groups[found->second];
    ++group.findings;
    if (!added && error) group.others.push_back(f);
    if (std::find(group.dtypes.begin(), group.dtypes.end(), f->dtype) == group.dtypes.end())
      group.dtypes.push_back(f->dtype);
  }
  return groups;
}

std::vector<std::string> also_text(const FindingGroup& group) {
  std::vector<std::pair<std::string, std::vector<std::string>>> rules;
  for (const Finding* f : group.others) {
    const Finding& worst = *group.first;  // which sweep and check may both have found
    if (f->rule == worst.rule && f->dtype == worst.dtype && f->region == worst.region) continue;
    auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.first == f->rule; });
    if (rule == rules.end()) rule = rules.insert(rule, {f->rule, {}});
    std::string place = shown(f->dtype);
    if (f->region != "all" && !f->region.empty()) place += " " + shown(f->region);
    place += fmt::format(" {}", counted(f->count, f->phase == "sweep" ? "input" : "case"));
    auto& places = rule->second;
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  std::vector<std::string> out;
  for (const auto& [rule, places] : rules)
    out.push_back(fmt::format("{}: {}", shown(rule), fmt::join(places, ", ")));
  return out;
}

const char kSpeedNote[] =
    "ns per element, medians. L1, L2, DRAM: typical logits (normal, standard deviation 4), by "
    "where "
    "the arrays lie; of a kernel on a device: in its memory, by its clock, under DRAM. slowest: "
    "the slowest of other inputs (uniform in ±20; results subnormal; all "
    "bit "
    "patterns). × memcpy and × naive: the time over theirs, in L1 (on a device: over its own "
    "copy). ~: the quartiles of some time "
    "lie "
    "over 10 % apart.";

std::vector<SpeedRow> speed_rows(const Report& report) {
  std::vector<SpeedRow> rows;
  const auto row_of = [&](const Benchmark& b) -> SpeedRow& {
    for (SpeedRow& r : rows)
      if (r.any->implementation == b.implementation && r.any->op == b.op && r.any->dtype == b.dtype)
        return r;
    rows.emplace_back().any = &b;
    return rows.back();
  };
  for (const Benchmark& b : report.benchmarks) {
    SpeedRow& r = row_of(b);
    r.noisy |= b.noisy;
    if (b.inputs == "typical") {
      // The device's memory stands under DRAM.
      (b.level == "L1" ? r.l1 : b.level == "L2" ? r.l2 : r.dram) = &b;
      if (b.level == "L1" || b.level == "device") r.any = &b;
    } else if (r.slowest == nullptr || b.median > r.slowest->median) {
      r.slowest = &b;
    }
  }
  for (SpeedRow& r : rows)
    for (const Result& x : report.results)
      if (x.implementation == r.any->implementation && x.dtype == r.any->dtype && x.region == "all")
        r.accuracy = &x;
  std::stable_partition(rows.begin(), rows.end(),
                        [](const SpeedRow& r) { return !r.any->op.empty(); });
  return rows;
}

std::string nanoseconds_text(const Benchmark* b) {
  if (b == nullptr) return std::string(kAbsent);
  if (!b->failure.empty()) return "failed";
  if (b->median >= 1000) return thousands(static_cast<std::uint64_t>(std::llround(b->median)));
  return fmt::format("{:.{}f}", b->median,
                     b->median < 0.1  ? 4
                     : b->median < 1  ? 3
                     : b->median < 10 ? 2
                                      : 1);
}

std::string ratio_text(const std::optional<double>& ratio) {
  if (!ratio) return std::string(kAbsent);
  return fmt::format("{:.{}f}×", *ratio, *ratio < 10 ? 2 : 1);
}

bool has_finding(const Report& report, const Result& r, Gravity g) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& f) {
    return gravity(f) == g && f.implementation == r.implementation &&
           (f.dtype.empty() || f.dtype == r.dtype);
  });
}

std::vector<std::string> ops_of(const Report& report) {
  std::vector<std::string> ops;
  for (const Result& r : report.results) add_once(ops, r.op);
  return ops;
}

std::vector<std::string> dtypes_of(const Report& report, const std::string& op) {
  std::vector<std::string> present, out;
  for (const Result& r : report.results)
    if (r.op == op) add_once(present, r.dtype);
  for (const char* known : {"f16", "bf16", "f32", "f64"})
    if (std::find(present.begin(), present.end(), known) != present.end()) out.emplace_back(known);
  for (const std::string& d : present) add_once(out, d);
  return out;
}

std::vector<const Result*> totals_of(const Report& report, const std::string& op) {
  std::vector<const Result*> out;
  for (const std::string& dtype : dtypes_of(report, op))
    for (const Result& r : report.results)
      if (r.op == op && r.dtype == dtype && r.region == "all") out.push_back(&r);
  return out;
}

std::vector<const Result*> regions_of(const Report& report, const Result& total) {
  std::vector<const Result*> out = {&total};
  for (const Result& r : report.results)
    if (&r != &total && r.implementation == total.implementation && r.op == total.op &&
        r.dtype == total.dtype)
      out.push_back(&r);
  return out;
}

std::vector<const Implementation*> unavailable_in(const Report& report) {
  std::vector<const Implementation*> out;
  for (const Implementation& i : report.implementations)
    if (!i.unavailable.empty()) out.push_back(&i);
  return out;
}

Judged judged_in(const Report& report) {
  Judged sum;
  for (const Result& r : report.results) {
    if (r.region != "all") continue;
    sum.fast += r.judged.fast;
    sum.final_judge += r.judged.final_judge;
    sum.cross_checked += r.judged.cross_checked;
    sum.disagreements += r.judged.disagreements;
  }
  return sum;
}

std::string evidence_text(const Result& r) {
  const std::string how = r.search ? r.evidence + " by search" : r.evidence;
  return r.range.empty() ? how : how + " in " + r.range;
}

std::string mean_text(const Result& r, const std::optional<double>& mean) {
  const bool capped = mean && r.statistics.max_ulp && *r.statistics.max_ulp > kErrorCap;
  return (capped ? "≥" : "") + ulps(mean);
}

std::string max_text(const Result& r) {
  const auto& max = r.statistics.max_ulp;
  const bool bound = r.evidence == "exhaustive" && r.lost_points == 0;
  const bool plain = bound || !max || std::isinf(*max) || *max == kErrorCap;
  return (plain ? "" : "≥") + ulps(max);
}

std::string besides(const Result& r) {
  std::string out;
  const auto add = [&](const std::string& what, std::uint64_t count) {
    if (count != 0)
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", printable(what), thousands(count));
  };
  for (const CategoryRow& c : r.categories) add(c.category, c.count);
  add("not monotone", r.monotone.violations);
  add("lost to a crash or hang", r.lost_points);
  if (r.wrong_zero) add("wrong sign of zero", r.wrong_zero->count);
  return out;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) {
    if (!out.empty()) out += ' ';
    const bool bare = !w.empty() && w.find_first_not_of(
                                        "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_./:=,+-@%") == w.npos;
    if (bare) {
      out += w;
      continue;
    }
    out += '\'';
    for (char c : w) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> run_facts(const Volatile& v) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"started", v.started}, {"host", v.host}, {"CPU", v.cpu}};
  if (!v.gpu.empty()) facts.emplace_back("GPU that judged too", v.gpu);
  facts.emplace_back("threads", fmt::format("{}", v.threads));
  facts.emplace_back("seconds", fmt::format("{:.1f}", v.wall_seconds));
  facts.emplace_back("points a second", fmt::format("{:.0f}", v.points_per_second));
  return facts;
}

}  // namespace ulpaudit
