// In which regions a failure occurs that is told of the whole line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "record/report.hpp"

namespace ulpaudit {

/// Names of regions. Empty: of no single region, or it cannot be told.
using Regions = std::set<std::string>;

/// The regions of the same kernel and dtype as `total` whose figures are `broken`.
template <class Broken>
Regions regions_where(const Report& report, const Result& total, Broken broken) {
  Regions out;
  for (const Result& r : report.results)
    if (r.region != "all" && r.implementation == total.implementation && r.dtype == total.dtype &&
        broken(r))
      out.insert(r.region);
  return out;
}

/// Every region between two inputs, for each of the labels of `total`; nothing where these are not
/// all known.
Regions regions_between(const Result& total, const Number& first, const Number& last);

/// The region of one input.
Regions region_at(const std::string& op, const std::string& dtype, const Witness& w);

/// Of a finding that is in the report already: of the sweep, every region that its inputs may lie
/// in; of a property, that of its witness where the rule is about values.
Regions regions_of_finding(const Report& report, const Finding& f);

}  // namespace ulpaudit
