// The cells, rows and verdicts of the textbook's answers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/claim_verdicts.hpp"
#include "record/report.hpp"
#include "textbook/probe.hpp"

namespace ulpaudit {

inline constexpr char kNoAnswer[] = "-";
inline constexpr char kNever[] = "never";

/// As %.6g.
std::string six(double v);
/// Shortest decimal; "NaN", "∞", "-∞".
std::string value_text(Dtype d, Bits b);
std::string value_text(Dtype d, const std::optional<Bits>& b);

/// "≈ " before a frayed end.
std::string edge_text(Dtype d, Bits z, bool frayed);
/// "z ≤ b", "z ≥ a", "0 < z ≤ b", "a … b" or "all z" for a stretch of the line `of`.
std::string stretch_text(Dtype d, const Stretch& s, const Stretch& of);
/// Up to three of them, else how many lie where; "never" for none, '-' without an answer.
std::string stretches_text(Dtype d, const std::optional<Stretches>& s, const Stretch& of);

/// "3 of 4" for what was asked of several kernels.
struct Tried {
  int passed = 0, asked = 0;
  void add(bool passes) {
    ++asked;
    passed += passes ? 1 : 0;
  }
  void add(const Tried& other) {
    asked += other.asked;
    passed += other.passed;
  }
  /// '-' where nothing was asked.
  std::string text() const;
  /// "holds" where all pass, "wrong" where none does.
  std::string verdict() const { return passed == asked ? kHolds : passed > 0 ? kLimited : kWrong; }
};

/// "a, b and c".
std::string listed(const std::vector<std::string>& words);

/// Rows that differ in the first cell alone become one; of very many the last are left out, with a
/// row that says so.
void shorten(TextbookAnswer& answer);

/// A row for each form: its name, then what `cell` says for each dtype.
void add_form_rows(TextbookAnswer& answer, const std::vector<Form>& forms,
                   const std::function<std::string(const Form&, Dtype)>& cell);

/// How many results of the form the report's total has in this category.
std::uint64_t count_category(const Report& report, const Form& form, Dtype d,
                             std::string_view category);

/// f32 where one of the forms has it, else the first dtype that one has: for the sentences.
Dtype headline_dtype(const std::vector<Form>& forms);

/// `first` and the names of all dtypes.
std::vector<std::string> dtype_columns(const std::string& first);

}  // namespace ulpaudit
