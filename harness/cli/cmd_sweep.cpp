// ulpaudit sweep: accuracy of chosen implementations over a chosen input set.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "audit/audit.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

Exit run(const Options& o, const Distribution* ranks) {
  const SweepRun sweep = run_sweep(o, {}, kSweepProfile, {}, ranks);
  if (sweep.report.results.empty()) return sweep.exit;
  if (!o.output.empty()) write_report_folder(sweep.report, o.output);
  put("{}",
      o.json ? to_json(sweep.report) : render(sweep.report, "console", {.color = o.use_color()}));
  return sweep.exit;
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
