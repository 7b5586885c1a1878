// sigmoid(z) = 1/(1+e^-z).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/formula.hpp"

namespace ulpaudit {

struct Sigmoid {
  static constexpr OpInfo info{"sigmoid", 1, "1/(1+e^-z)", {0.0, 1.0}};

  /// Neither form cancels: a sum of positive terms and a quotient.
  template <class T>
  static T value(const T& z, const T&) {
    using std::exp;
    if (z >= 0) return T(1) / (T(1) + exp(T(-z)));
    const T e = exp(z);
    return e / (T(1) + e);
  }

  template <class T>
  static std::optional<Exact<T>> exact(double z, double) {
    using K = typename Exact<T>::Kind;
    if (std::isnan(z)) return Exact<T>{K::nan, T(0)};
    if (z == 0) return Exact<T>{K::number, T(0.5)};
    if (std::isinf(z)) return Exact<T>{K::number, T(z > 0 ? 1 : 0)};
    return std::nullopt;
  }

  /// Near 0: ½ + (σ(z)-½), |σ(z)-½| < |z|/4. Far out: 1 - σ(-z) or 0 + σ(z), σ(-a) < e^-a.
  template <class T>
  static Anchor<T> anchor(double z, double) {
    if (std::fabs(z) < 1) return {T(0.5), z > 0 ? 1 : -1, formula::log2_above(z) - 2};
    if (z > 0) return {T(1), -1, formula::log2_exp_bound(z)};
    return {T(0), 1, formula::log2_exp_bound(-z)};
  }

  static std::vector<Region> regions() {
    return {Region::special, Region::underflow,  Region::subnormal, Region::left_tail,
            Region::core,    Region::right_tail, Region::saturated};
  }

  template <class T>
  static Region region(Dtype d, const T& z, const T& y) {
    using std::ldexp;
    const T t = value(z, y);
    if (const auto small = formula::small_result(d, t)) return *small;
    // 1 - t = σ(-z) <= 2^-(p+1), half the distance from 1 to the number below it.
    if (z > 0 && value(T(-z), y) <= ldexp(T(1), -(format(d).p + 1))) return Region::saturated;
    return z <= -1 ? Region::left_tail : z >= 1 ? Region::right_tail : Region::core;
  }

  static int trend(double, double) { return 1; }
  static std::vector<double> turning_points(double) { return {}; }
};

}  // namespace ulpaudit
