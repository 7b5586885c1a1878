// Cells of the training claims' tables.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace ulpaudit {

/// Three digits.
inline std::string shown(double v) { return std::isnan(v) ? "NaN" : fmt::format("{:.3g}", v); }

}  // namespace ulpaudit
