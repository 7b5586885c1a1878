// Markdown for GitHub: escaping, tables, a document with an upper size.
// SPDX-License-Identifier: Apache-2.0
#include "reports/markdown_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "reports/text.hpp"

namespace ulpaudit::markdown {
namespace {

constexpr std::size_t kTextBytes = 1000;  // of one foreign string
constexpr std::size_t kNoteBytes = 160;   // of a note about parts left out, at most

std::string shown(const std::string& foreign) { return printable(clip(foreign, kTextBytes)); }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string entity(char c) { return fmt::format("&#{};", static_cast<int>(c)); }

std::string left_out(std::size_t n, const std::string& group) {
  return fmt::format(
      "\n*{} more {} {} left out to keep this page below GitHub's limit; report.json "
      "has all.*\n\n",
      thousands(n), group, n == 1 ? "is" : "are");
}

}  // namespace

std::string plain(const std::string& text) {
  const std::string s = shown(text);
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    const bool inside = i > 0 && i + 1 < s.size() && is_word(s[i - 1]) && is_word(s[i + 1]);
    if (c == '<' || c == '>' || c == '&' || c == '@')
      out += entity(c);
    else if (std::string_view("|\\`*[]~$").find(c) != std::string_view::npos ||
             (c == '_' && !inside))
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string code(const std::string& text) {
  const std::string s = shown(text);
  if (s.empty()) return "";
  const bool edges = s.front() == ' ' || s.back() == ' ';
  if (s.find_first_of("`|\\<>&") == std::string::npos && !edges) return "`" + s + "`";
  std::string out;
  for (char c : s)
    out += std::string_view("`|\\<>&*_[]~$@#!:").find(c) == std::string_view::npos
               ? std::string(1, c)
               : entity(c);
  return "<code>" + out + "</code>";
}

std::string html(const std::string& text) {
  std::string out;
  for (char c : shown(text))
    out += std::string_view("<>&\"'`|").find(c) != std::string_view::npos ? entity(c)
                                                                          : std::string(1, c);
  return out;
}

std::string number(const Number& n) {
  if (n.hex == n.decimal) return fmt::format("{} ({})", code(n.hex), code(n.bits));
  return fmt::format("{} ({}, {})", code(n.hex), plain(n.decimal), code(n.bits));
}

std::string input(const Witness& w) {
  return "z = " + number(w.z) + (w.y ? ", y = " + number(*w.y) : "");
}

std::string outcome(const Witness& w) {
  std::string out = fmt::format("got {}, expected {}; true value {}", number(w.got),
                                number(w.expected), plain(w.true_value));
  if (w.error_ulps) out += fmt::format(", error {} ulp", ulps(*w.error_ulps));
  return out;
}

std::string row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& c : cells) out += " " + c + " |";
  return out + "\n";
}

std::string header(const std::vector<std::string>& headings) {
  std::vector<std::string> names;
  std::string rule = "|";
  for (const std::string& h : headings) {
    const bool right = !h.empty() && h[0] == '>';
    names.push_back(right ? h.substr(1) : h);
    rule += right ? "---:|" : "---|";
  }
  return row(names) + rule + "\n";
}

std::string header(std::initializer_list<std::string_view> headings) {
  return header(std::vector<std::string>(headings.begin(), headings.end()));
}

std::string Document::str(std::size_t limit) const {
  std::size_t used = 0;
  std::map<std::string, std::size_t> dropped;  // group → parts that its next note tells
  for (const Part& p : parts_) {
    if (p.group.empty()) used += p.text.size();
    if (!p.group.empty() && dropped.emplace(p.group, 0).second) used += kNoteBytes;
  }
  std::string out;
  std::set<std::string> full;
  const auto note = [&](const std::string& unless) {
    for (auto& [group, n] : dropped)
      if (n != 0 && group != unless) {
        out += left_out(n, group);
        n = 0;
      }
  };
  for (const Part& p : parts_) {
    note(p.group);
    const bool keep =
        p.group.empty() || (full.count(p.group) == 0 && used + p.text.size() <= limit);
    if (keep) {
      out += p.text;
      if (!p.group.empty()) used += p.text.size();
    } else {
      full.insert(p.group);
      ++dropped[p.group];
    }
  }
  note("");
  if (out.size() <= limit) return out;
  const std::string cut = "\n\n**Cut here at GitHub's limit; report.json has all.**\n";
  const std::size_t end = out.rfind('\n', limit - std::min(limit, cut.size()));
  return out.substr(0, end == std::string::npos ? 0 : end) + cut;
}

}  // namespace ulpaudit::markdown
