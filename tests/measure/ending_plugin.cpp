// f32 kernels for endings_test.cpp: each ends its batch in one way where z is 3, or by its length.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <thread>
#include <ulpaudit/plugin.hpp>
#include <vector>

namespace {

float sigmoid(float z) { return 1 / (1 + std::exp(-z)); }

template <class End>
auto at_three(const char* name, End end) {
  return ulpaudit::unary<float>(name, "sigmoid", "", [end](float z) {
    if (z == 3) end();
    return sigmoid(z);
  });
}

/// Ends batches of 10,000 elements and more.
struct LongEnds {
  void operator()(const float* z, float* out, std::size_t n) const {
    if (n >= 10000) std::abort();
    for (std::size_t i = 0; i < n; ++i) out[i] = sigmoid(z[i]);
  }
};

}  // namespace

ULPAUDIT_PLUGIN("ending", "1", "", at_three("crash", [] { std::abort(); }),
                at_three("exit", [] { std::_Exit(3); }),
                at_three("hang", [] { std::this_thread::sleep_for(std::chrono::hours(1)); }),
                at_three("throw", [] { throw std::runtime_error("the logit is three"); }),
                at_three("memory", [] { throw std::bad_alloc(); }),
                ulpaudit::unary<float>("span", "sigmoid", "",
                                       [](float z) {
                                         if (z >= 3 && z <= 3.001f) std::abort();
                                         return sigmoid(z);
                                       }),
                ulpaudit::unary<float>("always", "sigmoid", "",
                                       [](float) -> float { std::abort(); }),
                ulpaudit::unary_arrays<float>("long", "sigmoid", "", LongEnds()))
