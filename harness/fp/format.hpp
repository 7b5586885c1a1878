// The four number formats and what is constant about each of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ulpaudit {

/// An encoding of some dtype, zero-extended to 64 bits.
using Bits = std::uint64_t;

enum class Dtype : std::uint8_t { f16, bf16, f32, f64 };

/// Parameters of a binary interchange format. A number is ±m·2^(e-p+1) with m < 2^p, e >= emin.
struct Format {
  std::string_view name;
  int width;  ///< bits of an encoding
  int p;      ///< precision in bits, hidden bit included
  int emax;   ///< largest exponent of a normal number
  int emin;   ///< smallest exponent of a normal number, 1 - emax

  constexpr int mantissa_bits() const { return p - 1; }
  constexpr std::uint64_t sign_bit() const { return std::uint64_t{1} << (width - 1); }
  constexpr std::uint64_t infinity() const {
    return ((std::uint64_t{1} << (width - p)) - 1) << (p - 1);
  }
  constexpr std::uint64_t max_finite() const { return infinity() - 1; }
  constexpr std::uint64_t min_normal() const { return std::uint64_t{1} << (p - 1); }
  constexpr std::uint64_t quiet_nan() const { return infinity() | (std::uint64_t{1} << (p - 2)); }
  constexpr std::uint64_t mask() const { return ~std::uint64_t{0} >> (64 - width); }
  /// Exponent of the smallest subnormal, 2^(emin-p+1), which is also the smallest ulp.
  constexpr int min_ulp_exponent() const { return emin - p + 1; }
  constexpr int bytes() const { return width / 8; }
};

inline constexpr std::array<Format, 4> kFormats = {{{"f16", 16, 11, 15, -14},
                                                    {"bf16", 16, 8, 127, -126},
                                                    {"f32", 32, 24, 127, -126},
                                                    {"f64", 64, 53, 1023, -1022}}};
inline constexpr std::array<Dtype, 4> kDtypes = {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64};

constexpr const Format& format(Dtype d) { return kFormats[static_cast<std::size_t>(d)]; }
constexpr std::string_view name(Dtype d) { return format(d).name; }

constexpr std::optional<Dtype> dtype_from_name(std::string_view text) {
  for (Dtype d : kDtypes)
    if (name(d) == text) return d;
  return std::nullopt;
}

}  // namespace ulpaudit
