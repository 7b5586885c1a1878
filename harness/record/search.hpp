// What a worst-case search found, binade by binade.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "record/tally.hpp"

namespace ulpaudit {

struct SearchedBinade {
  std::uint64_t last = 0;  ///< ordinal of its last input
  std::uint64_t points = 0;
  Extreme max;  ///< of the absolute error
  void merge(Dtype d, const SearchedBinade& o) {
    last = o.last;
    points += o.points;
    max.merge(d, o.max);
  }
};

/// By the ordinal of the binade's first input; the labels of two-argument ops are one binade.
using SearchedBinades = std::map<std::uint64_t, SearchedBinade>;

inline void merge(Dtype d, SearchedBinades& into, const SearchedBinades& from) {
  for (const auto& [first, binade] : from) into[first].merge(d, binade);
}

}  // namespace ulpaudit
