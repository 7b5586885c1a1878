// Arrays in the memory of a CUDA device, as one process tells another of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace ulpaudit {

/// A cudaIpcMemHandle_t, of the start of an allocation.
using DeviceHandle = std::array<unsigned char, 64>;

struct DeviceArrays {
  DeviceHandle z, y, out;
};

}  // namespace ulpaudit
