// ulpaudit audit: everything that is known how to measure, into one report.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "audit/time_kernels.hpp"
#include "audit/audit.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

Exit run(const Options& o, const std::string& profile, const Distribution* ranks) {
  InputDefaults defaults;
  Options with_reference = o;
  if (profile != "quick") with_reference.also_load = kReference;
  if (profile != "quick") {
    defaults.f32_unary_exhaustive = true;
    defaults.points = 200000;
  }
  if (profile == "full") {
    defaults.f32_labels_exhaustive = true;
    defaults.all_16bit_labels = true;
    defaults.f64_search = true;
    defaults.points = 2000000;
  }
  const SweepRun audit = run_sweep(with_reference, defaults, profile,
                                   {.textbook = true,
                                    .properties = true,
                                    .bench = profile != "quick",
                                    .train = profile != "quick"},
                                   ranks);
  if (audit.report.results.empty()) return audit.exit;
  write_report_folder(audit.report, o.output);
  if (o.json) {
    put("{}", to_json(audit.report));
    return audit.exit;
  }
  put("{}\nReport: {}/report.html, for people ({:.1f} s); report.json and junit.xml, for "
      "programs; report.md\n",
      render(audit.report, "console", {.color = o.use_color()}), o.output,
      audit.report.run.wall_seconds);
  return audit.exit;
}

}  // namespace

Command add_audit(CLI::App& parser, const Distribution* ranks) {
  auto o = std::make_shared<Options>();
  auto profile = std::make_shared<std::string>("quick");
  o->output = "report";
  CLI::App* c = parser.add_subcommand("audit", "measure and judge everything chosen: one report");
  add_selection_options(*c, *o);
  add_input_options(*c, *o);
  add_run_options(*c, *o);
  add_output_options(*c, *o);
  c->add_option(
       "--profile", *profile,
       "quick: 16-bit exhaustive over the default labels, f32 and f64 sampled; standard: "
       "every f32 of the unary ops, times and training too; full: every 16-bit pair, every f32 of "
       "every op, a "
       "search for the worst f64")
      ->check(CLI::IsMember({"quick", "standard", "full"}))
      ->capture_default_str();
  c->add_option("-o,--output", o->output,
                "folder for report.html, report.json, report.md and junit.xml")
      ->capture_default_str();
  c->footer("Example: ulpaudit audit --profile quick --output report");
  return {c, [o, profile, ranks] { return run(*o, *profile, ranks); }};
}

}  // namespace ulpaudit
