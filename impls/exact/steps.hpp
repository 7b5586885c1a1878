// How often the later steps run: counted only in a build with -DULPAUDIT_EXACT_COUNT.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "op.hpp"

#ifdef ULPAUDIT_EXACT_COUNT
#include <atomic>
#include <cstdio>
namespace exact {
struct Counters {
  std::atomic<std::uint64_t> second[4]{}, last[4]{};
  ~Counters() {
    for (int i = 0; i < 4; ++i)
      if (second[i] + last[i] != 0)
        std::fprintf(stderr, "exact: op %d: second step %llu, last step %llu\n", i,
                     static_cast<unsigned long long>(second[i]),
                     static_cast<unsigned long long>(last[i]));
  }
};
inline Counters counters;
inline void count_second(Op op) { ++counters.second[static_cast<int>(op)]; }
inline void count_last(Op op) { ++counters.last[static_cast<int>(op)]; }
}  // namespace exact
#else
namespace exact {
inline void count_second(Op) {}
inline void count_last(Op) {}
}  // namespace exact
#endif
