// A case as the report shows it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/report.hpp"

namespace ulpaudit {

/// Digits of a witness's true value.
inline constexpr int kWitnessDigits = 25;

/// What came out at c, what is expected there by the final judge, the true value, and the error in
/// ulps where there is one.
Witness make_witness(OpId op, Dtype d, const Case& c);

}  // namespace ulpaudit
