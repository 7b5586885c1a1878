// The commands: each adds itself to the parser and runs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "audit/exit_code.hpp"

namespace CLI {
class App;
}

namespace ulpaudit {

/// A command that was added to the parser; `run` is called where the user chose it.
struct Command {
  CLI::App* app;
  std::function<Exit()> run;
};

struct Distribution;

// One file each: cmd_NAME.cpp. `ranks` outlives the command; null: this process runs alone.
Command add_list(CLI::App& parser);
Command add_sweep(CLI::App& parser, const Distribution* ranks = nullptr);
Command add_audit(CLI::App& parser, const Distribution* ranks = nullptr);
Command add_check(CLI::App& parser);
Command add_bench(CLI::App& parser);
Command add_train(CLI::App& parser);
Command add_eval(CLI::App& parser);
Command add_diff(CLI::App& parser);
Command add_contract(CLI::App& parser);
Command add_gate(CLI::App& parser);
Command add_report(CLI::App& parser);
Command add_merge(CLI::App& parser);
Command add_manual(CLI::App& parser);

}  // namespace ulpaudit
