// Exit codes of every command, in one place.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

namespace ulpaudit {

enum class Exit : int {
  fine = 0,
  finding = 1,  ///< a rule or a contract is broken, or the gate failed
  usage = 2,    ///< bad usage, unknown name, unreadable input, unwritable output
  truth = 3,    ///< truth undecided, or it disagreed with itself
  plugin = 4,   ///< a plug-in could not be loaded, crashed or hung, or a verdict is incomplete
  nothing = 5,  ///< the globs matched nothing, so nothing was checked
  interrupted = 6,
  internal = 70  ///< a fault of ours
};

/// The code to end with where both hold.
constexpr Exit worse(Exit a, Exit b) {
  constexpr std::array order = {Exit::truth,       Exit::internal, Exit::usage,   Exit::plugin,
                                Exit::interrupted, Exit::nothing,  Exit::finding, Exit::fine};
  return std::find(order.begin(), order.end(), a) < std::find(order.begin(), order.end(), b) ? a
                                                                                             : b;
}

}  // namespace ulpaudit
