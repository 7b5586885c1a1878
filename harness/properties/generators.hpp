// RapidCheck generators and shrinks that work on bit patterns: what kernels trip over comes as
// often as what they were tested with.
#pragma once

#include <rapidcheck/gen/Arbitrary.h>

#include <vector>

#include "ops/op.hpp"
#include "properties/trial.hpp"

namespace ulpaudit {

/// What inputs are made of, for one op and dtype.
struct Alphabet {
  OpId op;
  Dtype d;
  std::vector<Bits> landmarks;  ///< of the op, for all default labels
  std::vector<Bits> labels;     ///< default ones; {0} for unary ops
};
Alphabet alphabet(OpId op, Dtype d);

/// NaN with payloads, ±0, ±infinity, subnormals, borders of binades, landmarks with neighbours,
/// typical logits, any pattern.
rc::Gen<Bits> logits(const Alphabet& a);
/// Default labels, others in [0, 1], seldom NaN.
rc::Gen<Bits> labels(const Alphabet& a);

/// Inputs of 1 to `most` elements on a plain stage.
rc::Gen<Trial> batches(const Alphabet& a, std::size_t most);

/// Simpler patterns than b, the simplest first: fewer set mantissa bits, then landmarks. Each is
/// strictly simpler, so shrinking ends.
std::vector<Bits> simpler(const Alphabet& a, Bits b);

/// Simpler trials: fewer elements, a plainer stage, simpler elements.
std::vector<Trial> simpler(const Alphabet& a, const Trial& t);

}  // namespace ulpaudit
