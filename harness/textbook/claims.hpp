// One function per claim of the textbook: its answer, or nothing where no kernel at hand gives one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "record/report.hpp"
#include "textbook/probe.hpp"

namespace ulpaudit::textbook {

/// The report gives the figures over all inputs.
using Claim = std::optional<TextbookAnswer>(Probe& probe, const Report& report);

/// "Numerically stable" is taken to mean: at every input measured a result with an error, and that
/// at most so many ulps. The forms of σ that lose nothing err by up to 3, those that lose digits by
/// 1,000 and more.
inline constexpr double kStableUlps = 4;

// textbook_sigmoid.cpp
Claim four_digits;      // T1
Claim open_interval;    // T2
Claim torch_is_stable;  // T8
Claim decision;         // T13
// textbook_forms.cpp
Claim naive_extremes;     // T5
Claim naive_nan;          // T6
Claim branchy_is_stable;  // T7
// textbook_gradient.cpp
Claim gradient_maximum;  // T3
Claim attenuation;       // T4
// textbook_bce.cpp
Claim logits_form_is_stable;  // T9
Claim rounded_sigmoid_nan;    // T10
Claim mean_loss;              // T11

}  // namespace ulpaudit::textbook
