// Exact sums: integers of 256 bits that add up, and nothing else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace ulpaudit {

/// A signed integer modulo 2^256, in two's complement. Boost's cpp_int does the rare rest
/// (sum.cpp): its header costs a second in each of seventy files.
class Sum {
 public:
  __extension__ using Wide = __int128;

  constexpr Sum() = default;
  /// Of an integer type of at most 64 bits.
  template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
  constexpr Sum(T v) : Sum(static_cast<Wide>(v)) {}
  constexpr Sum(Wide v)
      : limbs_{static_cast<std::uint64_t>(v), static_cast<std::uint64_t>(v >> 64), sign(v),
               sign(v)} {}

  constexpr Sum& operator+=(const Sum& o) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < limbs_.size(); ++i) {
      const std::uint64_t a = limbs_[i] + o.limbs_[i], b = a + carry;
      carry = static_cast<std::uint64_t>(a < o.limbs_[i]) | static_cast<std::uint64_t>(b < a);
      limbs_[i] = b;
    }
    return *this;
  }
  friend constexpr Sum operator+(Sum a, const Sum& b) { return a += b; }
  constexpr Sum operator-() const {
    Sum out;
    for (std::size_t i = 0; i < limbs_.size(); ++i) out.limbs_[i] = ~limbs_[i];
    return out += Sum(1);
  }
  /// By fewer than 256 bits.
  constexpr Sum operator<<(unsigned bits) const {
    Sum out;
    const unsigned whole = bits / 64, rest = bits % 64;
    for (std::size_t i = whole; i < limbs_.size(); ++i) {
      out.limbs_[i] = limbs_[i - whole] << rest;
      if (rest != 0 && i > whole) out.limbs_[i] |= limbs_[i - whole - 1] >> (64 - rest);
    }
    return out;
  }
  friend constexpr bool operator==(const Sum&, const Sum&) = default;

  /// The nearest double.
  double to_double() const;
  /// Decimal digits, a minus in front.
  std::string str() const;

 private:
  static constexpr std::uint64_t sign(Wide v) { return v < 0 ? ~std::uint64_t{0} : 0; }
  std::array<std::uint64_t, 4> limbs_{};  ///< the lowest first
};

/// A sum's decimal digits; nothing where they are none, or more than a sum holds.
std::optional<Sum> sum_from_text(std::string_view text);

}  // namespace ulpaudit
