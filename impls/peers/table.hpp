// The kernels of one library on one instruction set, and whether that runs here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace peers {

// out[i] = op(z[i]) or op(z[i], y[i]); y is nullptr for ops of one argument, out may be z.
using ArrayKernel = void(const void* z, const void* y, void* out, std::size_t n);

// Of SLEEF, libmvec and Highway: each op in a form that loses nothing itself, and in that of
// textbooks.
struct Row {
  ArrayKernel *f32, *f64;
};
struct Table {
  Row sigmoid, sigmoid_naive;
  Row sigmoid_grad, sigmoid_grad_naive;
  Row bce, bce_max;
  Row bce_grad, bce_grad_naive;
};

struct EigenRow {
  ArrayKernel *f16, *bf16, *f32, *f64;
};
struct EigenTable {
  EigenRow sigmoid, sigmoid_naive, sigmoid_stable, sigmoid_grad, bce, bce_grad;
};

// An instruction set, and why it cannot run here (nullptr: it can).
struct Isa {
  const char *needs, *why_not;
};

#if defined(__x86_64__)
inline Isa avx2() {
  const bool here = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return {"AVX2", here ? nullptr : "needs AVX2 and FMA"};
}
inline Isa avx512() {
  const bool here = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return {"AVX-512", here ? nullptr : "needs AVX-512 (F, CD, BW, DQ, VL)"};
}
#endif

}  // namespace peers
