// Exact, mergeable sums over measured points: the raw figures behind every statistic.
//
// Errors are quantised to 2^-20 ulp before they are added or compared, so sums are integers and the
// result does not depend on the order of points, threads or shards.
#pragma once

#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "ops/category.hpp"

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

/// Count of a kind of event with its lowest case.
struct Counter {
  std::uint64_t count = 0;
  Case first;
  void add(Dtype d, const Case& c, std::uint64_t n = 1);
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

using Sum = boost::multiprecision::number<
    boost::multiprecision::cpp_int_backend<256, 256, boost::multiprecision::signed_magnitude,
                                           boost::multiprecision::unchecked, void>,
    boost::multiprecision::et_off>;

/// Errors are counted as this many ulps at most in sums (a kernel that far off needs no mean).
inline constexpr double kErrorCap = 4.611686018427387904e18;  // 2^62
inline constexpr double kQuantum = 1.0 / 1048576.0;           // 2^-20 ulp

/// The error to the nearest multiple of 2^-20 ulp below 2^32 ulps, capped.
double quantise(double ulps);

/// Bins of |error|: 0 for below 2^-20, then 8 per octave up to 2^62, last for categories.
inline constexpr int kHistogramBins = 1 + 82 * 8 + 1;
int histogram_bin(double abs_error);
/// Upper border of a bin in ulps; infinity for the last.
double histogram_upper(int bin);

struct Tally {
  std::uint64_t points = 0;    ///< every point
  std::uint64_t measured = 0;  ///< points with an ULP error (finite truth, in max, mean and rms)
  std::uint64_t correctly_rounded = 0;
  std::uint64_t faithful = 0;
  std::uint64_t allclose_failures = 0;
  Sum sum_abs = 0, sum_signed = 0;  ///< units of 2^-20 ulp
  Sum sum_squares = 0;              ///< units of 2^-20 ulp²
  Extreme max_abs, max_signed, min_signed;  ///< min_signed holds the negated error
  Counter wrong_zero;
  std::array<Counter, kCategoryCount> categories;
  std::vector<std::uint64_t> histogram;  ///< kHistogramBins, empty while no point was added

  /// Adds a measured point; e is quantised.
  void add_error(Dtype d, double e, const Case& c);
  void add_category(Dtype d, Category cat, const Case& c);
  void merge(Dtype d, const Tally& other);
};

/// A stretch of the ordered line of inputs: the curve of error against input.
struct CurveBin {
  std::uint64_t points = 0, correctly_rounded = 0;
  double max_signed = 0, min_signed = 0;  ///< ulps, 0 included
  Sum sum_abs = 0, sum_squares = 0;
  std::uint64_t categories = 0;
  void add_error(double e);  ///< a quantised error into the sums and the envelope
  void merge(const CurveBin& other);
};
/// 8 bins a binade: bin = ordinal >> curve_shift.
constexpr int curve_shift(Dtype d) { return format(d).mantissa_bits() - 3; }
using Curve = std::map<std::uint32_t, CurveBin>;
void merge(Curve& into, const Curve& from);

/// Order-independent hash over (z, y, got): a sum of mixed words, modulo 2^64.
std::uint64_t digest_term(Bits z, Bits y, Bits got);

}  // namespace ulpaudit
