// What sweep and audit share: jobs run, results judged, the report written.
#pragma once

#include "cli/catalog.hpp"
#include "cli/exit_code.hpp"
#include "record/report.hpp"

namespace ulpaudit {

struct SweepRun {
  Report report;
  Exit exit = Exit::fine;
};

/// Runs the chosen implementations and judges them. `with_textbook` adds the measured claims.
SweepRun run_sweep(const Options& o, const InputDefaults& defaults, const std::string& profile,
                   bool with_textbook);

/// report.json and report.md into `folder`, which is made if need be. Throws UsageError.
void write_report_folder(const Report& report, const std::string& folder);

}  // namespace ulpaudit
