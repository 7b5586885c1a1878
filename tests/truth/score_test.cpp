// One result against the truth: each category, in each dtype, at the awkward places.
// SPDX-License-Identifier: Apache-2.0
#include "truth/score.hpp"

#include <cmath>

#include "each_dtype.hpp"
#include "names.hpp"

namespace ulpaudit {
namespace {

const OpId kSigmoid = test::op("sigmoid");
const OpId kBce = test::op("bce_with_logits");
const OpId kBceGrad = test::op("bce_with_logits_grad");

class Scores : public test::EachDtype {
 protected:
  Score of(OpId op, Bits z, Bits y, Bits got) const {
    return score(op, d, final_judge(op, d, z, y), got);
  }
  Bits num(double v) const { return encode(d, v); }
  /// z with sigmoid(z) close to m·2^e, far to the left.
  Bits left(double m, int e) const { return encode(d, std::log(m) + 0.6931471805599453 * e); }
  Bits minus(Bits b) const { return negate(d, b); }
};
INSTANTIATE_TEST_SUITE_P(, Scores, ::testing::ValuesIn(kDtypes), test::dtype_name);

void expect_bare(const Score& s, Category c) {
  EXPECT_EQ(name(s.category), name(c));
  EXPECT_FALSE(s.measured);
  EXPECT_FALSE(s.correctly_rounded);
  EXPECT_FALSE(s.allclose);
}

TEST_P(Scores, NewNan) {
  expect_bare(of(kSigmoid, 0, 0, f.quiet_nan()), Category::new_nan);
  expect_bare(of(kSigmoid, minus(f.infinity()), 0, f.mask()), Category::new_nan);
  expect_bare(of(kBce, f.infinity(), 0, f.infinity() + 1), Category::new_nan);
}

TEST_P(Scores, LostNan) {
  expect_bare(of(kSigmoid, f.quiet_nan(), 0, 0), Category::lost_nan);
  expect_bare(of(kSigmoid, f.quiet_nan(), 0, f.infinity()), Category::lost_nan);
  const Score other = of(kSigmoid, f.quiet_nan(), 0, f.infinity() + 1);
  EXPECT_EQ(other.category, Category::none) << "any NaN equals any NaN";
  EXPECT_TRUE(other.correctly_rounded);
}

TEST_P(Scores, WrongInfinity) {
  expect_bare(of(kSigmoid, num(1), 0, f.infinity()), Category::wrong_infinity);
  expect_bare(of(kSigmoid, minus(f.infinity()), 0, f.infinity()), Category::wrong_infinity);
  expect_bare(of(kBce, f.infinity(), 0, minus(f.infinity())), Category::wrong_infinity);
  expect_bare(of(kBce, f.max_finite(), 0, f.infinity()), Category::wrong_infinity);
}

TEST_P(Scores, FiniteForInfinite) {
  expect_bare(of(kBce, f.infinity(), 0, f.max_finite()), Category::finite_for_infinite);
  EXPECT_TRUE(of(kBce, f.infinity(), 0, f.infinity()).correctly_rounded);
}

TEST_P(Scores, WrongSign) {
  const Score s = of(kBceGrad, num(1), num(0.25), minus(num(0.5)));
  EXPECT_EQ(name(s.category), "wrong_sign");
  EXPECT_TRUE(s.measured) << "finite: enters max, mean and rms";
  EXPECT_FALSE(s.correctly_rounded);
  EXPECT_LT(s.error_ulps, -0.9 * std::ldexp(1, f.p - 1));
}

TEST_P(Scores, AFlushedZeroIsFaithfulWhereItIsANeighbour) {
  Truth t;
  t.kind = TruthKind::finite;
  t.q = f.min_ulp_exponent();
  t.rounded = 1;
  t.side = -1;
  t.ulps = {0.75, 0};  // between 0 and the smallest subnormal
  for (const Bits zero : {Bits{0}, f.sign_bit()}) {
    const Score s = score(kSigmoid, d, t, zero);
    EXPECT_EQ(name(s.category), "flushed");
    EXPECT_TRUE(s.faithful);
    EXPECT_FALSE(s.correctly_rounded || s.measured);
  }
  t.side = 1;
  t.ulps = {1.25, 0};  // beyond it
  EXPECT_FALSE(score(kSigmoid, d, t, 0).faithful);
}

TEST_P(Scores, NonzeroForZero) {
  expect_bare(of(kSigmoid, minus(f.infinity()), 0, num(0.5)), Category::nonzero_for_zero);
  EXPECT_EQ(of(kSigmoid, minus(f.infinity()), 0, 1).category, Category::nonzero_for_zero);
  EXPECT_EQ(of(kBceGrad, 0, num(0.5), 1 | f.sign_bit()).category, Category::nonzero_for_zero);
  for (Bits zero : {Bits{0}, f.sign_bit()}) {
    const Score s = of(kSigmoid, minus(f.infinity()), 0, zero);
    EXPECT_EQ(s.category, Category::none) << "at t = 0 either zero is right";
    EXPECT_TRUE(s.correctly_rounded && s.measured && !s.wrong_zero);
    EXPECT_EQ(s.error_ulps, 0);
  }
}

TEST_P(Scores, OutOfRange) {
  const Score above = of(kSigmoid, f.max_finite(), 0, num(1) + 1);
  EXPECT_EQ(name(above.category), "out_of_range");
  EXPECT_TRUE(above.measured);
  EXPECT_NEAR(above.error_ulps, 2, 1e-9) << "t = 1 - epsilon has the ulp of the binade below 1";
  EXPECT_EQ(of(kSigmoid, minus(num(1)), 0, 1 | f.sign_bit()).category, Category::out_of_range);
  EXPECT_EQ(of(kBceGrad, num(1), 0, num(1) + 1).category, Category::out_of_range);
}

TEST_P(Scores, FlushedAndFaithful) {
  const Bits z = left(0.7, f.min_ulp_exponent());
  ASSERT_EQ(final_judge(kSigmoid, d, z, 0).rounded, 1u);
  const Score zero = of(kSigmoid, z, 0, 0);
  EXPECT_EQ(name(zero.category), "flushed");
  EXPECT_FALSE(zero.measured);
  EXPECT_FALSE(zero.correctly_rounded);
  EXPECT_TRUE(zero.faithful) << "0 is a neighbour of t";
  EXPECT_TRUE(of(kSigmoid, z, 0, f.sign_bit()).faithful) << "whatever its sign";
  EXPECT_TRUE(of(kSigmoid, z, 0, 1).correctly_rounded);
  EXPECT_FALSE(of(kSigmoid, z, 0, 2).faithful);
}

TEST_P(Scores, FlushedAndNotFaithful) {
  const Bits z = left(6, f.min_ulp_exponent());
  const Score zero = of(kSigmoid, z, 0, 0);
  EXPECT_EQ(name(zero.category), "flushed");
  EXPECT_FALSE(zero.faithful);
  EXPECT_FALSE(zero.measured);
}

TEST_P(Scores, VanishedIsMeasured) {
  const Bits z = left(1.5, f.emin);
  const Truth t = final_judge(kSigmoid, d, z, 0);
  ASSERT_GE(t.rounded, f.min_normal());
  const Score zero = score(kSigmoid, d, t, 0);
  EXPECT_EQ(name(zero.category), "vanished");
  EXPECT_TRUE(zero.measured);
  EXPECT_FALSE(zero.faithful);
  EXPECT_DOUBLE_EQ(zero.error_ulps, -(t.ulps.hi + t.ulps.lo));
}

TEST_P(Scores, ZeroForTheSmallestNormalNumberHasVanished) {
  Truth t;
  t.kind = TruthKind::finite;
  t.side = 1;
  t.q = f.min_ulp_exponent();
  t.rounded = f.min_normal();
  t.ulps = {exp2i(f.p - 1), 0.25};
  EXPECT_EQ(name(score(kSigmoid, d, t, 0).category), "vanished");
  t.rounded -= 1;
  t.ulps = {exp2i(f.p - 1) - 1, 0.25};
  EXPECT_EQ(name(score(kSigmoid, d, t, 0).category), "flushed");
}

TEST_P(Scores, AtTheBorderOfTheSubnormals) {
  const Bits normal = f.min_normal();
  for (Bits got : {normal - 1, normal, normal + 1}) {
    const Bits z = left(1, f.emin);
    const Truth t = final_judge(kSigmoid, d, z, 0);
    EXPECT_GE(t.q, f.min_ulp_exponent()) << "the ulp is never below the smallest number";
    const Score s = score(kSigmoid, d, t, got);
    const double number = std::ldexp(static_cast<double>(got), f.min_ulp_exponent() - t.q);
    EXPECT_NEAR(s.error_ulps, (number - t.ulps.hi) - t.ulps.lo, 1e-9);
    EXPECT_EQ(s.correctly_rounded, got == t.rounded);
  }
}

TEST_P(Scores, UnderflowToEitherZero) {
  const Bits z = left(0.3, f.min_ulp_exponent());
  const Score plus = of(kSigmoid, z, 0, 0), wrong = of(kSigmoid, z, 0, f.sign_bit());
  EXPECT_TRUE(plus.correctly_rounded && plus.faithful && plus.measured && !plus.wrong_zero);
  EXPECT_TRUE(wrong.correctly_rounded) << "the wrong zero is recorded, not misrounded";
  EXPECT_TRUE(wrong.wrong_zero && wrong.faithful);
  EXPECT_EQ(wrong.category, Category::none);
  EXPECT_LT(plus.error_ulps, 0);
  EXPECT_GT(plus.error_ulps, -0.5);
  const Score up = of(kSigmoid, z, 0, 1);
  EXPECT_TRUE(up.faithful && !up.correctly_rounded);
}

// At a power of two the number below is half an ulp away, the number above one.
TEST_P(Scores, AtPowersOfTwo) {
  const Bits half = num(0.5);
  EXPECT_EQ(of(kSigmoid, 0, 0, half).error_ulps, 0);
  EXPECT_EQ(of(kSigmoid, 0, 0, half - 1).error_ulps, -0.5);
  EXPECT_FALSE(of(kSigmoid, 0, 0, half - 1).faithful) << "t is a number: it alone is faithful";
  EXPECT_FALSE(of(kSigmoid, 0, 0, half - 1).correctly_rounded) << "an error of ½ is no proof";
  EXPECT_EQ(of(kSigmoid, 0, 0, half + 1).error_ulps, 1);
  // Just below 1: a whole ulp to the number below.
  EXPECT_NEAR(of(kSigmoid, f.max_finite(), 0, num(1) - 1).error_ulps, -1, 1e-9);
  EXPECT_TRUE(of(kSigmoid, f.max_finite(), 0, num(1) - 1).faithful);
  EXPECT_NEAR(of(kSigmoid, f.max_finite(), 0, num(1)).error_ulps, 0, 1e-9);
}

TEST_P(Scores, ErrorsAreSignedLikeGotMinusTruth) {
  // t = -0.25 + epsilon.
  const Bits z = minus(f.max_finite()), y = num(0.25), quarter = minus(num(0.25));
  EXPECT_NEAR(of(kBceGrad, z, y, quarter + 1).error_ulps, -2, 1e-9) << "further from 0, below t";
  EXPECT_NEAR(of(kBceGrad, z, y, quarter - 1).error_ulps, 1, 1e-9);
  EXPECT_TRUE(of(kBceGrad, z, y, quarter - 1).faithful);
  EXPECT_FALSE(of(kBceGrad, z, y, quarter + 1).faithful);
}

TEST_P(Scores, AllcloseSeesOnlyWhatItSees) {
  EXPECT_TRUE(of(kSigmoid, 0, 0, num(0.5)).allclose);
  EXPECT_FALSE(of(kSigmoid, 0, 0, num(0.51)).allclose);
  // sigmoid(-30) = 9.4e-14: below atol, so that 0 passes though every digit is lost.
  EXPECT_TRUE(of(kSigmoid, num(-30), 0, 0).allclose);
}

}  // namespace
}  // namespace ulpaudit
