// Where ulpaudit is built without nvcc: no judge on a CUDA device.
// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "device/device_judge.hpp"

namespace ulpaudit {
namespace {

[[noreturn]] void refuse() { throw std::runtime_error("built without nvcc"); }

}  // namespace

struct DeviceJudge::Memory {};

bool DeviceJudge::built() { return false; }
DeviceJudge::DeviceJudge() { refuse(); }
DeviceJudge::~DeviceJudge() = default;
std::string DeviceJudge::name() const { refuse(); }
const DeviceArrays& DeviceJudge::arrays() const { refuse(); }
void DeviceJudge::fill(std::span<const DeviceRun>, std::optional<std::uint32_t>) { refuse(); }
DeviceBatch DeviceJudge::count(const DeviceTask&, std::span<const DeviceStretch>) { refuse(); }
DeviceValues DeviceJudge::values(const DeviceTask&, std::span<const std::uint32_t>) { refuse(); }

}  // namespace ulpaudit
