// From MPFR numbers and from digits to encodings, with a single rounding.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpfr.h>

#include <optional>
#include <string>

#include "fp/bits.hpp"

namespace ulpaudit {

/// x rounded once to nearest, ties to even. NaN gives the quiet NaN.
Bits encode(Dtype d, mpfr_srcptr x);

/// The decimal or hexadecimal number in `text` rounded once; nothing where it is malformed.
std::optional<Bits> encode_text(Dtype d, const std::string& text);

}  // namespace ulpaudit
