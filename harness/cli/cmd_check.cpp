// ulpaudit check: properties of the chosen kernels, each breach shrunk to one case.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/commands.hpp"
#include "audit/context.hpp"
#include "cli/output.hpp"
#include "audit/check_kernels.hpp"
#include "audit/audit.hpp"
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

/// One case again: no sweep, no verdict on the rest.
SweepRun replay(const CheckOptions& c) {
  SweepRun run;
  const Catalog catalog = open_catalog(c.shared);
  for (const BrokenPlugin& b : catalog.broken) tell("{}", b.reason);
  run.report.context = make_context(c.shared, kCheckProfile);
  run.report.run = make_volatile(c.shared);
  run.report.implementations = chosen_implementations(catalog, c.shared);
  run.report.contracts = chosen_contracts(catalog, c.shared);
  if (run.report.implementations.empty()) {
    run.exit = catalog.broken.empty() ? Exit::nothing : Exit::plugin;
    tell("nothing matches --op, --impl and --dtype");
    return run;
  }
  check_output(c.shared);
  append_case(catalog, c.shared, c.one_case, run.report);
  judge_report(catalog.contracts, false, run.report);
  run.exit = exit_of(run.report);
  return run;
}

Exit run(const CheckOptions& c) {
  if (c.list_rules) {
    print_rules();
    return Exit::fine;
  }
  const SweepRun check =
      c.one_case.empty() ? run_sweep(c.shared, {}, kCheckProfile, {.properties = true}) : replay(c);
  const Report& report = check.report;
  if (c.one_case.empty() ? report.results.empty() : report.implementations.empty())
    return check.exit;
  if (!c.shared.output.empty()) write_report_folder(report, c.shared.output);
  put("{}", c.shared.json ? to_json(report)
                          : render(report, "findings", {.color = c.shared.use_color()}));
  return check.exit;
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
