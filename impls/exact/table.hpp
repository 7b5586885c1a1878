// The constants of double_double-inl.h, once for all targets.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace exact {
#include "table.inc"
}  // namespace exact
