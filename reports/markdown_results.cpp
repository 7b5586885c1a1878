// report.md: the figures, op by op: matrix of largest errors, regions, categories, special values.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/markdown_sections.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit::markdown {
namespace {

std::string marked_max(const Report& report, const Result& r) {
  const std::string text = max_text(r);
  if (has_finding(report, r, Gravity::error)) return "❌ " + text;
  if (has_finding(report, r, Gravity::expected_failure)) return "⚠️ " + text;
  return text;
}

/// Implementation × dtype of the largest error.
void add_matrix(Document& doc, const Report& report, const std::string& op) {
  const std::vector<std::string> dtypes = dtypes_of(report, op);
  std::vector<std::string> head = {"max ulp"};
  for (const std::string& d : dtypes) head.push_back(">" + plain(d));
  doc.add("### " + plain(op) + "\n\n" + header(head));
  std::vector<std::string> names;
  for (const Result* total : totals_of(report, op))
    if (std::find(names.begin(), names.end(), total->implementation) == names.end())
      names.push_back(total->implementation);
  for (const std::string& name : names) {
    std::vector<std::string> cells = {code(name)};
    for (const std::string& d : dtypes) {
      std::string cell;
      for (const Result* r : totals_of(report, op))
        if (r->implementation == name && r->dtype == d) cell = marked_max(report, *r);
      cells.push_back(cell);
    }
    doc.add(row(cells), "rows of figures");
  }
  doc.add("\n");
}

std::string allclose_text(const Result& r) {
  const std::uint64_t n = r.statistics.allclose_failures;
  return n == 0 ? "nothing" : thousands(n);
}

std::string summary_row(const Report& report, const Result& r) {
  return row({code(r.implementation), plain(r.dtype), plain(evidence_text(r)), thousands(r.points),
              marked_max(report, r), r.max ? input(*r.max) : std::string(kAbsent),
              percent(r.statistics.correctly_rounded), percent(r.statistics.faithful),
              allclose_text(r), plain(besides(r))});
}

std::string region_row(const Result& r) {
  const Statistics& s = r.statistics;
  return row({plain(r.region), thousands(r.points), max_text(r),
              r.max ? input(*r.max) : std::string(kAbsent), ulps(s.min_signed), ulps(s.max_signed),
              mean_text(r, s.mean), ulps(s.bias), mean_text(r, s.rms), ulps(s.p50), ulps(s.p99),
              ulps(s.p999), percent(s.correctly_rounded), percent(s.faithful), plain(besides(r))});
}

std::string category_row(const std::string& name, const CategoryRow& c) {
  return row({plain(name), thousands(c.count), input(c.first), number(c.first.got),
              number(c.first.expected), plain(c.first.true_value)});
}

std::string categories_table(const Result& total) {
  if (total.categories.empty() && !total.wrong_zero) return "";
  std::string out = header({"category", ">count", "first at", "got", "expected", "true value"});
  for (const CategoryRow& c : total.categories) out += category_row(c.category, c);
  if (total.wrong_zero) out += category_row("wrong sign of zero", *total.wrong_zero);
  return out + "\n";
}

std::string monotone_text(const Monotone& m) {
  if (m.pairs == 0) return "";
  std::string out = fmt::format("Monotone: {} among {}", counted(m.violations, "violation"),
                                counted(m.pairs, "neighbouring pair"));
  if (m.lower && m.upper)
    out += fmt::format(", first between {} (got {}) and {} (got {})", input(*m.lower),
                       number(m.lower->got), input(*m.upper), number(m.upper->got));
  return out + ".\n\n";
}

std::string search_text(const Result& total) {
  if (!total.search) return "";
  const SearchSummary& s = *total.search;
  std::string out = fmt::format(
      "Search for the worst case: all {} binades in which the op varies, {} to {} points each. The "
      "binades with the largest errors:\n\n",
      thousands(s.binades), thousands(s.least_points), thousands(s.most_points));
  const bool labels = total.label_count != 0;
  out += labels ? header({"from", "to", ">points", ">max ulp", "at z", "y"})
                : header({"from", "to", ">points", ">max ulp", "at z"});
  for (const SearchSummary::Binade& b : s.worst) {
    std::vector<std::string> cells = {plain(b.first.decimal), plain(b.last.decimal),
                                      thousands(b.points), ulps(b.max_ulp), number(b.at)};
    if (labels) cells.push_back(b.y ? number(*b.y) : "");
    out += row(cells);
  }
  return out + "\n";
}

/// Everything about one implementation in one dtype, folded.
std::string details(const Report& report, const Result& total) {
  std::string out = fmt::format("<details><summary>{} {}: max {} ulp, {}</summary>\n\n",
                                html(total.implementation), html(total.dtype), max_text(total),
                                html(evidence_text(total)));
  if (total.max)
    out += fmt::format("Largest error at {}: {}.\n\n", input(*total.max), outcome(*total.max));
  out +=
      header({"region", ">points", ">max ulp", "at", ">min signed", ">max signed", ">mean", ">bias",
              ">rms", ">p50 ≤", ">p99 ≤", ">p99.9 ≤", ">correct", ">faithful", "besides"});
  for (const Result* r : regions_of(report, total)) out += region_row(*r);
  out += "\n" + categories_table(total);
  if (const auto& t = total.statistics.typical_logits)
    out += fmt::format(
        "Weighted by typical logits (normal, standard deviation 4): mean {} ulp, rms "
        "{} ulp, correctly rounded {}.\n\n",
        ulps(t->mean), ulps(t->rms), percent(t->correctly_rounded));
  return out + search_text(total) + monotone_text(total.monotone) + "</details>\n\n";
}

/// The same number, where zeros of either sign are one and all NaN are one.
bool same_number(const Number& a, const Number& b) {
  const auto bare = [](const std::string& hex) {
    return hex == "-nan" || hex == "-0x0p+0" ? hex.substr(1) : hex;
  };
  return bare(a.hex) == bare(b.hex);
}

std::string short_number(const Number& n) {
  return fmt::format("{} ({})", plain(n.decimal), code(n.bits));
}

std::string special_table(const Result& total) {
  const bool labels = total.label_count != 0;
  std::string out = fmt::format("<details><summary>{} {}</summary>\n\n", html(total.implementation),
                                html(total.dtype));
  out += labels ? header({"z", "y", "got", "expected", ">error in ulp"})
                : header({"z", "got", "expected", ">error in ulp"});
  for (const Witness& w : total.special_values) {
    std::vector<std::string> cells = {short_number(w.z)};
    if (labels) cells.push_back(w.y ? short_number(*w.y) : "");
    const std::string got = short_number(w.got);
    cells.push_back(same_number(w.got, w.expected) ? got : "**" + got + "**");
    cells.push_back(short_number(w.expected));
    cells.push_back(ulps(w.error_ulps));
    out += row(cells);
  }
  return out + "\n</details>\n\n";
}

}  // namespace

void add_accuracy(Document& doc, const Report& report) {
  doc.add(
      "## Accuracy\n\nLargest error in ulp. ❌ breaks a rule or its contract, ⚠️ fails as its "
      "contract says. ≥: a lower bound, since inputs were sampled; without it every input of the "
      "domain was run.\n\n");
  for (const std::string& op : ops_of(report)) add_matrix(doc, report, op);
}

void add_regions(Document& doc, const Report& report) {
  doc.add(
      "## By op\n\nCorrect: the share that is correctly rounded. Besides: what no error in ulps "
      "tells. allclose: the points that `allclose(rtol=1e-5, atol=1e-8)` would have seen.\n\n");
  for (const std::string& op : ops_of(report)) {
    doc.add("### " + plain(op) + " in figures\n\n" +
            header({"implementation", "dtype", "evidence", ">points", ">max ulp", "at", ">correct",
                    ">faithful", ">allclose", "besides"}));
    for (const Result* r : totals_of(report, op))
      doc.add(summary_row(report, *r), "rows of figures");
    doc.add("\n");
    for (const Result* r : totals_of(report, op)) doc.add(details(report, *r), "tables of regions");
  }
}

void add_special_values(Document& doc, const Report& report) {
  doc.add("## Special values\n\nBold: another number than expected.\n\n");
  for (const std::string& op : ops_of(report)) {
    doc.add("### " + plain(op) + " at special values\n\n");
    for (const Result* r : totals_of(report, op))
      if (!r->special_values.empty()) doc.add(special_table(*r), "tables of special values");
  }
}

}  // namespace ulpaudit::markdown
