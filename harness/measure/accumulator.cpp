// Counting.
#include "measure/accumulator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ulpaudit {

CurveBin& Accumulator::bin_of(Dtype d, Bits z) {
  const std::uint64_t o = ordinal(d, z);
  if (last_ == nullptr || o < span_.first || o > span_.last) {
    span_ = curve_span(d, o);
    last_ = &curve[curve_bin(d, o)];
  }
  return *last_;
}

void Accumulator::add(Dtype d, Region region, const Case& c, const Score& s) {
  Tally& t = regions[static_cast<std::size_t>(region)];
  CurveBin& bin = bin_of(d, c.z);
  ++t.points;
  ++bin.points;
  t.correctly_rounded += s.correctly_rounded ? 1 : 0;
  bin.correctly_rounded += s.correctly_rounded ? 1 : 0;
  t.faithful += s.faithful ? 1 : 0;
  t.allclose_failures += s.allclose ? 0 : 1;
  if (s.wrong_zero) t.wrong_zero.add(d, c);
  if (s.measured) {
    const double e = quantise(s.error_ulps);
    t.add_error(d, e, c);
    bin.add_error(e);
  }
  t.start();
  if (s.category != Category::none) {
    t.add_category(d, s.category, c);
    ++bin.categories;
    ++t.histogram.back();
  } else if (s.measured) {
    ++t.histogram[static_cast<std::size_t>(histogram_bin(std::fabs(quantise(s.error_ulps))))];
  } else {
    ++t.histogram.front();  // NaN for NaN, infinity for infinity
  }
}

namespace {

/// Offers the first lane with the extreme error, where it can win.
void offer_extreme(Dtype d, Extreme& x, double extreme, const BlockScratch& scratch, std::size_t n,
                   double sign, bool absolute, const std::function<Case(std::size_t)>& case_at) {
  if (x.set && (extreme < x.error || (extreme == x.error && !CaseOrder{d}(case_at(0), x.at))))
    return;
  for (std::size_t i = 0; i < n; ++i) {
    const double e = absolute ? std::fabs(scratch.e[i]) : sign * scratch.e[i];
    if (e == extreme) return x.offer(d, extreme, case_at(i));
  }
}

void fill_histogram(std::vector<std::uint64_t>& histogram, const BlockScratch& scratch,
                    std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const double a = std::fabs(scratch.e[i]);
    if (a == a) ++histogram[static_cast<std::size_t>(histogram_bin(a))];
  }
}

}  // namespace

void Accumulator::add_block(Dtype d, Region region, const BlockScore& s,
                            const BlockScratch& scratch, std::size_t n,
                            const std::function<Case(std::size_t)>& case_at) {
  if (s.plain == 0) return;
  Tally& t = regions[static_cast<std::size_t>(region)];
  CurveBin& bin = bin_of(d, case_at(0).z);
  t.start();
  t.points += s.plain;
  t.measured += s.plain;
  t.correctly_rounded += s.correctly_rounded;
  t.faithful += s.faithful;
  t.allclose_failures += s.allclose_failures;
  const Sum sum_abs(static_cast<std::int64_t>(s.sum_abs));
  const Sum sum_squares(static_cast<std::int64_t>(s.sum_squares));
  t.sum_abs += sum_abs;
  t.sum_squares += sum_squares;
  t.sum_signed += Sum(static_cast<std::int64_t>(s.sum_signed));
  offer_extreme(d, t.max_abs, std::max(s.max_signed, -s.min_signed), scratch, n, 1, true, case_at);
  offer_extreme(d, t.max_signed, s.max_signed, scratch, n, 1, false, case_at);
  offer_extreme(d, t.min_signed, -s.min_signed, scratch, n, -1, false, case_at);
  if (s.wrong_zeros != 0) t.wrong_zero.add(d, case_at(scratch.wrong_zero_lane), s.wrong_zeros);
  bin.points += s.plain;
  bin.correctly_rounded += s.correctly_rounded;
  bin.sum_abs += sum_abs;
  bin.sum_squares += sum_squares;
  bin.max_signed = std::max(bin.max_signed, s.max_signed);
  bin.min_signed = std::min(bin.min_signed, s.min_signed);
  fill_histogram(t.histogram, scratch, n);
}

void Accumulator::add_constant(Dtype d, Region region, const Case& first, std::uint64_t n) {
  Tally& t = regions[static_cast<std::size_t>(region)];
  CurveBin& bin = bin_of(d, first.z);
  t.start();
  t.points += n;
  t.measured += n;
  t.correctly_rounded += n;
  t.faithful += n;
  t.histogram.front() += n;
  for (Extreme* x : {&t.max_abs, &t.max_signed, &t.min_signed}) x->offer(d, 0, first);
  bin.points += n;
  bin.correctly_rounded += n;
}

void Accumulator::add_pair(Dtype d, int direction, const Case& before, const Case& after) {
  if (direction == 0 || is_nan(d, before.got) || is_nan(d, after.got)) return;
  ++monotone.pairs;
  const double a = decode(d, before.got), b = decode(d, after.got);
  if (direction > 0 ? b >= a : b <= a) return;
  if (monotone.violations++ == 0 || CaseOrder{d}(before, monotone.lower)) {
    monotone.lower = before;
    monotone.upper = after;
  }
}

void Accumulator::add_loss(Dtype d, Loss loss) { ulpaudit::add_loss(d, losses, std::move(loss)); }

void Accumulator::merge(Dtype d, const Accumulator& o) {
  for (std::size_t i = 0; i < regions.size(); ++i) regions[i].merge(d, o.regions[i]);
  ulpaudit::merge(curve, o.curve);
  digest += o.digest;
  monotone.pairs += o.monotone.pairs;
  if (o.monotone.violations != 0 &&
      (monotone.violations == 0 || CaseOrder{d}(o.monotone.lower, monotone.lower))) {
    monotone.lower = o.monotone.lower;
    monotone.upper = o.monotone.upper;
  }
  monotone.violations += o.monotone.violations;
  judged.fast += o.judged.fast;
  judged.final_judge += o.judged.final_judge;
  judged.cross_checked += o.judged.cross_checked;
  judged.disagreements += o.judged.disagreements;
  lost_points += o.lost_points;
  for (const Loss& l : o.losses) add_loss(d, l);
  ulpaudit::merge(d, search, o.search);
}

}  // namespace ulpaudit
