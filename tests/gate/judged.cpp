// A plug-in without a contract (or, with JUDGED_MISNAMED, with one that names a kernel that is not
// there): kernels that the universal rules alone must catch, beside clean ones.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <ulpaudit/plugin.hpp>

namespace {

template <class T>
double number(T v) {
  return static_cast<double>(v);
}

double exact_sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

/// sigma(z) - y, near 0 without cancellation.
double exact_grad(double x, double y) {
  if (std::fabs(x) < 1) return std::tanh(x / 2) / 2 + (0.5 - y);
  const double e = std::exp(-std::fabs(x));
  return x > 0 ? (1 - y) - e / (1 + e) : e / (1 + e) - y;
}

#ifdef JUDGED_MISNAMED
constexpr char kContract[] = "contract = 1\n[[kernel]]\nname = \"claen\"\n";
#else
constexpr char kContract[] = "";
#endif

}  // namespace

ULPAUDIT_PLUGIN("judged", "1.0", kContract,
                ulpaudit::unary<ulpaudit::f16, float>("clean", "sigmoid", "1/(1+exp(-z))",
                                                      [](auto z) {
                                                        return static_cast<decltype(z)>(
                                                            exact_sigmoid(number(z)));
                                                      }),
                ulpaudit::unary<ulpaudit::f16, float>("half_logit", "sigmoid", "1/(1+exp(-z/2))",
                                                      [](auto z) {
                                                        return static_cast<decltype(z)>(
                                                            exact_sigmoid(number(z) / 2));
                                                      }),
                ulpaudit::unary<ulpaudit::f16, float>("mirrored", "sigmoid", "1/(1+exp(z))",
                                                      [](auto z) {
                                                        return static_cast<decltype(z)>(
                                                            exact_sigmoid(-number(z)));
                                                      }),
                ulpaudit::binary<float>("clean_grad", "bce_with_logits_grad", "sigmoid(z)-y",
                                        [](auto z, auto y) {
                                          return static_cast<decltype(z)>(
                                              exact_grad(number(z), number(y)));
                                        }),
                ulpaudit::binary<float>("lost_sign", "bce_with_logits_grad", "|sigmoid(z)-y|",
                                        [](auto z, auto y) {
                                          return static_cast<decltype(z)>(
                                              std::fabs(exact_grad(number(z), number(y))));
                                        }))
