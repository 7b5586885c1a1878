// Text of others.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/foreign_text.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace ulpaudit {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  ///< 0: not UTF-8
};

/// The first one of a text that is not empty.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t n = lead >= 0xf0 && lead < 0xf5   ? 4
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                                                      : 0;
  if (n == 0 || text.size() < n) return {};
  std::uint32_t code = lead & (0xffu >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3fu);
  }
  const bool overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, n};
}

bool is_control(std::uint32_t c) {
  const auto within = [c](std::uint32_t lo, std::uint32_t hi) { return c >= lo && c <= hi; };
  return c < 0x20 || within(0x7f, 0x9f) || within(0x200e, 0x200f) || within(0x2028, 0x202e) ||
         within(0x2066, 0x2069);
}

std::string escaped(std::uint32_t code) {
  return code < 0x100 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_of(text);
    if (c.bytes == 0)
      out += escaped(static_cast<unsigned char>(text[0]));
    else if (c.code == '\n' || c.code == '\r' || c.code == '\t')
      out += ' ';
    else if (is_control(c.code))
      out += escaped(c.code);
    else
      out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes == 0 ? 1 : c.bytes);
  }
  const std::size_t start = out.find_first_not_of(' ');
  if (start != out.npos && out.compare(start, 2, "::") == 0) out.insert(start + 1, " ");
  for (std::size_t at = 0; (at = out.find("##[", at)) != out.npos;) out.insert(at + 2, " ");
  return out;
}

std::string fault_of_name(std::string_view name) {
  if (name.empty()) return "is empty";
  while (!name.empty()) {
    const Character c = first_of(name);
    if (c.bytes == 0)
      return fmt::format("has the byte 0x{:02x}, which is not UTF-8",
                         static_cast<unsigned char>(name[0]));
    if (is_control(c.code)) return fmt::format("has the control character {}", escaped(c.code));
    if (c.code == '/') return "has a '/'";
    name.remove_prefix(c.bytes);
  }
  return "";
}

}  // namespace ulpaudit
