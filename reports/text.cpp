// Figures and foreign strings as text.
// SPDX-License-Identifier: Apache-2.0
#include "reports/text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "record/tally.hpp"

namespace ulpaudit {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first character of nonempty UTF-8 text; overlong forms and surrogates are not valid.
Character first_character(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < n) return {};
  char32_t code = lead & (0x7fu >> n);
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3fu);
  }
  const bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, n, true};
}

bool within(char32_t c, char32_t lo, char32_t hi) { return c >= lo && c <= hi; }

bool is_control(char32_t c) {
  return c < 0x20 || within(c, 0x7f, 0x9f) || within(c, 0x200e, 0x200f) ||
         within(c, 0x2028, 0x202e) || within(c, 0x2066, 0x2069);
}

/// Combining marks, joiners and variation selectors.
bool is_zero_width(char32_t c) {
  return within(c, 0x300, 0x36f) || within(c, 0x200b, 0x200d) || within(c, 0x20d0, 0x20ff) ||
         within(c, 0xfe00, 0xfe0f) || c == 0xfeff;
}

/// East Asian wide characters and emoji, by block (Unicode's EastAsianWidth.txt).
bool is_wide(char32_t c) {
  return within(c, 0x1100, 0x115f) || within(c, 0x2e80, 0xa4cf) || within(c, 0xac00, 0xd7a3) ||
         within(c, 0xf900, 0xfaff) || within(c, 0xfe30, 0xfe6f) || within(c, 0xff00, 0xff60) ||
         within(c, 0xffe0, 0xffe6) || within(c, 0x1f300, 0x1faff) || within(c, 0x20000, 0x3fffd);
}

/// "1.2e+07" → "1.2e7", "3e-05" → "3e-5".
std::string short_exponent(std::string text) {
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  std::size_t digits = e + 2;
  while (digits + 1 < text.size() && text[digits] == '0') ++digits;
  return text.substr(0, e + 1) + (text[e + 1] == '-' ? "-" : "") + text.substr(digits);
}

std::string three_digits(double v) {
  std::string text;
  for (int digits = 3; digits < 17; ++digits) {
    text = fmt::format("{:.{}g}", v, digits);
    const double shown = std::fabs(std::strtod(text.c_str(), nullptr));
    if ((shown != 0.5 && shown != 1) || shown == std::fabs(v)) break;
  }
  return short_exponent(text);
}

}  // namespace

std::string thousands(std::uint64_t n) {
  std::string text = fmt::format("{}", n);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string counted(std::uint64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", thousands(n), noun, n == 1 ? "" : "s");
}

std::string ulps(double v) {
  if (std::isnan(v)) return "nan";
  const std::string sign = v < 0 ? "-" : "";
  const double a = std::fabs(v);
  if (std::isinf(v)) return sign + "∞";
  if (a == 0) return "0";
  if (a == kErrorCap) return (v < 0 ? "≤-" : "≥") + short_exponent(fmt::format("{:.1e}", a));
  if (a >= 999'999.5) return sign + short_exponent(fmt::format("{:.1e}", a));
  if (a >= 999.5) return sign + thousands(static_cast<std::uint64_t>(std::llround(a)));
  return three_digits(v);
}

std::string ulps(const std::optional<double>& v) { return v ? ulps(*v) : std::string(kAbsent); }

std::string percent(double share) {
  if (std::isnan(share)) return std::string(kAbsent);
  if (share >= 1) return "100%";
  if (share <= 0) return "0%";
  if (share >= 0.99995) return ">99.99%";
  if (share < 0.00005) return "<0.01%";
  return fmt::format("{:.2f}%", share * 100);
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.valid)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    else if (is_control(c.code))
      out += c.code == '\n' || c.code == '\t'
                 ? " "
                 : fmt::format("\\{}{:02x}", c.code < 0x100 ? 'x' : 'u',
                               static_cast<std::uint32_t>(c.code));
    else
      out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string clip(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0u) == 0x80) --bytes;
  const std::size_t rest = text.size() - bytes;
  text.resize(bytes);
  return text + fmt::format("… ({} bytes more)", thousands(rest));
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!is_zero_width(c.code)) width += is_wide(c.code) ? 2 : 1;
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width,
                              std::string_view separator) {
  if (width == 0) return {std::string(text)};
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    const bool last = end == std::string_view::npos;
    std::string piece(text.substr(0, end));
    if (!last) piece += separator.substr(0, separator.size() - 1);
    std::string& line = lines.back();
    if (!line.empty() && display_width(line) + 1 + display_width(piece) > width)
      lines.push_back(piece);
    else
      line += (line.empty() ? "" : " ") + piece;
    text.remove_prefix(last ? text.size() : end + separator.size());
  }
  return lines;
}

std::string shown(const std::string& foreign) { return printable(clip(foreign, 600)); }

}  // namespace ulpaudit
