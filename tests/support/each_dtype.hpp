// Test suites with one instance per dtype, named by it: truth.Suite.Test/f16.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "fp/format.hpp"

namespace ulpaudit::test {

class EachDtype : public ::testing::TestWithParam<Dtype> {
 protected:
  const Dtype d = GetParam();
  const Format& f = format(GetParam());
};

inline std::string dtype_name(const ::testing::TestParamInfo<Dtype>& i) {
  return std::string(name(i.param));
}

}  // namespace ulpaudit::test

#define ULPAUDIT_EACH_DTYPE(Suite)                     \
  class Suite : public ::ulpaudit::test::EachDtype {}; \
  INSTANTIATE_TEST_SUITE_P(, Suite, ::testing::ValuesIn(kDtypes), ::ulpaudit::test::dtype_name)
