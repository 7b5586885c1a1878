// Programs as workers (--exec): how they stand among the files of plug-ins, and their words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ulpaudit {

/// A program stands wherever a plug-in's path does, as "exec:COMMAND".
inline constexpr std::string_view kProgramPrefix = "exec:";

std::string program_address(const std::string& command);
/// The command of an address; nothing for a file.
std::optional<std::string> program_command(const std::string& address);

/// The words of a command as a shell splits them at blanks, with '…', "…" and \\; nothing is
/// expanded. Throws LoadError where a quote is left open or there is no word.
std::vector<std::string> words_of(const std::string& command);

}  // namespace ulpaudit
