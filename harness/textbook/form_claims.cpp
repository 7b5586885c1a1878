// The textbook's claims about how sigmoid is written down: T5, T6, T7.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "textbook/claims.hpp"
#include "textbook/table.hpp"

namespace ulpaudit::textbook {
namespace {

constexpr char kNaive[] = "1/(1+exp(-z))";

bool is_branchy(const Form& f) {
  return f.formula.find('?') != std::string::npos || f.formula.find("|z|") != std::string::npos;
}

std::string categories_text(const Result& r) {
  std::vector<std::string> words;
  for (const CategoryRow& c : r.categories)
    words.push_back(fmt::format("{} {}", c.count, c.category));
  return words.empty() ? "none" : listed(words);
}

}  // namespace

std::optional<TextbookAnswer> naive_extremes(Probe& probe, const Report&) {
  const std::vector<Form> forms = probe.forms("sigmoid");
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{"T5",
                   "1/(1+exp(-z)) gives 0 at z = -1000, through 1/(1+∞), and 1 at z = 1000",
                   "",
                   "",
                   dtype_columns("σ(-1000), σ(1000)"),
                   {},
                   "./run eval --op sigmoid -- -1000"};
  Tried right;
  std::vector<std::string> said;
  add_form_rows(a, forms, [&](const Form& f, Dtype d) -> std::string {
    const auto low = probe.ask(f, d, encode(d, -1000.0));
    const auto high = probe.ask(f, d, encode(d, 1000.0));
    if (!low || !high) return kNoAnswer;
    if (f.formula == kNaive) right.add(*low == 0 && *high == encode(d, 1.0));
    std::string cell = value_text(d, low) + ", " + value_text(d, high);
    if (d == headline) said.push_back(fmt::format("{} ({})", f.name, cell));
    return cell;
  });
  if (right.asked == 0) return std::nullopt;
  a.verdict = right.verdict();
  a.answer = fmt::format("{} gives 0 and 1 in {} dtypes. At -1000 and 1000 in {}: {}.", kNaive,
                         right.text(), name(headline), listed(said));
  return a;
}

std::optional<TextbookAnswer> naive_nan(Probe& probe, const Report&) {
  const std::vector<Form> forms = probe.forms("sigmoid");
  TextbookAnswer a{"T6",
                   "1/(1+exp(-z)) in f32 at z = -500 gives NaN after the division",
                   "",
                   "",
                   dtype_columns("form"),
                   {},
                   "./run eval --op sigmoid --dtype f32 -- -500"};
  for (std::size_t i = 1; i < a.columns.size(); ++i) a.columns[i] = "NaN in " + a.columns[i];
  std::vector<std::string> nan_from(forms.size());
  add_form_rows(a, forms, [&](const Form& f, Dtype d) {
    const auto s = probe.where_result(f, d, [d](Bits got) { return is_nan(d, got); });
    std::string cell = stretches_text(d, s, finite_line(d));
    std::string& from = nan_from[a.rows.size()];
    if (s && !s->empty())
      from += fmt::format("{}{} in {}", from.empty() ? "" : ", ", cell, name(d));
    return cell;
  });
  a.columns.insert(a.columns.begin() + 1, "f32 at -500");
  Tried nan;
  std::vector<std::string> said, givers;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const auto got = probe.ask(forms[i], Dtype::f32, encode(Dtype::f32, -500.0));
    a.rows[i].insert(a.rows[i].begin() + 1, value_text(Dtype::f32, got));
    if (!nan_from[i].empty())
      givers.push_back(fmt::format("{} = {} ({})", forms[i].name, forms[i].formula, nan_from[i]));
    if (!got || forms[i].formula != kNaive) continue;
    nan.add(is_nan(Dtype::f32, *got));
    said.push_back(fmt::format("{} gives {}", forms[i].name, value_text(Dtype::f32, got)));
  }
  if (nan.asked == 0) return std::nullopt;
  a.verdict = nan.verdict();
  a.answer = fmt::format("At z = -500 in f32 {}. NaN at finite z comes from {}.", listed(said),
                         givers.empty() ? "no form of σ at hand" : listed(givers));
  return a;
}

std::optional<TextbookAnswer> branchy_is_stable(Probe& probe, const Report& report) {
  const std::vector<Form> forms = probe.forms("sigmoid");
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{
      "T7",
      "the branchy form, e^z/(1+e^z) for z < 0, is numerically stable",
      "",
      "",
      {"form", "dtype", "branchy", "evidence", "max ULP", "correctly rounded", "categories"},
      {},
      "./run sweep --op sigmoid"};
  Tried stable;
  double worst = 0;
  std::string at = "no input";
  std::vector<std::string> faults;
  for (const Form& f : forms) {
    for (const Dtype d : kDtypes) {
      const Result* r = f.has(d) ? find_total(report, f.name, std::string(name(d))) : nullptr;
      if (r == nullptr || !r->statistics.max_ulp || !r->max) continue;
      const double max = *r->statistics.max_ulp;
      a.rows.push_back({f.name, std::string(name(d)), is_branchy(f) ? "yes" : "no", r->evidence,
                        six(max), fmt::format("{:.4g} %", 100 * r->statistics.correctly_rounded),
                        categories_text(*r)});
      if (!is_branchy(f) && !r->categories.empty() && d == headline)
        faults.push_back(fmt::format("{} ({})", f.name, categories_text(*r)));
      if (!is_branchy(f)) continue;
      stable.add(r->categories.empty() && r->lost_points == 0 && max <= kStableUlps);
      if (max >= worst) at = fmt::format("{}, {}, z = {}", f.name, name(d), r->max->z.decimal);
      worst = std::max(worst, max);
    }
  }
  if (stable.asked == 0) return std::nullopt;
  a.verdict = stable.verdict();
  a.answer = fmt::format(
      "{} branchy kernels (each dtype counted) give, at every input measured, a result within {} "
      "ulps; the largest error is {} ulps ({}). Other forms that do not in {}: {}.",
      stable.text(), kStableUlps, six(worst), at, name(headline),
      faults.empty() ? "none" : listed(faults));
  return a;
}

}  // namespace ulpaudit::textbook
