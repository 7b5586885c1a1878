// The kernels that the fault corpus starts from: rounded correctly (f16, bf16, f32) or nearly so
// (f64), NaN to quiet NaN, no flags but inexact and underflow. Each fault spoils them in one way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ulpaudit/plugin.h>

#include <cstdint>

namespace corpus {

using Bits = std::uint64_t;
enum class Op { sigmoid, sigmoid_grad, bce, bce_grad };

int bytes(std::uint32_t dtype);

/// Element i of a buffer that may be aligned in any way.
Bits load(std::uint32_t dtype, const void* buffer, std::uint64_t i);
void store(std::uint32_t dtype, void* buffer, std::uint64_t i, Bits value);

/// The number that an encoding stands for; any NaN is a quiet one, so that nothing is raised.
double number(std::uint32_t dtype, Bits bits);
/// Nearest, ties to even; for f64 the same bits.
Bits rounded(std::uint32_t dtype, double value);

bool is_nan(std::uint32_t dtype, Bits bits);
bool is_infinite(std::uint32_t dtype, Bits bits);
bool is_finite(std::uint32_t dtype, Bits bits);
bool is_subnormal(std::uint32_t dtype, Bits bits);
Bits quiet_nan(std::uint32_t dtype);
Bits infinity(std::uint32_t dtype);
/// One step towards 0 for a normal number, anything else unchanged: the smallest wrong result.
Bits nudged(std::uint32_t dtype, Bits bits);

/// The right result. `y` is ignored by the one-argument ops.
Bits right(Op op, std::uint32_t dtype, Bits z, Bits y);
/// The same in double, with a relative error below 2^-50 where nothing cancels; for finite z and y.
double approximate(Op op, double z, double y);

}  // namespace corpus
