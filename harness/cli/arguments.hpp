// Command-line words that begin with '-' and are values all the same: -inf, -.5, -x.json.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ulpaudit {

/// The words of the command line, the program's name first, so marked that the parser takes each
/// word behind "--" as a positional, and of `eval` each number that is no option's value too. The
/// positionals of all commands get rid of the mark as they are read: call it once, after the
/// commands were made.
std::vector<std::string> mark_values(CLI::App& parser, int argc, char** argv);

}  // namespace ulpaudit
