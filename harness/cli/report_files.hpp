// The files of a report's folder, and stdout.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// Finds a checkpoint or a folder (which is made if need be) that cannot be written before the work
/// is done. Throws UsageError.
void check_output(const Options& o);
/// The same for one file; nothing for an empty name.
void check_file(const std::string& path);

/// report.html, report.json, report.md and junit.xml into `folder`, which is made if need be.
/// Throws UsageError.
void write_report_folder(const Report& report, const std::string& folder);

/// Writes the folder that the options ask for, and prints the report.
void give_report(const Options& o, const Report& report);

}  // namespace ulpaudit
