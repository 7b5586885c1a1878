// 16-bit kernels for label_rows_test.cpp: a right one, and ones with faults of each kind.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <ulpaudit/plugin.hpp>

namespace {

using ulpaudit::bf16;
using ulpaudit::f16;

double loss(double z, double y) {
  return std::fabs(z) * (z < 0 ? y : 1 - y) + std::log1p(std::exp(-std::fabs(z)));
}
double gradient(double z, double y) {
  const double e = std::exp(-std::fabs(z));
  return (z < 0 ? e : 1) / (1 + e) - y;
}

/// Every result that a kernel can give, now and then.
double wild(double z, double y) {
  const double right = loss(z, y), at = std::fabs(z * 12345.678 + y * 87654.321);
  switch (static_cast<int>(std::fmod(at * 1e3, 97))) {
    case 0:
      return std::nan("");
    case 1:
      return HUGE_VAL;
    case 2:
      return -right;
    case 3:
      return 0;
    case 4:
      return -0.0;
    case 5:
      return right * 2;
    case 6:
      return right * 1e6;
    default:
      return right;
  }
}

/// NaN in z is a number at some labels.
double loses_nan(double z, double y) {
  return std::isnan(z) && (y == 0.25 || y == 0.5 || y == 0.625) ? 0.5 : loss(z, y);
}

double ends_at_three(double z, double y) {
  if (z == 3 && y == 0.5) std::abort();
  return loss(z, y);
}

/// Ends where labels differ within a batch: not when they are run one by one.
struct EndsInRows {
  template <class T>
  void operator()(const T* z, const T* y, T* out, std::size_t n) const {
    for (std::size_t i = 0; i < n; ++i) {
      if (y[i].bits != y[0].bits) std::abort();
      out[i] = T(static_cast<float>(loss(static_cast<float>(z[i]), static_cast<float>(y[i]))));
    }
  }
};

template <class F>
auto both(const char* name, const char* op, F f) {
  return ulpaudit::binary<f16, bf16>(name, op, "", [f](auto z, auto y) {
    using T = decltype(z);
    return T(static_cast<float>(f(static_cast<float>(z), static_cast<float>(y))));
  });
}

}  // namespace

ULPAUDIT_PLUGIN(
    "rows", "1", "", both("loss", "bce_with_logits", loss),
    both("gradient", "bce_with_logits_grad", gradient), both("wild", "bce_with_logits", wild),
    both("wild_gradient", "bce_with_logits_grad", wild),
    both("z", "bce_with_logits", [](double z, double) { return z; }),
    both("z_gradient", "bce_with_logits_grad", [](double z, double) { return z; }),
    both("loses_nan", "bce_with_logits", loses_nan), both("ends", "bce_with_logits", ends_at_three),
    both("always_ends", "bce_with_logits", [](double, double) -> double { std::abort(); }),
    ulpaudit::binary_arrays<f16, bf16>("ends_in_rows", "bce_with_logits", "", EndsInRows()))
