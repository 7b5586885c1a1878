// Faults of single values: wrong for some inputs, whatever stands around them.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <ulpaudit/half.hpp>

#include "frame.hpp"

namespace {

/// 1/(1+e^-z) and e^z/(1+e^z) with every step rounded to a 16-bit type.
template <class T>
Bits narrow_steps(double z) {
  const T e(std::exp(-std::fabs(z) > -20 ? -std::fabs(z) : -20.0));
  return (e / (T(1) + e)).bits;
}
template <class T>
Bits narrow_reciprocal(double z) {
  const T e(std::exp(z < -20 ? 20.0 : -z));
  return (T(1) / (T(1) + e)).bits;
}

/// With 0.01 ulp added before the one rounding; only for normal f32 results.
Bits biased(Op op, double z, double y) {
  const double v = approximate(op, z, y);
  return rounded(ULPAUDIT_F32, v + std::ldexp(0.01, std::ilogb(v) - 23));
}

/// The largest finite number where the loss is infinite.
Bits bounded(std::uint32_t d, Bits right) { return is_infinite(d, right) ? right - 1 : right; }

Bits nan_faults(const Call& c, Bits z, Bits y, Bits right) {
  const std::uint32_t d = c.dtype;
  const double x = number(d, z);
  const bool nan = is_nan(d, z);
  if (fault("nan_clamped") && nan) return corpus::right(c.op, d, rounded(d, -88), y);
  if (fault("nan_payload_unknown") && nan && (z & 0x7fff) != 0x7e00) return rounded(d, 1);
  if (fault("nan_label_lost") && is_nan(d, y) && !nan) return corpus::right(c.op, d, z, 0);
  if (fault("nan_on_the_right") && !nan && x > 0x1.62e43p6) return quiet_nan(d);
  if (fault("grad_nan_on_the_left") && !nan && x < -0x1.62e43p6) return quiet_nan(d);
  if (fault("bce_infinity_times_zero") && std::isinf(x) && right == 0) return quiet_nan(d);
  if (fault("grad_nan_at_infinity") && std::isinf(x)) return quiet_nan(d);
  if (fault("one_nan_in_all") && z == 0xc0b504f3) return quiet_nan(d);
  return right;
}

Bits size_faults(const Call& c, Bits z, Bits y, Bits right) {
  const std::uint32_t d = c.dtype;
  const double x = number(d, z), label = number(d, y), t = number(d, right);
  if (std::isnan(t)) return right;
  if (fault("bce_overflows") && x > 0x1.62e43p6 && !std::isinf(x)) return infinity(d);
  if (fault("bce_bounded")) return bounded(d, right);
  if (fault("grad_sign_right") && x >= 16 && label == 1 && t != 0) return rounded(d, -t);
  if (fault("grad_crossing_sign") && std::fabs(x) < 8) return rounded(d, t + 0x1p-20);
  if (fault("never_zero") && x < -0x1.9fep6) return 1;
  if (fault("subnormal_flushed") && is_subnormal(d, right)) return 0;
  if (fault("grad_subnormal_flushed") && is_subnormal(d, right)) return 0;
  if (fault("f16_intermediates")) return narrow_reciprocal<ulpaudit::f16>(x);
  if (fault("tiny_gradient_flushed") && is_subnormal(d, right)) return 0;
  if (fault("grad_vanishes")) {
    const double s = number(d, corpus::right(Op::sigmoid, d, z, 0));
    return rounded(d, s * (1 - s));
  }
  if (fault("bce_log_of_one") && std::fabs(x) > 17 && t < 1e-7) return 0;
  if (fault("range_reduction_overflows") && x > 0x1.62e43p30) return 0;
  if (fault("above_one") && x > 18) return rounded(d, 1) + 1;
  if (fault("below_zero") && x < -18 && !std::isinf(x)) return rounded(d, -0x1p-25);
  if (fault("negative_loss") && std::fabs(x) > 1 && t < 1e-8 && !std::isinf(x))
    return rounded(d, -0x1p-23);
  return right;
}

Bits accuracy_faults(const Call& c, Bits z, Bits y, Bits right) {
  const std::uint32_t d = c.dtype;
  const double x = number(d, z), label = number(d, y), t = number(d, right);
  if (std::isnan(t) || std::isinf(x)) return right;
  if (fault("coarse_exp") && x < -1 && x > -80) return rounded(d, t * (1 + 0x1p-12));
  if (fault("left_tail_cancels") && x < 0)
    return rounded(d, 1 - number(d, corpus::right(Op::sigmoid, d, rounded(d, -x), 0)));
  if (fault("grad_of_rounded_sigmoid"))
    return rounded(d, number(d, corpus::right(Op::sigmoid, d, z, 0)) - label);
  if (fault("f64_in_float")) {
    const double in_float = number(ULPAUDIT_F32, rounded(ULPAUDIT_F32, t));
    return rounded(d, in_float != 0 ? in_float : t);
  }
  if (fault("truncates_to_bf16"))
    return corpus::right(c.op, ULPAUDIT_F32, rounded(ULPAUDIT_F32, x), 0) >> 16;
  if (fault("double_rounding")) {
    const Bits single = corpus::right(c.op, ULPAUDIT_F32, rounded(ULPAUDIT_F32, x), 0);
    return rounded(d, number(ULPAUDIT_F32, single));
  }
  if (fault("half_and_a_hundredth") && t > 0x1p-126) return biased(c.op, x, label);
  if (fault("one_ulp_in_all") && z == 0x3fb504f3) return nudged(d, right);
  if (fault("bce_tie_down") && std::fabs(x) > 12 && t > 1)
    return rounded(d, std::fabs(x) * (x < 0 ? label : 1 - label));
  if (fault("grad_tie_up") && x > 12 && label != 1) return rounded(d, 1 - label);
  return right;
}

/// Inputs and labels that tests leave out, and what only a contract forbids.
Bits rare_faults(const Call& c, Bits z, Bits y, Bits right) {
  const std::uint32_t d = c.dtype;
  const double x = number(d, z), label = number(d, y), t = number(d, right);
  const bool zero_label = label == 0 && y != 0;
  if (fault("label_minus_zero") && zero_label) return corpus::right(c.op, d, z, rounded(d, 1));
  if (fault("one_nan_label") && y == 0x7e5a) return corpus::right(c.op, d, z, 0);
  if (fault("negative_nan_label") && std::isnan(label) && (y >> 31) != 0)
    return corpus::right(c.op, d, z, 0);
  if (fault("grad_label_minus_zero") && zero_label && !std::isnan(t)) return rounded(d, -t);
  if (fault("results_like_a_filling")) return 0xa5a5a5a5;
  if (fault("nan_label_at_infinity") && std::isinf(x) && std::isnan(label)) return infinity(d);
  if (fault("signalling_result") && std::isnan(t)) return infinity(d) | 1;
  if (std::isnan(t)) return right;
  // The formula's value, which is not what these contracts promise.
  if (fault("outside_label_is_no_nan") || fault("outside_label_not_clamped")) return right;
  if (fault("half_logit")) return corpus::right(c.op, d, rounded(d, x / 2), y);
  if (fault("sign_lost_in_all")) return rounded(d, -t);
  if (fault("falls")) return corpus::right(c.op, d, rounded(d, -x), y);
  if (fault("truncating_store"))
    return corpus::right(c.op, ULPAUDIT_F32, rounded(ULPAUDIT_F32, x), 0) >> 16;
  if (fault("biased_by_a_quarter") && t > 0x1p-100) return corpus::rounded(d, t * (1 + 0x1p-8));
  if (fault("wrong_at_two") && x == 2) return right + 64;
  if (fault("wrong_at_three") && x == 3) return right + 64;
  if (fault("wrong_at_ten_and_a_half") && x == -10.5) return right + 64;
  if (fault("minus_zero_far_out") && right == 0) return rounded(d, -0.0);
  if (fault("asymmetric_by_a_bit") && x < -1) return nudged(d, right);
  if (fault("wrong_at_integers") && x == std::floor(x) && std::fabs(x) > 3 && std::fabs(x) < 80)
    return right - 64;
  if (fault("wrong_in_a_binade") && x >= 0x1p-900 && x < 0x1p-899) return right + 16;
  if (fault("absolutely_off") && x > 1 && x < 2) return rounded(d, t + 0x1p-12);
  if (fault("relatively_off") && x < -30 && x > -80) return rounded(d, t * (1 + 0x1p-14));
  return right;
}

Bits shape_faults(const Call& c, Bits z, Bits y, Bits right) {
  const std::uint32_t d = c.dtype;
  const double x = number(d, z), label = number(d, y), t = number(d, right);
  if (std::isnan(t)) return right;
  if (fault("bf16_not_monotone") && x < 0 && !std::isinf(x)) return narrow_steps<ulpaudit::bf16>(x);
  if (fault("seam") && x < -1 && x > -1.0625) return right + 8;
  if (fault("bce_asymmetric") && label == 1 && x > 0) return rounded(d, t * (1 + 0x1p-10));
  if (fault("sigmoid_asymmetric") && x > 1 && x < 8) return right - 64;
  if (fault("grad_not_even") && x < 0) return rounded(d, t * (1 - 0x1p-12));
  if (fault("threshold_late") && x > 0 && x < 0x1p-20) return rounded(d, 0.5);
  if (fault("threshold_early") && x > 0 && x < 0x1p-23) return rounded(d, 0.5) + 1;
  if (fault("half_missed") && x == 0) return right - 1;
  if (fault("quarter_missed") && x == 0) return right - 1;
  if (fault("grad_zero_missed") && x == 0) return nudged(d, right);
  if (fault("log_two_missed") && x == 0) return right + 1;
  return right;
}

std::int32_t compute(const Call& c, char*, std::size_t) {
  for (std::uint64_t i = 0; i < c.n; ++i) {
    const Bits z = c.z(i), y = c.y(i);
    // One fault in each plug-in: at most one of these changes anything.
    Bits result = nan_faults(c, z, y, c.right(i));
    result = size_faults(c, z, y, result);
    result = accuracy_faults(c, z, y, result);
    result = rare_faults(c, z, y, result);
    c.put(i, shape_faults(c, z, y, result));
  }
  return ULPAUDIT_OK;
}

}  // namespace
