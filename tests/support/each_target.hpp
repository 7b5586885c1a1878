// A check on every SIMD target of this machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "truth/fast_judge.hpp"

namespace ulpaudit::test {

/// Runs the check on each SIMD target of this machine.
template <class Check>
void on_each_target(Check check) {
  std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS;
  ASSERT_NE(left, 0);
  for (; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(fast_judge_target());
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace ulpaudit::test
