// From counts to the report's results and findings about the run itself.
#pragma once

#include "measure/batch_runner.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// A case as the report shows it; the final judge gives what is expected there.
Witness make_witness(OpId op, Dtype d, const Case& c);

/// The command that shows one case again.
std::string eval_command(const Report& r, const std::string& implementation, OpId op, Dtype d,
                         const Case& c);

/// Appends the job's raw results to the report: region "all", then each region that has points.
/// `sessions` runs the kernels once more, on the special values.
void append_results(const Job& job, SessionPool& sessions, Report& report);

/// Fills what follows from raw results, of a run or of merged shards, and appends a finding for
/// each way in which a worker ended. `whole`: every chunk of the inputs was run.
void derive_results(bool whole, Report& report);

}  // namespace ulpaudit
