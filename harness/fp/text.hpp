// Numbers as text: decimal, hex float and bit pattern, in and out, without loss.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "fp/bits.hpp"

namespace ulpaudit {

/// Reads decimal ("-88.5", "1e-45", "inf", "nan"), hex float ("0x1.8p-3") or a bit pattern
/// ("0x3f800000" or "0b…": an integer that fits the width) and rounds once, to nearest even.
/// Throws std::invalid_argument that says what was wrong and what is accepted.
Bits parse_number(Dtype d, std::string_view text);

/// "0x3f800000", zero-padded to the width.
std::string bits_text(Dtype d, Bits b);
/// "0x1.8p-3", "inf", "-nan".
std::string hex_float(Dtype d, Bits b);
/// The shortest decimal that parse_number reads back as the same number.
std::string decimal(Dtype d, Bits b);

}  // namespace ulpaudit
