// Counting in vectorised blocks against counting point by point, to the last bit.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "device/add_stretch.hpp"
#include "each_target.hpp"
#include "fp/text.hpp"
#include "pack.hpp"
#include "score/accumulator.hpp"
#include "score/key_sums.hpp"
#include "score/trend_spans.hpp"
#include "sweep/state.hpp"
#include "truth/fast_judge_f64.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kLanes = 100;  // not a multiple of any vector
constexpr Region kRegion = Region::core;

/// Ascending numbers of one bin of the curve; half of the bins are among those of 2^-8 … 2^8.
std::vector<Bits> inputs_of_one_bin(Dtype d, std::mt19937_64& rng) {
  Bits z = rng() & format(d).mask();
  if (rng() % 2 == 0)
    z = encode(d, exp2i(static_cast<int>(rng() % 16) - 8)) |
        (rng() % 2 == 0 ? format(d).sign_bit() : 0);
  if (is_nan(d, z)) z = encode(d, 1.0);
  const BinSpan bin = curve_span(d, ordinal(d, z));
  std::vector<Bits> inputs;
  while (inputs.size() < kLanes) {
    const Bits b = from_ordinal(d, bin.first + rng() % (bin.last - bin.first + 1));
    if (is_finite(d, b)) inputs.push_back(b);
  }
  std::sort(inputs.begin(), inputs.end(),
            [d](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); });
  return inputs;
}

Bits some_result(Dtype d, Bits z, const Truth& t, std::mt19937_64& rng) {
  const Format& f = format(d);
  switch (rng() % 16) {
    case 0:
      return rng() % 2 == 0 ? 0 : f.sign_bit();
    case 1:
      return f.quiet_nan();
    case 2:
      return f.infinity() | (rng() & f.sign_bit());
    case 3:
      return f.max_finite() | (rng() & f.sign_bit());
    case 4:
    case 5:
      return rng() & f.mask();
    case 6:
      return negate(d, t.rounded);
    case 7:
      return other_neighbour(d, t);
    case 8:  // far off by any power of two
      return step(d, t.rounded, static_cast<std::int64_t>(rng() >> (rng() % 63 + 1)));
    case 9:
      return step(d, t.rounded, -static_cast<std::int64_t>(rng() >> (rng() % 63 + 1)));
    case 10:
    case 11:
    case 12:
      return z;
    default:
      return step(d, t.rounded, static_cast<std::int64_t>(rng() % 200) - 100);
  }
}

struct Values {
  std::vector<double> zd, part, hi, lo, delta;
  Values(OpId op, Dtype d, Bits y, const void* z, std::size_t n) {
    for (auto* v : {&zd, &part, &hi, &lo, &delta}) v->resize(n + 16);
    if (d == Dtype::f64) {
      fast_values_f64(op, decode(d, y), static_cast<const double*>(z), n, view());
      return;
    }
    fast_z_part(op, d, z, n, zd.data(), part.data());
    fast_combine(op, decode(d, y), zd.data(), part.data(), n, view());
  }
  FastValues view() { return {hi.data(), lo.data(), delta.data()}; }
};

std::string bytes_of(const Accumulator& a) {
  StateWriter w;
  w.counts(a);
  return w.take();
}

/// What all blocks together met.
struct Met {
  std::uint64_t lanes = 0, slow = 0, out_of_range = 0, wrong_sign = 0, large = 0, largest = 0;
};

void compare_block(OpId op, Dtype d, Bits y, std::mt19937_64& rng, Met& met) {
  const std::vector<Bits> z = inputs_of_one_bin(d, rng);
  const std::vector<char> packed_z = test::pack(d, z);
  Values v(op, d, y, packed_z.data(), z.size());
  std::vector<Truth> truths(z.size());
  std::vector<Bits> got;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (!decide(d, v.hi[i], v.lo[i], v.delta[i], truths[i]))
      truths[i] = final_judge(op, d, z[i], y);
    got.push_back(some_result(d, z[i], truths[i], rng));
  }
  const std::vector<char> packed_got = test::pack(d, got);
  const PackedCases cases = {d, y, packed_z.data(), packed_got.data()};
  Accumulator by_points, by_block;
  const auto count = [&](Accumulator& a, std::size_t i) {
    a.add(d, kRegion, cases(i), score(op, d, truths[i], got[i]));
  };
  for (std::size_t i = 0; i < z.size(); ++i) count(by_points, i);
  static BlockScratch scratch;
  const BlockScore s =
      score_block(d, info(op).range, v.view(), packed_got.data(), z.size(), scratch);
  by_block.add_block(kRegion, s, scratch, z.size(), cases);
  for (std::size_t k = 0; k < s.slow; ++k) count(by_block, scratch.slow_lanes[k]);
  ASSERT_EQ(bytes_of(by_block), bytes_of(by_points))
      << info(op).name << " " << name(d) << " y=" << bits_text(d, y)
      << " from z=" << bits_text(d, z.front());
  met.lanes += z.size();
  met.slow += s.slow;
  met.out_of_range += s.out_of_range;
  met.wrong_sign += s.wrong_sign;
  met.large += s.large.any ? 1 : 0;
  met.largest += s.largest.any ? 1 : 0;
}

void count_as_point_by_point() {
  constexpr unsigned kSeed = 20261124;
  ::testing::Test::RecordProperty("seed", static_cast<int>(kSeed));
  std::mt19937_64 rng(kSeed);
  for (Dtype d : kDtypes) {
    Met met;
    for (int i = 0; i < op_count(); ++i)
      for (Bits y : default_labels(op_at(i), d))
        for (int bin = 0; bin < 60; ++bin) compare_block(op_at(i), d, y, rng, met);
    // The blocks were no easy ones, and were not left to score().
    EXPECT_LT(met.slow, met.lanes / 2) << name(d);
    EXPECT_GT(met.out_of_range, 1000u) << name(d);
    EXPECT_GT(met.wrong_sign, 200u) << name(d);
    EXPECT_GT(met.large, 50u) << name(d);
    // 65504 is just under 2^40 times f16's smallest number.
    EXPECT_EQ(met.largest > 50, d != Dtype::f16) << name(d);
  }
}

TEST(Block, CountsAsPointByPoint) { test::on_each_target(count_as_point_by_point); }

/// Made-up intervals around m + off (in ulps, m an odd number beside no power of two), a vector of
/// each kind: a lane is scored here just where decide() decides it, and as score() does it.
void decide_as_point_by_point() {
  constexpr std::size_t kVector = 8;  // lanes of the widest
  std::vector<double> offs, deltas;
  for (int j = 17; j <= 30; ++j)
    for (const double off : {0.5 - std::ldexp(1, -j), std::ldexp(1, -j), 0.25})
      for (const double sign : {1.0, -1.0}) offs.push_back(sign * off);
  for (const double off : {0.5, -0.5, 0.0}) offs.push_back(off);
  for (int j = 18; j <= 32; j += 1)
    for (const double nudge : {1.0, 1 + 0x1p-40}) deltas.push_back(std::ldexp(nudge, -j));
  deltas.push_back(0);
  deltas.push_back(-1);
  for (const Dtype d : kDtypes) {
    const Format& f = format(d);
    std::size_t decided = 0, open = 0;
    for (const double delta : deltas) {
      if (delta < 0 && d != Dtype::f64) continue;  // it never is in the narrower formats
      for (const double low : {0.0, 0x1p-31, -0x1p-31}) {
        // sigmoid's range begins at 0, so in units of 2^-p all lies inside.
        const double unit = exp2i(-f.p);
        std::vector<double> hi, lo, deltas_of;
        std::vector<Bits> got;
        for (const double off : offs)
          for (std::size_t lane = 0; lane < kVector; ++lane) {
            const double m = exp2i(f.p - 1) + 5 + 2 * static_cast<double>(lane);
            // In f64 the fraction lies in the low word.
            hi.push_back((d == Dtype::f64 ? m : m + off) * unit);
            lo.push_back((d == Dtype::f64 ? off + low : low) * unit);
            deltas_of.push_back(delta < 0 ? delta : delta * unit);
            got.push_back(encode(d, (m + static_cast<double>(lane % 3) - 1) * unit));
          }
        const std::size_t all = hi.size();
        for (std::size_t first = 0; first < all; first += kBlock) {
          const std::size_t n = std::min(kBlock, all - first);
          for (auto* v : {&hi, &lo, &deltas_of}) v->resize(all + 16);
          const std::vector<Bits> part(got.begin() + static_cast<std::ptrdiff_t>(first),
                                       got.begin() + static_cast<std::ptrdiff_t>(first + n));
          static BlockScratch scratch;
          const BlockScore s = score_block(
              d, {0, 1}, {hi.data() + first, lo.data() + first, deltas_of.data() + first},
              test::pack(d, part).data(), n, scratch);
          std::vector<bool> slow(n, false);
          for (std::size_t k = 0; k < s.slow; ++k) slow[scratch.slow_lanes[k]] = true;
          for (std::size_t i = 0; i < n; ++i) {
            Truth t;
            const bool here = decide(d, hi[first + i], lo[first + i], deltas_of[first + i], t);
            ASSERT_EQ(slow[i], !here) << name(d) << " hi=" << hi[first + i] / unit
                                      << " lo=" << lo[first + i] / unit << " delta=" << delta;
            ++(here ? decided : open);
            if (!here) continue;
            const Score at = score(*op_from_name("sigmoid"), d, t, part[i]);
            ASSERT_EQ(scratch.e[i], quantise(at.error_ulps)) << name(d) << i;
          }
        }
      }
    }
    EXPECT_GT(decided, 10000u) << name(d);
    EXPECT_GT(open, 5000u) << name(d);
  }
}

TEST(Block, DecidesBesideMidpointsAndNumbersAsPointByPoint) {
  test::on_each_target(decide_as_point_by_point);
}

TEST(Block, PairsCountAsPairByPair) {
  constexpr Dtype d = Dtype::f32;
  std::vector<Bits> z, got;
  for (double v : {1.0, 3.0, 2.0, 2.0, 1.0, 5.0, 4.0, 6.0, 7.0, 0.0, 9.0}) {
    z.push_back(encode(d, static_cast<double>(z.size())));
    got.push_back(encode(d, v));
  }
  got[5] = format(d).quiet_nan();
  const std::vector<char> packed_z = test::pack(d, z), packed_got = test::pack(d, got);
  const PackedCases cases = {d, 0, packed_z.data(), packed_got.data()};
  for (int way : {1, -1}) {
    Accumulator one_by_one, at_once;
    for (std::size_t i = 0; i + 1 < z.size(); ++i)
      one_by_one.add_pair(d, way, cases(i), cases(i + 1));
    at_once.add_pairs(count_pairs(d, packed_got.data(), z.size(), way), cases);
    EXPECT_EQ(bytes_of(at_once), bytes_of(one_by_one)) << way;
    EXPECT_GT(at_once.monotone.violations, 0u);
  }
}

void sum_digest_terms() {
  std::mt19937_64 rng(3);
  for (Dtype d : kDtypes)
    for (std::size_t n : {1u, 7u, 8u, 100u}) {
      std::vector<Bits> z, got;
      std::uint64_t sum = 0;
      const Bits y = rng() & format(d).mask();
      for (std::size_t i = 0; i < n; ++i) {
        z.push_back(rng() & format(d).mask());
        got.push_back(rng() & format(d).mask());
        sum += digest_term(z[i], y, got[i]);
      }
      std::uint64_t constant = 0;
      for (Bits b : z) constant += digest_term(b, y, got[0]);
      EXPECT_EQ(digest_of_constant(d, test::pack(d, z).data(), y, got[0], n), constant)
          << name(d) << " " << n;
      EXPECT_EQ(digest_of(d, test::pack(d, z).data(), y, test::pack(d, got).data(), n), sum)
          << name(d);
    }
}

TEST(Block, DigestIsTheSumOfItsTerms) { test::on_each_target(sum_digest_terms); }

// Whole runs of f32 have their keys summed up in a table (not in a cross build).
TEST(Block, DigestOfAWholeRunIsTheSumOfItsTerms) {
  constexpr Dtype d = Dtype::f32;
  constexpr std::uint64_t n = kKeyRun;
  for (const std::uint64_t first :
       {std::uint64_t{0}, 5000 * n, 8191 * n, 8192 * n, 16383 * n, n / 2}) {
    std::vector<Bits> z;
    std::uint64_t want = 0;
    for (std::uint64_t o = first; o < first + n; ++o) {
      z.push_back(from_ordinal(d, o));
      want += digest_term(z.back(), 0, 0x3f000000);
    }
    EXPECT_EQ(digest_of_constant(d, test::pack(d, z).data(), 0, 0x3f000000, n), want) << first;
    z[0] = z[1];  // no run
    EXPECT_NE(digest_of_constant(d, test::pack(d, z).data(), 0, 0x3f000000, n), want) << first;
  }
}

// Nothing else is: fewer inputs, another label, another dtype.
TEST(Block, DigestOfWhatIsNoWholeRunIsTheSumOfItsTerms) {
  struct Stretch {
    Dtype d;
    Bits y;
    std::uint64_t first, n;
  };
  for (const Stretch& s :
       {Stretch{Dtype::f32, 0, 3 * kKeyRun, kKeyRun / 2},
        Stretch{Dtype::f32, 0, 3 * kKeyRun + 1, kKeyRun - 1},
        Stretch{Dtype::f32, 1, 3 * kKeyRun, kKeyRun}, Stretch{Dtype::f64, 0, 3 * kKeyRun, kKeyRun},
        Stretch{Dtype::f64, 0, encode(Dtype::f64, 1.0), kKeyRun},
        Stretch{Dtype::f16, 0, 0, std::uint64_t{1} << 15}}) {
    std::vector<Bits> z;
    std::uint64_t want = 0;
    for (Bits b = s.first; b < s.first + s.n; ++b) {
      z.push_back(b);
      want += digest_term(b, s.y, 0x3800);
    }
    EXPECT_EQ(digest_of_constant(s.d, test::pack(s.d, z).data(), s.y, 0x3800, s.n), want)
        << name(s.d) << s.y;
  }
}

TEST(Block, AllNanLooksAtEveryLane) {
  for (Dtype d : kDtypes) {
    std::vector<Bits> got(37, format(d).quiet_nan() | format(d).sign_bit());
    got[3] = format(d).infinity() + 1;
    EXPECT_TRUE(all_nan(d, test::pack(d, got).data(), got.size())) << name(d);
    for (Bits other : {Bits{0}, format(d).infinity()}) {
      got[36] = other;
      EXPECT_FALSE(all_nan(d, test::pack(d, got).data(), got.size())) << name(d);
    }
  }
}

void look_at_every_lane() {
  for (const Dtype d : kDtypes)
    for (const std::size_t n : {1u, 2u, 7u, 8u, 16u, 37u, 64u}) {
      const Bits want = encode(d, 0.75);
      std::vector<Bits> got(n, want), z, scaled;
      for (std::size_t i = 0; i < n; ++i) {
        z.push_back((encode(d, 8) + i) | (i % 3 == 0 ? format(d).sign_bit() : 0));
        scaled.push_back(magnitude(d, encode(d, decode(d, z[i]) / 4)));
      }
      EXPECT_TRUE(all_equal(d, test::pack(d, got).data(), n, want)) << name(d) << n;
      EXPECT_FALSE(all_equal(d, test::pack(d, got).data(), n, want + 1)) << name(d) << n;
      EXPECT_TRUE(all_scaled(d, test::pack(d, z).data(), test::pack(d, scaled).data(), n, -2))
          << name(d) << n;
      EXPECT_FALSE(all_scaled(d, test::pack(d, z).data(), test::pack(d, scaled).data(), n, -1));
      for (std::size_t i = 0; i < n; ++i) {
        std::vector<Bits> other = got, off = scaled;
        other[i] ^= 1;
        off[i] ^= i % 2 == 0 ? 1 : format(d).sign_bit();
        EXPECT_FALSE(all_equal(d, test::pack(d, other).data(), n, want)) << name(d) << n << i;
        EXPECT_FALSE(all_scaled(d, test::pack(d, z).data(), test::pack(d, off).data(), n, -2))
            << name(d) << n << i;
      }
      std::vector<double> values(n + 16, 1.0);
      EXPECT_EQ(find_value(values.data(), n, 2), n) << "it is not there";
      for (std::size_t i = n; i-- > 0;) {
        values[i] = 2;
        EXPECT_EQ(find_value(values.data(), n, 2), i) << "the first";
      }
      values.assign(n + 16, 1.0);
      values[n] = 2;
      EXPECT_EQ(find_value(values.data(), n, 2), n) << "behind the end";
    }
  EXPECT_TRUE(all_equal(Dtype::f32, nullptr, 0, 1));
}

TEST(Block, ScansLookAtEveryLane) { test::on_each_target(look_at_every_lane); }

// What a device counted of one stretch, at the last input of a bin: nothing goes to the next one.
TEST(Stretches, CountInTheirOwnBin) {
  constexpr Dtype d = Dtype::f32;
  const std::uint64_t last = curve_span(d, 0).last - 1;  // behind it stands -infinity
  ASSERT_TRUE(is_nan(d, from_ordinal(d, last)));
  DeviceStretch stretch{};
  stretch.first = static_cast<std::uint32_t>(last);
  stretch.n = 1;
  stretch.region = static_cast<std::uint8_t>(Region::special);
  StretchCount count;
  count.sums.right_nans = 1;
  Accumulator nans;
  add_stretch(stretch, 0, count, nans);
  ASSERT_EQ(nans.curve.size(), 1u);
  EXPECT_EQ(nans.curve.begin()->first, curve_bin(d, last));
  EXPECT_EQ(nans.regions[static_cast<std::size_t>(Region::special)].points, 1u);
  EXPECT_EQ(nans.judged.fast, 1u);

  const std::uint64_t one = curve_span(d, ordinal(d, encode(d, 1.0))).last;
  stretch.first = static_cast<std::uint32_t>(one);
  stretch.region = static_cast<std::uint8_t>(kRegion);
  count = {};
  count.sums.measured = count.sums.faithful = 1;
  count.sums.sum_signed = -(1 << 20);
  count.sums.sum_abs = 1 << 20;
  count.sums.squares_low = 1 << 20;
  count.sums.max_signed = count.sums.min_signed = -1;
  Accumulator numbers;
  add_stretch(stretch, 0, count, numbers);
  ASSERT_EQ(numbers.curve.size(), 1u);
  EXPECT_EQ(numbers.curve.begin()->first, curve_bin(d, one));
  const Tally& t = numbers.regions[static_cast<std::size_t>(kRegion)];
  EXPECT_EQ(t.max_abs.error, 1);
  EXPECT_EQ(t.max_abs.at.z, from_ordinal(d, one));
  EXPECT_EQ(t.min_signed.error, 1);
  EXPECT_EQ(t.sum_signed, Sum(-(1 << 20)));
  EXPECT_EQ(t.sum_squares, Sum(1 << 20));
}

TEST(TrendSpans, EqualTrendEverywhere) {
  for (Dtype d : {Dtype::f16, Dtype::bf16})
    for (int i = 0; i < op_count(); ++i)
      for (Bits y : default_labels(op_at(i), d)) {
        const TrendSpans spans(op_at(i), d, y);
        for (Bits z = 0; z <= format(d).mask(); ++z) {
          if (is_nan(d, z)) continue;
          ASSERT_EQ(spans(z), trend(op_at(i), decode(d, z), decode(d, y)))
              << info(op_at(i)).name << " " << name(d) << " z=" << bits_text(d, z)
              << " y=" << bits_text(d, y);
        }
      }
}

}  // namespace
}  // namespace ulpaudit
