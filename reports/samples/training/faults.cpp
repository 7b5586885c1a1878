// SPDX-License-Identifier: Apache-2.0
// Plug-ins with one known fault each, to see what it does to a network: each is this file with
// -DFAULT_NAME. All else is right: in double, rounded once; ops that a plug-in has not are taken
// from the reference.
#include <ulpaudit/plugin.hpp>

#include <cstdint>
#include <cstring>
#include <limits>

namespace {

[[maybe_unused]] double right(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}
[[maybe_unused]] double right_grad(double z) {
  const double e = std::exp(-std::fabs(z));
  return e / ((1 + e) * (1 + e));
}
[[maybe_unused]] double right_bce(double z, double y) {
  return std::fabs(z) * (z < 0 ? y : 1 - y) + std::log1p(std::exp(-std::fabs(z)));
}
[[maybe_unused]] double right_bce_grad(double z, double y) {
  const double e = std::exp(-std::fabs(z));
  if (z >= 1) return (1 - y) - e / (1 + e);
  if (z <= -1) return e / (1 + e) - y;
  return std::tanh(z / 2) / 2 + (0.5 - y);
}

}  // namespace

#if defined(FAULT_OFF_8950)
namespace {
/// 8950 ulp too large about z = 2.
float sigmoid(float z) {
  float s = static_cast<float>(right(static_cast<double>(z)));
  if (z >= 1.99f && z < 2.01f) s += 8950 * 0x1p-24f;
  return s;
}
}  // namespace
ULPAUDIT_PLUGIN("off_8950", "1", "",
                ulpaudit::unary<float>("sigmoid", "sigmoid", "8950 ulp off about z = 2",
                                       [](float z) { return sigmoid(z); }))

#elif defined(FAULT_FLUSHES)
namespace {
/// 0 for what is subnormal.
template <class T>
T flushed(double v) {
  return std::fabs(v) < 0x1p-126 ? T(0) : T(static_cast<float>(v));
}
template <class T>
double wide(T v) {
  return static_cast<double>(static_cast<float>(v));
}
}  // namespace
ULPAUDIT_PLUGIN(
    "flushes", "1", "",
    ulpaudit::unary<float, ulpaudit::bf16>("sigmoid", "sigmoid", "subnormals are 0",
                                           [](auto z) {
                                             return flushed<decltype(z)>(right(wide(z)));
                                           }),
    ulpaudit::unary<float, ulpaudit::bf16>("sigmoid_grad", "sigmoid_grad", "subnormals are 0",
                                           [](auto z) {
                                             return flushed<decltype(z)>(right_grad(wide(z)));
                                           }),
    ulpaudit::binary<float, ulpaudit::bf16>("bce", "bce_with_logits", "subnormals are 0",
                                            [](auto z, auto y) {
                                              return flushed<decltype(z)>(
                                                  right_bce(wide(z), wide(y)));
                                            }),
    ulpaudit::binary<float, ulpaudit::bf16>("bce_grad", "bce_with_logits_grad", "subnormals are 0",
                                            [](auto z, auto y) {
                                              return flushed<decltype(z)>(
                                                  right_bce_grad(wide(z), wide(y)));
                                            }))

#elif defined(FAULT_NAN_FAR)
namespace {
float sigmoid(float z) {
  if (std::fabs(z) >= 4e26f) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(right(static_cast<double>(z)));
}
}  // namespace
ULPAUDIT_PLUGIN("nan_far", "1", "",
                ulpaudit::unary<float>("sigmoid", "sigmoid", "NaN from |z| = 4e26 on",
                                       [](float z) { return sigmoid(z); }))

#elif defined(FAULT_GRAD_ZERO)
namespace {
float sigmoid_grad(float z) {
  const float s = static_cast<float>(right(static_cast<double>(z)));
  return s * (1 - s);
}
}  // namespace
ULPAUDIT_PLUGIN("grad_zero", "1", "",
                ulpaudit::unary<float>("sigmoid_grad", "sigmoid_grad",
                                       "s*(1-s): 0 from z = 16.64 on",
                                       [](float z) { return sigmoid_grad(z); }))

#elif defined(FAULT_CONFIDENT)
namespace {
/// log(1+e) of an e that 1 swallows, and σ − y of a σ that is 1.
float bce(float z, float y) {
  return std::fmax(z, 0.0f) - z * y + std::log(1 + std::exp(-std::fabs(z)));
}
float bce_grad(float z, float y) { return static_cast<float>(right(static_cast<double>(z))) - y; }
}  // namespace
ULPAUDIT_PLUGIN("confident", "1", "",
                ulpaudit::binary<float>("bce", "bce_with_logits", "max(z,0)-z*y+log(1+exp(-|z|))",
                                        [](float z, float y) { return bce(z, y); }),
                ulpaudit::binary<float>("bce_grad", "bce_with_logits_grad", "sigmoid(z)-y",
                                        [](float z, float y) { return bce_grad(z, y); }))

#elif defined(FAULT_BF16_STEPS)
namespace {
/// Each operation rounded to bf16.
template <class T>
T sigmoid(T z) {
  return T(1) / (T(1) + exp(-z));
}
}  // namespace
ULPAUDIT_PLUGIN("bf16_steps", "1", "",
                ulpaudit::unary<ulpaudit::bf16>("sigmoid", "sigmoid",
                                                "1/(1+exp(-z)), each step bf16",
                                                [](auto z) { return sigmoid(z); }),
                ulpaudit::unary<ulpaudit::bf16>("sigmoid_grad", "sigmoid_grad",
                                                "s*(1-s), each step bf16",
                                                [](auto z) {
                                                  const auto s = sigmoid(z);
                                                  return s * (decltype(z)(1) - s);
                                                }),
                ulpaudit::binary<ulpaudit::bf16>("bce_grad", "bce_with_logits_grad",
                                                 "sigmoid(z)-y, each step bf16",
                                                 [](auto z, auto y) { return sigmoid(z) - y; }))
#endif
