// Files of a report.
// SPDX-License-Identifier: Apache-2.0
#include "cli/report_files.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "cli/output.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

constexpr std::array kReportFiles = {std::pair("report.html", "html"), std::pair("report.md", "md"),
                                     std::pair("junit.xml", "junit")};

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw UsageError(fmt::format("cannot make folder '{}': {}", folder, error.message()));
}

}  // namespace

void check_file(const std::string& path) {
  try {
    if (!path.empty()) check_writable(path);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

void check_output(const Options& o) {
  check_file(o.checkpoint);
  if (o.output.empty()) return;
  make_folder(o.output);
  check_file(o.output + "/report.json");
  for (const auto& [file, format] : kReportFiles) check_file(o.output + "/" + file);
}

void write_report_folder(const Report& report, const std::string& folder) {
  make_folder(folder);
  try {
    write_file(folder + "/report.json", to_json(report));
    for (const auto& [file, format] : kReportFiles)
      write_file(folder + "/" + file, render(report, format, {}));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

void give_report(const Options& o, const Report& report) {
  if (!o.output.empty()) write_report_folder(report, o.output);
  put("{}", o.json ? to_json(report) : render(report, "console", {.color = o.use_color()}));
}

}  // namespace ulpaudit
