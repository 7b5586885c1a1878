// RapidCheck generators and shrinks that work on bit patterns: what kernels trip over comes as
// often as what they were tested with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rapidcheck/gen/Arbitrary.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "ops/op.hpp"
#include "properties/trial.hpp"

namespace ulpaudit {

/// Inputs that were chosen (--range, --label). By default all are.
struct Admitted {
  std::optional<std::pair<std::uint64_t, std::uint64_t>> range;  ///< ordinals of z, both included
  std::vector<Bits> labels;                                      ///< empty: all
  bool z(Dtype d, Bits b) const {
    return !range ||
           (!is_nan(d, b) && ordinal(d, b) >= range->first && ordinal(d, b) <= range->second);
  }
  bool y(Bits b) const {
    return labels.empty() || std::find(labels.begin(), labels.end(), b) != labels.end();
  }
};

/// What inputs are made of, for one op and dtype.
struct Alphabet {
  OpId op;
  Dtype d;
  std::vector<Bits> landmarks;  ///< of the op, for all its labels, as far as they are admitted
  std::vector<Bits> labels;     ///< those admitted, else the default ones; {0} for unary ops
  Admitted admitted;
};
Alphabet alphabet(OpId op, Dtype d, const Admitted& admitted = {});

/// NaN with payloads, ±0, ±infinity, subnormals, borders of binades, landmarks with neighbours,
/// typical logits, any pattern; what is not admitted comes as something that is.
rc::Gen<Bits> logits(const Alphabet& a);
/// Default labels, others in [0, 1], seldom NaN; where labels were chosen, these alone.
rc::Gen<Bits> labels(const Alphabet& a);

/// Inputs of 1 to `most` elements on a plain stage.
rc::Gen<Trial> batches(const Alphabet& a, std::size_t most);

/// Simpler admitted patterns than b, the simplest first: fewer set mantissa bits, then landmarks.
/// Each is strictly simpler, so shrinking ends.
std::vector<Bits> simpler(const Alphabet& a, Bits b);

/// Simpler trials: fewer elements (halves, then one less), a plainer stage, simpler elements.
std::vector<Trial> simpler(const Alphabet& a, const Trial& t);

}  // namespace ulpaudit
