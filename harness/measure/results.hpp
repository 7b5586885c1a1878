// From counts to the report's results and findings about the run itself.
#pragma once

#include "measure/batch_runner.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// A case as the report shows it; the final judge gives what is expected there.
Witness make_witness(OpId op, Dtype d, const Case& c);

/// The command that shows one case again.
std::string eval_command(const std::string& implementation, OpId op, Dtype d, const Case& c);

/// Appends the job's results to the report, and a finding for each way in which a worker ended.
/// `sessions` runs the kernels once more, on the special values.
void append_results(const Job& job, bool shard, SessionPool& sessions, Report& report);

}  // namespace ulpaudit
