// What the globs and numbers of a request choose.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "audit/request.hpp"
#include "inputs/plan.hpp"

namespace ulpaudit {

/// More inputs than this per label are refused: years of work asked for by accident.
inline constexpr std::uint64_t kMostInputs = std::uint64_t{1} << 40;

/// Does any of the globs match? No globs match all.
bool matches(const std::vector<std::string>& globs, const std::string& name);

/// Refuses globs that match none of the known names, naming these. Throws UsageError.
void check_globs(const std::vector<std::string>& globs, const std::vector<std::string>& known,
                 const std::string& what);

/// Those of `all` whose names the globs choose; throws UsageError for a glob that chooses none.
template <class Range>
auto chosen(const Range& all, const std::vector<std::string>& globs, const char* what) {
  std::vector<std::string> known;
  std::vector<std::decay_t<decltype(*std::begin(all))>> out;
  for (const auto x : all) {
    known.emplace_back(name(x));
    if (matches(globs, known.back())) out.push_back(x);
  }
  check_globs(globs, known, what);
  return out;
}

/// Ops and dtypes that the globs choose; throws UsageError for an unknown name.
std::vector<OpId> chosen_ops(const Request& request);
std::vector<Dtype> chosen_dtypes(const Request& request);

/// The inputs that the request chooses for an op and dtype. Throws UsageError.
InputChoice choose_inputs(const Request& request, OpId op, Dtype d, std::uint64_t default_points,
                          bool default_exhaustive, bool default_search);

}  // namespace ulpaudit
