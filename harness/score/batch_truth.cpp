// The truth of one batch.
// SPDX-License-Identifier: Apache-2.0
#include "score/batch_truth.hpp"

#include <algorithm>
#include <cmath>

#include "truth/fast_judge_f64.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kPadding = 16;  // vectors may write this many values past the end
constexpr double kFarOut = 746;

}  // namespace

void BatchTruth::start(OpId op, Dtype d, Bits y, const void* z, std::size_t n, bool keep) {
  op_ = op;
  d_ = d;
  y_ = y;
  z_ = static_cast<const char*>(z);
  n_ = n;
  keep_ = keep;
  fast_ = judged_fast(op, d, y);
  far_[0] = far_[1] = std::nullopt;
  if (!fast_) {
    truths_.resize(n);
    for (std::size_t i = 0; i < n; ++i) truths_[i] = final_judge(op, d, load(d, z, i), y);
    return;
  }
  const std::size_t blocks = (n + kBlock - 1) / kBlock;
  const std::size_t slots = keep ? blocks : 1;
  for (std::vector<double>* v : {&hi_, &lo_, &delta_}) v->resize(slots * kBlock + kPadding);
  zd_.resize(kBlock + kPadding);
  part_.resize(kBlock + kPadding);
  done_.assign(blocks, false);
  in_slot_ = blocks;
}

void BatchTruth::compute(const void* z, std::size_t n, const FastValues& out) {
  const double y = decode(d_, y_);
  if (d_ == Dtype::f64) return fast_values_f64(op_, y, static_cast<const double*>(z), n, out);
  fast_z_part(op_, d_, z, n, zd_.data(), part_.data());
  fast_combine(op_, y, zd_.data(), part_.data(), n, out);
}

void BatchTruth::compute_block(std::size_t block, std::size_t slot) {
  const std::size_t first = block * kBlock, at = slot * kBlock, n = std::min(kBlock, n_ - first);
  const FastValues out = {hi_.data() + at, lo_.data() + at, delta_.data() + at};
  compute(z_ + first * static_cast<std::size_t>(format(d_).bytes()), n, out);
}

/// e^-a in units of 2^-1074, a >= 746: within 2^-47 of itself, and itself below 0.22.
double exp_in_smallest(double a) {
  // 1074 ln2 = high + low (mpmath). The difference is exact up to a = 2·744 (Sterbenz); beyond, the
  // result is below 2^-1000.
  constexpr double high = 0x1.74385446d71c3p+9, low = 0x1.8e569fa8ee781p-45;
  return std::exp((high - a) + low);
}

/// f64: e^-746 < 2^-1076, so beyond |z| = 746 the place of t among the numbers is that at 746, if
/// the op has a finite limit R. t itself is not: |t| = ε where R = 0, else |R| - ε, ε = e^-|z|
/// within 2^-1076 of itself. Nothing where the op has no such limit or z is nearer.
std::optional<Truth> BatchTruth::far_out(Bits z) {
  const double a = std::fabs(decode(d_, z));
  if (d_ != Dtype::f64 || !(a >= kFarOut) || is_infinite(d_, z)) return std::nullopt;
  const Bits sign = z & format(d_).sign_bit();
  std::optional<FarOut>& far = far_[sign != 0 ? 0 : 1];
  if (!far) {
    const Truth limit = final_judge(op_, d_, sign | format(d_).infinity(), y_);
    far = FarOut{limit.kind, limit.kind == TruthKind::infinite
                                 ? limit
                                 : final_judge(op_, d_, sign | encode(d_, kFarOut), y_)};
  }
  if (far->limit == TruthKind::infinite) return std::nullopt;
  Truth t = far->begin;
  const int scale = format(d_).min_ulp_exponent() - t.q;
  if (far->limit == TruthKind::zero)
    t.ulps = {std::ldexp(exp_in_smallest(a), scale), 0};
  else
    t.ulps.lo += std::ldexp(exp_in_smallest(kFarOut) - exp_in_smallest(a), scale);
  return t;
}

FastValues BatchTruth::values(std::size_t first) {
  const std::size_t block = first / kBlock;
  std::size_t slot = 0;
  if (keep_) {
    slot = block;
    if (!done_[block]) compute_block(block, slot);
    done_[block] = true;
  } else if (in_slot_ != block) {
    compute_block(block, 0);
    in_slot_ = block;
  }
  const std::size_t at = slot * kBlock + first % kBlock;
  return {hi_.data() + at, lo_.data() + at, delta_.data() + at};
}

Truth BatchTruth::truth(std::size_t i, JudgedCount& judged) {
  if (!fast_) {
    ++judged.final_judge;
    return truths_[i];
  }
  const Bits z = load(d_, z_, i);
  Truth t;
  if (is_nan(d_, z)) {
    ++judged.fast;
    t.rounded = format(d_).quiet_nan();
    return t;
  }
  const FastValues v = values(i);
  if (decide(d_, *v.hi, *v.lo, *v.delta, t)) {
    ++judged.fast;
    return t;
  }
  if (const std::optional<Truth> far = far_out(z)) {
    ++judged.fast;
    return *far;
  }
  if (decide_in_double_double(op_, d_, z, y_, t)) {
    ++judged.fast;
    return t;
  }
  ++judged.final_judge;
  return final_judge(op_, d_, z, y_);
}

/// An input of a narrower format is one of f64, with the same t.
bool BatchTruth::decide_in_double_double(OpId op, Dtype d, Bits z, Bits y, Truth& t) {
  if (d == Dtype::f64) return false;
  const double at = decode(d, z);
  double hi = 0, lo = 0, delta = -1;
  fast_values_f64(op, decode(d, y), &at, 1, {&hi, &lo, &delta});
  return decide(d, hi, lo, delta, t);
}

/// The fast judge's decision on one input, without its block.
bool BatchTruth::decide_alone(std::size_t i, Truth& t) {
  double hi[kPadding], lo[kPadding], delta[kPadding];
  const Bits z[8] = {load(d_, z_, i)};  // little endian: the first element is z
  compute(z, 1, {hi, lo, delta});
  return decide(d_, hi[0], lo[0], delta[0], t);
}

std::optional<Bits> BatchTruth::constant_between(std::size_t first, std::size_t last) {
  Truth a, b;
  if (!fast_ || !decide_alone(first, a)) return std::nullopt;
  const auto distance = [](const Truth& t) {
    return std::fabs((t.ulps.hi - std::nearbyint(t.ulps.hi)) + t.ulps.lo);
  };
  if (distance(a) > 0x1p-22 || !decide_alone(last, b) || distance(b) > 0x1p-22) return std::nullopt;
  if (a.rounded != b.rounded || a.side != b.side || a.q != b.q) return std::nullopt;
  return a.rounded;
}

std::optional<int> BatchTruth::scaled_between(std::size_t first, std::size_t last) const {
  if (!fast_) return std::nullopt;
  return far_scale(op_, d_, y_, load(d_, z_, first), load(d_, z_, last));
}

bool BatchTruth::agrees_with_final_judge() {
  const FastValues v = values(0);
  return agrees(op_, d_, load(d_, z_, 0), y_, *v.hi, *v.lo, *v.delta);
}

bool BatchTruth::agrees(OpId op, Dtype d, Bits z, Bits y, double hi, double lo, double delta) {
  if (!(delta >= 0)) return true;  // not the fast judge's
  const Truth sure = final_judge(op, d, z, y);
  if (sure.kind != TruthKind::finite) return false;
  const double scale = std::ldexp(1.0, -sure.q), sign = sure.negative ? -1.0 : 1.0;
  const double off = (hi * scale - sign * sure.ulps.hi) + (lo * scale - sign * sure.ulps.lo);
  // 17/16: the f64 judge's promise (fast_judge_f64.hpp). 2^-45: how well the final judge's value
  // and this difference are known, in ulps.
  if (!(std::fabs(off) <= 17.0 / 16 * delta * scale + 0x1p-45)) return false;
  Truth t;
  return !decide(d, hi, lo, delta, t) ||
         (t.rounded == sure.rounded && t.side == sure.side && t.q == sure.q);
}

}  // namespace ulpaudit
