// report.html: headline numbers, verdicts, findings.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "reports/html/html_sections.hpp"
#include "reports/html/html_text.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit::html {
namespace {

std::string tile(const std::string& figure, std::string_view label, std::string_view style) {
  return fmt::format("<div class=\"tile {}\"><b>{}</b><span>{}</span></div>\n", style, figure,
                     label);
}

std::string tiles(const Report& report) {
  std::uint64_t points = 0;
  for (const Result& r : report.results) points += r.region == "all" ? r.points : 0;
  const auto count = [&](Gravity g) { return findings_of(report, g).size(); };
  const std::size_t errors = count(Gravity::error);
  const std::size_t expected = count(Gravity::expected_failure);
  const Judged judged = judged_in(report);
  const auto noun = [](std::uint64_t n, const char* one, const char* many) {
    return n == 1 ? one : many;
  };
  return "<div class=\"tiles\">\n" +
         tile(thousands(errors), noun(errors, "error", "errors"), errors == 0 ? "good" : "bad") +
         tile(thousands(expected), noun(expected, "expected failure", "expected failures"),
              expected == 0 ? "" : "warn") +
         tile(thousands(count(Gravity::note)), noun(count(Gravity::note), "note", "notes"), "") +
         tile(thousands(report.implementations.size()),
              fmt::format("{}, {} unavailable",
                          noun(report.implementations.size(), "implementation", "implementations"),
                          thousands(unavailable_in(report).size())),
              "") +
         tile(thousands(points), noun(points, "point measured", "points measured"), "") +
         tile(thousands(judged.disagreements),
              noun(judged.disagreements, "disagreement in the truth", "disagreements in the truth"),
              judged.disagreements == 0 ? "good" : "bad") +
         "</div>\n";
}

std::string verdict_item(const Report& report, const Verdict& v) {
  const std::string_view style = v.status == "fail"         ? "fail"
                                 : v.status == "incomplete" ? "incomplete"
                                 : v.status == "pass"       ? "pass"
                                                            : "open";
  const std::string_view mark = style == "fail"         ? "✗"
                                : style == "pass"       ? "✓"
                                : style == "incomplete" ? "!"
                                                        : "·";
  std::string counts;
  for (const auto& [n, noun] :
       {std::pair{v.errors, "error"}, std::pair{v.expected_failures, "expected failure"},
        std::pair{v.notes, "note"}})
    if (n != 0) counts += (counts.empty() ? "" : ", ") + counted(n, noun);
  for (const std::string& r : remarks_of(report, v))
    counts += (counts.empty() ? "" : "; ") + text(r);
  return fmt::format(
      "<li class=\"{}\"><span class=\"mark\" role=\"img\" aria-label=\"{}\">{}</span> {} "
      "<small>{}</small></li>\n",
      style, text(v.status), mark, code(v.implementation), counts);
}

/// Failures first; what could not run, by reason.
std::string verdicts(const Report& report) {
  std::string failed, incomplete, other, out;
  for (const Verdict& v : report.verdicts) {
    if (v.status == "unavailable") continue;
    (v.status == "fail"         ? failed
     : v.status == "incomplete" ? incomplete
                                : other) += verdict_item(report, v);
  }
  out = "<ul class=\"verdicts\">\n" + failed + incomplete + other + "</ul>\n";
  std::map<std::string, std::string> by_reason;
  for (const Implementation* i : unavailable_in(report)) {
    std::string& names = by_reason[i->unavailable];
    names += (names.empty() ? "" : ", ") + code(i->name);
  }
  for (const auto& [reason, names] : by_reason)
    out += fmt::format("<p class=\"unavailable\">– unavailable, {}: {}</p>\n", text(reason), names);
  return out;
}

std::string place(const Finding& f) {
  std::string out = text(f.dtype);
  if (!f.region.empty() && f.region != "all") out += " " + text(f.region);
  return out;
}

/// A finding in full.
std::string card(const Finding& f) {
  std::string out = fmt::format(
      "<article class=\"finding error\"><h4><span class=\"mark\">✗</span> {} <span "
      "class=\"rule\">{}</span> {}</h4>\n<p>{}{}</p>\n",
      code(f.implementation), text(f.rule), place(f), text(f.message),
      f.count > 1 ? " <small>" + text(extent(f)) + "</small>" : "");
  if (!f.setting.empty())
    out += fmt::format("<p class=\"witness\">case: {}{}</p>\n", text(f.setting),
                       f.witness_length > 1 ? fmt::format(", element {}", f.position) : "");
  if (f.witness)
    out += fmt::format("<p class=\"witness\">{}: {}</p>\n", input(*f.witness), outcome(*f.witness));
  if (f.simplest)
    out += fmt::format("<p class=\"witness\">simplest: {}: {}</p>\n", input(*f.simplest),
                       outcome(*f.simplest));
  return out + command(f.replay) + "</article>\n";
}

/// Findings of one implementation, rule and reason as a table.
std::string group(const FindingGroup& g, const std::vector<const Finding*>& members) {
  const Finding& first = *g.first;
  const bool expected = gravity(first) == Gravity::expected_failure;
  Table table({"dtype", "region", ">inputs", "witness", "got", "true"}, "findings");
  for (const Finding* f : members) {
    const Witness* w = f->witness ? &*f->witness : nullptr;
    std::string at = w ? "z = " + brief(w->z) : text(f->message);
    if (w && w->y) at += "<br>y = " + brief(*w->y);
    table.add({text(f->dtype), text(f->region), thousands(f->count), at, w ? brief(w->got) : "",
               w ? text(w->true_value) : ""},
              f->replay.empty() ? "" : "replayed");
    if (!f->replay.empty()) table.add_wide(command(f->replay));
  }
  const std::string summary = fmt::format(
      "<span class=\"mark\">{}</span> {} <span class=\"rule\">{}</span> <small>{}{}</small>",
      expected ? "!" : "·", code(first.implementation), text(first.rule),
      members.size() > 1 ? counted(members.size(), "finding") + ": " : "",
      text(expected ? first.expected_failure : first.message));
  return folded(expected ? "finding expected" : "finding note", summary, table.str());
}

/// All findings of a gravity, a line a group, folded.
std::string groups(const Report& report, Gravity gravity_of_all, std::string_view title) {
  const auto all = findings_of(report, gravity_of_all);
  if (all.empty()) return "";
  std::string out;
  for (const FindingGroup& g : groups_of(all)) {
    std::vector<const Finding*> members;
    for (const Finding* f : all)
      if (f->implementation == g.first->implementation && f->rule == g.first->rule &&
          f->expected_failure == g.first->expected_failure)
        members.push_back(f);
    out += group(g, members);
  }
  return folded("all", fmt::format("{} <small>{}</small>", title, thousands(all.size())), out);
}

}  // namespace

std::string headline(const Report& report) {
  std::string out;
  if (const std::string end = ended_text(report.run); !end.empty())
    out += "<p class=\"banner\">" + text(end) + "</p>\n";
  if (report.results.empty() && report.benchmarks.empty() && report.training.empty())
    out += "<p class=\"banner\">Nothing was measured.</p>\n";
  return out + tiles(report) + verdicts(report);
}

std::string findings(const Report& report) {
  if (report.findings.empty()) return "<p>None.</p>\n";
  std::string out;
  const auto errors = findings_of(report, Gravity::error);
  out += errors.empty()
             ? "<p class=\"good\">No errors: no rule and no contract is broken.</p>\n"
             : fmt::format("<h3>Errors <small>{}</small></h3>\n", thousands(errors.size()));
  for (const Finding* f : errors) out += card(*f);
  out += groups(report, Gravity::expected_failure,
                "Expected failures: each contract says so, with the reason");
  out += groups(report, Gravity::note, "Notes: observed, but nobody promised otherwise");
  return out;
}

}  // namespace ulpaudit::html
