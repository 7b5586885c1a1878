// The trials that every kernel is run in: lengths of every scale, alignments, fills, threads, …
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "properties/subject.hpp"

namespace ulpaudit {

/// Lengths of long batches.
struct Lengths {
  /// Elements; lengths lie below. From 2^24 on there is one more a little beyond it, where an index
  /// in f32 ends.
  std::uint64_t longest = std::uint64_t{1} << 22;
  int in_each_octave = 2;
  bool past_31_bits = false;  ///< one past 2^31 bytes; in the 16-bit dtypes past 2^31 elements
};

std::vector<Trial> fixed_cases(Subject& subject, std::uint64_t seed, const Lengths& scale);

/// The same call over and over in a fresh process: these come first, since what they find makes
/// every other rule uncertain.
std::vector<Trial> chance_cases(Subject& subject, std::uint64_t seed);

}  // namespace ulpaudit
