// What the device's code offers to the plug-in: no CUDA header is needed to call it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace cuda_ops {

enum class Op { sigmoid, sigmoid_grad, bce, bce_grad };

/// naive, stable: one element a thread, precise functions, no contraction. fast: stable with
/// __expf, and __logf and __fdividef in the loss and the tanh (not f64). vector: 16 bytes a thread,
/// with vector.hpp's arithmetic in 16 bits and for the loss in f64, else stable's. fast_math:
/// naive, by nvcc -use_fast_math.
enum class Form { naive, stable, fast, vector, fast_math };

/// A call over device memory; dtype is one of ULPAUDIT_F16 …. y is null for ops of one argument.
struct Call {
  Op op;
  Form form;
  std::uint32_t dtype;
  const void *z, *y;
  void* out;
  std::size_t n;
};

/// Starts the kernel of the file; false where it has none for this call.
bool launch(const Call& call);
bool launch_fast_math(const Call& call);

}  // namespace cuda_ops
