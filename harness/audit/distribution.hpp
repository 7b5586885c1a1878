// One run over several processes: what a command is told of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "sweep/engine.hpp"

namespace ulpaudit {

struct Distribution {
  bool collects = true;  ///< this process has the counts of all, and makes the report
  /// Called once, before the first chunk, with all that the counts follow from: the processes go on
  /// where it is the same in all. Throws UsageError where it is not.
  std::function<void(const std::string& identity)> agree;
  ChunkQueue* queue = nullptr;             ///< of a process that does not collect
  std::function<void(ChunkQueue&)> serve;  ///< of the one that does
};

}  // namespace ulpaudit
