// SPDX-License-Identifier: Apache-2.0
// Exact, mergeable sums over measured points: the raw figures behind every statistic.
//
// Errors are quantised to 2^-20 ulp before they are added or compared, so sums are integers and the
// result does not depend on the order of points, threads or shards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "ops/category.hpp"
#include "record/quantum.hpp"
#include "record/sum.hpp"

namespace ulpaudit {

/// One input and what came out.
struct Case {
  Bits z = 0, y = 0, got = 0;
};

/// Position of a case in the order of inputs: by z on the ordered line, then by y.
struct CaseOrder {
  Dtype d;
  bool operator()(const Case& a, const Case& b) const;
};

/// Count of a kind of event with its lowest case and the highest z.
struct Counter {
  std::uint64_t count = 0;
  Case first;
  Bits last = 0;
  void add(Dtype d, const Case& c) { add(d, c, c.z, 1); }
  /// n events, the lowest at `low`, the highest at z = `high`.
  void add(Dtype d, const Case& low, Bits high, std::uint64_t n);
  void merge(Dtype d, const Counter& other);
};

/// Largest value of a quantised error with its lowest case.
struct Extreme {
  bool set = false;
  double error = 0;  ///< ulps, a multiple of 2^-20 below 2^40
  Case at;
  void offer(Dtype d, double e, const Case& c);
  void merge(Dtype d, const Extreme& other);
};

/// The error to the nearest multiple of 2^-20 ulp below 2^32 ulps, capped.
double quantise(double ulps);

/// Bin of a quantised |error|.
inline int histogram_bin(double abs_error) {
  // Exponent and three leading mantissa bits, counted from those of 2^-20.
  const auto top = static_cast<int>(detail::bit_copy<std::uint64_t>(abs_error) >> 49);
  const int bin = top - ((1023 - 20) << 3) + 1;
  return bin < 0 ? 0 : bin < kHistogramBins - 1 ? bin : kHistogramBins - 2;
}
/// Upper border of a bin in ulps; infinity for the last.
double histogram_upper(int bin);

struct Tally {
  std::uint64_t points = 0;    ///< every point
  std::uint64_t measured = 0;  ///< points with an ULP error (finite truth, in max, mean and rms)
  std::uint64_t correctly_rounded = 0;
  std::uint64_t faithful = 0;
  std::uint64_t allclose_failures = 0;
  Sum sum_abs, sum_signed;                  ///< units of 2^-20 ulp
  Sum sum_squares;                          ///< units of 2^-20 ulp²
  Extreme max_abs, max_signed, min_signed;  ///< min_signed holds the negated error
  Counter wrong_zero;
  std::array<Counter, kCategoryCount> categories;
  std::vector<std::uint64_t> histogram;  ///< kHistogramBins, empty while no point was added

  /// Room for the histogram.
  void start() {
    if (histogram.empty()) histogram.resize(kHistogramBins);
  }
  /// Adds a measured point; e is quantised.
  void add_error(Dtype d, double e, const Case& c);
  void add_category(Dtype d, Category cat, const Case& c);
  void merge(Dtype d, const Tally& other);
};

/// A stretch of the ordered line of inputs: the curve of error against input.
struct CurveBin {
  std::uint64_t points = 0, correctly_rounded = 0;
  double max_signed = 0, min_signed = 0;  ///< ulps, 0 included
  Sum sum_abs, sum_squares, sum_signed = 0;
  std::uint64_t categories = 0;
  void add_error(double e);  ///< a quantised error into the sums and the envelope
  void merge(const CurveBin& other);
};
/// Bins of the ordered line, named by (ordinal of their first input) >> curve_shift: an eighth of a
/// binade where typical logits lie (2^-4 <= |z| < 2^6), 1/512 of the line (a binade in f32)
/// elsewhere.
constexpr int curve_shift(Dtype d) { return format(d).mantissa_bits() - 3; }
struct BinSpan {
  std::uint64_t first, last;  ///< ordinals
};
BinSpan curve_span(Dtype d, std::uint64_t ordinal_of_z);
inline std::uint32_t curve_bin(Dtype d, std::uint64_t ordinal_of_z) {
  return static_cast<std::uint32_t>(curve_span(d, ordinal_of_z).first >> curve_shift(d));
}
using Curve = std::map<std::uint32_t, CurveBin>;
/// Bins without points are left out.
void merge(Curve& into, const Curve& from);

}  // namespace ulpaudit
