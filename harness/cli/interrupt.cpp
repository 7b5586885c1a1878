// Signals that end a run.
// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include <signal.h>

namespace ulpaudit {

std::atomic<bool> g_interrupted{false};

void catch_interrupts() {
  const auto note = [](int) { g_interrupted = true; };
  ::signal(SIGINT, note);
  ::signal(SIGTERM, note);
}

}  // namespace ulpaudit
