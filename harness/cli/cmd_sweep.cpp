// ulpaudit sweep: accuracy of chosen implementations over a chosen input set.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "audit/audit.hpp"
#include "cli/commands.hpp"
#include "cli/report_files.hpp"

namespace ulpaudit {
namespace {

Exit run(const Options& o, const Distribution* ranks) {
  Request request = o.request();
  request.profile = kSweepProfile;
  const Report report = audit(request, ranks);
  if (report.results.empty()) return Exit::fine;  // another process has them
  give_report(o, report);
  return exit_of(report);
}

}  // namespace

Command add_sweep(CLI::App& parser, const Distribution* ranks) {
  auto o = std::make_shared<Options>();
  CLI::App* c = parser.add_subcommand("sweep", "accuracy over a chosen input set");
  add_selection_options(*c, *o);
  add_input_options(*c, *o);
  add_run_options(*c, *o);
  add_output_options(*c, *o);
  c->add_option("-o,--output", o->output,
                "folder for report.html, report.json, report.md and junit.xml");
  c->footer("Example: ulpaudit sweep --op sigmoid --dtype f32 --impl 'naive/*' --range -100:-80");
  return {c, [o, ranks] { return run(*o, ranks); }};
}

}  // namespace ulpaudit
