// Encodings in memory: packed arrays, each element in the unsigned integer of its dtype's width.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fp/format.hpp"

namespace ulpaudit {

/// Does an unsigned integer hold an encoding of each dtype and nothing else? with_storage() knows
/// them.
constexpr bool stored_in_whole_integers() {
  return std::all_of(kFormats.begin(), kFormats.end(), [](const Format& f) {
    return f.width == 16 || f.width == 32 || f.width == 64;
  });
}
static_assert(stored_in_whole_integers(), "with_storage() lacks a width of the table of dtypes");

/// f(T{}), where T is the unsigned integer that holds an encoding of d: 16, 32 or 64 bits.
template <class F>
constexpr decltype(auto) with_storage(Dtype d, F&& f) {
  const int width = format(d).width;
  if (width == 16) return f(std::uint16_t{});
  if (width == 32) return f(std::uint32_t{});
  return f(std::uint64_t{});  // by the assertion above
}

/// Encoding number i of a packed array.
inline Bits load(Dtype d, const void* packed, std::uint64_t i) {
  return with_storage(d, [&](auto value) {
    std::memcpy(&value, static_cast<const char*>(packed) + i * sizeof value, sizeof value);
    return Bits{value};
  });
}

}  // namespace ulpaudit
