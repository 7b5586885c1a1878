// Encodings: classification, order, exact decoding, correctly rounded encoding. By bits throughout,
// so that no compiler flag or FTZ/DAZ mode can change an answer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "fp/format.hpp"
#include "fp/half.hpp"

namespace ulpaudit {

constexpr Bits magnitude(Dtype d, Bits b) { return b & (format(d).sign_bit() - 1); }
constexpr bool is_negative(Dtype d, Bits b) { return (b & format(d).sign_bit()) != 0; }
constexpr bool is_nan(Dtype d, Bits b) { return magnitude(d, b) > format(d).infinity(); }
constexpr bool is_infinite(Dtype d, Bits b) { return magnitude(d, b) == format(d).infinity(); }
constexpr bool is_finite(Dtype d, Bits b) { return magnitude(d, b) < format(d).infinity(); }
constexpr bool is_zero(Dtype d, Bits b) { return magnitude(d, b) == 0; }
constexpr bool is_subnormal(Dtype d, Bits b) {
  return magnitude(d, b) - 1 < format(d).min_normal() - 1;
}
constexpr Bits negate(Dtype d, Bits b) { return b ^ format(d).sign_bit(); }

/// Position of an encoding on the ordered line of all 2^width patterns:
/// -NaN … -inf … -0, +0 … +inf … NaN. Neighbouring numbers have neighbouring ordinals.
constexpr std::uint64_t ordinal(Dtype d, Bits b) {
  return is_negative(d, b) ? (~b & format(d).mask()) : (b | format(d).sign_bit());
}
constexpr Bits from_ordinal(Dtype d, std::uint64_t i) {
  return (i & format(d).sign_bit()) != 0 ? (i ^ format(d).sign_bit()) : (~i & format(d).mask());
}
/// The next number up or down (`steps` of them); stays inside [-inf, inf]. ±0 count as two steps.
constexpr Bits step(Dtype d, Bits b, std::int64_t steps) {
  const std::uint64_t lo = ordinal(d, format(d).infinity() | format(d).sign_bit());
  const std::uint64_t hi = ordinal(d, format(d).infinity());
  const std::uint64_t at = ordinal(d, b);
  if (steps < 0) {
    const std::uint64_t down = static_cast<std::uint64_t>(-steps);
    return from_ordinal(d, at - lo < down ? lo : at - down);
  }
  const std::uint64_t up = static_cast<std::uint64_t>(steps);
  return from_ordinal(d, hi - at < up ? hi : at + up);
}

/// The number as a double: exact for every dtype.
inline double decode(Dtype d, Bits b) {
  return detail::bit_copy<double>(detail::widen_to_double(b, format(d).width, format(d).p));
}

/// The double rounded once, to nearest, ties to even.
inline Bits encode(Dtype d, double v) {
  return detail::narrow_double(detail::bit_copy<std::uint64_t>(v), format(d).width, format(d).p);
}

/// The unevaluated sum hi + lo, where hi is the sum rounded to nearest in double.
struct DoubleDouble {
  double hi = 0;
  double lo = 0;
};

/// hi + lo rounded once. Rounds to odd in double first, which keeps the side of every midpoint of a
/// format with at most 51 bits (Boldo & Melquiond 2008); for f64 hi is the answer.
inline Bits encode(Dtype d, DoubleDouble v) {
  const Bits hi = detail::bit_copy<Bits>(v.hi);
  if (d == Dtype::f64 || v.lo == 0 || (hi & 1) != 0 || !is_finite(Dtype::f64, hi))
    return encode(d, v.hi);
  const bool away = (v.lo > 0) == (v.hi > 0);  // the sum lies further from 0 than hi
  return encode(d, detail::bit_copy<double>(away ? hi + 1 : hi - 1));
}

/// floor(log2 |v|) of a finite nonzero double, by bits.
inline int exponent_of(double v) {
  const Bits mag = magnitude(Dtype::f64, detail::bit_copy<Bits>(v));
  if (mag >= format(Dtype::f64).min_normal()) return static_cast<int>(mag >> 52) - 1023;
  return 63 - __builtin_clzll(mag) - 1074;
}

/// Exponent q with ulp(t) = 2^q for 2^k <= |t| < 2^(k+1).
constexpr int ulp_exponent(Dtype d, int k) {
  return (k > format(d).emin ? k : format(d).emin) - format(d).p + 1;
}

/// 2^e as a double, for -1074 <= e <= 1023.
inline double exp2i(int e) {
  return detail::bit_copy<double>(e >= -1022 ? static_cast<Bits>(e + 1023) << 52
                                             : Bits{1} << (e + 1074));
}

}  // namespace ulpaudit
