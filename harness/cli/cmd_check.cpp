// ulpaudit check: properties of the chosen kernels, each breach shrunk to one case.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "audit/audit.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/report_files.hpp"
#include "contract/rules.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

struct CheckOptions {
  Options shared;
  std::string one_case;
  bool list_rules = false;
};

void print_rules() {
  put("| rule | what it says | for | binding |\n|---|---|---|---|\n");
  for (const Rule& r : rules())
    put("| `{}` | {} | {} | {} |\n", r.id, r.statement, r.applies, r.binding);
}

Exit run(const CheckOptions& c) {
  if (c.list_rules) {
    print_rules();
    return Exit::fine;
  }
  const Options& o = c.shared;
  Request request = o.request();
  request.profile = kCheckProfile;
  request.extras.properties = true;
  const Report report = c.one_case.empty() ? audit(request) : audit_case(request, c.one_case);
  if (!o.output.empty()) write_report_folder(report, o.output);
  put("{}", o.json ? to_json(report) : render(report, "findings", {.color = o.use_color()}));
  return exit_of(report);
}

}  // namespace

Command add_check(CLI::App& parser) {
  auto o = std::make_shared<CheckOptions>();
  o->shared.given_alone = true;
  CLI::App* c =
      parser.add_subcommand("check", "properties: values, buffers, environment, determinism");
  add_selection_options(*c, o->shared);
  add_input_options(*c, o->shared);
  add_run_options(*c, o->shared);
  add_output_options(*c, o->shared);
  c->add_option("-o,--output", o->shared.output,
                "folder for report.html, report.json, report.md and junit.xml");
  c->add_flag("--huge", o->shared.huge,
              "batches past 2^31 bytes too, as with --exhaustive (2.3 GiB for each thread; "
              "seconds to minutes each)");
  c->add_option("--case", o->one_case, "run this one case again, as a finding's replay gives it")
      ->type_name("TEXT");
  c->add_flag("--rules", o->list_rules, "list the rules and what they say, and stop");
  c->footer(
      "With --plugin or --exec and without --impl, what is given is checked alone.\n"
      "Example: ulpaudit check --impl 'stable/*' --dtype f32");
  return {c, [o] { return run(*o); }};
}

}  // namespace ulpaudit
