// Times a kernel on arrays of its own, made from the given elements.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugin/loader.hpp"
#include "plugin/timing.hpp"

namespace ulpaudit {

/// n elements each at z and y (null for unary ops). The outcome has the calls that kept
/// their processor, their nanoseconds without the clock's own, and instructions where this machine
/// counts them.
Outcome run_timed(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                  const void* z, const void* y, const Timing& timing);

/// The same of memcpy from z to the results: the machine's plain copy.
Outcome copy_timed(Dtype d, std::uint64_t n, const void* z, const Timing& timing);

}  // namespace ulpaudit
