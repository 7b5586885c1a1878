// Its test.
// SPDX-License-Identifier: Apache-2.0
#include "mine.hpp"

#include <gtest/gtest.h>

#include <ulpaudit/expect.hpp>

TEST(Mine, Sigmoid) { EXPECT_ULP_WITHIN(my_sigmoid<double>, ulpaudit::sigmoid, f64, 2.5); }
