// The device's memory and calls, over the CUDA runtime.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ulpaudit/plugin.h>

#include "launch.hpp"

namespace cuda_ops {

/// Why no kernel can run here, in one line; nullptr where one can.
const char* why_no_device();

/// Runs over host memory; throws std::runtime_error with CUDA's own words.
void run_on_device(Op op, Form form, std::uint32_t dtype, std::size_t size, const void* z,
                   const void* y, void* out, std::size_t n);

/// Runs over arrays of another process in the device's memory.
void run_on_arrays(Op op, Form form, const ulpaudit_device_batch& batch);

/// Answers as <ulpaudit/plugin.h> says of `time`; events around calls on arrays in device memory.
void time_on_device(Op op, Form form, std::size_t size, ulpaudit_timing& timing);

}  // namespace cuda_ops
