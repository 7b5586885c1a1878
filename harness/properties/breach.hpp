// What is known of one broken rule: the simplest trial that shows it, how many did, and where.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

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
  /// (z, y) that does so alone, before it was made simpler; of what ends the worker.
  std::optional<std::pair<Bits, Bits>> alone;

  /// One more trial that breaks the rule.
  void add(Dtype d, const Trial& t, const Violation& v);
  void widen(Dtype d, const std::pair<Bits, Bits>& other);
};

/// Walks down RapidCheck's tree of simpler trials as long as the rule stays broken, within a
/// second or two. Of results that depend on the calls before, it looks for the number of the call
/// in a fresh process. The subject's own patience is left as it was.
void shrink(Subject& subject, const Judge& judge, Breach& breach);

/// Of what ends the worker, only by halves down to one element, which is not made simpler. Its time
/// is the subject's.
void isolate(Subject& subject, const Judge& judge, Breach& breach);

/// Does a breach of the rule end the worker?
bool ends_worker(const std::string& rule);

}  // namespace ulpaudit
