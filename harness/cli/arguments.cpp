// Words that begin with '-' and are values.
// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>

namespace ulpaudit {
namespace {

/// No word of a command line begins with it, and no option either.
constexpr char kMark = '\x01';

/// "-inf", "-nan", "+.5", "0x3f800000", "-1e3", "12": how a number begins, not whether it is one.
bool looks_like_number(std::string_view word) {
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  if (!word.empty() && word[0] == '.') word.remove_prefix(1);
  if (word.empty()) return false;
  if (word[0] >= '0' && word[0] <= '9') return true;
  static const std::vector<std::string_view> words = {"inf", "infinity", "Inf", "∞", "nan", "NaN"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Does the word name an option that still waits for its value?
bool wants_value(CLI::App& command, const std::string& word) {
  if (word.size() < 2 || word[0] != '-' || word.find('=') != std::string::npos) return false;
  if (word[1] != '-' && word.size() > 2) return false;  // -oFILE
  const CLI::Option* option = command.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_min() > 0;
}

void unmark_positionals(CLI::App& command) {
  for (CLI::Option* option : command.get_options())
    if (option->get_positional())
      option->transform(
          [](const std::string& s) { return !s.empty() && s[0] == kMark ? s.substr(1) : s; }, "");
}

}  // namespace

std::vector<std::string> mark_values(CLI::App& parser, int argc, char** argv) {
  for (CLI::App* command : parser.get_subcommands({})) unmark_positionals(*command);
  std::vector<std::string> words(argv, argv + argc), numbers, out;
  CLI::App* command = nullptr;
  for (CLI::App* c : parser.get_subcommands({}))
    if (argc > 1 && c->get_name() == words[1]) command = c;
  if (command == nullptr) return words;
  const bool takes_numbers = command->get_name() == "eval";
  const auto behind = std::find(words.begin(), words.end(), "--");
  for (auto w = words.begin(); w != behind; ++w)
    if (takes_numbers && w - words.begin() > 1 && looks_like_number(*w) &&
        !wants_value(*command, w[-1]))
      numbers.push_back(kMark + *w);
    else
      out.push_back(*w);
  if (behind == words.end() && numbers.empty()) return out;
  out.emplace_back("--");
  out.insert(out.end(), numbers.begin(), numbers.end());
  for (auto w = behind; w != words.end(); ++w)
    if (w != behind) out.push_back(!w->empty() && (*w)[0] == '-' ? kMark + *w : *w);
  return out;
}

}  // namespace ulpaudit
