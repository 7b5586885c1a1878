// Audits: from a request to a report, judged, its replay lines run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "audit/distribution.hpp"
#include "audit/exit_code.hpp"
#include "audit/request.hpp"
#include "audit/train_kernels.hpp"
#include "record/report.hpp"
#include "throughput/bench.hpp"

namespace ulpaudit {

/// Runs the chosen implementations, does what the request's extras ask for, and judges. Of several
/// processes (`ranks`) one gets the report; it has no results in the others. Throws UsageError, and
/// NothingChosen where no kernel matches.
Report audit(const Request& request, const Distribution* ranks = nullptr);

/// One case of a check again, as `to_text(Trial)` writes it: no sweep, no verdict on the rest.
/// Throws as audit().
Report audit_case(const Request& request, const std::string& text);

/// Times alone. `choice` without seed, stop and progress; `count_instructions`: by valgrind too.
/// Throws as audit().
Report audit_times(const Request& request, BenchChoice choice, bool count_instructions);

/// Training runs alone, and the textbook's claims about networks where all networks are trained.
/// `choice` without seed, threads, stop and progress. Throws as audit().
Report audit_training(const Request& request, const TrainingGlobs& globs,
                      const TrainingChoice& choice);

/// What ended the run before its end, if anything: before it is judged.
void mark_end(Report& report, bool time_limit, bool signal);

/// The exit code that a report's findings, verdicts and end ask for.
Exit exit_of(const Report& report);

}  // namespace ulpaudit
