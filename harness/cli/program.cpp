// The command line of ulpaudit.
// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <sstream>
#include <vector>

#include "audit/context.hpp"
#include "cli/arguments.hpp"
#include "cli/output.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

Exit complain(Exit code, const std::string& what) {
  tell_text(what);
  return code;
}

/// What is written to a reader that went away, or past a limit of size, is refused with an error
/// like any other.
void refuse_by_error() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

/// The command's end once its output is out: `head` that has read enough changes nothing.
Exit deliver(Exit code) {
  const int trouble = stdout_trouble();
  if (trouble == 0 || trouble == EPIPE) return code;
  return worse(code,
               complain(Exit::usage, fmt::format("cannot write to stdout, so output is lost: {}",
                                                 std::strerror(trouble))));
}

Exit run(int argc, char** argv, const MakeCommands& make_commands) {
  remember_argv(argc, argv);
  CLI::App parser("Audits numerical kernels against certified truth.");
  parser.set_version_flag("--version", version_text());
  parser.require_subcommand(1);
  parser.footer(
      "Exit codes: 0 fine; 1 a finding; 2 bad usage or file; 3 truth undecided; 4 a plug-in "
      "failed;\n"
      "5 nothing matched; 6 interrupted; 70 a fault of ulpaudit.\n"
      "Example: ulpaudit sweep --op sigmoid --dtype f16 --impl 'naive/*'");
  const std::vector<Command> commands = make_commands(parser);
  const auto named = [&](const Command& c) { return c.app->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::none_of(commands.begin(), commands.end(), named)) {
    std::string known;
    for (const Command& c : commands)
      if (!c.app->get_group().empty()) known += (known.empty() ? "" : ", ") + c.app->get_name();
    return complain(Exit::usage, fmt::format("unknown command '{}'; accepted: {}", argv[1], known));
  }
  try {
    const std::vector<std::string> words = mark_values(parser, argc, argv);
    std::vector<std::string> last_first(words.rbegin(), words.rend());
    if (!last_first.empty()) last_first.pop_back();  // the program's name
    parser.name(argc > 0 ? argv[0] : "ulpaudit");
    parser.parse(std::move(last_first));
  } catch (const CLI::Success& e) {
    std::ostringstream help;
    parser.exit(e, help, help);
    put_text(help.str());
    return Exit::fine;
  } catch (const CLI::ParseError& e) {
    return complain(Exit::usage,
                    fmt::format("{} (ulpaudit --help tells what is accepted)", e.what()));
  }
  for (const Command& c : commands)
    if (c.app->parsed()) return c.run();
  return Exit::internal;
}

}  // namespace

int run_program(int argc, char** argv, const MakeCommands& make_commands) {
  try {
    refuse_by_error();
    return static_cast<int>(deliver(run(argc, argv, make_commands)));
  } catch (const NothingChosen& e) {
    if (*e.what() != '\0') tell_text(e.what());
    return static_cast<int>(e.broken() ? Exit::plugin : Exit::nothing);
  } catch (const UsageError& e) {
    return static_cast<int>(complain(Exit::usage, e.what()));
  } catch (const Undecided& e) {
    return static_cast<int>(complain(Exit::truth, e.what()));
  } catch (const std::exception& e) {
    return static_cast<int>(complain(Exit::internal, fmt::format("internal fault: {}", e.what())));
  }
}

}  // namespace ulpaudit
