// A wrong constant in the fast judge is found by the run itself: exit code 3 and a count in the
// report.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "audit/audit.hpp"
#include "truth/fast_judge.hpp"

namespace ulpaudit {
namespace {

Report sweep_with_fault(double factor) {
  Request request;
  request.profile = "test";
  request.plugins = {std::string(ULPAUDIT_PLUGIN_DIR) + "/stable.so"};
  request.impls = {"stable/sigmoid"};
  request.dtypes = {"f32"};
  request.isolate = false;
  request.threads = 1;
  set_fast_judge_fault(factor);
  const Report report = audit(request);
  set_fast_judge_fault(1);
  return report;
}

TEST(SelfCheck, ARightFastJudgeAgrees) {
  const Report report = sweep_with_fault(1);
  EXPECT_EQ(exit_of(report), Exit::fine);
  EXPECT_GT(report.results.at(0).judged.cross_checked, 0u);
  EXPECT_EQ(report.results.at(0).judged.disagreements, 0u);
}

TEST(SelfCheck, AWrongConstantEndsInExitCode3) {
  const Report report = sweep_with_fault(1 + 0x1p-40);
  EXPECT_EQ(exit_of(report), Exit::truth);
  EXPECT_GT(report.results.at(0).judged.disagreements, 0u);
}

}  // namespace
}  // namespace ulpaudit
