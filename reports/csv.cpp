// CSV: a row and a line per result, quoted as RFC 4180 asks; lines end in \n, for Unix tools.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "reports/renderer.hpp"
#include "reports/text.hpp"

namespace ulpaudit {
namespace {

struct Row {
  std::string text;
  bool first = true;
  /// What a spreadsheet would take for a formula gets an apostrophe; numbers and ranges of numbers,
  /// which begin with a sign as well, stay as they are.
  static std::string harmless(std::string s) {
    constexpr std::string_view signs = "+-", others = "=@\t\r", digits = "0123456789abcdefinpx.:+-";
    if (s.empty()) return s;
    const bool sign = signs.find(s[0]) != std::string_view::npos;
    const bool numbers = sign && s.find_first_not_of(digits) == std::string::npos;
    if ((sign && !numbers) || others.find(s[0]) != std::string_view::npos) s.insert(0, "'");
    return s;
  }
  void field(const std::string& foreign) {
    const std::string s = harmless(printable(foreign));
    if (!first) text += ',';
    first = false;
    if (s.find_first_of(",\"") == std::string::npos) {
      text += s;
      return;
    }
    text += '"';
    for (char c : s) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    text += '"';
  }
  void field(std::uint64_t n) { field(fmt::format("{}", n)); }
  void field(double v) { field(fmt::format("{}", v)); }  // shortest that reads back the same
  void field(const std::optional<double>& v) { v ? field(*v) : field(std::string()); }
};

/// Names of the known categories, then others that the report holds.
std::vector<std::string> category_columns(const Report& report) {
  std::vector<std::string> out;
  for (int i = 0; i < kCategoryCount; ++i) out.emplace_back(name(static_cast<Category>(i)));
  for (const Result& r : report.results)
    for (const CategoryRow& c : r.categories)
      if (std::find(out.begin(), out.end(), c.category) == out.end()) out.push_back(c.category);
  return out;
}

void witness_header(Row& row, const std::string& prefix) {
  for (const char* part : {"z", "y", "got", "expected"})
    for (const char* form : {"bits", "hex"}) row.field(fmt::format("{}_{}_{}", prefix, part, form));
  row.field(prefix + "_true");
}

void witness_fields(Row& row, const std::optional<Witness>& w) {
  const Witness none;
  const Witness& x = w ? *w : none;
  for (const Number& n : {x.z, x.y.value_or(Number()), x.got, x.expected}) {
    row.field(n.bits);
    row.field(n.hex);
  }
  row.field(x.true_value);
}

std::string header(const std::vector<std::string>& categories) {
  Row row;
  for (const char* h : {"implementation", "op", "dtype", "region", "evidence", "range",
                        "label_count", "labels", "points", "lost_points", "max_ulp"})
    row.field(std::string(h));
  witness_header(row, "max");
  for (const char* h :
       {"max_signed", "max_signed_z_bits", "min_signed", "min_signed_z_bits", "mean", "bias", "rms",
        "p50", "p90", "p99", "p999", "correctly_rounded", "faithful", "allclose_failures",
        "typical_logits_mean", "typical_logits_rms", "typical_logits_correctly_rounded"})
    row.field(std::string(h));
  for (const std::string& c : categories) row.field(c);
  for (const char* h : {"wrong_zero", "monotone_pairs", "monotone_violations", "judged_fast",
                        "judged_final", "cross_checked", "disagreements", "digest", "verdict"})
    row.field(std::string(h));
  return row.text + "\n";
}

void statistics_fields(Row& row, const Result& r) {
  const Statistics& s = r.statistics;
  row.field(s.max_signed);
  row.field(r.max_signed ? r.max_signed->z.bits : std::string());
  row.field(s.min_signed);
  row.field(r.min_signed ? r.min_signed->z.bits : std::string());
  for (const auto& v : {s.mean, s.bias, s.rms, s.p50, s.p90, s.p99, s.p999}) row.field(v);
  row.field(s.correctly_rounded);
  row.field(s.faithful);
  row.field(s.allclose_failures);
  const auto& t = s.typical_logits;
  row.field(t ? std::optional(t->mean) : std::nullopt);
  row.field(t ? std::optional(t->rms) : std::nullopt);
  row.field(t ? std::optional(t->correctly_rounded) : std::nullopt);
}

/// "incomplete": of the implementation, in all dtypes.
std::string verdict_of(const Report& report, const std::string& implementation) {
  for (const Verdict& v : report.verdicts)
    if (v.implementation == implementation) return v.status;
  return "";
}

std::string result_row(const Report& report, const Result& r,
                       const std::vector<std::string>& categories) {
  Row row;
  for (const std::string& s : {r.implementation, r.op, r.dtype, r.region, r.evidence, r.range})
    row.field(s);
  row.field(r.label_count);
  std::string labels;
  for (const Number& n : r.labels) labels += (labels.empty() ? "" : " ") + n.bits;
  row.field(labels);
  row.field(r.points);
  row.field(r.lost_points);
  row.field(r.statistics.max_ulp);
  witness_fields(row, r.max);
  statistics_fields(row, r);
  for (const std::string& c : categories) {
    const auto at = std::find_if(r.categories.begin(), r.categories.end(),
                                 [&](const CategoryRow& x) { return x.category == c; });
    row.field(at == r.categories.end() ? std::uint64_t{0} : at->count);
  }
  row.field(r.wrong_zero ? r.wrong_zero->count : std::uint64_t{0});
  for (std::uint64_t n : {r.monotone.pairs, r.monotone.violations, r.judged.fast,
                          r.judged.final_judge, r.judged.cross_checked, r.judged.disagreements})
    r.region == "all" ? row.field(n) : row.field(std::string());  // counted in total only
  row.field(r.digest);
  row.field(verdict_of(report, r.implementation));
  return row.text + "\n";
}

}  // namespace

std::string render_csv(const Report& report, const RenderOptions&) {
  const std::vector<std::string> categories = category_columns(report);
  std::string out = header(categories);
  for (const Result& r : report.results) out += result_row(report, r, categories);
  return out;
}

}  // namespace ulpaudit
