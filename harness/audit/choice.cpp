// Choosing by globs, and the inputs.
// SPDX-License-Identifier: Apache-2.0
#include "audit/choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <numeric>

#include "fp/text.hpp"

namespace ulpaudit {
namespace {

Bits parse_or_usage(Dtype d, const std::string& text) {
  try {
    return parse_number(d, text);
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
}

void choose_range(const Request& request, Dtype d, InputChoice& c) {
  if (!request.range) return;
  const std::string &first = request.range->first, &last = request.range->second;
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format("--range '{}:{}'{}", first, last, why));
  };
  c.lo = parse_or_usage(d, first);
  c.hi = parse_or_usage(d, last);
  if (is_nan(d, *c.lo) || is_nan(d, *c.hi)) refuse(": NaN has no place in an order");
  if (ordinal(d, *c.lo) > ordinal(d, *c.hi))
    refuse(fmt::format(" is empty in {}: its first number lies above its last", name(d)));
}

std::vector<Bits> choose_labels(const Request& request, OpId op, Dtype d) {
  if (info(op).arity == 1 || request.labels.empty()) return default_labels(op, d);
  std::vector<Bits> labels;
  for (const std::string& text : request.labels) {
    if (text == "all") {
      if (format(d).width > 16)
        throw UsageError(
            fmt::format("--label all is for f16 and bf16; {} has too many labels", name(d)));
      return all_labels(op, d);
    }
    const Bits y = parse_or_usage(d, text);
    if (is_nan(d, y) || !in_domain(op, d, y))
      throw UsageError(fmt::format("--label {} lies outside [0, 1]", text));
    labels.push_back(y);
  }
  std::sort(labels.begin(), labels.end(),
            [d](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); });
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace

bool matches(const std::vector<std::string>& globs, const std::string& text) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& g) {
           return ::fnmatch(g.c_str(), text.c_str(), 0) == 0;
         });
}

void check_globs(const std::vector<std::string>& globs, const std::vector<std::string>& known,
                 const std::string& what) {
  for (const std::string& g : globs)
    if (std::none_of(known.begin(), known.end(),
                     [&](const std::string& k) { return matches({g}, k); }))
      throw UsageError(
          fmt::format("unknown {} '{}'; accepted: {}", what, g, fmt::join(known, ", ")));
}

std::vector<OpId> chosen_ops(const Request& request) {
  std::vector<OpId> ops;
  for (int i = 0; i < op_count(); ++i) ops.push_back(op_at(i));
  return chosen(ops, request.ops, "op");
}

std::vector<Dtype> chosen_dtypes(const Request& request) {
  return chosen(kDtypes, request.dtypes, "dtype");
}

InputChoice choose_inputs(const Request& request, OpId op, Dtype d, std::uint64_t default_points,
                          bool default_exhaustive, bool default_search) {
  InputChoice c;
  c.exhaustive = request.exhaustive || default_exhaustive || format(d).width == 16;
  c.points = request.points != 0 ? request.points : default_points;
  if (request.points != 0 && !request.exhaustive && format(d).width > 16) c.exhaustive = false;
  c.search = !c.exhaustive && (request.search || default_search);
  c.seed = request.seed;
  choose_range(request, d, c);
  c.labels = choose_labels(request, op, d);
  c.nan_labels = request.labels.empty() && !request.range;
  if (c.exhaustive && format(d).width == 64) {
    const bool whole = !c.lo || !c.hi;
    if (whole || ordinal(d, *c.hi) - ordinal(d, *c.lo) > kMostInputs)
      throw UsageError("--exhaustive over f64 needs a --range of at most 2^40 numbers");
  }
  return c;
}

}  // namespace ulpaudit
