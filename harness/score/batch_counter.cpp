// Counting one batch.
// SPDX-License-Identifier: Apache-2.0
#include "score/batch_counter.hpp"

#include <algorithm>
#include <cmath>

namespace ulpaudit {
namespace {

/// Shorter stretches are scored lane by lane at once.
constexpr std::uint64_t kWorthTrying = 64;

}  // namespace

Case BatchCounter::case_at(std::uint64_t i, std::uint64_t offset, const void* out) const {
  return {load(d_, z_, i), y_, load(d_, out, i - offset)};
}

PackedCases BatchCounter::cases_from(std::uint64_t i, std::uint64_t offset, const void* out) const {
  const auto bytes = static_cast<std::uint64_t>(format(d_).bytes());
  return {d_, y_, static_cast<const char*>(z_) + i * bytes,
          static_cast<const char*>(out) + (i - offset) * bytes};
}

/// +1 or -1 where t is monotone from input a to input b, else 0.
int BatchCounter::direction(Bits a, Bits b) const {
  if (is_nan(d_, a) || is_nan(d_, b)) return 0;
  const int at_a = trend_(a);
  return at_a == trend_(b) ? at_a : 0;
}

BatchCounter::Stretch BatchCounter::next_stretch(std::uint64_t first, std::uint64_t end) {
  const std::uint64_t o = ordinal(d_, load(d_, z_, first));
  Stretch s = {first, end - 1, Region::special};
  std::uint64_t last_ordinal = curve_span(d_, o).last;
  if (o < spans_.front().first) {
    last_ordinal = std::min(last_ordinal, spans_.front().first - 1);
  } else if (o <= spans_.back().last) {
    while (o > spans_[span_].last) ++span_;
    s.region = spans_[span_].region;
    last_ordinal = std::min(last_ordinal, spans_[span_].last);
  }
  // Inputs are in order: the stretch ends at the last one that is not behind the border.
  std::uint64_t lo = first, hi = s.last;
  const std::uint64_t end_ordinal = ordinal(d_, load(d_, z_, hi));
  if (end_ordinal <= last_ordinal) return s;
  if (end_ordinal - o == hi - lo) {  // a run without gaps
    s.last = first + (last_ordinal - o);
    return s;
  }
  while (hi - lo > 1) {
    const std::uint64_t mid = lo + (hi - lo) / 2;
    (ordinal(d_, load(d_, z_, mid)) <= last_ordinal ? lo : hi) = mid;
  }
  s.last = lo;
  return s;
}

void BatchCounter::operator()(std::uint64_t offset, std::uint64_t count, const void* out) {
  std::uint64_t i = offset;
  const std::uint64_t end = offset + count;
  if (i < lead_) {
    before_ = case_at(i, offset, out);
    before_end_ = ++i;
  }
  while (i < end) {
    Stretch s = next_stretch(i, end);
    s.way = direction(load(d_, z_, s.first), load(d_, z_, s.last));
    // As a whole where that is enough, else block by block.
    if (!vectorised(s) || (!count_constant(s, offset, out) && !count_scaled(s, offset, out)))
      count_blocks(s, offset, out);
    i = s.last + 1;
  }
}

void BatchCounter::count_blocks(Stretch s, std::uint64_t offset, const void* out) {
  const std::uint64_t last = s.last;
  while (s.first <= last) {
    s.last = std::min(last, (s.first / kBlock + 1) * kBlock - 1);
    s.way = direction(load(d_, z_, s.first), load(d_, z_, s.last));
    count_stretch(s, offset, out);
    s.first = s.last + 1;
  }
}

void BatchCounter::count_stretch(const Stretch& s, std::uint64_t offset, const void* out) {
  const std::size_t n = s.last - s.first + 1;
  const PackedCases cases = cases_from(s.first, offset, out);
  if (vectorised(s) && (count_constant(s, offset, out) || count_scaled(s, offset, out))) return;
  into_.digest += digest_of(d_, cases.z, y_, cases.got, n);
  if (!vectorised(s)) {
    if (!count_nans(s, offset, out)) count_one_by_one(s, offset, out);
    return;
  }
  const BlockScore score =
      score_block(d_, info(op_).range, truth_.values(s.first), cases.got, n, scratch_);
  into_.add_block(s.region, score, scratch_, n, cases);
  if (errors_ != nullptr)
    std::transform(scratch_.e, scratch_.e + n,
                   errors_->begin() + static_cast<std::ptrdiff_t>(s.first),
                   [](double e) { return std::fabs(e); });
  into_.judged.fast += score.scored;
  count_pairs_of(s, offset, out);
  for (std::uint64_t k = 0; k < score.slow; ++k) {
    const std::uint64_t i = s.first + scratch_.slow_lanes[k];
    count_slowly(i, s.region, case_at(i, offset, out));
  }
}

void BatchCounter::count_one_by_one(const Stretch& s, std::uint64_t offset, const void* out) {
  for (std::uint64_t i = s.first; i <= s.last; ++i) {
    const Case c = case_at(i, offset, out);
    count_slowly(i, s.region, c);
    if (before_end_ == i) into_.add_pair(d_, direction(before_.z, c.z), before_, c);
    before_ = c;
    before_end_ = i + 1;
  }
}

bool BatchCounter::count_nans(const Stretch& s, std::uint64_t offset, const void* out) {
  const PackedCases cases = cases_from(s.first, offset, out);
  const std::size_t n = s.last - s.first + 1;
  // Inputs are in order, so NaNs of one sign at both ends have nothing else between them.
  const Case first = cases(0), last = cases(n - 1);
  if (!truth_.fast() || !is_nan(d_, first.z) || !is_nan(d_, last.z) ||
      is_negative(d_, first.z) != is_negative(d_, last.z) || !all_nan(d_, cases.got, n))
    return false;
  into_.add_nans(d_, s.region, first, n);
  into_.judged.fast += n;
  before_ = last;
  before_end_ = s.last + 1;
  return true;
}

bool BatchCounter::count_scaled(const Stretch& s, std::uint64_t offset, const void* out) {
  const std::uint64_t n = s.last - s.first + 1;
  if (n < kWorthTrying || s.way == 0) return false;
  const auto shift = truth_.scaled_between(s.first, s.last);
  const PackedCases cases = cases_from(s.first, offset, out);
  if (!shift || !all_scaled(d_, cases.z, cases.got, n, *shift)) return false;
  into_.digest += digest_of(d_, cases.z, y_, cases.got, n);
  count_right(s, cases(0), cases(n - 1));
  return true;
}

/// A stretch of correctly rounded results, each within 2^-22 ulp of t, that move as t does.
void BatchCounter::count_right(const Stretch& s, const Case& first, const Case& last) {
  const std::uint64_t n = s.last - s.first + 1;
  into_.add_right_stretch(d_, s.region, first, n);
  if (errors_ != nullptr)
    std::fill_n(errors_->begin() + static_cast<std::ptrdiff_t>(s.first), n, 0.0);
  into_.judged.fast += n;
  if (before_end_ == s.first) into_.add_pair(d_, direction(before_.z, first.z), before_, first);
  into_.monotone.pairs += n - 1;
  before_ = last;
  before_end_ = s.last + 1;
}

bool BatchCounter::count_constant(const Stretch& s, std::uint64_t offset, const void* out) {
  const std::uint64_t n = s.last - s.first + 1;
  if (n < kWorthTrying || s.way == 0) return false;
  const Case first = case_at(s.first, offset, out), last = case_at(s.last, offset, out);
  if (first.got != last.got) return false;
  const auto want = truth_.constant_between(s.first, s.last);
  const auto bytes = static_cast<std::uint64_t>(format(d_).bytes());
  if (want != first.got ||
      !all_equal(d_, static_cast<const char*>(out) + (s.first - offset) * bytes, n, *want))
    return false;
  into_.digest += digest_of_constant(d_, cases_from(s.first, offset, out).z, y_, first.got, n);
  count_right(s, first, last);
  return true;
}

void BatchCounter::count_slowly(std::uint64_t i, Region region, const Case& c) {
  const Truth t = truth_.truth(i, into_.judged);
  const Score s = score(op_, d_, t, c.got);
  if (errors_ != nullptr && s.measured) (*errors_)[i] = std::fabs(quantise(s.error_ulps));
  into_.add(d_, region, c, s);
}

void BatchCounter::count_pairs_of(const Stretch& s, std::uint64_t offset, const void* out) {
  const Case first = case_at(s.first, offset, out), last = case_at(s.last, offset, out);
  const bool joined = before_end_ == s.first;
  // The pair across the border is one of the stretch where its results lie side by side.
  const bool one_more =
      joined && s.first > offset && s.way != 0 && direction(before_.z, last.z) == s.way;
  if (joined && !one_more) into_.add_pair(d_, direction(before_.z, first.z), before_, first);
  if (s.way != 0) {
    const std::uint64_t from = s.first - (one_more ? 1 : 0);
    const PackedCases cases = cases_from(from, offset, out);
    into_.add_pairs(count_pairs(d_, cases.got, s.last - from + 1, s.way), cases);
  } else {
    Case a = first;
    for (std::uint64_t i = s.first + 1; i <= s.last; ++i) {
      const Case b = case_at(i, offset, out);
      into_.add_pair(d_, direction(a.z, b.z), a, b);
      a = b;
    }
  }
  before_ = last;
  before_end_ = s.last + 1;
}

}  // namespace ulpaudit
