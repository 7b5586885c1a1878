// The command line of ulpaudit.
#include "cli/program.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <vector>

#include "cli/context.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

Exit complain(Exit code, const std::string& what) {
  fmt::print(stderr, "ulpaudit: {}\n", what);
  return code;
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
    parser.parse(argc, argv);
  } catch (const CLI::Success& e) {
    parser.exit(e);
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
    return static_cast<int>(run(argc, argv, make_commands));
  } catch (const UsageError& e) {
    return static_cast<int>(complain(Exit::usage, e.what()));
  } catch (const Undecided& e) {
    return static_cast<int>(complain(Exit::truth, e.what()));
  } catch (const std::exception& e) {
    return static_cast<int>(complain(Exit::internal, fmt::format("internal fault: {}", e.what())));
  }
}

}  // namespace ulpaudit
