// Counting.
// SPDX-License-Identifier: Apache-2.0
#include "score/accumulator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ulpaudit {

void Accumulator::restart() {
  Curve bins = std::move(curve);
  for (auto& [name, bin] : bins) bin = {};
  *this = {};
  curve = std::move(bins);
}

CurveBin& Accumulator::bin_of(Dtype d, Bits z) {
  const std::uint64_t o = ordinal(d, z);
  if (has_last_ && o >= span_.first && o <= span_.last) return last_->second;
  span_ = curve_span(d, o);
  // Bins are mostly met in order.
  const auto guess = has_last_ ? std::next(last_) : curve.begin();
  last_ = curve.try_emplace(guess, static_cast<std::uint32_t>(span_.first >> curve_shift(d)));
  has_last_ = true;
  return last_->second;
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

using Int128 = Sum::Wide;

struct BlockSums {
  Sum sum_signed, sum_abs, sum_squares;
};

Int128 whole(double v) { return static_cast<std::int64_t>(v); }

/// high·2^42 + low < 2^73.
Int128 joined(double high, double low) { return (whole(high) << 42) + whole(low); }

/// The sums of a block: small errors, and the limbs of large ones (weights: LimbSums).
BlockSums sums_of(const BlockScore& s) {
  Int128 total = whole(s.sum_signed), total_abs = whole(s.sum_abs);
  Int128 squares = (whole(s.squares_high) << 30) + whole(s.squares_low) + s.small_squares;
  const auto& a = s.large.squares;
  if (s.large.any) {
    total += joined(s.large.signed_high, s.large.signed_low);
    total_abs += joined(s.large.high, s.large.low);
    squares += whole(a[0]) + (whole(a[1]) << 2) + (whole(a[2]) << 22) + (whole(a[3]) << 44) +
               (whole(a[4]) << 64);
  }
  if (!s.largest.any) return {Sum(total), Sum(total_abs), Sum(squares)};
  // In ulps: times 2^20, squares too.
  const auto& b = s.largest.squares;
  total += joined(s.largest.signed_high, s.largest.signed_low) << 20;
  total_abs += joined(s.largest.high, s.largest.low) << 20;
  const Int128 low = whole(b[0]) + (whole(b[1]) << 22) + (whole(b[2]) << 42) + (whole(b[3]) << 64);
  return {Sum(total), Sum(total_abs),
          Sum(squares) + (Sum(low) << 20) + (Sum(whole(b[4])) << (84 + 20))};
}

/// The first lanes with the extremes of a block, searched for where they can win.
class Extremes {
 public:
  Extremes(const BlockScore& s, const BlockScratch& scratch, std::size_t n,
           const PackedCases& cases)
      : s_(s), scratch_(scratch), n_(n), cases_(cases) {}

  void offer_to(Tally& t) {
    if (can_win(t.max_signed, s_.max_signed)) offer(t.max_signed, s_.max_signed, top());
    if (can_win(t.min_signed, -s_.min_signed)) offer(t.min_signed, -s_.min_signed, bottom());
    const double up = s_.max_signed, down = -s_.min_signed, most = std::max(up, down);
    if (!can_win(t.max_abs, most)) return;
    const std::size_t lane = up > down ? top() : up < down ? bottom() : std::min(top(), bottom());
    offer(t.max_abs, most, lane);
  }

 private:
  bool can_win(const Extreme& x, double e) const {
    return !x.set || e > x.error || (e == x.error && CaseOrder{cases_.d}(cases_(0), x.at));
  }
  void offer(Extreme& x, double e, std::size_t lane) { x.offer(cases_.d, e, cases_(lane)); }
  std::size_t top() { return top_ < n_ ? top_ : top_ = find_value(scratch_.e, n_, s_.max_signed); }
  std::size_t bottom() {
    return bottom_ < n_ ? bottom_ : bottom_ = find_value(scratch_.e, n_, s_.min_signed);
  }

  const BlockScore& s_;
  const BlockScratch& scratch_;
  std::size_t n_;
  const PackedCases& cases_;
  std::size_t top_ = kBlock, bottom_ = kBlock;
};

/// Neighbours often share a bin, and each increment of one waits for the last: four strands of
/// them.
void count_bins(std::uint64_t* histogram, const std::uint64_t* bin, std::uint64_t n) {
  const std::uint64_t part = n / 4;
  const std::uint64_t *second = bin + part, *third = second + part, *fourth = third + part;
  for (std::uint64_t i = 0; i < part; ++i) {
    ++histogram[bin[i]];
    ++histogram[second[i]];
    ++histogram[third[i]];
    ++histogram[fourth[i]];
  }
  for (std::uint64_t i = 4 * part; i < n; ++i) ++histogram[bin[i]];
}

}  // namespace

Tally& Accumulator::add_scored(Region region, CurveBin& bin, const ScoredCount& c,
                               const Sum& sum_signed, const Sum& sum_abs, const Sum& sum_squares) {
  Tally& t = regions[static_cast<std::size_t>(region)];
  t.start();
  t.points += c.scored;
  t.measured += c.scored;
  t.correctly_rounded += c.correctly_rounded;
  t.faithful += c.faithful;
  t.allclose_failures += c.allclose_failures;
  t.sum_abs += sum_abs;
  t.sum_squares += sum_squares;
  t.sum_signed += sum_signed;
  bin.points += c.scored;
  bin.correctly_rounded += c.correctly_rounded;
  bin.sum_abs += sum_abs;
  bin.sum_squares += sum_squares;
  bin.sum_signed += sum_signed;
  bin.max_signed = std::max(bin.max_signed, c.max_signed);
  bin.min_signed = std::min(bin.min_signed, c.min_signed);
  return t;
}

void Accumulator::add_histogram(Region region, const std::vector<std::uint64_t>& bins) {
  Tally& t = regions[static_cast<std::size_t>(region)];
  t.start();
  for (std::size_t i = 0; i < bins.size(); ++i) t.histogram[i] += bins[i];
}

void Accumulator::add_block(Region region, const BlockScore& s, const BlockScratch& scratch,
                            std::size_t n, const PackedCases& cases) {
  if (s.scored == 0) return;
  const Dtype d = cases.d;
  CurveBin& bin = bin_of(d, cases(0).z);
  const BlockSums sums = sums_of(s);
  Tally& t = add_scored(region, bin, s, sums.sum_signed, sums.sum_abs, sums.sum_squares);
  Extremes(s, scratch, n, cases).offer_to(t);
  const auto count = [&](Counter& c, std::uint64_t lanes, const LaneSpan& at) {
    if (lanes != 0) c.add(d, cases(at.first), cases(at.last).z, lanes);
  };
  const auto category = [&](Category c) -> Counter& {
    return t.categories[static_cast<std::size_t>(c)];
  };
  count(t.wrong_zero, s.wrong_zeros, scratch.wrong_zero);
  count(category(Category::out_of_range), s.out_of_range, scratch.out_of_range);
  count(category(Category::wrong_sign), s.wrong_sign, scratch.wrong_sign);
  bin.categories += s.out_of_range + s.wrong_sign;
  t.histogram.back() += s.bulk_category;
  count_bins(t.histogram.data(), scratch.bin, s.bins);
}

Tally& Accumulator::add_right(Dtype d, Region region, const Case& first, std::uint64_t n) {
  Tally& t = regions[static_cast<std::size_t>(region)];
  CurveBin& bin = bin_of(d, first.z);
  t.start();
  t.points += n;
  t.correctly_rounded += n;
  t.faithful += n;
  t.histogram.front() += n;
  bin.points += n;
  bin.correctly_rounded += n;
  return t;
}

void Accumulator::add_nans(Dtype d, Region region, const Case& first, std::uint64_t n) {
  add_right(d, region, first, n);
}

void Accumulator::add_right_stretch(Dtype d, Region region, const Case& first, std::uint64_t n) {
  Tally& t = add_right(d, region, first, n);
  t.measured += n;
  for (Extreme* x : {&t.max_abs, &t.max_signed, &t.min_signed}) x->offer(d, 0, first);
}

void Accumulator::add_violations(Dtype d, const Case& before, const Case& after, Bits last,
                                 std::uint64_t n) {
  if (monotone.violations == 0 || ordinal(d, monotone.last) < ordinal(d, last))
    monotone.last = last;
  if (monotone.violations == 0 || CaseOrder{d}(before, monotone.lower)) {
    monotone.lower = before;
    monotone.upper = after;
  }
  monotone.violations += n;
}

void Accumulator::add_pair(Dtype d, int direction, const Case& before, const Case& after) {
  if (direction == 0 || is_nan(d, before.got) || is_nan(d, after.got)) return;
  ++monotone.pairs;
  const double a = decode(d, before.got), b = decode(d, after.got);
  if (direction > 0 ? b < a : b > a) add_violations(d, before, after, before.z, 1);
}

void Accumulator::add_pairs(const PairCount& pairs, const PackedCases& cases) {
  monotone.pairs += pairs.pairs;
  if (pairs.violations != 0)
    add_violations(cases.d, cases(pairs.first), cases(pairs.first + pairs.step),
                   cases(pairs.last).z, pairs.violations);
}

void Accumulator::add_loss(Dtype d, Loss loss) { ulpaudit::add_loss(d, losses, std::move(loss)); }

void Accumulator::merge(Dtype d, const Accumulator& o) {
  for (std::size_t i = 0; i < regions.size(); ++i) regions[i].merge(d, o.regions[i]);
  ulpaudit::merge(curve, o.curve);
  digest += o.digest;
  monotone.pairs += o.monotone.pairs;
  if (o.monotone.violations != 0)
    add_violations(d, o.monotone.lower, o.monotone.upper, o.monotone.last, o.monotone.violations);
  judged.fast += o.judged.fast;
  judged.final_judge += o.judged.final_judge;
  judged.cross_checked += o.judged.cross_checked;
  judged.disagreements += o.judged.disagreements;
  lost_points += o.lost_points;
  for (const Loss& l : o.losses) add_loss(d, l);
  ulpaudit::merge(d, search, o.search);
}

}  // namespace ulpaudit
