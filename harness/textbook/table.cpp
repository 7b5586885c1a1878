// Cells, rows and verdicts.
// SPDX-License-Identifier: Apache-2.0
#include "textbook/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fp/text.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kMostRows = 25;
constexpr std::size_t kMostStretchesShown = 3;

}  // namespace

std::string six(double v) { return fmt::format("{:.6g}", v); }

std::string value_text(Dtype d, Bits b) {
  if (is_nan(d, b)) return "NaN";
  if (is_infinite(d, b)) return is_negative(d, b) ? "-∞" : "∞";
  return decimal(d, b);
}

std::string value_text(Dtype d, const std::optional<Bits>& b) {
  return b ? value_text(d, *b) : kNoAnswer;
}

std::string edge_text(Dtype d, Bits z, bool frayed) {
  return (frayed ? "≈ " : "") + value_text(d, z);
}

std::string stretch_text(Dtype d, const Stretch& s, const Stretch& of) {
  const std::string first = edge_text(d, from_ordinal(d, s.first), s.frayed_first);
  const std::string last = edge_text(d, from_ordinal(d, s.last), s.frayed_last);
  if (s.first == of.first && s.last == of.last) return "all z";
  if (s.first == of.first) return "z ≤ " + last;
  if (s.last == of.last) return "z ≥ " + first;
  if (s.first == ordinal(d, 1)) return "0 < z ≤ " + last;
  return s.first == s.last ? "z = " + first : first + " … " + last;
}

std::string stretches_text(Dtype d, const std::optional<Stretches>& s, const Stretch& of) {
  if (!s) return kNoAnswer;
  if (s->empty()) return kNever;
  if (s->size() > kMostStretchesShown)
    return fmt::format("in {} parts of {}", s->size(),
                       stretch_text(d, {s->front().first, s->back().last}, of));
  std::vector<std::string> words;
  for (const Stretch& one : *s) words.push_back(stretch_text(d, one, of));
  return fmt::format("{}", fmt::join(words, "; "));
}

std::string Tried::text() const {
  return asked == 0 ? kNoAnswer : fmt::format("{} of {}", passed, asked);
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return text;
}

void shorten(TextbookAnswer& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<std::string>& row : answer.rows) {
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& r) {
      return std::equal(r.begin() + 1, r.end(), row.begin() + 1, row.end());
    });
    if (same == rows.end())
      rows.push_back(row);
    else
      same->front() += ", " + row.front();
  }
  if (rows.size() > kMostRows) {
    std::vector<std::string> rest(answer.columns.size());
    rest.front() = fmt::format("… {} rows more", rows.size() - kMostRows + 1);
    rows.resize(kMostRows - 1);
    rows.push_back(std::move(rest));
  }
  answer.rows = std::move(rows);
}

void add_form_rows(TextbookAnswer& answer, const std::vector<Form>& forms,
                   const std::function<std::string(const Form&, Dtype)>& cell) {
  for (const Form& f : forms) {
    std::vector<std::string> cells = {f.name};
    for (const Dtype d : kDtypes) cells.push_back(cell(f, d));
    answer.rows.push_back(std::move(cells));
  }
}

std::uint64_t count_category(const Report& report, const Form& form, Dtype d,
                             std::string_view category) {
  if (const Result* r = find_total(report, form.name, std::string(name(d))))
    for (const CategoryRow& c : r->categories)
      if (c.category == category) return c.count;
  return 0;
}

Dtype headline_dtype(const std::vector<Form>& forms) {
  for (const Dtype d : {Dtype::f32, Dtype::f64, Dtype::bf16, Dtype::f16})
    if (std::any_of(forms.begin(), forms.end(), [d](const Form& f) { return f.has(d); })) return d;
  return Dtype::f32;
}

std::vector<std::string> dtype_columns(const std::string& first) {
  std::vector<std::string> columns = {first};
  for (const Dtype d : kDtypes) columns.emplace_back(name(d));
  return columns;
}

}  // namespace ulpaudit
