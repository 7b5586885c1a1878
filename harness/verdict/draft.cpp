// Drafts of contracts.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/draft.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "contract/rules.hpp"
#include "record/replay.hpp"
#include "verdict/accuracy_rules.hpp"
#include "verdict/occurs.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {
namespace {

/// Budgets of regions that differ by more than this factor are written one by one.
constexpr double kMuch = 4;
constexpr const char* kDtypes[] = {"f16", "bf16", "f32", "f64"};

/// As a TOML basic string.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (u < 0x20 || u == 0x7f)
      out += fmt::format("\\u{:04x}", u);
    else
      out += c;
  }
  return out + "\"";
}

std::string list(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? "" : ", ") + quoted(n);
  return "[" + out + "]";
}

bool is(const Finding& f, std::string_view family) { return f.rule.rfind(family, 0) == 0; }

/// The report as it is judged without any contract. Reasons of admissions stay with what `check`
/// and the plug-ins' ends gave.
Report without_contract(Report r) {
  r.verdicts.clear();
  const auto judged = [](const Finding& f) {
    return !is(f, "plugin.") && (f.phase == "sweep" || f.phase == "train" || f.phase == "bench");
  };
  r.findings.erase(std::remove_if(r.findings.begin(), r.findings.end(), judged), r.findings.end());
  for (Finding& f : r.findings) f.expected_failure.clear();
  judge_report({}, r.properties, r);
  return r;
}

class Draft {
 public:
  Draft(const Report& report, const Report& bare) : report_(report), bare_(bare) {}

  std::string kernel(const std::string& name) {
    out_ = fmt::format("\n[[kernel]]\nname = {}\n", quoted(name.substr(name.find('/') + 1)));
    rows_.clear();
    for (const Result& r : report_.results)
      if (r.implementation == name) rows_.push_back(&r);
    shown();
    budgets();
    failures(name);
    return out_;
  }

 private:
  template <class Each>
  void totals(Each each) const {
    for (const char* d : kDtypes)
      for (const Result* r : rows_)
        if (r->region == "all" && r->dtype == d && r->points != 0) each(*r);
  }

  /// What every input was run for; what was seen of samples is a comment.
  void shown() {
    bool all = true, monotone = true, zeros = true;
    std::uint64_t points = 0;
    std::set<std::string> right;
    totals([&](const Result& r) {
      const bool every = every_input(r, {});
      all &= every;
      monotone &= r.monotone.violations == 0;
      zeros &= !r.wrong_zero;
      points += r.points;
      if (every && r.raw.correctly_rounded == r.points) right.insert(r.dtype);
    });
    if (points == 0) return;
    const auto say = [&](const char* key, bool holds) {
      if (holds && all) out_ += fmt::format("{} = true\n", key);
      if (holds && !all)
        out_ +=
            fmt::format("# {} = true  (so at {} points; not every input was run)\n", key, points);
    };
    say("monotone", monotone);
    say("zero_sign", zeros);
    if (!right.empty()) out_ += "correctly_rounded = " + list(right) + "\n";
  }

  bool broken(const Result& r, std::string_view rule) const {
    return std::any_of(bare_.findings.begin(), bare_.findings.end(), [&](const Finding& f) {
      return f.severity == Severity::error && f.implementation == r.implementation &&
             f.dtype == r.dtype && f.region == r.region && f.rule == rule;
    });
  }

  /// Where half of the digits are lost, or a result is of a category, no budget says anything.
  bool has_budget(const Result& r) const {
    if (!r.statistics.max_ulp || !std::isfinite(*r.statistics.max_ulp) || r.points == 0)
      return false;
    for (const char* rule :
         {"accuracy.half_lost", "value.vanished", "value.wrong_sign", "value.out_of_range"})
      if (broken(r, rule)) return false;
    return true;
  }

  void budgets() {
    std::string lines;
    totals([&](const Result& total) {
      std::string regions;
      double least = 0, most = 0;
      bool whole = true;
      for (const Result* r : rows_) {
        if (r->region == "all" || r->dtype != total.dtype || r->points == 0) continue;
        if (!has_budget(*r)) {
          whole &= !r->statistics.max_ulp;  // a region of NaN has no error in ulps
          continue;
        }
        const double ulps = std::max(*r->statistics.max_ulp, 0.5);
        least = regions.empty() ? ulps : std::min(least, ulps);
        most = std::max(most, ulps);
        regions += fmt::format("{}{} = {}", regions.empty() ? "" : ", ", r->region,
                               two_digits_up(*r->statistics.max_ulp));
      }
      if (regions.empty()) return;
      const bool one = whole && most <= kMuch * least;
      lines += fmt::format(
          "{} = {}{}\n", total.dtype,
          one ? two_digits_up(*total.statistics.max_ulp) : "{ " + regions + " }",
          total.evidence == "exhaustive" ? "" : fmt::format("  # seen at {} points", total.points));
    });
    if (!lines.empty()) out_ += "[kernel.max_ulp]\n" + lines;
  }

  /// Universal rules that are broken, by rule, regions and reason.
  void failures(const std::string& name) {
    std::map<std::pair<std::string, std::string>, std::set<std::string>> regions;  // rule, dtype
    std::map<std::string, std::set<std::string>> reasons;                          // by rule
    for (const Finding& f : bare_.findings) {
      if (f.implementation != name || f.severity != Severity::error || f.dtype.empty()) continue;
      const Rule* rule = find_rule(f.rule);
      if (rule == nullptr || rule->binding.rfind("by contract", 0) == 0 || is(f, "check."))
        continue;
      std::set<std::string>& at = regions[{f.rule, f.dtype}];
      const Regions where = is(f, "plugin.") ? Regions() : regions_of_finding(bare_, f);
      if (where.empty() || at.count("all") != 0)
        at = {"all"};
      else
        at.insert(where.begin(), where.end());
    }
    for (const Finding& f : report_.findings)
      if (f.implementation == name && !f.expected_failure.empty())
        reasons[f.rule].insert(f.expected_failure);
    std::map<std::pair<std::string, std::set<std::string>>, std::set<std::string>> groups;
    for (const auto& [key, at] : regions) groups[{key.first, at}].insert(key.second);
    for (const auto& [key, dtypes] : groups) {
      const auto& [rule, at] = key;
      const std::set<std::string>& known = reasons[rule];
      out_ += fmt::format("[[kernel.expected_failure]]\nrule = {}\ndtypes = {}\n", quoted(rule),
                          list(dtypes));
      if (at.count("all") == 0) out_ += fmt::format("regions = {}\n", list(at));
      out_ += fmt::format("reason = {}\n", quoted(known.size() == 1 ? *known.begin() : ""));
    }
  }

  const Report& report_;
  const Report& bare_;
  std::vector<const Result*> rows_;
  std::string out_;
};

}  // namespace

std::string two_digits_up(double v) {
  if (v == 0) return "0";
  for (double up = v;; up = std::nextafter(up * (1 + 0x1p-20), HUGE_VAL)) {
    // Down from a little above: the first text that is not below v.
    const int exponent = static_cast<int>(std::floor(std::log10(up)));
    const double unit = std::pow(10.0, exponent - 1);
    const std::string text = fmt::format("{:g}", std::ceil(up / unit * (1 - 0x1p-40)) * unit);
    if (std::strtod(text.c_str(), nullptr) >= v) return text;
  }
}

std::string draft_contract(const Report& report, const std::string& plugin,
                           const std::vector<std::string>& kernels) {
  std::string out = fmt::format(
      "# What {} keeps, drafted by ulpaudit contract from a report (commit {}, seed {}).\n"
      "# Budgets are in ulps: the largest error measured, rounded up to two digits. Those of\n"
      "# samples may be too small. Say why each failure is expected: the reasons that are empty\n"
      "# are refused.\ncontract = 1\n",
      plugin, report.context.commit, report.context.seed);
  const Report bare = without_contract(report);
  Draft draft(report, bare);
  for (const std::string& name : kernels) out += draft.kernel(name);
  return out;
}

}  // namespace ulpaudit
