// A wrong constant in the fast judge is found by the run itself: exit code 3 and a count in the
// report.
#include <gtest/gtest.h>

#include "audit/audit.hpp"
#include "truth/fast_judge.hpp"

namespace ulpaudit {
namespace {

SweepRun sweep_with_fault(double factor) {
  Options o;
  o.plugins = {std::string(ULPAUDIT_PLUGIN_DIR) + "/stable.so"};
  o.impls = {"stable/sigmoid"};
  o.dtypes = {"f32"};
  o.isolate = "off";
  o.quiet = true;
  o.threads = 1;
  set_fast_judge_fault(factor);
  SweepRun run = run_sweep(o, {}, "test", {});
  set_fast_judge_fault(1);
  return run;
}

TEST(SelfCheck, ARightFastJudgeAgrees) {
  const SweepRun run = sweep_with_fault(1);
  EXPECT_EQ(run.exit, Exit::fine);
  EXPECT_GT(run.report.results.at(0).judged.cross_checked, 0u);
  EXPECT_EQ(run.report.results.at(0).judged.disagreements, 0u);
}

TEST(SelfCheck, AWrongConstantEndsInExitCode3) {
  const SweepRun run = sweep_with_fault(1 + 0x1p-40);
  EXPECT_EQ(run.exit, Exit::truth);
  EXPECT_GT(run.report.results.at(0).judged.disagreements, 0u);
}

}  // namespace
}  // namespace ulpaudit
