// The kernels of one Highway target: an array function for each op and dtype.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace simd {

// out[i] = op(z[i]) or op(z[i], y[i]); y is nullptr for ops of one argument, out may be z.
using ArrayKernel = void(const void* z, const void* y, void* out, std::size_t n);

// Bytes of results that are more than the caches hold: three quarters of the last one, as memcpy
// does.
std::size_t past_the_caches();

struct Row {
  ArrayKernel* f16 = nullptr;
  ArrayKernel* bf16 = nullptr;
  ArrayKernel* f32 = nullptr;
  ArrayKernel* f64 = nullptr;
};

struct Table {
  std::int64_t target = 0;  // the HWY_TARGET that it is compiled for; 0: not in this build
  Row sigmoid, sigmoid_grad, bce, bce_grad, bce_grad_fast;  // the last with FMA alone
};

}  // namespace simd
