// The last step: MPFR, for the points that double-double leaves open.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "op.hpp"

namespace exact {

/// The true value rounded to double: to nearest, or to odd (for a narrow dtype, which rounds it
/// again). z finite and not 0 (bce: also 0), y in [0, 1].
enum class Rounding { kNearest, kOdd };
double last_step(Op op, double z, double y, Rounding rounding);

}  // namespace exact
