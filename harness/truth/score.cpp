// One result against the truth (docs/ulp.md).
// SPDX-License-Identifier: Apache-2.0
#include "truth/score.hpp"

#include <cmath>

namespace ulpaudit {
namespace {

/// (got - t) / ulp(t); got finite. got·2^-q is exact unless it overflows, far beyond every cap.
double signed_error(Dtype d, const Truth& t, Bits got) {
  const double sign = t.negative ? -1.0 : 1.0;
  const double g = std::ldexp(decode(d, got), -t.q);
  return (g - sign * t.ulps.hi) - sign * t.ulps.lo;
}

bool close_to(Dtype d, const Truth& t, Bits got) {
  const double size = std::ldexp(t.ulps.hi, t.q);
  const double value = t.negative ? -size : size;
  return std::fabs(decode(d, got) - value) <= 1e-8 + 1e-5 * size;
}

Score without_error(Category c, bool right) {
  Score s;
  s.category = c;
  s.correctly_rounded = s.faithful = s.allclose = right;
  return s;
}

Score score_nonfinite_truth(Dtype d, const Truth& t, Bits got) {
  if (t.kind == TruthKind::nan)
    return is_nan(d, got) ? without_error(Category::none, true)
                          : without_error(Category::lost_nan, false);
  if (is_nan(d, got)) return without_error(Category::new_nan, false);
  if (got == t.rounded) return without_error(Category::none, true);
  return without_error(
      is_infinite(d, got) ? Category::wrong_infinity : Category::finite_for_infinite, false);
}

Category category_of(OpId op, Dtype d, const Truth& t, Bits got) {
  const Bits rounded = magnitude(d, t.rounded);
  if (is_zero(d, got)) {
    if (rounded == 0) return Category::none;
    return rounded < format(d).min_normal() ? Category::flushed : Category::vanished;
  }
  const double g = decode(d, got);
  const Range range = info(op).range;
  const auto outside = [range](double v) { return v < range.lo || v > range.hi; };
  // Labels outside [0, 1] have true values beyond the range too.
  if (outside(g)) {
    const double size = std::ldexp(t.ulps.hi, t.q);
    if (!outside(t.negative ? -size : size)) return Category::out_of_range;
  }
  return is_negative(d, got) != t.negative ? Category::wrong_sign : Category::none;
}

}  // namespace

Score score(OpId op, Dtype d, const Truth& t, Bits got) {
  if (t.kind == TruthKind::nan || t.kind == TruthKind::infinite)
    return score_nonfinite_truth(d, t, got);
  if (is_nan(d, got)) return without_error(Category::new_nan, false);
  if (is_infinite(d, got) && got != t.rounded)
    return without_error(Category::wrong_infinity, false);
  if (t.kind == TruthKind::zero) {
    Score s = is_zero(d, got) ? without_error(Category::none, true)
                              : without_error(Category::nonzero_for_zero, false);
    s.measured = is_zero(d, got);
    s.allclose = std::fabs(decode(d, got)) <= 1e-8;
    return s;
  }
  Score s;
  s.category = category_of(op, d, t, got);
  s.error_ulps = signed_error(d, t, got);
  s.measured = s.category != Category::flushed;
  s.allclose = close_to(d, t, got);
  const bool zero = is_zero(d, got);
  const Bits other = other_neighbour(d, t);
  // A flushed 0 may be a neighbour of t; the sign of a zero does not matter here.
  s.faithful =
      got == t.rounded || got == other || (zero && (is_zero(d, t.rounded) || is_zero(d, other)));
  if (s.category != Category::none) return s;
  s.wrong_zero = zero && is_negative(d, got) != t.negative;
  s.correctly_rounded = got == t.rounded || (zero && is_zero(d, t.rounded));
  return s;
}

}  // namespace ulpaudit
