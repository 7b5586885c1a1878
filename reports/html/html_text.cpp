// Pieces of HTML.
// SPDX-License-Identifier: Apache-2.0
#include "reports/html/html_text.hpp"

#include <fmt/format.h>

#include "reports/text.hpp"

namespace ulpaudit::html {

std::string text(std::string_view foreign) {
  std::string out;
  for (char c : printable(foreign)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string code(std::string_view foreign) { return "<code>" + text(foreign) + "</code>"; }

std::string command(std::string_view foreign) {
  return foreign.empty() ? "" : "<div class=\"command\"><code>" + text(foreign) + "</code></div>";
}

std::string number(const Number& n) {
  std::string out = "<b>" + text(n.decimal) + "</b>";
  if (n.hex != n.decimal) out += " <i>" + text(n.hex) + "</i>";  // not "inf inf"
  if (n.bits != n.decimal) out += " <i>" + text(n.bits) + "</i>";
  return out;
}

std::string brief(const Number& n) {
  return fmt::format("{} <i>{}</i>", text(n.decimal), text(n.bits));
}

std::string input(const Witness& w) {
  return "z = " + number(w.z) + (w.y ? ", y = " + number(*w.y) : "");
}

std::string outcome(const Witness& w) {
  std::string out = fmt::format("got {}, expected {}; true value {}", number(w.got),
                                number(w.expected), text(w.true_value));
  if (w.error_ulps) out += fmt::format(", error {} ulp", ulps(*w.error_ulps));
  return out;
}

Table::Table(const std::vector<std::string>& headings, std::string_view style) {
  out_ = fmt::format("<div class=\"scroll\"><table{}><thead><tr>",
                     style.empty() ? "" : fmt::format(" class=\"{}\"", style));
  for (const std::string& h : headings) {
    figures_.push_back(!h.empty() && h[0] == '>');
    out_ += fmt::format("<th{}>{}</th>", figures_.back() ? " class=\"f\"" : "",
                        figures_.back() ? h.substr(1) : h);
  }
  out_ += "</tr></thead><tbody>\n";
}

void Table::add(const std::vector<std::string>& cells, std::string_view row_style) {
  ++rows_;
  out_ += row_style.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", row_style);
  for (std::size_t i = 0; i < cells.size(); ++i)
    out_ += fmt::format("<td{}>{}</td>", i < figures_.size() && figures_[i] ? " class=\"f\"" : "",
                        cells[i]);
  out_ += "</tr>\n";
}

void Table::add_wide(std::string_view cell) {
  out_ += fmt::format("<tr><td colspan=\"{}\">{}</td></tr>\n", figures_.size(), cell);
}

std::string folded(std::string_view style, std::string_view summary, std::string_view content) {
  return fmt::format("<details class=\"{}\"><summary>{}</summary>\n{}</details>\n", style, summary,
                     content);
}

}  // namespace ulpaudit::html
