// ulpaudit report: renders a report.json.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <optional>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/report_files.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

struct ReportOptions {
  std::string file, against, format = "console", output, color = "auto";
};

Report read_report(const std::string& file) {
  try {
    return from_json(read_file(file));
  } catch (const BadReport& e) {
    throw UsageError(fmt::format("'{}' is not a report: {}", file, e.what()));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

Exit run(const ReportOptions& r) {
  Options o;
  o.color = r.color;
  if (!r.against.empty() && r.format != "html")
    throw UsageError("--against goes with --format html only");
  check_file(r.output);
  const Report report = read_report(r.file);
  std::optional<Report> before;
  if (!r.against.empty()) before = read_report(r.against);
  const std::string text =
      render(report, r.format,
             {.color = r.output.empty() && o.use_color(), .against = before ? &*before : nullptr});
  if (r.output.empty()) {
    put("{}", text);
    return Exit::fine;
  }
  try {
    write_file(r.output, text);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
  return Exit::fine;
}

}  // namespace

Command add_report(CLI::App& parser) {
  std::vector<std::string> formats;
  for (const Renderer& x : renderers()) formats.emplace_back(x.name);
  auto r = std::make_shared<ReportOptions>();
  CLI::App* c = parser.add_subcommand("report", "render a report.json");
  c->add_option("file", r->file, "report.json")->required();
  c->add_option("--against", r->against, "an earlier report.json: the page shows what changed");
  c->add_option("--format", r->format,
                "console for a terminal, html or md for people, csv or junit for programs")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  c->add_option("-o,--output", r->output, "file to write instead of stdout");
  c->add_option("--color", r->color, "colours in tables")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  c->footer("Example: ulpaudit report build/report/report.json --format html -o report.html");
  return {c, [r] { return run(*r); }};
}

}  // namespace ulpaudit
