// The name that was meant: the nearest one of a list, by edits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace ulpaudit {

/// Letters to insert, delete or replace to make `b` of `a` (Levenshtein).
inline std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// "; did you mean 'sigmoid'?": the nearest of `known`, where at most half of the letters differ.
/// Else empty.
template <class Names>
std::string did_you_mean(std::string_view name, const Names& known) {
  if (name.size() > 200) return "";  // no name is: the search is quadratic
  std::string best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 2) + 1;
  for (const auto& k : known)
    if (const std::size_t n = edits(name, k); n < least) {
      least = n;
      best = std::string(k);
    }
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

}  // namespace ulpaudit
