// One broken rule at one trial.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "properties/subject.hpp"

namespace ulpaudit {

struct Violation {
  std::string rule, message;
  bool promised = true;     ///< false: observed, not promised
  std::size_t element = 0;  ///< of the trial
  std::optional<Bits> got;  ///< there
  bool ended = false;       ///< the call did not come back
  std::string region{};     ///< of the input, where the rule is about its value
};

/// Every rule that the kernel breaks in a trial.
using Judge = std::function<std::vector<Violation>(const Trial&)>;

}  // namespace ulpaudit
