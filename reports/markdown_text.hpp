// Markdown for GitHub: escaping of foreign text, tables, and a document with an upper size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit::markdown {

/// Foreign text that reads as itself in a paragraph, a list or a table's cell.
std::string plain(const std::string& text);
/// The same as code.
std::string code(const std::string& text);
/// The same inside HTML (<summary>).
std::string html(const std::string& text);

/// "`-0x1.8p+1` (-3, `0xc2`)"
std::string number(const Number& n);
/// "z = …, y = …"
std::string input(const Witness& w);
/// "got …, expected …; true value …, error … ulp"
std::string outcome(const Witness& w);

/// "| a | b |\n". Cells are Markdown already.
std::string row(const std::vector<std::string>& cells);
/// Header and rule. A heading that starts with '>' is aligned to the right (the '>' is dropped).
std::string header(std::initializer_list<std::string_view> headings);
std::string header(const std::vector<std::string>& headings);

/// A document below a size: what does not fit is left out by whole parts, with a note in its place.
class Document {
 public:
  /// Kept whatever the size.
  void add(std::string text) { parts_.push_back({std::move(text), {}}); }
  /// May be left out, and with it every later part of the same group. `group` ends the sentence
  /// "3 more … are left out": "findings".
  void add(std::string text, std::string group) {
    parts_.push_back({std::move(text), std::move(group)});
  }
  std::string str(std::size_t limit) const;

 private:
  struct Part {
    std::string text, group;
  };
  std::vector<Part> parts_;
};

}  // namespace ulpaudit::markdown
