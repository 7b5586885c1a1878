// Errors of a sweep as a bound for pairs of mirrored inputs.
// SPDX-License-Identifier: Apache-2.0
#include "properties/symmetric_by_sweep.hpp"

#include <algorithm>

#include "ops/category.hpp"

namespace ulpaudit {
namespace {

/// In ulps. With errors up to it, two results that should be equal, or add up to 1, are at most 64
/// ulps of the larger off (the rule without budgets): a true value's ulp is at most twice its
/// result's. And no result of sigmoid is on the wrong side of 1/2 where |z| >= kUndecidedBelow:
/// there |sigmoid(z) - 1/2| > 2^-17, and 16 ulps are 2^-20 in f32.
constexpr double kPlainError = 16;
constexpr double kUndecidedBelow = 0x1p-14;
/// The judges agree on a maximum to 2^-20 ulp.
constexpr double kSlack = 0x1p-19;

bool sums_to_one(OpId op) { return info(op).name == "sigmoid"; }

/// The budgets that hold in the result's region leave room for its errors.
bool within(const KernelContract& contract, const Result& r, double error) {
  const auto budgets = contract.max_ulp.find(r.dtype);
  if (budgets == contract.max_ulp.end()) return true;
  for (const std::string& region : {std::string("all"), r.region}) {
    const auto b = budgets->second.find(region);
    if (b != budgets->second.end() && !(error <= b->second)) return false;
  }
  return true;
}

bool swept(const Result& r, Dtype d, double y) {
  const std::string bits = number(d, encode(d, y)).bits;
  return std::any_of(r.labels.begin(), r.labels.end(),
                     [&](const Number& label) { return label.bits == bits; });
}

bool leaves_no_room(const Result& r, OpId op, Dtype d, const KernelContract& contract, Bits y) {
  if (r.evidence != "exhaustive" || !r.range.empty() || r.lost_points != 0 ||
      r.judged.disagreements != 0)
    return false;
  // What a category is off is not measured; a flushed result that is added to almost 1 is less than
  // 2^-126 off.
  for (const CategoryRow& c : r.categories)
    if (!sums_to_one(op) || c.category != name(Category::flushed)) return false;
  const double error = r.statistics.max_ulp.value_or(0) + kSlack;
  if (!(error <= kPlainError) || !within(contract, r, error)) return false;
  const double label = decode(d, y);
  return info(op).arity == 1 || (swept(r, d, label) && swept(r, d, 1 - label));
}

}  // namespace

bool symmetric_by_sweep(const Report& report, const std::string& implementation, OpId op, Dtype d,
                        const KernelContract& contract, Bits y) {
  bool found = false;
  for (const Result& r : report.results) {
    if (r.implementation != implementation || r.dtype != name(d)) continue;
    if (!leaves_no_room(r, op, d, contract, y)) return false;
    found = found || r.region == "all";
  }
  return found;
}

std::optional<Bits> near_decision(OpId op, Dtype d) {
  if (!sums_to_one(op)) return std::nullopt;
  return encode(d, kUndecidedBelow);
}

}  // namespace ulpaudit
