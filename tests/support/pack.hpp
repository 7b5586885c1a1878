// Encodings as the packed arrays that kernels and judges take, for tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "fp/bits.hpp"

namespace ulpaudit::test {

/// With room to read 64 bytes behind.
inline std::vector<char> pack(Dtype d, const std::vector<Bits>& values) {
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  std::vector<char> out(values.size() * bytes + 64);
  for (std::size_t i = 0; i < values.size(); ++i)
    std::copy_n(reinterpret_cast<const char*>(&values[i]), bytes, out.data() + i * bytes);
  return out;
}

}  // namespace ulpaudit::test
