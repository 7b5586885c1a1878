// A table of aligned columns for a terminal.
// SPDX-License-Identifier: Apache-2.0
#include "reports/text_table.hpp"

#include <algorithm>

#include "reports/text.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastLastColumn = 24;

std::string_view code(Style style) {
  switch (style) {
    case Style::bold:
      return "1";
    case Style::dim:
      return "2";
    case Style::red:
      return "31";
    case Style::yellow:
      return "33";
    case Style::green:
      return "32";
    case Style::plain:
      break;
  }
  return "";
}

struct Layout {
  std::size_t start = kGap;  ///< of the last column
  std::size_t width = 0;
  bool below = false;  ///< last cells that do not fit stand below their rows
};

/// The last cell, wrapped, from where its row ends (`pending` columns before the cell's own).
std::string last_cell(const Cell& cell, bool is_heading, std::size_t pending, const Layout& at,
                      bool color) {
  if (cell.text.empty()) return "";
  const std::string gap(pending, ' ');
  if (at.width == 0 || at.start + display_width(cell.text) <= at.width)
    return gap + styled(cell.text, cell.style, color);
  if (at.below && is_heading) return "";
  const std::size_t hang = at.below ? 3 * kGap : at.start;
  const std::size_t room = std::max(at.width, hang + kLeastLastColumn) - hang;
  std::string out;
  for (const std::string& line : wrap(cell.text, room, cell.separator)) {
    out += out.empty() && !at.below ? gap : "\n" + std::string(hang, ' ');
    out += styled(line, cell.style, color);
  }
  return out;
}

}  // namespace

std::string styled(const std::string& text, Style style, bool color) {
  if (!color || style == Style::plain || text.empty()) return text;
  return "\x1b[" + std::string(code(style)) + "m" + text + "\x1b[0m";
}

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> w(columns_.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size() && row.size() > 1; ++i)
      w[i] = std::max(w[i], display_width(row[i].text));
  return w;
}

std::string TextTable::str(std::size_t width, bool color) const {
  const std::vector<std::size_t> w = widths();
  const std::size_t last = columns_.size() - 1;
  Layout at;
  for (std::size_t i = 0; i < last; ++i) at.start += w[i] + kGap;
  at.width = width;
  at.below = width != 0 && at.start + w[last] > width && at.start + kLeastLastColumn > width;
  std::string out;
  for (const auto& row : rows_) {
    std::string line(kGap, ' ');
    if (row.size() == 1) {
      out += line + styled(row[0].text, row[0].style, color) + "\n";
      continue;
    }
    std::size_t pending = 0;  // spaces that are written only if something follows
    for (std::size_t i = 0; i < last; ++i) {
      const std::size_t fill = w[i] - display_width(row[i].text);
      const bool right = columns_[i] == Align::right;
      if (right) pending += fill;
      if (!row[i].text.empty()) {
        line += std::string(pending, ' ') + styled(row[i].text, row[i].style, color);
        pending = 0;
      }
      pending += (right ? 0 : fill) + kGap;
    }
    out += line;
    const bool is_heading = heading_ && &row == &rows_.front();
    out += last_cell(row[last], is_heading, pending, at, color) + "\n";
  }
  return out;
}

}  // namespace ulpaudit
