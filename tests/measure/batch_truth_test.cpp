// The truth of a batch is that of the final judge, by whatever way it is found.
// SPDX-License-Identifier: Apache-2.0
#include "score/batch_truth.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "each_target.hpp"
#include "names.hpp"
#include "pack.hpp"

namespace ulpaudit {
namespace {

/// Truths of these inputs, in a batch, are those of the final judge.
void expect_truths(OpId op, Dtype d, Bits y, const std::vector<Bits>& z, bool keep,
                   JudgedCount& judged) {
  std::vector<char> packed = test::pack(d, z);
  BatchTruth batch;
  batch.start(op, d, y, packed.data(), z.size(), keep);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const Truth t = batch.truth(i, judged), sure = final_judge(op, d, z[i], y);
    const std::string where = test::at(op, d, z[i], y);
    ASSERT_EQ(t.kind, sure.kind) << where;
    if (sure.kind == TruthKind::nan) continue;
    ASSERT_EQ(t.rounded, sure.rounded) << where;
    ASSERT_EQ(t.negative, sure.negative) << where;
    if (sure.kind != TruthKind::finite) continue;
    ASSERT_EQ(t.q, sure.q) << where;
    ASSERT_EQ(t.side, sure.side) << where;
    ASSERT_NEAR((t.ulps.hi - sure.ulps.hi) + (t.ulps.lo - sure.ulps.lo), 0,
                0x1p-20)  // a quantum
        << where;
  }
}

/// Numbers of both signs from `from` to `to`, and those beside them.
std::vector<Bits> between(Dtype d, double from, double to, double step_by) {
  std::vector<Bits> out;
  for (double z = from; z <= to; z += step_by)
    for (const std::int64_t off : {-1, 0, 1})
      for (const Bits sign : {Bits{0}, format(d).sign_bit()})
        out.push_back(step(d, encode(d, z), off) | sign);
  return out;
}

TEST(BatchTruth, FarOutInF64) {
  // From where e^-|z| is subnormal to where it vanishes; beyond 746 the truth is that at 746 but
  // for its distance from the limit.
  JudgedCount judged;
  for (int i = 0; i < op_count(); ++i)
    for (const Bits y : default_labels(op_at(i), Dtype::f64)) {
      std::vector<Bits> z = between(Dtype::f64, 690, 760, 0.7);
      for (const double far : {800.0, 1e3, 1e6, 1e300}) z.push_back(encode(Dtype::f64, far));
      for (const double far : {-800.0, -1e3, -1e6, -1e300}) z.push_back(encode(Dtype::f64, far));
      for (const double border : {708.0, 709.0, 745.0, 745.2, 746.0, 747.0})
        for (const std::int64_t off : {-1, 0, 1})
          for (const double sign : {1.0, -1.0})
            z.push_back(step(Dtype::f64, encode(Dtype::f64, sign * border), off));
      expect_truths(op_at(i), Dtype::f64, y, z, false, judged);
    }
  EXPECT_GT(judged.fast, judged.final_judge);
}

TEST(BatchTruth, EveryKindOfInput) {
  for (const Dtype d : kDtypes)
    for (int i = 0; i < op_count(); ++i)
      for (const Bits y : default_labels(op_at(i), d))
        for (const bool keep : {false, true}) {
          JudgedCount judged;
          std::vector<Bits> z = landmarks(op_at(i), d, y);
          z.push_back(format(d).quiet_nan());
          z.push_back(format(d).infinity() + 1);
          // More than one block, and the last not whole.
          const std::vector<Bits> some = between(d, 0.001, 9, 0.02);
          z.insert(z.end(), some.begin(), some.end());
          ASSERT_GT(z.size(), kBlock + 100);
          expect_truths(op_at(i), d, y, z, keep, judged);
          EXPECT_EQ(judged.fast + judged.final_judge, z.size());
          EXPECT_LT(judged.final_judge, z.size() / 2);
        }
}

TEST(BatchTruth, LabelsThatNoFastJudgeHas) {
  const OpId op = test::op("bce_with_logits");
  for (const double y : {-0.5, 1.5, std::nan("")}) {
    JudgedCount judged;
    const std::vector<Bits> z = between(Dtype::f32, 0.5, 3, 0.5);
    expect_truths(op, Dtype::f32, encode(Dtype::f32, y), z, false, judged);
    EXPECT_EQ(judged.final_judge, z.size());
    EXPECT_EQ(judged.fast, 0u);
  }
}

TEST(BatchTruth, ValuesAreThoseOfTheirBlock) {
  const OpId op = test::op("sigmoid");
  std::vector<Bits> z;
  for (std::size_t i = 0; i < 3 * kBlock + 7; ++i) z.push_back(encode(Dtype::f32, 1) + 37 * i);
  const std::vector<char> packed = test::pack(Dtype::f32, z);
  BatchTruth kept, fresh;
  kept.start(op, Dtype::f32, 0, packed.data(), z.size(), true);
  fresh.start(op, Dtype::f32, 0, packed.data(), z.size(), false);
  EXPECT_EQ(kept.size(), z.size());
  for (const std::size_t first : {std::size_t{0}, 2 * kBlock, kBlock + 3, 3 * kBlock + 6,
                                  kBlock - 1, std::size_t{0}, 3 * kBlock}) {
    const FastValues a = kept.values(first), b = fresh.values(first);
    const double right = decode(Dtype::f32, final_judge(op, Dtype::f32, z[first], 0).rounded);
    EXPECT_NEAR(*a.hi, right, 0x1p-24) << first;
    EXPECT_EQ(*a.hi, *b.hi) << first;
    EXPECT_EQ(*a.lo, *b.lo) << first;
    EXPECT_EQ(*a.delta, *b.delta) << first;
  }
}

TEST(BatchTruth, IsConstantWhereAllOfItRoundsTheSame) {
  constexpr Dtype d = Dtype::f32;
  const OpId op = test::op("sigmoid");
  const auto constant = [&](double a, double b) {
    const std::vector<Bits> z = {encode(d, a), encode(d, b)};
    const std::vector<char> packed = test::pack(d, z);
    BatchTruth batch;
    batch.start(op, d, 0, packed.data(), 2, false);
    return batch.constant_between(0, 1);
  };
  EXPECT_EQ(constant(40, 80), encode(d, 1));
  EXPECT_EQ(constant(0x1p-60, 0x1p-50), encode(d, 0.5));
  EXPECT_EQ(constant(-0x1p-50, -0x1p-60), encode(d, 0.5));
  EXPECT_FALSE(constant(17, 80)) << "at 17 it is more than 2^-22 ulp off";
  EXPECT_FALSE(constant(0x1p-60, 0x1p-24));
  EXPECT_FALSE(constant(-0x1p-50, 0x1p-50)) << "on both sides of 1/2";
  EXPECT_FALSE(constant(1, 40));
  EXPECT_FALSE(constant(1, 1));
  EXPECT_FALSE(constant(0, 0x1p-50)) << "exact values are the final judge's";
}

TEST(BatchTruth, IsScaledWhereTheLossIsALine) {
  constexpr Dtype d = Dtype::f32;
  const auto scaled = [&](const char* op, double y, double a, double b) {
    const std::vector<Bits> z = {encode(d, a), encode(d, b)};
    const std::vector<char> packed = test::pack(d, z);
    BatchTruth batch;
    batch.start(test::op(op), d, encode(d, y), packed.data(), 2, false);
    return batch.scaled_between(0, 1);
  };
  EXPECT_EQ(scaled("bce_with_logits", 0, 40, 60), 0);
  EXPECT_EQ(scaled("bce_with_logits", 0.5, 40, 60), -1);
  EXPECT_EQ(scaled("bce_with_logits", 0.5, -60, -40), -1);
  EXPECT_EQ(scaled("bce_with_logits", 0.75, 40, 60), -2);
  EXPECT_FALSE(scaled("bce_with_logits", 0.75, -60, -40)) << "0.75 is no power of two";
  EXPECT_FALSE(scaled("bce_with_logits", 1, 40, 60)) << "the limit is 0";
  EXPECT_EQ(scaled("bce_with_logits", 1, -60, -40), 0);
  EXPECT_FALSE(scaled("bce_with_logits", 0, 5, 60)) << "e^-5 is much";
  EXPECT_FALSE(scaled("bce_with_logits", 0.5, -60, 60)) << "of two signs";
  EXPECT_FALSE(scaled("sigmoid", 0, 40, 60));
  EXPECT_FALSE(scaled("bce_with_logits", 0, 40, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(scaled("bce_with_logits", -0.5, 40, 60)) << "no fast judge";
  // Labels so small that 1 - y is no double: as 0, as long as |z| y is below the bound.
  EXPECT_EQ(scaled("bce_with_logits", 0x1p-80, 40, 60), 0);
  EXPECT_FALSE(scaled("bce_with_logits", 0x1p-54, 40, 0x1p60));
}

TEST(BatchTruth, AgreesWithTheFinalJudgeUnlessItIsWrong) {
  constexpr Dtype d = Dtype::f32;
  const OpId op = test::op("sigmoid_grad");
  const Bits z = encode(d, 1.5);
  const Truth t = final_judge(op, d, z, 0);
  const double hi = std::ldexp(t.ulps.hi, t.q), lo = std::ldexp(t.ulps.lo, t.q);
  const double ulp = std::ldexp(1, t.q), delta = 0x1p-30 * ulp;
  const auto agrees = [&](double h, double l, double e) {
    return BatchTruth::agrees(op, d, z, 0, h, l, e);
  };
  EXPECT_TRUE(agrees(hi, lo, delta));
  EXPECT_TRUE(agrees(hi, lo + delta, delta));
  EXPECT_TRUE(agrees(hi, lo - delta, delta));
  EXPECT_FALSE(agrees(hi, lo + 1.25 * delta, delta));
  EXPECT_FALSE(agrees(hi, lo - 1.25 * delta, delta));
  EXPECT_FALSE(agrees(-hi, -lo, delta));
  EXPECT_FALSE(agrees(hi + ulp, lo, delta));
  EXPECT_TRUE(agrees(hi + ulp, lo, -1)) << "it is not the fast judge's";
  EXPECT_FALSE(BatchTruth::agrees(op, d, format(d).quiet_nan(), 0, hi, lo, delta))
      << "the truth is no number";
  std::vector<Bits> batch_z = {z};
  const std::vector<char> packed = test::pack(d, batch_z);
  BatchTruth batch;
  batch.start(op, d, 0, packed.data(), 1, false);
  EXPECT_TRUE(batch.agrees_with_final_judge());
}

TEST(BatchTruth, DoubleDoubleDecidesTheCrossing) {
  const OpId op = test::op("bce_with_logits_grad");
  constexpr Dtype d = Dtype::f32;
  const Bits y = encode(d, 0.75), z = encode(d, 1.0986123);
  Truth t;
  ASSERT_TRUE(BatchTruth::decide_in_double_double(op, d, z, y, t));
  const Truth sure = final_judge(op, d, z, y);
  EXPECT_EQ(t.rounded, sure.rounded);
  EXPECT_EQ(t.side, sure.side);
  EXPECT_FALSE(BatchTruth::decide_in_double_double(op, Dtype::f64, z, y, t));
  JudgedCount judged;
  std::vector<Bits> beside;
  for (std::int64_t k = -200; k <= 200; ++k) beside.push_back(step(d, z, k));
  expect_truths(op, d, y, beside, false, judged);
  EXPECT_EQ(judged.final_judge, 0u);
}

}  // namespace
}  // namespace ulpaudit
