// Incomplete runs.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/unfinished.hpp"
#include "record/replay.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ulpaudit {
namespace {

constexpr std::size_t kRulesNamed = 4;

/// "f32: 2 rules were stopped: batch.length after 12 of 200 cases (…), …".
std::string stopped_rules(const Coverage& c) {
  std::vector<std::string> rules;
  for (const RuleCoverage& r : c.rules)
    if (r.status == "stopped")
      rules.push_back(fmt::format("{} after {} of {} cases{}", r.rule, r.cases, r.of,
                                  r.why.empty() ? std::string() : fmt::format(" ({})", r.why)));
  if (rules.empty()) return "";
  const std::size_t n = rules.size();
  if (n > kRulesNamed) {
    rules.resize(kRulesNamed);
    rules.push_back(fmt::format("and {} more", n - kRulesNamed));
  }
  return fmt::format("{}: {} {} stopped: {}", c.dtype, n, n == 1 ? "rule was" : "rules were",
                     fmt::join(rules, ", "));
}

bool is_part(const Report& report) { return report.context.shard.count > 1; }

/// Was anything of it measured, checked, timed or trained?
bool gave_anything(const Report& report, const std::string& name) {
  const auto mine = [&](const auto& x) { return x.implementation == name; };
  const auto& all = report;
  return std::any_of(all.results.begin(), all.results.end(), mine) ||
         std::any_of(all.coverage.begin(), all.coverage.end(), mine) ||
         std::any_of(all.benchmarks.begin(), all.benchmarks.end(), mine) ||
         std::any_of(all.training.begin(), all.training.end(), [&](const Training& t) {
           return std::find(t.kernels.begin(), t.kernels.end(), name) != t.kernels.end();
         });
}

}  // namespace

std::string ended_early(const Report& report) {
  if (!report.run.ended_by.empty())
    return fmt::format("the run was ended by {} before its end",
                       report.run.ended_by == "signal" ? "a signal" : "its time limit");
  return report.run.ended_early ? "the run was ended by its time limit or a signal" : "";
}

std::vector<std::string> unfinished_of(const Report& report, const Implementation& i) {
  std::vector<std::string> out;
  if (const std::string why = ended_early(report); !why.empty()) out.push_back(why);
  for (const Result& r : report.results) {
    if (r.region != "all" || r.implementation != i.name) continue;
    if (r.lost_points != 0)
      out.push_back(fmt::format("{}: {} points were not measured, lost to a crash or hang", r.dtype,
                                r.lost_points));
    else if (r.points == 0 && !is_part(report))
      out.push_back(fmt::format("{}: no point was measured", r.dtype));
  }
  bool told = false;
  for (const Coverage& c : report.coverage) {
    if (c.implementation != i.name) continue;
    const std::string rules = stopped_rules(c);
    told |= !rules.empty();
    if (!rules.empty()) out.push_back(rules);
  }
  for (const Finding& f : report.findings)
    if (!told && f.implementation == i.name && f.rule == "check.stopped")
      out.push_back(fmt::format("{}: {}", f.dtype, f.message));
  if (!report.results.empty() && !is_part(report) && !gave_anything(report, i.name))
    out.emplace_back("it was asked for, and nothing of it was measured");
  return out;
}

std::string scope_of(const Report& report, const Implementation& i) {
  if (report.properties) return "";
  const std::string check =
      fmt::format("./run check {} checks buffers, lengths and threads", choosing(report, i.name));
  if (!report.results.empty()) return "accuracy only; " + check;
  if (!report.benchmarks.empty()) return "times only; " + check;
  return report.training.empty() ? "" : "training only; " + check;
}

}  // namespace ulpaudit
