// SPDX-License-Identifier: Apache-2.0
// Stands in for a plug-in that this build could not have: `list` and reports name its kernels and
// tell why. ULPAUDIT_NOT_BUILT_NAME and _WHY come from ulpaudit_not_built() in
// impls/CMakeLists.txt.
#include <ulpaudit/plugin.hpp>

namespace {

constexpr char kWhy[] = ULPAUDIT_NOT_BUILT_WHY;

// Never run: it is unavailable.
auto unary(const char* op) {
  return ulpaudit::unary(op, op, "", [](auto z) { return z; }).needs("", kWhy);
}
auto binary(const char* kernel, const char* op) {
  return ulpaudit::binary(kernel, op, "", [](auto z, auto) { return z; }).needs("", kWhy);
}

}  // namespace

ULPAUDIT_PLUGIN(ULPAUDIT_NOT_BUILT_NAME, "", "", unary("sigmoid"), unary("sigmoid_grad"),
                binary("bce", "bce_with_logits"), binary("bce_grad", "bce_with_logits_grad"))
