// Checks one kernel in one dtype against all property rules and shrinks what it finds.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "properties/violation.hpp"

namespace ulpaudit {

/// One rule that the kernel breaks: the simplest case that was found.
struct Breach {
  Violation violation;
  Trial trial;
  std::uint64_t count = 0;  ///< trials, or inputs, that broke it before shrinking
  /// The lowest and the highest z at which they broke it, where the rule is about elements;
  /// of batches that ended the worker, of all their elements.
  std::optional<std::pair<Bits, Bits>> range;

  /// One more trial that breaks the rule.
  void add(Dtype d, const Trial& t, const Violation& v);
  void widen(Dtype d, const std::pair<Bits, Bits>& other);
};

struct CheckChoice {
  std::uint64_t seed = 1;
  bool huge = false;           ///< batches past 2^31 bytes too
  std::uint64_t values = 300;  ///< generated inputs for the value rules
  std::uint64_t batches = 80;  ///< generated batches
};

/// Magnitudes from first to last.
struct MirrorRange {
  Bits first, last;
};

/// Breaches in the order in which the rules stand.
std::vector<Breach> check(Subject& subject, const CheckChoice& choice);

/// Symmetry and the decision threshold over every finite input of f16, bf16 or f32 in the range and
/// its mirror image, for each of the labels; ends early where thousands break a rule. As found: not
/// shrunk yet.
std::vector<Breach> check_mirrored(Subject& subject, const std::vector<Bits>& labels,
                                   const MirrorRange& range);

/// Shrinks breaches of value rules.
void shrink_values(Subject& subject, std::vector<Breach>& breaches);

/// Rules that this one case breaks: a replay.
std::vector<Breach> check_case(Subject& subject, const Trial& trial);

/// The simplest input found that breaks the value rule that (z, y) breaks; nothing where it does
/// not break it alone.
std::optional<Breach> simplest(Subject& subject, const std::string& rule, Bits z, Bits y);

/// f16 or bf16 against f32 rounded once: a note, or nothing.
std::optional<Breach> consistency(Subject& narrow, Subject& wide, const CheckChoice& choice);

}  // namespace ulpaudit
