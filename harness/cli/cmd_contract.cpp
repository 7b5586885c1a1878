// ulpaudit contract: a contract drafted from what a report measured.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>

#include "audit/choice.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/report_files.hpp"
#include "record/json.hpp"
#include "verdict/draft.hpp"

namespace ulpaudit {
namespace {

struct ContractOptions {
  std::string report, output;
  std::vector<std::string> impls;
};

Report read_report(const std::string& path) {
  try {
    return from_json(read_file(path));
  } catch (const BadReport& e) {
    throw UsageError(fmt::format("'{}' is not a report: {}", path, e.what()));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

Exit run(const ContractOptions& c) {
  check_file(c.output);
  const Report report = read_report(c.report);
  std::vector<std::string> plugins;  // in the order of the report
  std::map<std::string, std::vector<std::string>> kernels;
  for (const Implementation& i : report.implementations) {
    const bool measured = std::any_of(report.results.begin(), report.results.end(),
                                      [&](const Result& r) { return r.implementation == i.name; });
    if (!measured || !matches(c.impls, i.name)) continue;
    if (kernels[i.plugin].empty()) plugins.push_back(i.plugin);
    kernels[i.plugin].push_back(i.name);
  }
  if (plugins.empty()) {
    tell("the report has no figures of a kernel that matches --impl");
    return Exit::nothing;
  }
  if (!c.output.empty() && plugins.size() > 1)
    throw UsageError(
        fmt::format("-o FILE goes with one plug-in, and the report has {}; choose with "
                    "--impl 'PLUGIN/*'",
                    plugins.size()));
  std::string text;
  for (const std::string& p : plugins) {
    if (plugins.size() > 1) text += fmt::format("{}# ---- {} ----\n", text.empty() ? "" : "\n", p);
    text += draft_contract(report, p, kernels[p]);
  }
  if (c.output.empty()) {
    put("{}", text);
    return Exit::fine;
  }
  try {
    write_file(c.output, text);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
  return Exit::fine;
}

}  // namespace

Command add_contract(CLI::App& parser) {
  auto c = std::make_shared<ContractOptions>();
  CLI::App* app =
      parser.add_subcommand("contract", "a contract drafted from what was measured, as TOML");
  app->add_option("report", c->report, "report.json")->required();
  app->add_option("--impl", c->impls, "kernels to draft it for (globs); default: all")
      ->type_name("GLOB");
  app->add_option("-o,--output", c->output, "file to write instead of stdout");
  app->footer(
      "Expected failures are drafted with an empty reason, which no command accepts: say why.\n"
      "Example: ulpaudit contract report/report.json --impl 'naive/*' -o contract.toml");
  return {app, [c] { return run(*c); }};
}

}  // namespace ulpaudit
