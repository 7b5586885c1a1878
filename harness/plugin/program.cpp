// Programs as workers.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/program.hpp"

#include <fmt/format.h>

#include "plugin/loader.hpp"

namespace ulpaudit {

std::string program_address(const std::string& command) {
  return std::string(kProgramPrefix) + command;
}

std::optional<std::string> program_command(const std::string& address) {
  if (address.compare(0, kProgramPrefix.size(), kProgramPrefix) != 0) return std::nullopt;
  return address.substr(kProgramPrefix.size());
}

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  bool inside = false;  // a word
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (quote == c && quote != 0) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      words.back() += command[++i];
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) throw LoadError(fmt::format("--exec '{}': a {} is not closed", command, quote));
  if (words.empty())
    throw LoadError("--exec has no command; accepted: a program and its arguments");
  return words;
}

}  // namespace ulpaudit
