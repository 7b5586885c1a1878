// Exact, mergeable sums over measured points.
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
  const Sum u = to_units(std::fabs(e));
  return (u * u) >> 20;
}

}  // namespace

bool CaseOrder::operator()(const Case& a, const Case& b) const {
  const std::uint64_t za = ordinal(d, a.z), zb = ordinal(d, b.z);
  return za != zb ? za < zb : ordinal(d, a.y) < ordinal(d, b.y);
}

void Counter::add(Dtype d, const Case& c, std::uint64_t n) {
  if (count == 0 || CaseOrder{d}(c, first)) first = c;
  count += n;
}

void Counter::merge(Dtype d, const Counter& other) {
  if (other.count != 0) add(d, other.first, other.count);
}

void Extreme::offer(Dtype d, double e, const Case& c) {
  if (set && (e < error || (e == error && !CaseOrder{d}(c, at)))) return;
  set = true;
  error = e;
  at = c;
}

void Extreme::merge(Dtype d, const Extreme& other) {
  if (other.set) offer(d, other.error, other.at);
}

double quantise(double ulps) {
  const double capped = ulps > kErrorCap ? kErrorCap : ulps < -kErrorCap ? -kErrorCap : ulps;
  return std::fabs(capped) < 0x1p32 ? std::rint(capped * 0x1p20) * kQuantum : capped;
}

int histogram_bin(double abs_error) {
  if (abs_error < kQuantum) return 0;
  // Exponent and three leading mantissa bits, counted from those of 2^-20.
  const auto top = static_cast<int>(detail::bit_copy<std::uint64_t>(abs_error) >> 49);
  const int bin = top - ((1023 - 20) << 3) + 1;
  return bin < kHistogramBins - 1 ? bin : kHistogramBins - 2;
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

void CurveBin::add_error(double e) {
  max_signed = std::max(max_signed, e);
  min_signed = std::min(min_signed, e);
  const Sum units = to_units(e);
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
  categories += o.categories;
}

void merge(Curve& into, const Curve& from) {
  for (const auto& [bin, value] : from) into[bin].merge(value);
}

std::uint64_t digest_term(Bits z, Bits y, Bits got) {
  // Two rounds of the splitmix64 finaliser, constants as published by Steele, Lea & Flood (2014).
  const auto mix = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  };
  return mix(mix(z + 0x9e3779b97f4a7c15u) ^ (y * 0xff51afd7ed558ccdu) ^ (got << 1 | got >> 63));
}

}  // namespace ulpaudit
