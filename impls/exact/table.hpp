// The constants of double_double-inl.h, once for all targets.
#pragma once

namespace exact {
#include "table.inc"
}  // namespace exact
