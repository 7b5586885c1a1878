// Counting rows.
// SPDX-License-Identifier: Apache-2.0
#include "score/label_rows.hpp"

#include <algorithm>

#include "score/batch_truth.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kPadding = 16;  // vectors may write this many values past the end

}  // namespace

void LabelRows::start(const InputPlan& plan, const Segment& segment) {
  const std::uint64_t rows = segment.count / kLabelRow;
  const bool same_line = plan_ != nullptr && op_ == plan.op && d_ == plan.dtype &&
                         first_ == segment.first && rows_ == rows;
  plan_ = &plan;
  op_ = plan.op;
  d_ = plan.dtype;
  first_ = segment.first;
  rows_ = rows;
  labels_ = segment.labels;
  label_values_.clear();
  spans_.clear();
  trends_.clear();
  for (const Bits y : labels_) {
    label_values_.push_back(decode(d_, y));
    spans_.push_back(region_spans(op_, d_, y));
    trends_.emplace_back(op_, d_, y);
  }
  block_ = rows;  // none
  if (same_line) return;
  for (std::vector<double>* v : {&hi_, &lo_, &delta_}) v->assign(kBlock + kPadding, 0);
  Segment line;
  line.first = first_;
  std::vector<std::uint16_t> z(rows + kPadding);
  plan.fill(line, 0, rows, z.data());
  zd_.resize(rows + kPadding);
  part_.resize(rows + kPadding);
  fast_z_part(op_, d_, z.data(), rows, zd_.data(), part_.data());
}

FastValues LabelRows::values(std::uint64_t row) {
  const std::uint64_t block = row / kBlockRows, from = block * kBlockRows;
  const FastValues all = {hi_.data(), lo_.data(), delta_.data()};
  if (block_ != block)
    fast_combine_rows(op_, label_values_, zd_.data() + from, part_.data() + from,
                      std::min(kBlockRows, rows_ - from), all);
  block_ = block;
  const std::uint64_t at = (row - from) * kLabelRow;
  return {all.hi + at, all.lo + at, all.delta + at};
}

Truth LabelRows::truth(Bits z, Bits y, double hi, double lo, double delta,
                       JudgedCount& judged) const {
  Truth t;
  if (is_nan(d_, z)) {
    t.rounded = format(d_).quiet_nan();
  } else if (!decide(d_, hi, lo, delta, t) &&
             !BatchTruth::decide_in_double_double(op_, d_, z, y, t)) {
    ++judged.final_judge;
    return final_judge(op_, d_, z, y);
  }
  ++judged.fast;
  return t;
}

PackedCases RowCounter::cases_from(std::uint64_t row) const {
  const std::uint64_t at = (row - batch_.first) * kLabelRow * sizeof(std::uint16_t);
  const auto from = [at](const void* p) { return static_cast<const char*>(p) + at; };
  return {d_, 0, from(batch_.z), from(out_), from(batch_.y)};
}

int RowCounter::direction(std::uint64_t a, std::uint64_t b) const {
  const Bits za = z_of(a), zb = z_of(b);
  if (is_nan(d_, za) || is_nan(d_, zb)) return 0;
  const int way = rows_.trend(0)(za);
  for (std::size_t j = 0; j < kLabelRow; ++j)
    if (rows_.trend(j)(za) != way || rows_.trend(j)(zb) != way) return 0;
  return way;
}

RowCounter::Stretch RowCounter::next_stretch(std::uint64_t row, std::uint64_t end) {
  const std::uint64_t o = rows_.first_ordinal() + row;
  std::uint64_t last = curve_span(d_, o).last;
  Stretch s = {row, 0, {}};
  for (std::size_t j = 0; j < kLabelRow; ++j) {
    const std::vector<RegionSpan>& spans = rows_.spans(j);
    s.regions[j] = Region::special;
    if (o < spans.front().first) {
      last = std::min(last, spans.front().first - 1);
    } else if (o <= spans.back().last) {
      while (o > spans[span_[j]].last) ++span_[j];
      s.regions[j] = spans[span_[j]].region;
      last = std::min(last, spans[span_[j]].last);
    }
  }
  s.last = std::min({row + (last - o), (row / kBlockRows + 1) * kBlockRows - 1, end - 1});
  return s;
}

void RowCounter::operator()(const void* out) {
  out_ = out;
  const std::uint64_t end = batch_.first + batch_.count;
  for (std::uint64_t row = batch_.first + (batch_.leads ? 1 : 0); row < end;) {
    const Stretch s = next_stretch(row, end);
    count_stretch(s);
    row = s.last + 1;
  }
}

void RowCounter::count_stretch(const Stretch& s) {
  const std::size_t n = (s.last - s.first + 1) * kLabelRow;
  const PackedCases cases = cases_from(s.first);
  into_.digest += digest_of_rows(cases.z, rows_.labels(), cases.got, n);
  count_pairs_of(s);
  const auto& regions = s.regions;
  if (std::all_of(regions.begin(), regions.end(), [&](Region r) { return r == regions[0]; }))
    return count_lanes(regions[0], rows_.values(s.first), cases, n);
  unsigned counted = 0;
  for (const Region r : regions) {
    const unsigned bit = 1u << static_cast<unsigned>(r);
    if ((counted & bit) == 0) count_some(s, r);
    counted |= bit;
  }
}

void RowCounter::count_some(const Stretch& s, Region region) {
  const FastValues all = rows_.values(s.first);
  const PackedCases cases = cases_from(s.first);
  std::array<double, kBlock + kPadding> hi, lo, delta;
  std::array<std::uint16_t, kBlock + kPadding> z, y, got;
  std::size_t n = 0;
  for (std::size_t lane = 0; lane < (s.last - s.first + 1) * kLabelRow; ++lane) {
    if (s.regions[lane % kLabelRow] != region) continue;
    hi[n] = all.hi[lane];
    lo[n] = all.lo[lane];
    delta[n] = all.delta[lane];
    const Case c = cases(lane);
    z[n] = static_cast<std::uint16_t>(c.z);
    y[n] = static_cast<std::uint16_t>(c.y);
    got[n] = static_cast<std::uint16_t>(c.got);
    ++n;
  }
  count_lanes(region, {hi.data(), lo.data(), delta.data()}, {d_, 0, z.data(), got.data(), y.data()},
              n);
}

void RowCounter::count_lanes(Region region, const FastValues& v, const PackedCases& cases,
                             std::size_t n) {
  const auto count_slowly = [&](std::size_t lane) {
    const Case c = cases(lane);
    const Truth t = rows_.truth(c.z, c.y, v.hi[lane], v.lo[lane], v.delta[lane], into_.judged);
    into_.add(d_, region, c, score(op_, d_, t, c.got));
  };
  if (region != Region::special) {
    const BlockScore score = score_block(d_, info(op_).range, v, cases.got, n, scratch_);
    into_.add_block(region, score, scratch_, n, cases);
    into_.judged.fast += score.scored;
    for (std::uint64_t k = 0; k < score.slow; ++k) count_slowly(scratch_.slow_lanes[k]);
    return;
  }
  // In order, so NaNs of one sign at both ends have nothing else between them.
  const Case first = cases(0), last = cases(n - 1);
  if (is_nan(d_, first.z) && is_nan(d_, last.z) &&
      is_negative(d_, first.z) == is_negative(d_, last.z) && all_nan(d_, cases.got, n)) {
    into_.add_nans(d_, region, first, n);
    into_.judged.fast += n;
    return;
  }
  for (std::size_t lane = 0; lane < n; ++lane) count_slowly(lane);
}

void RowCounter::count_pairs_of(const Stretch& s) {
  const std::uint64_t from = s.first > batch_.first ? s.first - 1 : s.first;
  const PackedCases cases = cases_from(from);
  const std::size_t n = (s.last - from + 1) * kLabelRow;
  if (const int way = direction(from, s.last); way != 0)
    return into_.add_pairs(count_pairs(d_, cases.got, n, way, kLabelRow), cases);
  for (std::uint64_t row = from; row < s.last; ++row)
    for (std::size_t j = 0; j < kLabelRow; ++j) {
      const Bits a = z_of(row), b = z_of(row + 1);
      if (is_nan(d_, a) || is_nan(d_, b)) continue;
      const TrendSpans& trend = rows_.trend(j);
      const std::size_t lane = (row - from) * kLabelRow + j;
      if (trend(a) == trend(b)) into_.add_pair(d_, trend(a), cases(lane), cases(lane + kLabelRow));
    }
}

}  // namespace ulpaudit
