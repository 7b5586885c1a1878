// ulpaudit audit: everything that is known how to measure, into one report.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "audit/audit.hpp"
#include "audit/time_kernels.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/report_files.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

/// What each profile runs.
Request request_of(const Options& o, const std::string& profile) {
  Request request = o.request();
  request.profile = profile;
  request.extras.textbook = request.extras.properties = true;
  if (profile == "quick") return request;
  request.also_load = kReference;
  request.extras.bench = request.extras.train = true;
  request.defaults.f32_unary_exhaustive = true;
  request.defaults.points = 200000;
  if (profile == "standard") return request;
  request.defaults.f32_labels_exhaustive = true;
  request.defaults.all_16bit_labels = true;
  request.defaults.f64_search = true;
  request.defaults.points = 2000000;
  return request;
}

Exit run(const Options& o, const std::string& profile, const Distribution* ranks) {
  const Report report = audit(request_of(o, profile), ranks);
  if (report.results.empty()) return Exit::fine;  // another process has them
  write_report_folder(report, o.output);
  if (o.json) {
    put("{}", to_json(report));
    return exit_of(report);
  }
  put("{}\nReport: {}/report.html, for people ({:.1f} s); report.json and junit.xml, for "
      "programs; report.md\n",
      render(report, "console", {.color = o.use_color()}), o.output, report.run.wall_seconds);
  return exit_of(report);
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
