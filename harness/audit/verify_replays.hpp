// Replay lines are run before they are printed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/request.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// Runs the replay line of each error that the contract does not expect (of several with one cause,
/// of the first) three times, each in a process of its own. Where the fault does not show in all
/// three, larger forms are tried (the batch, neighbours, the whole check); the first that does
/// becomes the replay line. Where none does, the message says in how many runs it was seen, and a
/// hang becomes a note. Needs the program `ulpaudit` beside this one; without it nothing is run.
void verify_replays(const Request& request, Report& report);

/// "./run …", as replay lines are made, becomes the name by which the program was called.
void name_program(Report& report);

}  // namespace ulpaudit
