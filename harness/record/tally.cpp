// Exact, mergeable sums over measured points.
// SPDX-License-Identifier: Apache-2.0
#include "record/tally.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ulpaudit {
namespace {

/// Units of 2^-20 ulp.
Sum to_units(double e) {
  if (std::fabs(e) < 0x1p40) return Sum(std::llrint(e * 0x1p20));
  return Sum(std::llrint(e)) << 20;
}

Sum square_units(double e) {
  if (std::fabs(e) < 0x1p20) return Sum(std::llrint(e * e * 0x1p20));
  // Cut to a whole unit; errors are below 2^63.
  const bool large = std::fabs(e) >= 0x1p40;
  const Sum::Wide u = std::llrint(large ? e : e * 0x1p20);
  return large ? Sum(u * u) << 20 : Sum((u * u) >> 20);
}

}  // namespace

bool CaseOrder::operator()(const Case& a, const Case& b) const {
  const std::uint64_t za = ordinal(d, a.z), zb = ordinal(d, b.z);
  return za != zb ? za < zb : ordinal(d, a.y) < ordinal(d, b.y);
}

void Counter::add(Dtype d, const Case& low, Bits high, std::uint64_t n) {
  if (count == 0 || CaseOrder{d}(low, first)) first = low;
  if (count == 0 || ordinal(d, last) < ordinal(d, high)) last = high;
  count += n;
}

void Counter::merge(Dtype d, const Counter& other) {
  if (other.count != 0) add(d, other.first, other.last, other.count);
}

void Extreme::offer(Dtype d, double e, const Case& c) {
  if (set && (e < error || (e == error && !CaseOrder{d}(c, at)))) return;
  set = true;
  error = e + 0.0;  // not -0
  at = c;
}

void Extreme::merge(Dtype d, const Extreme& other) {
  if (other.set) offer(d, other.error, other.at);
}

double quantise(double ulps) {
  const double capped = ulps > kErrorCap ? kErrorCap : ulps < -kErrorCap ? -kErrorCap : ulps;
  return std::fabs(capped) < 0x1p32 ? std::rint(capped * 0x1p20) * kQuantum : capped;
}

double histogram_upper(int bin) {
  if (bin >= kHistogramBins - 1) return std::numeric_limits<double>::infinity();
  const auto top = static_cast<std::uint64_t>(bin + ((1023 - 20) << 3));
  return detail::bit_copy<double>(top << 49);
}

void Tally::add_error(Dtype d, double e, const Case& c) {
  if (histogram.empty()) histogram.resize(kHistogramBins);
  ++measured;
  const Sum units = to_units(e);
  sum_signed += units;
  sum_abs += e < 0 ? Sum(-units) : units;
  sum_squares += square_units(e);
  max_abs.offer(d, std::fabs(e), c);
  max_signed.offer(d, e, c);
  min_signed.offer(d, -e, c);
}

void Tally::add_category(Dtype d, Category cat, const Case& c) {
  categories[static_cast<std::size_t>(cat)].add(d, c);
}

void Tally::merge(Dtype d, const Tally& o) {
  points += o.points;
  measured += o.measured;
  correctly_rounded += o.correctly_rounded;
  faithful += o.faithful;
  allclose_failures += o.allclose_failures;
  sum_abs += o.sum_abs;
  sum_signed += o.sum_signed;
  sum_squares += o.sum_squares;
  max_abs.merge(d, o.max_abs);
  max_signed.merge(d, o.max_signed);
  min_signed.merge(d, o.min_signed);
  wrong_zero.merge(d, o.wrong_zero);
  for (std::size_t i = 0; i < categories.size(); ++i) categories[i].merge(d, o.categories[i]);
  if (o.histogram.empty()) return;
  if (histogram.empty()) histogram.resize(kHistogramBins);
  for (std::size_t i = 0; i < histogram.size(); ++i) histogram[i] += o.histogram[i];
}

BinSpan curve_span(Dtype d, std::uint64_t o) {
  const Bits size = magnitude(d, from_ordinal(d, o));
  const auto power_of_two = [&f = format(d)](int e) {
    return static_cast<Bits>(f.emax + e) << f.mantissa_bits();
  };
  const Bits fine_from = power_of_two(-4), fine_to = power_of_two(6);
  const int fine = curve_shift(d), coarse = std::max(fine, format(d).width - 9);
  const int shift = size >= fine_from && size < fine_to ? fine : coarse;
  BinSpan span = {o >> shift << shift, 0};
  span.last = span.first + ((std::uint64_t{1} << shift) - 1);
  if (shift == fine) return span;
  // A coarse bin ends where the fine ones begin.
  for (Bits sign : {Bits{0}, format(d).sign_bit()}) {
    const std::uint64_t a = ordinal(d, fine_from | sign), b = ordinal(d, (fine_to - 1) | sign);
    const std::uint64_t lo = std::min(a, b), hi = std::max(a, b);
    if (o < lo && span.last >= lo) span.last = lo - 1;
    if (o > hi && span.first <= hi) span.first = hi + 1;
  }
  return span;
}

void CurveBin::add_error(double e) {
  max_signed = std::max(max_signed, e);
  min_signed = std::min(min_signed, e);
  const Sum units = to_units(e);
  sum_signed += units;
  sum_abs += e < 0 ? Sum(-units) : units;
  sum_squares += square_units(e);
}

void CurveBin::merge(const CurveBin& o) {
  points += o.points;
  correctly_rounded += o.correctly_rounded;
  max_signed = std::max(max_signed, o.max_signed);
  min_signed = std::min(min_signed, o.min_signed);
  sum_abs += o.sum_abs;
  sum_squares += o.sum_squares;
  sum_signed += o.sum_signed;
  categories += o.categories;
}

void merge(Curve& into, const Curve& from) {
  auto at = into.begin();
  for (const auto& [bin, value] : from) {  // both are in order
    if (value.points == 0) continue;
    while (at != into.end() && at->first < bin) ++at;
    at = into.try_emplace(at, bin);
    at->second.merge(value);
  }
}

}  // namespace ulpaudit
