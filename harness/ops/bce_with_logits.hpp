// bce_with_logits(z, y) = a·c + log1p(e), a = |z|, e = e^-a, c = y for z < 0, else 1-y.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/formula.hpp"

namespace ulpaudit {

struct BceWithLogits {
  static constexpr OpInfo info{"bce_with_logits",
                               2,
                               "|z|*c + log1p(e^-|z|), c = z < 0 ? y : 1-y",
                               {0.0, std::numeric_limits<double>::infinity()}};

  /// For labels in [0, 1] a sum of two terms >= 0; for others it may cancel, and growing precision
  /// is needed near its zero.
  template <class T>
  static T value(const T& z, const T& y) {
    using std::exp;
    using std::log1p;
    if (z >= 0) return T(z * (T(1) - y)) + log1p(T(exp(T(-z))));
    return T(-z * y) + log1p(T(exp(z)));
  }

  template <class T>
  static std::optional<Exact<T>> exact(double z, double y) {
    using K = typename Exact<T>::Kind;
    if (std::isnan(z) || std::isnan(y)) return Exact<T>{K::nan, T(0)};
    if (!std::isinf(z) && !std::isinf(y)) return std::nullopt;
    if (z == 0) return Exact<T>{K::nan, T(0)};  // 0 times the infinite label
    const double c = z > 0 ? 1 - y : y;
    if (c == 0) return Exact<T>{K::number, T(0)};
    if (c > 0) return Exact<T>{K::plus_infinity, T(0)};
    return Exact<T>{K::number, T(-std::numeric_limits<double>::infinity())};
  }

  /// a·c + log1p(e), 0 < log1p(e) < e^-a, whatever the sign of c.
  template <class T>
  static Anchor<T> anchor(double z, double y) {
    const T r = z >= 0 ? T(T(z) * (T(1) - T(y))) : T(T(-z) * T(y));
    return {r, 1, formula::log2_exp_bound(std::fabs(z))};
  }

  static std::vector<Region> regions() {
    return {Region::special, Region::underflow, Region::subnormal,
            Region::tail,    Region::core,      Region::large};
  }

  template <class T>
  static Region region(Dtype d, const T& z, const T& y) {
    const T t = value(z, y);
    if (const auto small = formula::small_result(d, t)) return *small;
    return t < T(0.25) ? Region::tail : t <= T(4) ? Region::core : Region::large;
  }

  /// σ(z) - y, with a margin for the rounding of logit(y) in double.
  static int trend(double z, double y) {
    if (y <= 0) return 1;
    if (y >= 1) return -1;
    const double turn = std::log(y) - std::log1p(-y);
    const double margin = 1e-13 * (1 + std::fabs(turn));
    return z < turn - margin ? -1 : z > turn + margin ? 1 : 0;
  }
  static std::vector<double> turning_points(double y) {
    if (!(y > 0 && y < 1)) return {0.0};
    return {0.0, std::log(y) - std::log1p(-y)};
  }
};

}  // namespace ulpaudit
