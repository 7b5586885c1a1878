// sigmoid_grad(z) = sigma'(z) = e/(1+e)^2 with e = e^-|z|, a function of the logit z.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/formula.hpp"

namespace ulpaudit {

struct SigmoidGrad {
  static constexpr OpInfo info{"sigmoid_grad", 1, "e/(1+e)^2, e = e^-|z|", {0.0, 0.25}};

  template <class T>
  static T value(const T& z, const T&) {
    using std::exp;
    const T e = z >= 0 ? T(exp(T(-z))) : T(exp(z));
    const T s = T(1) + e;
    return e / (s * s);
  }

  template <class T>
  static std::optional<Exact<T>> exact(double z, double) {
    using K = typename Exact<T>::Kind;
    if (std::isnan(z)) return Exact<T>{K::nan, T(0)};
    if (z == 0) return Exact<T>{K::number, T(0.25)};
    if (std::isinf(z)) return Exact<T>{K::number, T(0)};
    return std::nullopt;
  }

  /// Near 0: ¼ - tanh²(z/2)/4, and tanh²(z/2)/4 < z²/16. Far out: 0 + σ′, σ′ < e^-|z|.
  template <class T>
  static Anchor<T> anchor(double z, double) {
    if (std::fabs(z) < 1) return {T(0.25), -1, 2 * formula::log2_above(z) - 4};
    return {T(0), 1, formula::log2_exp_bound(std::fabs(z))};
  }

  static std::vector<Region> regions() {
    return {Region::special, Region::underflow, Region::subnormal, Region::tail, Region::core};
  }

  template <class T>
  static Region region(Dtype d, const T& z, const T& y) {
    if (const auto small = formula::small_result(d, value(z, y))) return *small;
    return z <= -1 || z >= 1 ? Region::tail : Region::core;
  }

  static int trend(double z, double) { return z < 0 ? 1 : z > 0 ? -1 : 0; }
  static std::vector<double> turning_points(double) { return {0.0}; }
};

}  // namespace ulpaudit
