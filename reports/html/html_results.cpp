// report.html: the matrix of largest errors, and everything about each total.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/html/html_sections.hpp"
#include "reports/html/html_text.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit::html {
namespace {

/// Classes of the matrix's colours, by the largest error in ulps.
struct Heat {
  double upto;
  std::string_view label;
};
constexpr std::array<Heat, 6> kHeat = {{{0.5, "≤ 0.5"},
                                        {1, "≤ 1"},
                                        {2, "≤ 2"},
                                        {8, "≤ 8"},
                                        {1000, "≤ 1,000"},
                                        {INFINITY, "> 1,000 ulp"}}};

std::string heat_class(const std::optional<double>& max) {
  if (!max || std::isnan(*max)) return "hx";
  std::size_t i = 0;
  while (i + 1 < kHeat.size() && *max > kHeat[i].upto) ++i;
  return fmt::format("h{}", i);
}

std::string mark_of(const Report& report, const Result& r) {
  if (has_finding(report, r, Gravity::error)) return "<span class=\"mark bad\">✗</span> ";
  if (has_finding(report, r, Gravity::expected_failure))
    return "<span class=\"mark warn\">!</span> ";
  return "";
}

std::string matrix_cell(const Report& report, const Result& r) {
  return fmt::format(
      "<td class=\"{}\"><a href=\"#{}\" title=\"{}\">{}<b>{}</b><small>{}<span> "
      "correct</span></small></a></td>",
      heat_class(r.statistics.max_ulp), anchor(report, r), text(besides(r)), mark_of(report, r),
      max_text(r), percent(r.statistics.correctly_rounded));
}

std::vector<std::string> all_dtypes(const Report& report) {
  std::vector<std::string> out;
  for (const std::string& op : ops_of(report))
    for (const std::string& d : dtypes_of(report, op))
      if (std::find(out.begin(), out.end(), d) == out.end()) out.push_back(d);
  return out;
}

std::vector<std::string> implementations_of(const std::vector<const Result*>& totals) {
  std::vector<std::string> names;
  for (const Result* r : totals)
    if (std::find(names.begin(), names.end(), r->implementation) == names.end())
      names.push_back(r->implementation);
  return names;
}

/// A name that may be broken behind its signs.
std::string breakable(const std::string& name) {
  std::string out;
  for (char c : text(name)) {
    if (c == '@') out += "<wbr>";
    out += c;
    if (c == '/' || c == '_') out += "<wbr>";
  }
  return out;
}

std::string legend() {
  std::string out = "<p class=\"legend\">Largest error:";
  for (std::size_t i = 0; i < kHeat.size(); ++i)
    out += fmt::format(" <span class=\"swatch h{}\">{}</span>", i, kHeat[i].label);
  return out +
         " <span class=\"swatch hx\">no finite error</span><br>≥ a lower bound: inputs were "
         "sampled; without it every input was run. <span class=\"mark bad\">✗</span> breaks a rule "
         "or its contract, <span class=\"mark warn\">!</span> fails as its contract says. Correct: "
         "share of results that are the nearest number.</p>\n";
}

std::string region_table(const Report& report, const Result& total) {
  Table table({"region", ">points", ">max ulp", "at", ">min signed", ">max signed", ">mean",
               ">bias", ">rms", ">p50 ≤", ">p99 ≤", ">p99.9 ≤", ">correct", ">faithful", "besides"},
              "regions");
  for (const Result* r : regions_of(report, total)) {
    const Statistics& s = r->statistics;
    std::string at(kAbsent);
    if (r->max) at = brief(r->max->z) + (r->max->y ? ", y " + brief(*r->max->y) : "");
    table.add({text(r->region), thousands(r->points), max_text(*r), at, ulps(s.min_signed),
               ulps(s.max_signed), mean_text(*r, s.mean), ulps(s.bias), mean_text(*r, s.rms),
               ulps(s.p50), ulps(s.p99), ulps(s.p999), percent(s.correctly_rounded),
               percent(s.faithful), text(besides(*r))},
              r == &total ? "sum" : "");
  }
  return table.str();
}

std::string category_table(const Result& total) {
  Table table({"besides errors in ulps", ">count", "first at", "got", "expected", "true value"});
  const auto add = [&](const std::string& name, const CategoryRow& c) {
    table.add({text(name), thousands(c.count), input(c.first), number(c.first.got),
               number(c.first.expected), text(c.first.true_value)});
  };
  for (const CategoryRow& c : total.categories) add(c.category, c);
  if (total.wrong_zero) add("wrong sign of zero", *total.wrong_zero);
  return table.empty() ? "" : table.str();
}

std::string facts(const Result& total) {
  const Statistics& s = total.statistics;
  std::string out;
  const auto add = [&](const std::string& item) { out += "<li>" + item + "</li>\n"; };
  if (total.max)
    add(fmt::format("Largest error at {}: {}", input(*total.max), outcome(*total.max)));
  if (s.typical_logits)
    add(
        fmt::format("Weighted by typical logits (normal, standard deviation 4): mean {} ulp, rms "
                    "{} ulp, correctly rounded {}",
                    ulps(s.typical_logits->mean), ulps(s.typical_logits->rms),
                    percent(s.typical_logits->correctly_rounded)));
  add(fmt::format("<code>allclose(rtol=1e-5, atol=1e-8)</code> would have noticed {}",
                  s.allclose_failures == 0 ? "nothing" : counted(s.allclose_failures, "point")));
  const Monotone& m = total.monotone;
  if (m.pairs != 0) {
    std::string line = fmt::format("Monotone: {} among {}", counted(m.violations, "violation"),
                                   counted(m.pairs, "neighbouring pair"));
    if (m.lower && m.upper)
      line += fmt::format(", first between {} (got {}) and {} (got {})", input(*m.lower),
                          number(m.lower->got), input(*m.upper), number(m.upper->got));
    add(line);
  }
  return "<ul class=\"facts\">\n" + out + "</ul>\n";
}

std::string search_table(const Result& total) {
  if (!total.search) return "";
  const SearchSummary& s = *total.search;
  const bool labels = total.label_count != 0;
  std::vector<std::string> head = {"from", "to", ">points", ">max ulp", "at z"};
  if (labels) head.emplace_back("y");
  Table table(head);
  for (const SearchSummary::Binade& b : s.worst) {
    std::vector<std::string> cells = {text(b.first.decimal), text(b.last.decimal),
                                      thousands(b.points), ulps(b.max_ulp), number(b.at)};
    if (labels) cells.push_back(b.y ? number(*b.y) : "");
    table.add(cells);
  }
  return fmt::format(
      "<p>Search for the worst case: all {} binades in which the op varies, {} to {} points each. "
      "The binades with the largest errors:</p>\n{}",
      thousands(s.binades), thousands(s.least_points), thousands(s.most_points), table.str());
}

/// Any NaN equals any NaN; otherwise encodings are compared.
bool differs(const Witness& w) {
  const auto is_nan = [](const Number& n) { return n.hex.find("nan") != std::string::npos; };
  return w.got.bits != w.expected.bits && !(is_nan(w.got) && is_nan(w.expected));
}

std::string special_table(const Result& total) {
  if (total.special_values.empty()) return "";
  const bool labels = std::any_of(total.special_values.begin(), total.special_values.end(),
                                  [](const Witness& w) { return w.y.has_value(); });
  std::vector<std::string> head = {"z", "true", "expected", "got", ">error (ulp)"};
  if (labels) head.insert(head.begin() + 1, "y");
  Table table(head, "special");
  std::size_t different = 0;
  for (const Witness& w : total.special_values) {
    std::vector<std::string> cells = {brief(w.z), text(w.true_value), brief(w.expected),
                                      brief(w.got), ulps(w.error_ulps)};
    if (labels) cells.insert(cells.begin() + 1, w.y ? brief(*w.y) : "");
    different += differs(w) ? 1 : 0;
    table.add(cells, differs(w) ? "differs" : "");
  }
  return folded("part",
                fmt::format("Special values <small>{}, {} with another encoding than "
                            "expected</small>",
                            thousands(total.special_values.size()), thousands(different)),
                table.str());
}

std::string total_details(const Report& report, const Result& r) {
  const std::string id = anchor(report, r);
  const std::string other = besides(r);
  const std::string summary = fmt::format(
      "{}{} <span class=\"dtype\">{}</span> <span class=\"swatch {}\">{} ulp</span> <small>{}, {} "
      "correct{}{}</small>",
      mark_of(report, r), code(r.implementation), text(r.dtype), heat_class(r.statistics.max_ulp),
      max_text(r), text(evidence_text(r)), percent(r.statistics.correctly_rounded),
      other.empty() ? "" : "; ", text(other));
  const std::string content = fmt::format(
      "<figure class=\"chart curve\" data-chart=\"{}\"></figure>\n<figure class=\"chart "
      "histogram\" data-chart=\"{}\"></figure>\n{}{}{}{}{}",
      id, id, facts(r), region_table(report, r), category_table(r), search_table(r),
      special_table(r));
  return fmt::format("<details class=\"total\" id=\"{}\"><summary>{}</summary>\n{}</details>\n", id,
                     summary, content);
}

}  // namespace

std::string anchor(const Report& report, const Result& total) {
  return fmt::format("r{}", &total - report.results.data());
}

std::string matrix(const Report& report) {
  const std::vector<std::string> dtypes = all_dtypes(report);
  std::string out =
      "<p>A cell leads to its curve, histogram, regions and special values.</p>\n<div "
      "class=\"scroll\"><table class=\"matrix\"><thead><tr><th>max ulp</th>";
  for (const std::string& d : dtypes) out += "<th>" + text(d) + "</th>";
  out += "</tr></thead>\n";
  for (const std::string& op : ops_of(report)) {
    out += fmt::format("<tbody><tr><th class=\"op\" colspan=\"{}\">{}</th></tr>\n",
                       dtypes.size() + 1, text(op));
    const auto totals = totals_of(report, op);
    for (const std::string& name : implementations_of(totals)) {
      out += "<tr><th><code>" + breakable(name) + "</code></th>";
      for (const std::string& d : dtypes) {
        const auto at = std::find_if(totals.begin(), totals.end(), [&](const Result* r) {
          return r->implementation == name && r->dtype == d;
        });
        out += at == totals.end() ? "<td class=\"empty\"></td>" : matrix_cell(report, **at);
      }
      out += "</tr>\n";
    }
    out += "</tbody>\n";
  }
  return out + "</table></div>\n" + legend();
}

std::string details(const Report& report) {
  constexpr std::ptrdiff_t kFew = 12;  // so few are listed at once
  const bool few = std::count_if(report.results.begin(), report.results.end(),
                                 [](const Result& r) { return r.region == "all"; }) <= kFew;
  std::string out;
  for (const std::string& op : ops_of(report)) {
    const auto totals = totals_of(report, op);
    out += fmt::format("<details class=\"op\"{}><summary>{} <small>{}</small></summary>\n",
                       few ? " open" : "", text(op), counted(totals.size(), "result"));
    for (const std::string& name : implementations_of(totals))
      for (const Result* r : totals)
        if (r->implementation == name) out += total_details(report, *r);
    out += "</details>\n";
  }
  return out;
}

}  // namespace ulpaudit::html
