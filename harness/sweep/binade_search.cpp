// The search in one binade.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/binade_search.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace ulpaudit {
namespace {

constexpr std::uint64_t kIntervals = 1024;     ///< of the start, each with the same share
constexpr std::uint64_t kStart = 8192 + 1024;  ///< strata of the start: 2^52/2^13 = 2^39
constexpr std::uint64_t kLeastPoints = 16;     ///< of an interval, where the budget allows
constexpr std::size_t kKept = 20;              ///< intervals by each measure
constexpr double kSpread = 3;                  ///< standard deviations that are added to the mean
constexpr double kErrorCeiling = 1e9;          ///< larger ones would drown mean and spread

int bit_length(std::uint64_t v) {
  int n = 0;
  for (; v != 0; v >>= 1) ++n;
  return n;
}

}  // namespace

double BinadeSearch::Interval::mean_plus_spread() const {
  if (known == 0) return -1;
  const auto n = static_cast<double>(known);
  const double mean = sum / n;
  return mean + kSpread * std::sqrt(std::max(0.0, squares / n - mean * mean));
}

BinadeSearch::BinadeSearch(const Stratum& binade, std::uint64_t seed, std::uint64_t points,
                           std::uint64_t most)
    : seed_(seed),
      first_(binade.first),
      last_(binade.first + binade.size - 1),
      most_(most),
      left_(std::min(points, binade.size)),
      best_at_(binade.first) {
  const bool all = left_ == binade.size;
  // A third of the points for the start, but enough to meet 2^40 neighbours of f64 where they are
  // to be had; all where they suffice for every input.
  const std::uint64_t share =
      all ? left_
          : std::max(left_ / 3, std::min(std::max<std::uint64_t>(1, left_ * 2 / 3), kStart));
  const std::uint64_t count = std::clamp<std::uint64_t>(share / kLeastPoints, 1, kIntervals);
  const std::uint64_t size = binade.size / count, larger = binade.size % count;
  std::uint64_t at = first_;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t n = size + (i < larger ? 1 : 0);
    live_.push_back({at, n, all ? n : share / count});
    at += n;
  }
  rounds_left_ = std::max(1, bit_length(size) - bit_length(kLeastPoints));
}

const std::vector<std::uint64_t>& BinadeSearch::next() {
  batch_.clear();
  if (left_ == 0) return batch_;
  if (to_ == live_.size() && !run_) halve();
  if (to_ < live_.size())
    propose_intervals();
  else
    propose_neighbours();
  left_ -= batch_.size();
  return batch_;
}

void BinadeSearch::propose_intervals() {
  from_ = to_;
  for (; to_ < live_.size(); ++to_) {
    Interval& x = live_[to_];
    x.ask = std::min({x.ask, x.size, left_ - batch_.size(), most_});
    if (batch_.size() + x.ask > most_) break;
    for (std::uint64_t j = 0; j < x.ask; ++j)
      batch_.push_back(stratified_point(x.first, x.size, x.ask, j, random_word(seed_, words_++)));
  }
}

/// Both sides of the largest error, outwards.
void BinadeSearch::propose_neighbours() {
  from_ = to_;
  const std::uint64_t n = std::min(left_, most_);
  std::uint64_t lo = best_at_, hi = best_at_;  // [lo, hi] is proposed already
  if (run_) {
    std::tie(lo, hi) = *run_;
  } else {
    batch_.push_back(best_at_);
  }
  const std::uint64_t missing = n - batch_.size(), below = lo - first_, above = last_ - hi;
  const std::uint64_t up =
      std::min(above, std::max(missing / 2, missing - std::min(below, missing)));
  const std::uint64_t down = std::min(below, missing - up);
  for (std::uint64_t k = 0; k < down; ++k) batch_.push_back(lo - down + k);
  std::sort(batch_.begin(), batch_.end());
  for (std::uint64_t k = 1; k <= up; ++k) batch_.push_back(hi + k);
  run_ = {lo - down, hi + up};
}

void BinadeSearch::learn(const std::vector<double>& errors) {
  std::size_t i = 0;
  const auto offer = [&](double e, std::uint64_t at) {
    if (!(e > best_)) return;
    best_ = e;
    best_at_ = at;
  };
  for (std::size_t k = from_; k < to_; ++k) {
    Interval& x = live_[k];
    for (std::uint64_t j = 0; j < x.ask; ++j, ++i) {
      const double e = errors[i];
      if (!(e <= kErrorCeiling)) continue;
      ++x.known;
      x.sum += e;
      x.squares += e * e;
      if (e > x.max) {
        x.max = e;
        x.at = batch_[i];
      }
      offer(e, batch_[i]);
    }
  }
  for (; i < batch_.size(); ++i) offer(errors[i], batch_[i]);
}

std::vector<BinadeSearch::Interval> BinadeSearch::most_promising(std::size_t keep) const {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < live_.size(); ++i)
    if (live_[i].ask < live_[i].size) open.push_back(i);
  std::vector<std::size_t> kept;
  const auto take = [&](auto measure) {
    std::stable_sort(open.begin(), open.end(), [&](std::size_t a, std::size_t b) {
      return measure(live_[a]) > measure(live_[b]);
    });
    kept.insert(kept.end(), open.begin(),
                open.begin() + static_cast<std::ptrdiff_t>(std::min(keep, open.size())));
  };
  take([](const Interval& x) { return x.max; });
  std::sort(open.begin(), open.end());
  take([](const Interval& x) { return x.mean_plus_spread(); });
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  std::vector<Interval> out;
  for (std::size_t i : kept) out.push_back(live_[i]);
  return out;
}

void BinadeSearch::halve() {
  // At most four halves for each interval that is kept by each measure.
  const std::uint64_t round = left_ / static_cast<std::uint64_t>(std::max(1, rounds_left_));
  const std::size_t keep = std::clamp<std::size_t>(round / (4 * kLeastPoints), 1, kKept);
  std::vector<Interval> halves;
  for (const Interval& x : most_promising(keep)) {
    const std::uint64_t half = x.size / 2;
    for (Interval h : {Interval{x.first, half}, Interval{x.first + half, x.size - half}}) {
      if (h.size == 0) continue;
      if (x.max >= 0 && x.at >= h.first && x.at - h.first < h.size) {
        h.max = x.max;
        h.at = x.at;
      }
      halves.push_back(h);
    }
  }
  for (Interval& h : halves) h.ask = std::max<std::uint64_t>(1, round / halves.size());
  live_ = std::move(halves);
  from_ = to_ = 0;
  --rounds_left_;
}

}  // namespace ulpaudit
