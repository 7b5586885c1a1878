// From inputs to regions.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/occurs.hpp"

#include <algorithm>
#include <stdexcept>

#include "fp/text.hpp"

namespace ulpaudit {
namespace {

/// Regions of the inputs with ordinals in [first, last], for one label.
void add_between(OpId op, Dtype d, Bits y, std::uint64_t first, std::uint64_t last, Regions& out) {
  const std::uint64_t lowest = ordinal(d, negate(d, format(d).infinity()));
  const std::uint64_t highest = ordinal(d, format(d).infinity());
  if (is_nan(d, y) || first < lowest || last > highest) out.insert("special");
  if (is_nan(d, y)) return;
  for (const RegionSpan& s : region_spans(op, d, y))
    if (s.first <= last && s.last >= first) out.emplace(name(s.region));
}

}  // namespace

Regions regions_between(const Result& total, const Number& first, const Number& last) {
  Regions out;
  const auto op = op_from_name(total.op);
  const auto d = dtype_from_name(total.dtype);
  if (!op || !d || total.label_count > total.labels.size()) return out;
  try {
    std::vector<Bits> labels;
    for (const Number& y : total.labels) labels.push_back(parse_number(*d, y.bits));
    if (labels.empty()) labels.push_back(0);
    const std::uint64_t a = ordinal(*d, parse_number(*d, first.bits));
    const std::uint64_t b = ordinal(*d, parse_number(*d, last.bits));
    for (const Bits y : labels) add_between(*op, *d, y, std::min(a, b), std::max(a, b), out);
  } catch (const std::invalid_argument&) {
    return {};  // a damaged report
  }
  return out;
}

Regions region_at(const std::string& op_name, const std::string& dtype, const Witness& w) {
  Regions out;
  const auto op = op_from_name(op_name);
  const auto d = dtype_from_name(dtype);
  if (!op || !d) return out;
  try {
    const std::uint64_t at = ordinal(*d, parse_number(*d, w.z.bits));
    add_between(*op, *d, w.y ? parse_number(*d, w.y->bits) : 0, at, at, out);
  } catch (const std::invalid_argument&) {
    return {};
  }
  return out;
}

Regions regions_of_finding(const Report& report, const Finding& f) {
  if (f.region != "all" && !f.region.empty()) return {f.region};
  if (f.phase == "sweep" && f.range) {
    const Result* total = find_total(report, f.implementation, f.dtype);
    return total == nullptr ? Regions() : regions_between(*total, f.range->first, f.range->last);
  }
  const bool of_values = f.rule.rfind("value.", 0) == 0 || f.rule.rfind("accuracy.", 0) == 0;
  if (f.phase == "check" && of_values && f.witness) return region_at(f.op, f.dtype, *f.witness);
  return {};
}

}  // namespace ulpaudit
