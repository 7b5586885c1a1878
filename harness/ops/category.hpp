// What can be wrong with a result besides its distance from the truth.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "fp/bits.hpp"

namespace ulpaudit {

/// What can be wrong with one result besides its distance from the truth.
enum class Category : std::uint8_t {
  new_nan,              ///< NaN where the truth is not
  lost_nan,             ///< not NaN where the truth is
  wrong_infinity,       ///< an infinity where the truth is finite, or of the wrong sign
  finite_for_infinite,  ///< finite where the truth is infinite
  wrong_sign,           ///< nonzero of the other sign than t
  nonzero_for_zero,     ///< t = 0
  flushed,              ///< 0 where the correctly rounded result is subnormal
  vanished,             ///< 0 where it is normal
  out_of_range,         ///< outside the op's range
  none
};
inline constexpr int kCategoryCount = 9;
std::string_view name(Category c);

}  // namespace ulpaudit
