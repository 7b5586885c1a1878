// Adding a device's counts.
// SPDX-License-Identifier: Apache-2.0
#include "device/add_stretch.hpp"

#include <utility>

namespace ulpaudit {

void add_stretch(const DeviceStretch& s, Bits y, const StretchCount& c, Accumulator& into) {
  constexpr Dtype d = Dtype::f32;
  const auto region = static_cast<Region>(s.region);
  const auto z = [&](std::uint32_t lane) { return from_ordinal(d, s.first + lane); };
  const LaneSums& sums = c.sums;
  into.digest += sums.digest;
  into.monotone.pairs += sums.pairs;
  const auto got = [&](Kind k) { return c.got[static_cast<int>(k)]; };
  if (const LaneKind& upper = c[Kind::broken_order]; upper.n != 0)
    into.add_violations(d, {z(upper.first - 1), y, c.got_lower},
                        {z(upper.first), y, got(Kind::broken_order)}, z(upper.last - 1), upper.n);
  into.judged.fast += sums.measured + sums.unmeasured + sums.right_nans;
  if (sums.right_nans != 0) into.add_nans(d, region, {z(0), y, 0}, sums.right_nans);
  if (sums.measured + sums.unmeasured == 0) return;
  CurveBin& bin = into.bin_of(d, z(0));
  Tally& t = into.add_scored(region, bin,
                             {sums.measured, sums.correctly_rounded, sums.faithful,
                              sums.allclose_failures, sums.max_signed, sums.min_signed},
                             Sum(sums.sum_signed), Sum(sums.sum_abs),
                             (Sum(sums.squares_high) << 40) + Sum(sums.squares_low));
  t.points += sums.unmeasured;
  bin.points += sums.unmeasured;
  if (sums.measured != 0) {
    const Case top = {z(sums.top), y, c.got_top}, bottom = {z(sums.bottom), y, c.got_bottom};
    t.max_signed.offer(d, sums.max_signed, top);
    t.min_signed.offer(d, -sums.min_signed, bottom);
    t.max_abs.offer(d, sums.max_signed, top);
    t.max_abs.offer(d, -sums.min_signed, bottom);
  }
  const auto count = [&](Counter& to, Kind k) {
    if (c[k].n != 0) to.add(d, {z(c[k].first), y, got(k)}, z(c[k].last), c[k].n);
  };
  count(t.wrong_zero, Kind::wrong_zero);
  for (const auto& [kind, category] :
       {std::pair(Kind::out_of_range, Category::out_of_range),
        std::pair(Kind::wrong_sign, Category::wrong_sign),
        std::pair(Kind::flushed, Category::flushed), std::pair(Kind::vanished, Category::vanished),
        std::pair(Kind::new_nan, Category::new_nan), std::pair(Kind::lost_nan, Category::lost_nan),
        std::pair(Kind::wrong_infinity, Category::wrong_infinity)}) {
    count(t.categories[static_cast<std::size_t>(category)], kind);
    bin.categories += c[kind].n;
  }
}

}  // namespace ulpaudit
