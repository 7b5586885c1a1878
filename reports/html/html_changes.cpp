// report.html against an earlier report: results side by side, findings that are new or gone.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/html/html_sections.hpp"
#include "reports/html/html_text.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit::html {
namespace {

const Result* total_of(const Report& report, const Result& like) {
  const auto at = std::find_if(report.results.begin(), report.results.end(), [&](const Result& r) {
    return r.region == "all" && r.implementation == like.implementation && r.op == like.op &&
           r.dtype == like.dtype;
  });
  return at == report.results.end() ? nullptr : &*at;
}

/// "1.5" where both are alike, "2.1 → 1.5" where not.
std::string change(const std::string& before, const std::string& now) {
  if (before == now) return now;
  return fmt::format("<span class=\"was\">{}</span> → <b>{}</b>", before, now);
}

std::string place(const Result& r) { return r.max ? brief(r.max->z) : std::string(kAbsent); }

bool same_inputs(const Result& a, const Result& b) { return a.inputs == b.inputs; }

std::string bits_text(const Result& before, const Result& now) {
  if (!same_inputs(before, now)) return "other inputs";
  return before.digest == now.digest ? "same bits" : "<b>other bits</b>";
}

/// Rows of results that are in both and differ; how many do not.
std::string both(const Report& report, const Report& before, std::size_t& same) {
  Table table({"implementation", "op", "dtype", "results", ">max ulp", "at z", ">correct",
               ">faithful", ">mean", "besides"});
  for (const Result& r : report.results) {
    const Result* old = r.region == "all" ? total_of(before, r) : nullptr;
    if (old == nullptr) continue;
    if (same_inputs(*old, r) && old->digest == r.digest) {
      ++same;
      continue;
    }
    const Statistics &a = old->statistics, &b = r.statistics;
    table.add({fmt::format("<a href=\"#{}\">{}</a>", anchor(report, r), code(r.implementation)),
               text(r.op), text(r.dtype), bits_text(*old, r), change(max_text(*old), max_text(r)),
               change(place(*old), place(r)),
               change(percent(a.correctly_rounded), percent(b.correctly_rounded)),
               change(percent(a.faithful), percent(b.faithful)),
               change(mean_text(*old, a.mean), mean_text(r, b.mean)),
               change(text(besides(*old)), text(besides(r)))});
  }
  return table.empty() ? "" : table.str();
}

/// The totals of one report that the other lacks.
std::string alone(const Report& report, const Report& other, std::string_view title) {
  std::string items;
  for (const Result& r : report.results)
    if (r.region == "all" && total_of(other, r) == nullptr)
      items += fmt::format("<li>{} {} {}: max {} ulp</li>\n", code(r.implementation), text(r.op),
                           text(r.dtype), max_text(r));
  return items.empty() ? "" : fmt::format("<h3>{}</h3>\n<ul>\n{}</ul>\n", title, items);
}

bool has(const Report& report, const Finding& like) {
  return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& f) {
    return f.rule == like.rule && f.implementation == like.implementation && f.op == like.op &&
           f.dtype == like.dtype && f.region == like.region && f.phase == like.phase &&
           gravity(f) == gravity(like);
  });
}

std::string findings_alone(const Report& report, const Report& other, std::string_view title) {
  Table table({"", "implementation", "rule", "dtype", "region", "what"});
  for (const Finding& f : report.findings) {
    if (has(other, f)) continue;
    const Gravity g = gravity(f);
    table.add({g == Gravity::error              ? "<span class=\"mark bad\">✗</span>"
               : g == Gravity::expected_failure ? "<span class=\"mark warn\">!</span>"
                                                : "·",
               code(f.implementation), text(f.rule), text(f.dtype), text(f.region),
               text(f.message) + command(f.replay)});
  }
  return table.empty() ? "" : fmt::format("<h3>{}</h3>\n{}", title, table.str());
}

std::string verdict_changes(const Report& report, const Report& before) {
  Table table({"implementation", "verdict"});
  for (const Verdict& v : report.verdicts)
    for (const Verdict& old : before.verdicts)
      if (old.implementation == v.implementation && old.status != v.status)
        table.add({code(v.implementation), change(text(old.status), text(v.status))});
  return table.empty() ? "" : "<h3>Verdicts that changed</h3>\n" + table.str();
}

std::string context_changes(const Report& report, const Report& before) {
  const Context &a = before.context, &b = report.context;
  Table table({"", "before → now"});
  for (const auto& [name, old, now] :
       std::vector<std::tuple<const char*, std::string, std::string>>{
           {"ulpaudit", a.version, b.version},
           {"commit", a.commit, b.commit},
           {"compiler", a.compiler, b.compiler},
           {"flags", a.flags, b.flags},
           {"libm", a.libm, b.libm},
           {"MPFR", a.mpfr, b.mpfr},
           {"ISA", a.isa, b.isa},
           {"profile", a.profile, b.profile},
           {"seed", fmt::format("{}", a.seed), fmt::format("{}", b.seed)},
           {"CPU", before.run.cpu, report.run.cpu}})
    if (old != now) table.add({name, change(text(old), text(now))});
  return table.empty() ? "" : "<h3>Circumstances that changed</h3>\n" + table.str();
}

}  // namespace

std::string changes(const Report& report, const Report& before) {
  std::size_t same = 0;
  const std::string differ = both(report, before, same);
  std::string out = fmt::format(
      "<p>Against the report of {}, commit {}: {} gave the same bits for the same "
      "inputs.</p>\n",
      text(before.run.started), code(before.context.commit), counted(same, "result"));
  if (!differ.empty()) out += "<h3>Results that differ</h3>\n" + differ;
  out += verdict_changes(report, before);
  out += findings_alone(report, before, "New findings");
  out += findings_alone(before, report, "Findings that are gone");
  out += alone(before, report, "Results that are gone");
  out += alone(report, before, "New results");
  out += context_changes(report, before);
  return "<section id=\"changes\"><h2>Before and after</h2>\n" + out + "</section>\n";
}

const Result* before_of(const Report& before, const Result& total) {
  const Result* old = total_of(before, total);
  return old != nullptr && (!same_inputs(*old, total) || old->digest != total.digest) ? old
                                                                                      : nullptr;
}

}  // namespace ulpaudit::html
