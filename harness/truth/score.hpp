// One result against the truth: category, ULP error, correctly rounded, faithful.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/category.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {

struct Score {
  Category category = Category::none;
  bool measured = false;  ///< error_ulps enters max, mean and rms
  bool correctly_rounded = false;
  bool faithful = false;
  bool wrong_zero = false;  ///< a zero of the other sign than t's; not a fault by itself
  bool allclose = true;     ///< |got - t| <= 1e-8 + 1e-5 |t|, NaN equal to NaN
  double error_ulps = 0;    ///< (got - t)/ulp(t), within 2^-45 relative
};

Score score(OpId op, Dtype d, const Truth& t, Bits got);

}  // namespace ulpaudit
