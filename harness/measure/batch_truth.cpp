// The truth of one batch.
#include "measure/batch_truth.hpp"

#include <algorithm>
#include <cmath>

#include "measure/batch_runner.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kPadding = 16;  // vectors may write this many values past the end

}  // namespace

void BatchTruth::start(OpId op, Dtype d, Bits y, const void* z, std::size_t n, bool keep) {
  op_ = op;
  d_ = d;
  y_ = y;
  z_ = static_cast<const char*>(z);
  n_ = n;
  keep_ = keep;
  fast_ = fast_judge_covers(op, d) && !is_nan(d, y);
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

void BatchTruth::compute_block(std::size_t block, std::size_t slot) {
  const std::size_t first = block * kBlock, count = std::min(kBlock, n_ - first);
  fast_z_part(op_, d_, z_ + first * static_cast<std::size_t>(format(d_).bytes()), count,
              zd_.data(), part_.data());
  const std::size_t at = slot * kBlock;
  fast_combine(op_, decode(d_, y_), zd_.data(), part_.data(), count,
               {hi_.data() + at, lo_.data() + at, delta_.data() + at});
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
  ++judged.final_judge;
  return final_judge(op_, d_, z, y_);
}

/// The fast judge's decision on one input, without its block.
bool BatchTruth::decide_alone(std::size_t i, Truth& t) {
  double zd[kPadding], part[kPadding], hi[kPadding], lo[kPadding], delta[kPadding];
  const Bits z[8] = {load(d_, z_, i)};  // little endian: the first element is z
  fast_z_part(op_, d_, z, 1, zd, part);
  fast_combine(op_, decode(d_, y_), zd, part, 1, {hi, lo, delta});
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

bool BatchTruth::agrees_with_final_judge() {
  const Bits z = load(d_, z_, 0);
  const FastValues v = values(0);
  if (*v.delta < 0) return true;  // not the fast judge's
  const Truth sure = final_judge(op_, d_, z, y_);
  if (sure.kind != TruthKind::finite) return false;
  const double scale = std::ldexp(1.0, -sure.q), sign = sure.negative ? -1.0 : 1.0;
  const double off = (*v.hi * scale - sign * sure.ulps.hi) + (*v.lo * scale - sign * sure.ulps.lo);
  // 2^-45: how well the final judge's value is known in ulps of a result of up to 2^24 ulps.
  if (!(std::fabs(off) <= *v.delta * scale + 0x1p-45)) return false;
  Truth t;
  return !decide(d_, *v.hi, *v.lo, *v.delta, t) ||
         (t.rounded == sure.rounded && t.side == sure.side && t.q == sure.q);
}

}  // namespace ulpaudit
