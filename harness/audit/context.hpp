// The circumstances of a run: what determines its figures, and what merely accompanies them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/request.hpp"
#include "record/report.hpp"

namespace ulpaudit {

Context make_context(const Request& request);
/// started: "2026-11-24T09:00:00Z"; the wall time is filled in at the end.
Volatile make_volatile(const Request& request);
/// The command line, for Volatile; set by main.
void remember_argv(int argc, char** argv);
/// How the user calls this program: "./run" where that script does, else the command's first word.
std::string called_as();
/// "ulpaudit 0.1.0 (abc1234), g++ …".
std::string version_text();

}  // namespace ulpaudit
