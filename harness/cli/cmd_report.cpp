// ulpaudit report: renders a report.json.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

struct ReportOptions {
  std::string file, format = "console", output, color = "auto";
};

Exit run(const ReportOptions& r) {
  Options o;
  o.color = r.color;
  Report report;
  try {
    report = from_json(read_file(r.file));
  } catch (const BadReport& e) {
    throw UsageError(fmt::format("'{}' is not a report: {}", r.file, e.what()));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
  const std::string text = render(report, r.format, {.color = r.output.empty() && o.use_color()});
  if (r.output.empty()) {
    fmt::print("{}", text);
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
  c->add_option("--format", r->format, "console for a terminal, html or md for people, csv or junit for programs")
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
