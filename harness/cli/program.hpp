// Parses a command line and runs one command: main of ulpaudit, whatever else it is linked with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "cli/commands.hpp"

namespace ulpaudit {

using MakeCommands = std::function<std::vector<Command>(CLI::App& parser)>;

/// The exit code; what went wrong is on stderr. Throws nothing.
int run_program(int argc, char** argv, const MakeCommands& make_commands);

}  // namespace ulpaudit
