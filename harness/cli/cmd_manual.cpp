// ulpaudit manual: the manual page or the shell completion, for whoever packages the program.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/manual.hpp"
#include "cli/output.hpp"

namespace ulpaudit {

Command add_manual(CLI::App& parser) {
  CLI::App* c = parser.add_subcommand("manual", "the manual page, or the completion for bash");
  c->group("");  // --help is for users
  auto completion = std::make_shared<bool>(false);
  c->add_flag("--bash-completion", *completion, "the completion instead of the page");
  return {c, [&parser, completion] {
            const std::string text = *completion ? bash_completion(parser) : man_page(parser);
            put("{}", text);
            return Exit::fine;
          }};
}

}  // namespace ulpaudit
