// SPDX-License-Identifier: Apache-2.0
// The 16-bit formats as storage types, with one correct rounding from float and double (C++17).
//
// Installed as <ulpaudit/half.hpp> for plug-ins; the harness uses the same code. Neither clang 14
// (_Float16) nor g++ 12 (__bf16) has both types on x86.
#pragma once

#include <cstdint>
#include <cstring>

namespace ulpaudit {

namespace detail {

inline constexpr std::uint64_t kDoubleInf = 0x7ff0000000000000u;

/// Rounds the double with pattern `d` to nearest, ties to even, into the IEEE-like format of
/// `width` bits with `p` bits of precision (hidden bit included). NaN keeps its leading payload,
/// quieted.
constexpr std::uint64_t narrow_double(std::uint64_t d, int width, int p) noexcept {
  if (width == 64) return d;
  const int emax = (1 << (width - p - 1)) - 1;
  const int emin = 1 - emax;
  const std::uint64_t sign = (d >> 63) << (width - 1);
  const std::uint64_t mag = d & ~(std::uint64_t{1} << 63);
  const std::uint64_t inf = ((std::uint64_t{1} << (width - p)) - 1) << (p - 1);
  if (mag > kDoubleInf) {
    const std::uint64_t payload = (mag & 0x000fffffffffffffu) >> (53 - p);
    return sign | inf | payload | (std::uint64_t{1} << (p - 2));
  }
  if (mag == kDoubleInf) return sign | inf;
  const int e = static_cast<int>(mag >> 52) - 1023;
  if (e >= emin && e <= emax) {  // most numbers, without a branch on their bits
    const std::uint64_t rounded = mag + (std::uint64_t{1} << (52 - p)) - 1 + (mag >> (53 - p) & 1);
    return sign | ((rounded >> (53 - p)) - (static_cast<std::uint64_t>(1023 - emax) << (p - 1)));
  }
  if (e > emax) return sign | inf;
  if (e < emin - p) return sign;  // below half of the smallest subnormal 2^(emin-p+1)
  const std::uint64_t sig = (mag & 0x000fffffffffffffu) | 0x0010000000000000u;
  const int drop = 53 - p + emin - e;  // a subnormal; a carry into the exponent field is right
  const std::uint64_t rest = sig & ((std::uint64_t{1} << drop) - 1);
  const std::uint64_t half = std::uint64_t{1} << (drop - 1);
  std::uint64_t q = sig >> drop;
  q += static_cast<std::uint64_t>(rest > half || (rest == half && (q & 1)));
  return sign | q;
}

/// The double that equals the number `bits` of that format; NaN keeps its payload.
constexpr std::uint64_t widen_to_double(std::uint64_t bits, int width, int p) noexcept {
  if (width == 64) return bits;
  const int emax = (1 << (width - p - 1)) - 1;
  const std::uint64_t sign = ((bits >> (width - 1)) & 1) << 63;
  const std::uint64_t mag = bits & ((std::uint64_t{1} << (width - 1)) - 1);
  const std::uint64_t field = mag >> (p - 1);
  const std::uint64_t frac = mag & ((std::uint64_t{1} << (p - 1)) - 1);
  if (field == (std::uint64_t{1} << (width - p)) - 1) return sign | kDoubleInf | (frac << (53 - p));
  if (field != 0)
    return sign | ((field + static_cast<std::uint64_t>(1023 - emax)) << 52) | (frac << (53 - p));
  if (frac == 0) return sign;
  int top = p - 2;  // position of the leading bit of a subnormal
  while (!(frac >> top)) --top;
  const int e = 1 - emax - (p - 1) + top;
  return sign | (static_cast<std::uint64_t>(e + 1023) << 52) |
         ((frac << (52 - top)) & 0x000fffffffffffffu);
}

template <class To, class From>
inline To bit_copy(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

/// A 16-bit format as a number type: each operation is done in float and rounded once to the
/// format. For + - * / that is the correctly rounded result, since 24 >= 2p + 2 for p = 8 and 11.
template <int P>
struct Sixteen {
  std::uint16_t bits = 0;

  Sixteen() = default;
  explicit Sixteen(double v) noexcept
      : bits(static_cast<std::uint16_t>(narrow_double(bit_copy<std::uint64_t>(v), 16, P))) {}
  explicit Sixteen(float v) noexcept : Sixteen(static_cast<double>(v)) {}
  explicit Sixteen(int v) noexcept : Sixteen(static_cast<double>(v)) {}
  static Sixteen from_bits(std::uint16_t b) noexcept {
    Sixteen r;
    r.bits = b;
    return r;
  }
  explicit operator double() const noexcept {
    return bit_copy<double>(widen_to_double(bits, 16, P));
  }
  explicit operator float() const noexcept {
    return static_cast<float>(static_cast<double>(*this));
  }

  friend Sixteen operator+(Sixteen a, Sixteen b) noexcept { return Sixteen(float(a) + float(b)); }
  friend Sixteen operator-(Sixteen a, Sixteen b) noexcept { return Sixteen(float(a) - float(b)); }
  friend Sixteen operator*(Sixteen a, Sixteen b) noexcept { return Sixteen(float(a) * float(b)); }
  friend Sixteen operator/(Sixteen a, Sixteen b) noexcept { return Sixteen(float(a) / float(b)); }
  friend Sixteen operator-(Sixteen a) noexcept {
    return from_bits(static_cast<std::uint16_t>(a.bits ^ 0x8000u));
  }
  friend bool operator<(Sixteen a, Sixteen b) noexcept { return float(a) < float(b); }
  friend bool operator>(Sixteen a, Sixteen b) noexcept { return float(a) > float(b); }
  friend bool operator<=(Sixteen a, Sixteen b) noexcept { return float(a) <= float(b); }
  friend bool operator>=(Sixteen a, Sixteen b) noexcept { return float(a) >= float(b); }
};

}  // namespace detail

using f16 = detail::Sixteen<11>;
using bf16 = detail::Sixteen<8>;
static_assert(sizeof(f16) == 2 && sizeof(bf16) == 2);

}  // namespace ulpaudit
