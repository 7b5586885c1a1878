// SPDX-License-Identifier: Apache-2.0
// For one's own GoogleTest: is a function within so many ulps of the certified truth?
//
//   #include <ulpaudit/expect.hpp>
//   TEST(Mine, Sigmoid) { EXPECT_ULP_WITHIN(my_sigmoid, ulpaudit::sigmoid, f32, 1.5); }
//
// The kernel: T(T), T(T, T) for ops with a label, or over arrays,
// void(const T* z, T* out, std::size_t n) or void(const T* z, const T* y, T* out, std::size_t n),
// where T is ulpaudit::f16, ulpaudit::bf16, float or double. It runs in the test's own process and
// thread, in batches of at most 2^18 elements. What it throws goes through.
//
// 16-bit inputs are all run; of f32 and f64 a sample and the neighbours of landmarks, or with
// EXPECT_ULP_WITHIN_ALL every f32 (half a minute). Two-argument ops run with ulpaudit's default
// labels. NaN, infinities, lost and new zeros are judged too (docs/ulp.md), and a violation's
// message gives the witness. Link with the target ulpaudit::expect.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <ulpaudit/half.hpp>

namespace ulpaudit {

inline constexpr char sigmoid[] = "sigmoid";
inline constexpr char sigmoid_grad[] = "sigmoid_grad";
inline constexpr char bce_with_logits[] = "bce_with_logits";
inline constexpr char bce_with_logits_grad[] = "bce_with_logits_grad";

namespace expect {

/// Calls the kernel on n elements; y is null for unary ops.
using Call = void (*)(void* kernel, const void* z, const void* y, void* out, std::size_t n);

/// 0: within; 1: not, with a message of what is wrong where; 2: a name is unknown, or it cannot be
/// done. `message` holds at most size - 1 bytes and ends with a zero.
extern "C" __attribute__((visibility("default"))) int ulpaudit_expect(
    const char* op, const char* dtype, Call call, void* kernel, double max_ulp, int every_input,
    char* message, std::size_t size);

template <class T, class F>
void call(void* kernel, const void* z_in, const void* y_in, void* out_in, std::size_t n) {
  F& f = *static_cast<F*>(kernel);
  const T *z = static_cast<const T*>(z_in), *y = static_cast<const T*>(y_in);
  T* out = static_cast<T*>(out_in);
  if constexpr (std::is_invocable_v<F&, const T*, T*, std::size_t>) {
    f(z, out, n);
  } else if constexpr (std::is_invocable_v<F&, const T*, const T*, T*, std::size_t>) {
    f(z, y, out, n);
  } else if constexpr (std::is_invocable_r_v<T, F&, T>) {
    for (std::size_t i = 0; i < n; ++i) out[i] = f(z[i]);
  } else {
    static_assert(std::is_invocable_r_v<T, F&, T, T>,
                  "a kernel is T(T), T(T, T), (const T* z, T* out, size_t n) or "
                  "(const T* z, const T* y, T* out, size_t n)");
    for (std::size_t i = 0; i < n; ++i) out[i] = f(z[i], y[i]);
  }
}

template <class T, class F>
::testing::AssertionResult within(F kernel, const char* op, const char* dtype, double max_ulp,
                                  bool every_input) {
  constexpr bool unary =
      std::is_invocable_v<F&, const T*, T*, std::size_t> || std::is_invocable_v<F&, T>;
  const std::string_view name = op;
  const bool unary_op = name == sigmoid || name == sigmoid_grad;
  if (unary != unary_op)
    return ::testing::AssertionFailure()
           << op << " takes " << (unary_op ? "z alone" : "z and a label")
           << ", which the kernel does not";
  char message[2048] = {};
  const int code = ulpaudit_expect(op, dtype, &call<T, F>, &kernel, max_ulp, every_input ? 1 : 0,
                                   message, sizeof message);
  return (code == 0 ? ::testing::AssertionSuccess() : ::testing::AssertionFailure()) << message;
}

struct Types {
  using f16 = ulpaudit::f16;
  using bf16 = ulpaudit::bf16;
  using f32 = float;
  using f64 = double;
};

}  // namespace expect
}  // namespace ulpaudit

/// dtype: f16, bf16, f32 or f64.
#define EXPECT_ULP_WITHIN(kernel, op, dtype, max_ulp)                                           \
  EXPECT_TRUE((::ulpaudit::expect::within<::ulpaudit::expect::Types::dtype>(kernel, op, #dtype, \
                                                                            max_ulp, false)))
#define EXPECT_ULP_WITHIN_ALL(kernel, op, dtype, max_ulp)                                       \
  EXPECT_TRUE((::ulpaudit::expect::within<::ulpaudit::expect::Types::dtype>(kernel, op, #dtype, \
                                                                            max_ulp, true)))
