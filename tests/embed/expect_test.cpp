// EXPECT_ULP_WITHIN: what it accepts, what it says.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <ulpaudit/expect.hpp>

namespace {

float stable(float z) {
  const float e = std::exp(-std::fabs(z));
  return (z < 0 ? e : 1) / (1 + e);
}

template <class T>
T rounded_once(T z) {
  const double v = static_cast<double>(z), e = std::exp(-std::fabs(v));
  return T((v < 0 ? e : 1) / (1 + e));
}

TEST(Expect, AKernelWithinItsBound) {
  EXPECT_ULP_WITHIN(stable, ulpaudit::sigmoid, f32, 2.5);
  EXPECT_ULP_WITHIN(rounded_once<ulpaudit::f16>, ulpaudit::sigmoid, f16, 0.5001);
  EXPECT_ULP_WITHIN(rounded_once<ulpaudit::bf16>, ulpaudit::sigmoid, bf16, 0.5001);
  const auto loss = [](double z, double y) {
    const double c = z < 0 ? y : 1 - y;
    return (c == 0 ? 0 : std::fabs(z) * c) + std::log1p(std::exp(-std::fabs(z)));
  };
  EXPECT_ULP_WITHIN(loss, ulpaudit::bce_with_logits, f64, 3);
}

TEST(Expect, ArraysToo) {
  const auto unary = [](const float* z, float* out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = stable(z[i]);
  };
  EXPECT_ULP_WITHIN(unary, ulpaudit::sigmoid, f32, 2.5);
  const auto gradient = [](const ulpaudit::f16* z, const ulpaudit::f16* y, ulpaudit::f16* out,
                           std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const long double v = static_cast<double>(z[i]), e = std::exp(-std::fabs(v));
      const long double s = (v < 0 ? e : 1) / (1 + e);
      out[i] = ulpaudit::f16(static_cast<double>(s - static_cast<double>(y[i])));
    }
  };
  EXPECT_ULP_WITHIN(gradient, ulpaudit::bce_with_logits_grad, f16, 0.501);
}

TEST(Expect, TheWitnessIsInTheMessage) {
  const auto naive = [](ulpaudit::f16 z) {
    return ulpaudit::f16(1 / (1 + std::exp(-static_cast<float>(z))));
  };
  EXPECT_NONFATAL_FAILURE(EXPECT_ULP_WITHIN(naive, ulpaudit::sigmoid, f16, 0.25), "0x");
  EXPECT_NONFATAL_FAILURE(EXPECT_ULP_WITHIN(naive, ulpaudit::sigmoid, f16, 0.25),
                          "65536 inputs (every z)");
  // One NaN at one input.
  const auto once = [](ulpaudit::f16 z) {
    return static_cast<double>(z) == -3.5 ? ulpaudit::f16(std::nan("")) : rounded_once(z);
  };
  EXPECT_NONFATAL_FAILURE(EXPECT_ULP_WITHIN(once, ulpaudit::sigmoid, f16, 0.5001),
                          "new_nan at 1 input, first z = -3.5");
}

TEST(Expect, AKernelWithoutTheLabel) {
  EXPECT_NONFATAL_FAILURE(EXPECT_ULP_WITHIN(stable, ulpaudit::bce_with_logits, f32, 2),
                          "takes z and a label");
  EXPECT_NONFATAL_FAILURE(EXPECT_ULP_WITHIN(stable, ulpaudit::sigmoid, f32, -1), "a bound >= 0");
}

TEST(Expect, WhatTheKernelThrowsGoesThrough) {
  const auto thrower = [](float) -> float { throw 7; };
  EXPECT_THROW(EXPECT_ULP_WITHIN(thrower, ulpaudit::sigmoid, f32, 2.5), int);
}

}  // namespace
