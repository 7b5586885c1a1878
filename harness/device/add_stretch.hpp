// What a device counted, among what the host counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "device/stretch_count.hpp"
#include "score/accumulator.hpp"

namespace ulpaudit {

/// Adds a stretch of f32 with label y, but for its slow lanes and the histogram.
void add_stretch(const DeviceStretch& s, Bits y, const StretchCount& c, Accumulator& into);

}  // namespace ulpaudit
