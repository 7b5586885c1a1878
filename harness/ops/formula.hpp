// Helpers for the op files: bounds on epsilon, and the region rules that ops share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/op.hpp"

namespace ulpaudit::formula {

/// Exponents below this are out of reach of every format; it keeps sums of them inside int64.
inline constexpr std::int64_t kFarBelow = -(std::int64_t{1} << 40);

/// log2 of an upper bound of e^-a, a >= 0: ceil(-a log2 e) + 1; the + 1 covers the rounding of the
/// product, which is below 2^-52·|product| wherever the clamp does not act.
inline std::int64_t log2_exp_bound(double a) {
  const double x = -a * 1.4426950408889634;
  if (!(x > static_cast<double>(kFarBelow))) return kFarBelow;
  return static_cast<std::int64_t>(std::ceil(x)) + 1;
}

/// k with |z| < 2^k.
inline std::int64_t log2_above(double z) { return exponent_of(z) + 1; }

/// underflow, subnormal or neither, by the size of the result as it will be rounded.
template <class T>
std::optional<Region> small_result(Dtype d, const T& t) {
  using std::ldexp;
  const Format& f = format(d);
  const T size = t < 0 ? T(-t) : t;
  // Half the smallest subnormal rounds to 0 (ties to even). Scaled, so that T may be double.
  const T scaled = ldexp(size, -f.min_ulp_exponent());
  if (scaled <= T(0.5)) return Region::underflow;
  // Below the smallest normal by more than half a unit: rounds to a subnormal.
  if (scaled < ldexp(T(1), f.p - 1) - T(0.5)) return Region::subnormal;
  return std::nullopt;
}

}  // namespace ulpaudit::formula
