// report.md: headline and verdicts, findings, textbook claims, evidence, context.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/markdown_sections.hpp"
#include "reports/renderer.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit {
namespace markdown {
namespace {

constexpr std::size_t kLabelsShown = 16;

/// One finding as an item of a list.
std::string finding_item(const Finding& f) {
  std::string out = fmt::format("- **{}** {}", plain(f.rule), code(f.implementation));
  if (!f.dtype.empty()) out += " " + plain(f.dtype);
  if (!f.region.empty() && f.region != "all") out += ", region " + plain(f.region);
  if (f.count > 1) out += ", " + plain(extent(f));
  out += ": " + plain(f.message) + "\n";
  if (!f.expected_failure.empty())
    out += "  - expected, says the contract: " + plain(f.expected_failure) + "\n";
  if (f.witness) out += "  - " + input(*f.witness) + ": " + outcome(*f.witness) + "\n";
  if (!f.replay.empty()) out += "  - replay: " + code(f.replay) + "\n";
  return out;
}

std::string labels_text(const Result& r) {
  const std::vector<Number>& labels = r.labels;
  std::string out;
  for (std::size_t i = 0; i < labels.size() && i < kLabelsShown; ++i)
    out += (i == 0 ? "" : " ") + plain(labels[i].decimal);
  const std::uint64_t all = std::max<std::uint64_t>(r.label_count, labels.size());
  if (all > kLabelsShown) out += fmt::format(" … ({} in all)", thousands(all));
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

std::string status_text(const std::string& status) {
  return status == "pass"         ? "✅ pass"
         : status == "fail"       ? "❌ **fail**"
         : status == "incomplete" ? "⚠️ **incomplete**"
                                  : plain(status);
}

std::string implementations_table(const Report& report) {
  std::string out = header({"implementation", "op", "formula", "dtypes", "tags", "version", "build",
                            "needs", "plug-in", "its hash"});
  for (const Implementation& i : report.implementations)
    out += row({code(i.name), plain(i.op), code(i.formula), plain(joined(i.dtypes)),
                plain(joined(i.tags)), plain(i.version), plain(i.build), plain(i.requirement),
                code(i.path), code(i.build_id)});
  return out;
}

}  // namespace

void add_headline(Document& doc, const Report& report) {
  std::uint64_t points = 0;
  for (const Result& r : report.results) points += r.region == "all" ? r.points : 0;
  const auto count = [&](Gravity g) { return findings_of(report, g).size(); };
  const Judged judged = judged_in(report);
  doc.add("# ulpaudit report\n\n");
  if (const std::string end = ended_text(report.run); !end.empty()) doc.add("**" + end + "**\n\n");
  doc.add(fmt::format("**{}, {}, {}** in {} of {} ({} unavailable); {} in the truth.\n\n",
                      counted(count(Gravity::error), "error"),
                      counted(count(Gravity::expected_failure), "expected failure"),
                      counted(count(Gravity::note), "note"), counted(points, "measured point"),
                      counted(report.implementations.size(), "implementation"),
                      thousands(unavailable_in(report).size()),
                      counted(judged.disagreements, "disagreement")));
  std::map<std::string, std::string> why;
  for (const Implementation* i : unavailable_in(report)) why[i->name] = plain(i->unavailable);
  doc.add(
      header({"implementation", "verdict", ">errors", ">expected failures", ">notes", "remark"}));
  for (const Verdict& v : report.verdicts) {
    std::string remark = why[v.implementation];
    for (const std::string& r : remarks_of(report, v))
      remark += (remark.empty() ? "" : "; ") + plain(r);
    doc.add(row({code(v.implementation), status_text(v.status), thousands(v.errors),
                 thousands(v.expected_failures), thousands(v.notes), remark}),
            "verdicts");
    why.erase(v.implementation);
  }
  for (const auto& [name, reason] : why)
    doc.add(row({code(name), "unavailable", "", "", "", reason}), "verdicts");
  doc.add("\n");
}

void add_findings(Document& doc, const Report& report) {
  doc.add("## Findings\n\n");
  if (report.findings.empty()) doc.add("None.\n\n");
  for (const auto& [g, title] : {std::pair(Gravity::error, "Errors"),
                                 std::pair(Gravity::expected_failure, "Expected failures"),
                                 std::pair(Gravity::note, "Notes")}) {
    const auto findings = findings_of(report, g);
    if (findings.empty()) continue;
    const bool folded = g != Gravity::error;
    const std::string head = fmt::format("{} ({})", title, thousands(findings.size()));
    doc.add(folded ? "<details><summary>" + head + "</summary>\n\n" : "### " + head + "\n\n");
    for (const Finding* f : findings) doc.add(finding_item(*f), "findings");
    doc.add(folded ? "\n</details>\n\n" : "\n");
  }
}

void add_speed(Document& doc, const Report& report) {
  const auto rows = speed_rows(report);
  if (rows.empty()) return;
  doc.add("## Speed\n\n" + header({"implementation", "dtype", ">L1", ">L2", ">DRAM", ">slowest",
                                   "of inputs", ">× memcpy", ">× naive", ">max ulp", ""}));
  for (const SpeedRow& r : rows)
    doc.add(row({code(r.any->implementation), plain(r.any->dtype), nanoseconds_text(r.l1),
                 nanoseconds_text(r.l2), nanoseconds_text(r.dram), nanoseconds_text(r.slowest),
                 r.slowest != nullptr ? plain(r.slowest->inputs) : std::string(kAbsent),
                 ratio_text(r.any->to_copy), ratio_text(r.any->to_naive),
                 r.accuracy != nullptr ? max_text(*r.accuracy) : std::string(kAbsent),
                 r.noisy ? "noisy" : ""}),
            "rows of speed");
  doc.add(fmt::format("\n{}\n\n", kSpeedNote));
}

void add_textbook(Document& doc, const Report& report) {
  if (report.textbook.empty()) return;
  doc.add("## Textbook claims, measured\n\n" + header({"", "claim", "verdict"}));
  for (const TextbookAnswer& a : report.textbook)
    doc.add(row({plain(a.id), plain(a.claim), "**" + plain(a.verdict) + "**"}), "claims");
  doc.add("\n");
  for (const TextbookAnswer& a : report.textbook) {
    std::string text = fmt::format("### {}: {}\n\n> {}\n\n{}\n\n", plain(a.id), plain(a.verdict),
                                   plain(a.claim), plain(a.answer));
    if (!a.columns.empty()) {
      std::vector<std::string> cells;
      for (const std::string& c : a.columns) cells.push_back(plain(c));
      text += header(cells);
      for (const auto& r : a.rows) {
        cells.clear();
        for (const std::string& c : r) cells.push_back(plain(c));
        text += row(cells);
      }
      text += "\n";
    }
    if (!a.replay.empty()) text += "Replay: " + code(a.replay) + "\n\n";
    doc.add(std::move(text), "answers");
  }
}

void add_evidence(Document& doc, const Report& report) {
  const Judged j = judged_in(report);
  doc.add(fmt::format(
      "## Evidence\n\nThe fast judge decided {}, the final judge {}. {} were cross-checked, with "
      "**{}**.\n\n<details><summary>Who judged what</summary>\n\n",
      counted(j.fast, "point"), thousands(j.final_judge), thousands(j.cross_checked),
      counted(j.disagreements, "disagreement")));
  doc.add(header({"implementation", "op", "dtype", "evidence", ">points", "labels", ">fast judge",
                  ">final judge", ">cross-checked", ">disagreements", "digest"}));
  for (const Result& r : report.results)
    if (r.region == "all")
      doc.add(row({code(r.implementation), plain(r.op), plain(r.dtype), plain(evidence_text(r)),
                   thousands(r.points), labels_text(r), thousands(r.judged.fast),
                   thousands(r.judged.final_judge), thousands(r.judged.cross_checked),
                   thousands(r.judged.disagreements), code(r.digest)}),
              "rows of evidence");
  doc.add("\n</details>\n\n");
}

void add_context(Document& doc, const Report& report) {
  const Context& c = report.context;
  const Volatile& v = report.run;
  doc.add("## Context\n\n");
  if (!v.argv.empty()) doc.add("Reproduce: " + code(shell_line(v.argv)) + "\n\n");
  doc.add(header({"", ""}));
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"ulpaudit", c.version},
                                                        {"commit", c.commit},
                                                        {"profile", c.profile},
                                                        {"seed", fmt::format("{}", c.seed)},
                                                        {"compiler", c.compiler},
                                                        {"flags", c.flags},
                                                        {"libm", c.libm},
                                                        {"MPFR", c.mpfr},
                                                        {"rounding", c.rounding},
                                                        {"FTZ, DAZ", c.ftz_daz},
                                                        {"ISA", c.isa}})
    doc.add(row({key, plain(value)}));
  doc.add("\nOf this run only:\n\n" + header({"", ""}));
  for (const auto& [key, value] : run_facts(v)) doc.add(row({key, plain(value)}));
  doc.add("\n");
  doc.add("<details><summary>Implementations</summary>\n\n" + implementations_table(report) +
              "\n</details>\n",
          "lists of implementations");
}

}  // namespace markdown

std::string render_md(const Report& report, const RenderOptions&) {
  constexpr std::size_t kLimit = 1'000'000;  // GitHub cuts a job's summary at 1 MiB
  markdown::Document doc;
  for (const auto section :
       {markdown::add_headline, markdown::add_findings, markdown::add_accuracy, markdown::add_speed,
        markdown::add_training, markdown::add_regions, markdown::add_special_values,
        markdown::add_textbook, markdown::add_evidence, markdown::add_context})
    section(doc, report);
  return doc.str(kLimit);
}

}  // namespace ulpaudit
