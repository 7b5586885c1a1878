// Packed arrays of encodings, and the cases that three of them make.
#pragma once

#include <cstring>

#include "record/tally.hpp"

namespace ulpaudit {

/// Encoding number i of a packed array.
inline Bits load(Dtype d, const void* packed, std::uint64_t i) {
  const auto read = [&](auto value) {
    std::memcpy(&value, static_cast<const char*>(packed) + i * sizeof value, sizeof value);
    return Bits{value};
  };
  const int width = format(d).width;
  return width == 16 ? read(std::uint16_t{}) : width == 32 ? read(std::uint32_t{}) : read(Bits{});
}

/// Inputs and their results, with one label or an array of them.
struct PackedCases {
  Dtype d;
  Bits y;
  const void* z;
  const void* got;
  const void* labels = nullptr;  ///< where given, instead of y
  Case operator()(std::uint64_t i) const {
    return {load(d, z, i), labels == nullptr ? y : load(d, labels, i), load(d, got, i)};
  }
};

}  // namespace ulpaudit
