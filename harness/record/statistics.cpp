// Statistics derived from exact sums.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "fp/text.hpp"
#include "record/report.hpp"

namespace ulpaudit {
namespace {

/// Upper border of the histogram bin that holds the point of rank ceil(share·total).
double percentile(const Tally& t, std::uint64_t total, double share) {
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (int bin = 0; bin < kHistogramBins; ++bin) {
    seen += t.histogram[static_cast<std::size_t>(bin)];
    if (seen >= rank) return histogram_upper(bin);
  }
  return std::numeric_limits<double>::infinity();
}

double units(const Sum& s) { return s.to_double() * kQuantum; }

/// Mass of the normal distribution (mean 0, standard deviation 4) between a and b.
double normal_mass(double a, double b) {
  const double scale = 4 * std::sqrt(2.0);
  return 0.5 * (a < 0 ? std::erfc(-b / scale) - std::erfc(-a / scale)
                      : std::erfc(a / scale) - std::erfc(b / scale));
}

/// Mean over the bins of the curve, each weighted by the mass of its stretch of z. Inside a bin
/// the inputs count alike.
std::optional<Statistics::Weighted> weigh(Dtype d, const Curve& curve) {
  Statistics::Weighted w;
  double total = 0, squares = 0, bias = 0;
  for (const auto& [bin, b] : curve) {
    if (b.points == 0) continue;
    const BinSpan span = curve_span(d, std::uint64_t{bin} << curve_shift(d));
    const double lo = decode(d, from_ordinal(d, span.first));
    const double hi = decode(d, from_ordinal(d, span.last));
    if (!std::isfinite(lo) || !std::isfinite(hi)) continue;
    const double mass = normal_mass(lo, hi);
    const double n = static_cast<double>(b.points);
    total += mass;
    w.mean += mass * units(b.sum_abs) / n;
    bias += mass * units(b.sum_signed) / n;
    squares += mass * units(b.sum_squares) / n;
    w.correctly_rounded += mass * static_cast<double>(b.correctly_rounded) / n;
  }
  if (total <= 0) return std::nullopt;
  w.mean /= total;
  w.bias = bias / total;
  w.rms = std::sqrt(squares / total);
  w.correctly_rounded /= total;
  return w;
}

}  // namespace

Number number(Dtype d, Bits b) { return {bits_text(d, b), hex_float(d, b), decimal(d, b)}; }

Statistics derive(Dtype d, const Tally& t, const Curve* curve) {
  Statistics s;
  if (t.points == 0) return s;
  const double points = static_cast<double>(t.points);
  s.correctly_rounded = static_cast<double>(t.correctly_rounded) / points;
  s.faithful = static_cast<double>(t.faithful) / points;
  s.allclose_failures = t.allclose_failures;
  if (t.measured != 0) {
    const double n = static_cast<double>(t.measured);
    s.max_ulp = t.max_abs.error;
    s.max_signed = t.max_signed.error;
    s.min_signed = -t.min_signed.error;
    s.mean = units(t.sum_abs) / n;
    s.bias = units(t.sum_signed) / n;
    s.rms = std::sqrt(units(t.sum_squares) / n);
  }
  if (!t.histogram.empty()) {
    std::uint64_t total = 0;
    for (std::uint64_t c : t.histogram) total += c;
    s.p50 = percentile(t, total, 0.5);
    s.p90 = percentile(t, total, 0.9);
    s.p99 = percentile(t, total, 0.99);
    s.p999 = percentile(t, total, 0.999);
  }
  if (curve != nullptr) s.typical_logits = weigh(d, *curve);
  return s;
}

std::optional<SearchSummary> summarise(Dtype d, const SearchedBinades& search, bool labels) {
  if (search.empty()) return std::nullopt;
  constexpr std::size_t kShown = 10;
  SearchSummary s;
  s.binades = search.size();
  s.least_points = search.begin()->second.points;
  for (const auto& [first, b] : search) {
    s.least_points = std::min(s.least_points, b.points);
    s.most_points = std::max(s.most_points, b.points);
    if (!b.max.set) continue;
    SearchSummary::Binade row{number(d, from_ordinal(d, first)),
                              number(d, from_ordinal(d, b.last)),
                              b.points,
                              b.max.error,
                              number(d, b.max.at.z),
                              std::nullopt};
    if (labels) row.y = number(d, b.max.at.y);
    s.worst.push_back(std::move(row));
  }
  std::stable_sort(s.worst.begin(), s.worst.end(),
                   [](const auto& a, const auto& b) { return a.max_ulp > b.max_ulp; });
  if (s.worst.size() > kShown) s.worst.resize(kShown);
  return s;
}

std::vector<CurvePoint> plot_curve(Dtype d, const Curve& curve, std::size_t most) {
  struct Stretch {
    BinSpan span;
    CurveBin sum;
  };
  std::vector<Stretch> stretches;
  for (const auto& [bin, b] : curve) {
    const BinSpan span = curve_span(d, std::uint64_t{bin} << curve_shift(d));
    const bool same = !stretches.empty() && stretches.back().span.last + 1 == span.first &&
                      stretches.back().sum.max_signed == b.max_signed &&
                      stretches.back().sum.min_signed == b.min_signed &&
                      (stretches.back().sum.categories == 0) == (b.categories == 0);
    if (!same) {
      stretches.push_back({span, b});
      continue;
    }
    stretches.back().span.last = span.last;
    stretches.back().sum.merge(b);
  }
  const std::size_t group = (stretches.size() + most - 1) / most;
  std::vector<CurvePoint> out;
  for (std::size_t i = 0; i < stretches.size(); i += group) {
    Stretch s = stretches[i];
    for (std::size_t k = i + 1; k < std::min(i + group, stretches.size()); ++k) {
      s.span.last = stretches[k].span.last;
      s.sum.merge(stretches[k].sum);
    }
    const double n = static_cast<double>(s.sum.points);
    const auto brief = [d](std::uint64_t o) {
      return Number{bits_text(d, from_ordinal(d, o)), "", decimal(d, from_ordinal(d, o))};
    };
    out.push_back({brief(s.span.first), brief(s.span.last), s.sum.points, s.sum.max_signed,
                   s.sum.min_signed, units(s.sum.sum_abs) / n, s.sum.categories});
  }
  return out;
}

const Result* find_total(const Report& r, const std::string& implementation,
                         const std::string& dtype) {
  for (const Result& x : r.results)
    if (x.region == "all" && x.implementation == implementation && x.dtype == dtype) return &x;
  return nullptr;
}

}  // namespace ulpaudit
