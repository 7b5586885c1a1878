// The fast judge against the final judge, point by point. (Scoring in blocks: block_test.cpp.)
// SPDX-License-Identifier: Apache-2.0
#include "truth/fast_judge.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "each_target.hpp"
#include "fp/text.hpp"
#include "pack.hpp"
#include "score/scan_block.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kPoints = 512;
constexpr Dtype kFastDtypes[] = {Dtype::f16, Dtype::bf16, Dtype::f32};

/// Random patterns, and numbers where the op is busy: |z| in [2^-26, 2^8].
std::vector<Bits> random_inputs(Dtype d, std::mt19937_64& rng) {
  std::vector<Bits> z;
  while (z.size() < kPoints) {
    Bits b = rng() & format(d).mask();
    if (rng() % 4 != 0)
      b = encode(d, std::ldexp(1 + static_cast<double>(rng() >> 12) * 0x1p-52,
                               static_cast<int>(rng() % 34) - 26)) |
          (rng() % 2 != 0 ? format(d).sign_bit() : 0);
    z.push_back(b);
  }
  return z;
}

struct Values {
  std::vector<double> zd, part, hi, lo, delta;
  Values(OpId op, Dtype d, Bits y, const std::vector<Bits>& z) {
    for (auto* v : {&zd, &part, &hi, &lo, &delta}) v->resize(z.size() + 16);
    const std::vector<char> packed = test::pack(d, z);
    fast_z_part(op, d, packed.data(), z.size(), zd.data(), part.data());
    fast_combine(op, decode(d, y), zd.data(), part.data(), z.size(), view());
  }
  FastValues view() { return {hi.data(), lo.data(), delta.data()}; }
};

std::string where(OpId op, Dtype d, Bits z, Bits y) {
  return std::string(info(op).name) + " " + std::string(name(d)) + " z=" + bits_text(d, z) +
         " y=" + bits_text(d, y);
}

template <class Check>
void for_each_case(unsigned seed, Check check) {
  ::testing::Test::RecordProperty("seed", static_cast<int>(seed));
  std::mt19937_64 rng(seed);
  for (int i = 0; i < op_count(); ++i)
    for (Dtype d : kFastDtypes)
      for (Bits y : default_labels(op_at(i), d)) check(op_at(i), d, y, rng);
}

void hold_the_truth() {
  std::size_t decided = 0, points = 0;
  double worst = 0;
  for_each_case(20261124, [&](OpId op, Dtype d, Bits y, std::mt19937_64& rng) {
    const std::vector<Bits> z = random_inputs(d, rng);
    Values v(op, d, y, z);
    for (std::size_t i = 0; i < z.size(); ++i) {
      if (!(v.delta[i] >= 0)) continue;
      const Truth sure = final_judge(op, d, z[i], y);
      ASSERT_EQ(sure.kind, TruthKind::finite) << where(op, d, z[i], y);
      const double scale = std::ldexp(1.0, -sure.q), sign = sure.negative ? -1 : 1;
      const double off = std::fabs((v.hi[i] * scale - sign * sure.ulps.hi) +
                                   (v.lo[i] * scale - sign * sure.ulps.lo));
      ASSERT_LE(off, v.delta[i] * scale + 0x1p-45) << where(op, d, z[i], y);
      if (off > 0x1p-40) worst = std::max(worst, off / (v.delta[i] * scale));
      ++points;
      Truth t;
      if (!decide(d, v.hi[i], v.lo[i], v.delta[i], t)) continue;
      ++decided;
      ASSERT_EQ(t.rounded, sure.rounded) << where(op, d, z[i], y);
      ASSERT_EQ(t.side, sure.side) << where(op, d, z[i], y);
      ASSERT_EQ(t.q, sure.q) << where(op, d, z[i], y);
      ASSERT_EQ(t.negative, sure.negative) << where(op, d, z[i], y);
    }
  });
  EXPECT_GT(static_cast<double>(decided), 0.999 * static_cast<double>(points));
  EXPECT_LT(worst, 0.5) << "the claimed bound has lost its margin";
}

TEST(FastJudge, IntervalsHoldTheTruthAndDecisionsAgree) { test::on_each_target(hold_the_truth); }

TEST(FastJudge, CountsPairsThatFall) {
  const double nan = std::nan("");
  for (Dtype d : {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64})
    for (std::size_t zeros : {1u, 4u, 70u}) {  // less than a vector, and more
      std::vector<Bits> got(zeros, format(d).sign_bit());
      for (double v : {0.0, 1.0, 1.0, 0.5, nan, 2.0, 3.0, 2.0, -1.0, 0.0, 0.0, 0.0, 0.0})
        got.push_back(encode(d, v));
      got.insert(got.end(), zeros, 0);
      const std::vector<char> packed = test::pack(d, got);
      const PairCount up = count_pairs(d, packed.data(), got.size(), 1);
      EXPECT_EQ(up.pairs, 10u + 2 * zeros) << name(d);
      EXPECT_EQ(up.violations, 3u) << name(d);
      EXPECT_EQ(up.first, zeros + 2) << name(d);
      EXPECT_EQ(up.last, zeros + 7) << name(d);
      const PairCount down = count_pairs(d, packed.data(), got.size(), -1);
      EXPECT_EQ(down.violations, 3u) << name(d);
      EXPECT_EQ(down.first, zeros) << name(d);
      EXPECT_EQ(down.last, zeros + 8) << name(d);
    }
}

}  // namespace
}  // namespace ulpaudit
