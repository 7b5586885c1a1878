// One broken rule at one trial.
#pragma once

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
};

}  // namespace ulpaudit
