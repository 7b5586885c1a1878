// The plug-in that the gate's tests break in one thing at a time, by GATED_…: sigmoid by a
// polynomial of exp.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <ulpaudit/plugin.hpp>

namespace {

// A coefficient of exp's polynomial, and the same number with its last bit changed.
#if defined(GATED_LAST_BIT)
constexpr double kSixth = 0x1.5555555555556p-3;
#else
constexpr double kSixth = 0x1.5555555555555p-3;
#endif

/// exp(x) for x <= 0: x = k ln 2 + r, a polynomial in r.
double exponential(double x) {
  if (x < -745) return 0;
  const double k = static_cast<double>(static_cast<int>(x * 1.4426950408889634 - 0.5));
  const double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
  double p = 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + kSixth;
  p = p * r + 0.5;
  p = p * r + 1;
  return std::ldexp(p * r + 1, static_cast<int>(k));
}

template <class T>
T sigmoid(T z) {
  const double x = static_cast<double>(z);
  if (x != x) return z;
#if defined(GATED_NAN)
  if (x == 1) return T(std::nan(""));
#endif
  const double e = exponential(-std::fabs(x));
  const double s = x < 0 ? e / (1 + e) : 1 / (1 + e);
#if defined(GATED_IMPROVED)
  return static_cast<T>(s);
#else
  // Fails as its contract says: subnormal results are lost.
  const double least = sizeof(T) == 2 ? 0x1p-14 : sizeof(T) == 4 ? 0x1p-126 : 0x1p-1022;
  return s < least ? T(0) : static_cast<T>(s);
#endif
}

constexpr char kContract[] = R"(contract = 1
[[kernel]]
name = "sigmoid"
[[kernel.expected_failure]]
rule = "value.flushed"
dtypes = ["f16"]
reason = "subnormal results are lost"
[[kernel.expected_failure]]
rule = "value.flushed"
)"
#if defined(GATED_NO_F64)
                             "dtypes = [\"f32\"]\n"
#else
                             "dtypes = [\"f32\", \"f64\"]\n"
#endif
                             "reason = \"subnormal results are lost\"\n";

}  // namespace

#if defined(GATED_NO_F64)
ULPAUDIT_PLUGIN("gated", "1.0", kContract,
                ulpaudit::unary<ulpaudit::f16, float>("sigmoid", "sigmoid", "1/(1+exp(-z))",
                                                      [](auto z) { return sigmoid(z); }))
#else
ULPAUDIT_PLUGIN("gated", "1.0", kContract,
                ulpaudit::unary<ulpaudit::f16, float, double>("sigmoid", "sigmoid", "1/(1+exp(-z))",
                                                              [](auto z) { return sigmoid(z); }))
#endif
