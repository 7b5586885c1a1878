// Ctrl-C and SIGTERM: the run ends in good order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace ulpaudit {

/// True from the first of these signals on, once catch_interrupts was called.
extern std::atomic<bool> g_interrupted;
void catch_interrupts();

}  // namespace ulpaudit
