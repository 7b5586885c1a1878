// The manual page and the shell completion, made from the table of options that --help prints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace ulpaudit {

/// ulpaudit(1) in troff (man macros), with all commands that --help lists.
std::string man_page(const CLI::App& parser);

/// For bash: commands, their options, the words an option accepts, files for the rest.
std::string bash_completion(const CLI::App& parser);

}  // namespace ulpaudit
