// The guard of a worker: its parent, which ends what the worker leaves behind, and then ends as it
// did. Orphans come to it (PR_SET_CHILD_SUBREAPER), those in sessions of their own too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace ulpaudit {

/// Forks, and returns in the child, with the process number of its guard. SIGTERM to the guard ends
/// both.
pid_t fork_under_guard();

/// Runs a program (its words, null behind them) under a guard, which is this process. One that
/// cannot be started is told to the host as a load_error.
[[noreturn]] void guard_program(char** words);

}  // namespace ulpaudit
