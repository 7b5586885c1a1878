// bce_with_logits_grad(z, y) = sigma(z) - y, the derivative of the loss by the logit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/formula.hpp"

namespace ulpaudit {

struct BceWithLogitsGrad {
  static constexpr OpInfo info{"bce_with_logits_grad", 2, "sigma(z) - y", {-1.0, 1.0}};

  /// |z| < 1: ½tanh(z/2) + (½-y), with ½tanh(z/2) = -½·expm1(-z)/(2+expm1(-z)). Cancels only at the
  /// zero of the op itself, where growing precision is needed.
  template <class T>
  static T value(const T& z, const T& y) {
    using std::exp;
    using std::expm1;
    if (z > -1 && z < 1) {
      const T m = expm1(T(-z));
      return T(-m / (T(2) * (T(2) + m))) + (T(0.5) - y);
    }
    const T e = z > 0 ? T(exp(T(-z))) : T(exp(z));
    const T s = e / (T(1) + e);
    return z > 0 ? T((T(1) - y) - s) : T(s - y);
  }

  template <class T>
  static std::optional<Exact<T>> exact(double z, double y) {
    using K = typename Exact<T>::Kind;
    if (std::isnan(z) || std::isnan(y)) return Exact<T>{K::nan, T(0)};
    if (std::isinf(y) && y < 0) return Exact<T>{K::plus_infinity, T(0)};
    if (std::isinf(y)) return Exact<T>{K::number, T(-y)};
    if (z == 0) return Exact<T>{K::number, T(0.5) - T(y)};
    if (std::isinf(z)) return Exact<T>{K::number, z > 0 ? T(T(1) - T(y)) : T(-T(y))};
    return std::nullopt;
  }

  /// Near 0: (½-y) + z/4 - …, where 0 < |z/4 - ½tanh(z/2)| < |z|³/48 < 2^(3k-5), |z| < 2^k.
  /// Far out: (1-y) - σ(-z) and -y + σ(z).
  template <class T>
  static Anchor<T> anchor(double z, double y) {
    if (std::fabs(z) < 1)
      return {T(T(0.5) - T(y)) + T(ldexp(T(z), -2)), z > 0 ? -1 : 1,
              3 * formula::log2_above(z) - 5};
    if (z > 0) return {T(1) - T(y), -1, formula::log2_exp_bound(z)};
    return {T(-T(y)), 1, formula::log2_exp_bound(-z)};
  }

  static std::vector<Region> regions() {
    return {Region::special,   Region::underflow, Region::subnormal,  Region::crossing,
            Region::left_tail, Region::core,      Region::right_tail, Region::saturated};
  }

  template <class T>
  static Region region(Dtype d, const T& z, const T& y) {
    using std::ldexp;
    const T t = value(z, y);
    const T size = t < 0 ? T(-t) : t;
    const T one_minus_y = T(1) - y;
    const T& nearer = y < one_minus_y ? y : one_minus_y;
    if (size < ldexp(nearer, -2)) return Region::crossing;
    if (const auto small = formula::small_result(d, t)) return *small;
    // Half an ulp of the limit -y or 1-y covers what is left of it.
    if (z <= -1 || z >= 1) {
      const T limit = z > 0 ? one_minus_y : y;
      if (limit > 0 && value(T(z > 0 ? T(-z) : z), T(0)) <= ldexp(limit, -(format(d).p + 1)))
        return Region::saturated;
    }
    return z <= -1 ? Region::left_tail : z >= 1 ? Region::right_tail : Region::core;
  }

  static int trend(double, double) { return 1; }
  /// |t| turns at the zero of the op, logit(y).
  static std::vector<double> turning_points(double y) {
    if (!(y > 0 && y < 1)) return {0.0};
    return {0.0, std::log(y) - std::log1p(-y)};
  }
};

}  // namespace ulpaudit
