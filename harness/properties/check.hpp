// Checks one kernel in one dtype against all property rules and shrinks what it finds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "properties/breach.hpp"
#include "properties/coverage.hpp"
#include "properties/fixed_cases.hpp"

namespace ulpaudit {

struct CheckChoice {
  std::uint64_t seed = 1;
  Lengths lengths;
  std::uint64_t values = 300;  ///< generated inputs for the value rules
  std::uint64_t batches = 80;  ///< generated batches
};

/// What is known of a kernel after a part of its check.
struct Checked {
  std::vector<Breach> breaches;  ///< in the order in which the rules stand
  RuleCounts counts;
  bool unstable = false;  ///< its results differ from call to call
};

/// Calls, batches and values. A kernel that ends its worker is checked on behind the inputs and
/// lengths that do so, as long as the subject's patience lasts; one that touches what it must not
/// gets buffers where that is no harm; one whose results differ from call to call is blamed for
/// that, and else only for what it does in every one of many calls.
Checked check(Subject& subject, const CheckChoice& choice);

/// Magnitudes from first to last.
struct MirrorRange {
  Bits first, last;
};

/// Symmetry and the decision threshold over every finite input of f16, bf16 or f32 in the range and
/// its mirror image, for each of the labels; ends early where thousands break a rule. As found: not
/// shrunk yet.
Checked check_mirrored(Subject& subject, const std::vector<Bits>& labels, const MirrorRange& range);

/// Shrinks breaches of value rules.
void shrink_values(Subject& subject, std::vector<Breach>& breaches);

/// Rules that this one case breaks, two neighbours of z in their order included: a replay.
std::vector<Breach> check_case(Subject& subject, const Trial& trial);

/// The simplest input found that breaks the value rule that (z, y) breaks; nothing where it does
/// not break it alone.
std::optional<Breach> simplest(Subject& subject, const std::string& rule, Bits z, Bits y);

/// f16 or bf16 against f32 rounded once: a note, or nothing.
std::optional<Breach> consistency(Subject& narrow, Subject& wide, const CheckChoice& choice);

}  // namespace ulpaudit
