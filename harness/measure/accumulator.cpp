// Counting.
#include "measure/accumulator.hpp"

#include <cmath>

namespace ulpaudit {

CurveBin& Accumulator::bin_of(Dtype d, Bits z) {
  const auto bin = static_cast<std::uint32_t>(ordinal(d, z) >> curve_shift(d));
  if (last_ == nullptr || bin != last_bin_) {
    last_ = &curve[bin];
    last_bin_ = bin;
  }
  return *last_;
}

void Accumulator::add(Dtype d, Region region, const Case& c, const Score& s) {
  Tally& t = regions[static_cast<std::size_t>(region)];
  CurveBin& bin = bin_of(d, c.z);
  digest += digest_term(c.z, c.y, c.got);
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
  if (t.histogram.empty()) t.histogram.resize(kHistogramBins);
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

void Accumulator::add_loss(Dtype d, Loss loss) {
  for (Loss& known : losses) {
    if (known.kind != loss.kind) continue;
    known.batches += loss.batches;
    known.points += loss.points;
    if (loss.length < known.length ||
        (loss.length == known.length && CaseOrder{d}(loss.first, known.first))) {
      known.first = loss.first;
      known.length = loss.length;
      known.message = loss.message;
    }
    return;
  }
  losses.push_back(std::move(loss));
}

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
}

}  // namespace ulpaudit
