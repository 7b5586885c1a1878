// Grouping of findings.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/causes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace ulpaudit {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// The size or the sign of a finite result is wrong: the same mistake breaks any of these.
bool about_size(std::string_view rule) {
  constexpr std::string_view rules[] = {"value.wrong_sign",   "value.nonzero_for_zero",
                                        "value.flushed",      "value.vanished",
                                        "value.out_of_range", "value.exact",
                                        "value.threshold",    "monotone",
                                        "monotone.reversed"};
  return starts_with(rule, "accuracy.") || starts_with(rule, "symmetry") ||
         std::find(std::begin(rules), std::end(rules), rule) != std::end(rules);
}

std::string family(const Finding& f) { return about_size(f.rule) ? "size" : f.rule; }

int gravity(const Finding& f) {
  return f.severity == Severity::note ? 2 : f.expected_failure.empty() ? 0 : 1;
}

/// What must be known before anything else about the kernel makes sense comes first.
int rank(std::string_view rule) {
  if (rule == "plugin.load") return 0;
  if (rule == "batch.not_written") return 1;
  if (starts_with(rule, "plugin.")) return 2;
  if (starts_with(rule, "determinism.")) return 3;
  if (rule == "batch.write_outside" || rule == "batch.input_changed" ||
      rule == "batch.read_outside")
    return 4;
  if (starts_with(rule, "value.") || starts_with(rule, "accuracy.")) return 5;
  return 6;
}

/// In ulps; a result without an error in ulps is worse than any.
double badness(const Finding& f) {
  if (!f.witness) return 0;
  if (f.witness->error_ulps) return std::fabs(*f.witness->error_ulps);
  return starts_with(f.rule, "value.") ? std::numeric_limits<double>::infinity() : 0;
}

struct Cause {
  int gravity, rank;
  std::size_t implementation;  ///< its place in the list
  std::vector<Finding> findings;
};

}  // namespace

void group_by_cause(Report& report) {
  std::map<std::string, std::size_t> place;
  for (const Implementation& i : report.implementations) place.emplace(i.name, place.size());
  std::map<std::tuple<int, std::string, std::string>, std::size_t> at;
  std::vector<Cause> causes;
  for (Finding& f : report.findings) {
    f.cause = 0;
    const auto [found, added] = at.emplace(
        std::tuple(gravity(f), f.implementation, f.phase == "load" ? "load " + f.rule : family(f)),
        causes.size());
    if (added) {
      const auto known = place.find(f.implementation);
      causes.push_back(
          {gravity(f), rank(f.rule), known == place.end() ? place.size() : known->second, {}});
    }
    Cause& cause = causes[found->second];
    cause.rank = std::min(cause.rank, rank(f.rule));
    cause.findings.push_back(std::move(f));
  }
  std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) {
    return std::tie(a.gravity, a.implementation, a.rank) <
           std::tie(b.gravity, b.implementation, b.rank);
  });
  report.findings.clear();
  std::uint64_t number = 0;
  for (Cause& cause : causes) {
    std::stable_sort(cause.findings.begin(), cause.findings.end(),
                     [](const Finding& a, const Finding& b) { return badness(a) > badness(b); });
    const bool several = cause.findings.size() > 1;
    number += several ? 1 : 0;
    for (Finding& f : cause.findings) {
      if (several) f.cause = number;
      report.findings.push_back(std::move(f));
    }
  }
}

}  // namespace ulpaudit
