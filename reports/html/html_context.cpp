// report.html: textbook claims, evidence, how to reproduce.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/html/html_sections.hpp"
#include "reports/html/html_text.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit::html {
namespace {

constexpr std::size_t kLabelsShown = 16;

std::string labels_text(const Result& r) {
  std::string out;
  for (std::size_t i = 0; i < std::min(r.labels.size(), kLabelsShown); ++i)
    out += (i == 0 ? "" : " ") + text(r.labels[i].decimal);
  const std::uint64_t all = std::max<std::uint64_t>(r.label_count, r.labels.size());
  return all > kLabelsShown ? out + fmt::format(" … ({} in all)", thousands(all)) : out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

std::string claim(const TextbookAnswer& a) {
  std::string table;
  if (!a.columns.empty()) {
    std::vector<std::string> head;
    for (const std::string& c : a.columns) head.push_back(text(c));
    // A foreign heading must not choose its alignment.
    for (std::string& h : head) h = h.empty() || h[0] != '>' ? h : "<span></span>" + h;
    Table t(head);
    for (const auto& r : a.rows) {
      std::vector<std::string> cells;
      for (const std::string& c : r) cells.push_back(text(c));
      t.add(cells);
    }
    table = t.str();
  }
  const std::string_view style = a.verdict == "wrong"   ? "bad"
                                 : a.verdict == "holds" ? "good"
                                                        : "warn";
  return folded("claim",
                fmt::format("<span class=\"id\">{}</span> {} <span class=\"verdict {}\">{}</span>",
                            text(a.id), text(a.claim), style, text(a.verdict)),
                "<p>" + text(a.answer) + "</p>\n" + table + command(a.replay));
}

std::string facts_table(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string out = "<dl>\n";
  for (const auto& [key, value] : rows)
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", key, text(value));
  return out + "</dl>\n";
}

std::string implementations_table(const Report& report) {
  Table table({"implementation", "op", "formula", "dtypes", "tags", "version", "build", "needs",
               "plug-in", "its hash"});
  for (const Implementation& i : report.implementations)
    table.add({code(i.name), text(i.op), code(i.formula), text(joined(i.dtypes)),
               text(joined(i.tags)), text(i.version), text(i.build), text(i.requirement),
               code(i.path), code(i.build_id)});
  return table.str();
}

}  // namespace

std::string textbook(const Report& report) {
  std::string out;
  for (const TextbookAnswer& a : report.textbook) out += claim(a);
  return out.empty() ? "<p>Not measured in this run.</p>\n" : out;
}

std::string evidence(const Report& report) {
  const Judged j = judged_in(report);
  std::string out = fmt::format(
      "<p>The fast judge decided {}, the final judge (MPFR intervals) {}. {} were cross-checked, "
      "with <b>{}</b>.</p>\n",
      counted(j.fast, "point"), thousands(j.final_judge), thousands(j.cross_checked),
      counted(j.disagreements, "disagreement"));
  Table table({"implementation", "op", "dtype", "evidence", ">points", "labels", ">fast judge",
               ">final judge", ">cross-checked", ">disagreements", "digest"});
  for (const Result& r : report.results)
    if (r.region == "all")
      table.add({code(r.implementation), text(r.op), text(r.dtype), text(evidence_text(r)),
                 thousands(r.points), labels_text(r), thousands(r.judged.fast),
                 thousands(r.judged.final_judge), thousands(r.judged.cross_checked),
                 thousands(r.judged.disagreements), code(r.digest)});
  return out + folded("part", "Who judged what", table.str());
}

std::string reproduce(const Report& report) {
  const Context& c = report.context;
  const Volatile& v = report.run;
  std::string out = v.argv.empty() ? "" : command(shell_line(v.argv));
  out += facts_table({{"ulpaudit", c.version},
                      {"commit", c.commit},
                      {"profile", c.profile},
                      {"seed", fmt::format("{}", c.seed)},
                      {"compiler", c.compiler},
                      {"flags", c.flags},
                      {"libm", c.libm},
                      {"MPFR", c.mpfr},
                      {"rounding", c.rounding},
                      {"FTZ, DAZ", c.ftz_daz},
                      {"ISA", c.isa}});
  out += "<p>Of this run only:</p>\n" + facts_table(run_facts(v));
  return out + folded("part", "Implementations", implementations_table(report));
}

}  // namespace ulpaudit::html
