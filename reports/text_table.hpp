// A table of aligned columns for a terminal, with colors where they are asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ulpaudit {

enum class Style { plain, bold, dim, red, yellow, green };

/// The text in its style, or the text alone.
std::string styled(const std::string& text, Style style, bool color);

struct Cell {
  std::string text;
  Style style = Style::plain;
  std::string_view separator = " ";  ///< where it may be broken
};

enum class Align { left, right };

class TextTable {
 public:
  /// With `heading` the first row is one: its last cell goes where it has no column.
  TextTable(std::vector<Align> columns, bool heading)
      : columns_(std::move(columns)), heading_(heading) {}
  /// One cell a column, or one cell that stands across all.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  /// Lines indented by two. Where a row is wider than `width` (0: no limit), its last cell is
  /// wrapped in its column, or below the row where too little is left of the line.
  std::string str(std::size_t width, bool color) const;

 private:
  std::vector<std::size_t> widths() const;
  std::vector<Align> columns_;
  bool heading_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace ulpaudit
