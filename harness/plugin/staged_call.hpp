// Calls a kernel on guarded buffers, in a chosen environment, and tells what it did besides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugin/loader.hpp"
#include "plugin/stage.hpp"

namespace ulpaudit {

/// n elements each at z, y (null for unary ops) and out. The results of the first call on the n
/// elements go to `out`. Facts name the rules batch.…, environment.… and determinism.… that were
/// broken.
Outcome run_staged(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                   const void* z, const void* y, void* out, const Stage& stage);

/// From now on, memory that a staged call touches and must not is told to `report`, which does not
/// return; any other fault takes its course.
void watch_faults(void (*report)(const Fact& fact));

}  // namespace ulpaudit
