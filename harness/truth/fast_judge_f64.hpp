// The fast judge for f64: true values of many points at once, in vectorised double-double
// arithmetic with a proven error bound (docs/fast-judge-f64.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "truth/fast_judge.hpp"

namespace ulpaudit {

/// For each of n inputs hi + lo ± delta with hi = RN(hi + lo), such that
///  - |t - (hi + lo)| <= 17/16 delta, and
///  - a number, midpoint or power of two outside hi + lo ± delta lies on that side of t.
/// (The 1/16 lets an end of the interval stand for "just beside an exact R".)
/// delta = -1: not judged here (z or y is NaN, z is 0 or infinite, y is outside [0, 1],
/// |t| < 2^-960, and a few more: docs/fast-judge-f64.md). y is ignored by unary ops.
/// Nothing is read or written beyond n.
void fast_values_f64(OpId op, double y, const double* z, std::size_t n, const FastValues& out);

}  // namespace ulpaudit
