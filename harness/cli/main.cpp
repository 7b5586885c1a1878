// ulpaudit: the program.
// SPDX-License-Identifier: Apache-2.0
#include "cli/program.hpp"

int main(int argc, char** argv) {
  using namespace ulpaudit;
  return run_program(argc, argv, [](CLI::App& parser) -> std::vector<Command> {
    return {add_list(parser),     add_sweep(parser), add_check(parser),  add_bench(parser),
            add_train(parser),    add_audit(parser), add_eval(parser),   add_diff(parser),
            add_contract(parser), add_gate(parser),  add_report(parser), add_merge(parser),
            add_manual(parser)};
  });
}
