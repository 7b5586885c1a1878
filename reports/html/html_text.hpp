// Pieces of HTML: escaping of foreign text, numbers, tables.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit::html {

/// Foreign text that reads as itself in an element and in a quoted attribute.
std::string text(std::string_view foreign);
/// The same as code.
std::string code(std::string_view foreign);
/// A command with a button that copies it (the script adds the button).
std::string command(std::string_view foreign);

/// Decimal, hex float and bits.
std::string number(const Number& n);
/// Decimal and bits: where columns are many.
std::string brief(const Number& n);
/// "z = …, y = …"
std::string input(const Witness& w);
/// "got …, expected …; true value …, error … ulp"
std::string outcome(const Witness& w);

/// A table that scrolls sideways where it is too wide. Cells are HTML.
class Table {
 public:
  /// A heading that starts with '>' is of a column of figures (the '>' is dropped).
  explicit Table(const std::vector<std::string>& headings, std::string_view style = "");
  void add(const std::vector<std::string>& cells, std::string_view row_style = "");
  /// A row of one cell across all columns.
  void add_wide(std::string_view cell);
  bool empty() const { return rows_ == 0; }
  std::string str() const { return out_ + "</tbody></table></div>\n"; }

 private:
  std::vector<bool> figures_;
  std::string out_;
  std::size_t rows_ = 0;
};

/// "<details class=…><summary>…</summary>…</details>"
std::string folded(std::string_view style, std::string_view summary, std::string_view content);

}  // namespace ulpaudit::html
