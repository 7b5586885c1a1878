// Numbers as text.
// SPDX-License-Identifier: Apache-2.0
#include "fp/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "fp/mpfr_encode.hpp"

namespace ulpaudit {
namespace {

[[noreturn]] void reject(Dtype d, std::string_view text, std::string_view why) {
  throw std::invalid_argument(
      fmt::format("'{}' is not a {} number: {}; accepted: decimal (-88.5, 1e-45, inf, nan), hex "
                  "float (0x1.8p-3) or bit pattern ({})",
                  text, name(d), why, bits_text(d, format(d).min_normal())));
}

bool starts_with_digits_base(std::string_view s, std::string_view prefix) {
  return s.size() > 2 && (s.substr(0, 2) == prefix);
}

/// "0x3f800000" without point and exponent, or "0b0011…".
bool is_pattern(std::string_view s) {
  if (starts_with_digits_base(s, "0b") || starts_with_digits_base(s, "0B")) return true;
  return (starts_with_digits_base(s, "0x") || starts_with_digits_base(s, "0X")) &&
         s.find_first_of("pP.") == std::string_view::npos;
}

Bits parse_pattern(Dtype d, std::string_view text) {
  const int base = (text[1] == 'x' || text[1] == 'X') ? 16 : 2;
  const std::string_view digits = text.substr(2);
  Bits value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size())
    reject(d, text, "malformed bit pattern");
  if (error != std::errc{} || value > format(d).mask())
    reject(d, text, fmt::format("the bit pattern has more than {} bits", format(d).width));
  return value;
}

}  // namespace

Bits parse_number(Dtype d, std::string_view text) {
  if (text.empty()) reject(d, text, "it is empty");
  if (is_pattern(text)) return parse_pattern(d, text);
  const bool minus = text[0] == '-';
  const std::string_view body = (minus || text[0] == '+') ? text.substr(1) : text;
  const Bits sign = minus ? format(d).sign_bit() : 0;
  // Without the sign the same text would be a bit pattern.
  if (is_pattern(body)) reject(d, text, "a bit pattern takes no sign");
  if (body == "inf" || body == "infinity" || body == "Inf" || body == "∞")
    return sign | format(d).infinity();
  if (body == "nan" || body == "NaN") return sign | format(d).quiet_nan();
  if (body.empty() || body.find_first_not_of("0123456789abcdefABCDEFxXpP.+-") != body.npos ||
      (body[0] != '.' && (body[0] < '0' || body[0] > '9')))
    reject(d, text, "malformed number");
  const auto bits = encode_text(d, std::string(text));
  if (!bits) reject(d, text, "malformed number");
  return *bits;
}

std::string bits_text(Dtype d, Bits b) { return fmt::format("0x{:0{}x}", b, format(d).width / 4); }

std::string hex_float(Dtype d, Bits b) {
  if (!is_finite(d, b))
    return std::string(is_negative(d, b) ? "-" : "") + (is_nan(d, b) ? "nan" : "inf");
  return fmt::format("{:a}", decode(d, b));
}

std::string decimal(Dtype d, Bits b) {
  if (!is_finite(d, b)) return hex_float(d, b);
  const double v = decode(d, b);
  if (d == Dtype::f64) return fmt::format("{}", v);
  if (d == Dtype::f32) return fmt::format("{}", static_cast<float>(v));
  for (int digits = 1; digits < 6; ++digits) {
    std::string text = fmt::format("{:.{}g}", v, digits);
    // "6.55e+04" reads better as 65500.
    if (encode_text(d, text) == b) return fmt::format("{}", std::strtod(text.c_str(), nullptr));
  }
  return fmt::format("{}", v);
}

}  // namespace ulpaudit
