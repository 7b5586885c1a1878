// What sweep and audit share: jobs run, results judged, the report written.
#pragma once

#include <chrono>

#include "audit/catalog.hpp"
#include "audit/distribution.hpp"
#include "audit/exit_code.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// The profile that a sweep's report names: it has no textbook.
inline constexpr char kSweepProfile[] = "sweep";
/// And that of a check.
inline constexpr char kCheckProfile[] = "check";

/// What comes on top of the sweep.
struct Extras {
  bool textbook = false;    ///< the measured claims
  bool properties = false;  ///< the rules of `check`
  bool bench = false;       ///< times
  bool train = false;       ///< networks
};

struct SweepRun {
  Report report;
  Exit exit = Exit::fine;
};

/// Runs the chosen implementations and judges them. Of several processes (`ranks`) one gets the
/// report; it has no results in the others.
SweepRun run_sweep(const Options& o, const InputDefaults& defaults, const std::string& profile,
                   const Extras& extras, const Distribution* ranks = nullptr);

/// What ended the run before its end, if anything: before it is judged.
void mark_end(Report& report, bool time_limit, bool signal);

/// The exit code that a report's findings and verdicts ask for.
Exit exit_of(const Report& report);

/// Finds a checkpoint or a folder (which is made if need be) that cannot be written before the work
/// is done. Throws UsageError.
void check_output(const Options& o);
/// The same for one file; nothing for an empty name.
void check_file(const std::string& path);

/// report.html, report.json, report.md and junit.xml into `folder`, which is made if need be.
/// Throws UsageError.
void write_report_folder(const Report& report, const std::string& folder);

/// Ends a run that began at `start`: writes the folder that the options ask for, prints the report,
/// and gives the exit code.
Exit give_report(const Options& o, std::chrono::steady_clock::time_point start, Report& report);

}  // namespace ulpaudit
