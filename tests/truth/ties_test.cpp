// Points that no precision decides: exact values, exact ties, and ties broken by an epsilon on
// either side.
// SPDX-License-Identifier: Apache-2.0
#include "each_dtype.hpp"
#include "names.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

const OpId kSigmoid = test::op("sigmoid");
const OpId kSigmoidGrad = test::op("sigmoid_grad");
const OpId kBce = test::op("bce_with_logits");
const OpId kBceGrad = test::op("bce_with_logits_grad");

ULPAUDIT_EACH_DTYPE(Exact);
ULPAUDIT_EACH_DTYPE(Ties);
ULPAUDIT_EACH_DTYPE(FarOut);

/// m·2^e, exact in every dtype where it is used.
Bits num(Dtype d, double m, int e = 0) { return encode(d, m * exp2i(e)); }

void expect_exact(OpId op, Dtype d, Bits z, Bits y, Bits value) {
  const Truth t = final_judge(op, d, z, y);
  EXPECT_EQ(t.rounded, value) << test::at(op, d, z, y);
  EXPECT_EQ(t.side, 0) << test::at(op, d, z, y);
}

/// `side` is that of |t| against |rounded|.
void expect_place(OpId op, Dtype d, Bits z, Bits y, Bits rounded, int side) {
  const Truth t = final_judge(op, d, z, y);
  EXPECT_EQ(t.rounded, rounded) << test::at(op, d, z, y);
  EXPECT_EQ(t.side, side) << test::at(op, d, z, y);
}

TEST_P(Exact, AtZero) {
  for (Bits z : {Bits{0}, f.sign_bit()}) {
    expect_exact(kSigmoid, d, z, 0, num(d, 0.5));
    expect_exact(kSigmoidGrad, d, z, 0, num(d, 0.25));
    expect_exact(kBceGrad, d, z, num(d, 0), num(d, 0.5));
    expect_exact(kBceGrad, d, z, num(d, 0.25), num(d, 0.25));
    expect_exact(kBceGrad, d, z, num(d, 0.5), 0);
    expect_exact(kBceGrad, d, z, num(d, 1), num(d, -0.5));
    // The loss is ln 2 there, whatever the label.
    EXPECT_NE(final_judge(kBce, d, z, num(d, 0.5)).side, 0);
  }
}

TEST_P(Exact, AtInfinity) {
  const Bits plus = f.infinity(), minus = f.infinity() | f.sign_bit(), one = num(d, 1);
  expect_exact(kSigmoid, d, plus, 0, one);
  expect_exact(kSigmoid, d, minus, 0, 0);
  expect_exact(kSigmoidGrad, d, plus, 0, 0);
  expect_exact(kSigmoidGrad, d, minus, 0, 0);
  expect_exact(kBceGrad, d, plus, num(d, 0.25), num(d, 0.75));
  expect_exact(kBceGrad, d, minus, num(d, 0.25), num(d, -0.25));
  expect_exact(kBceGrad, d, plus, one, 0);
  expect_exact(kBceGrad, d, minus, 0, 0);
  expect_exact(kBce, d, plus, one, 0);
  expect_exact(kBce, d, minus, 0, 0);
  for (Bits y : {Bits{1}, num(d, 0.5), one - 1}) {
    expect_exact(kBce, d, plus, y, plus);
    expect_exact(kBce, d, minus, y, plus);
  }
  EXPECT_EQ(final_judge(kBce, d, plus, 0).kind, TruthKind::infinite);
}

TEST_P(Exact, NanInEitherArgument) {
  const Bits nans[] = {f.quiet_nan(), f.infinity() + 1, f.mask()};
  for (Bits nan : nans) {
    for (OpId op : {kSigmoid, kSigmoidGrad, kBce, kBceGrad}) {
      EXPECT_EQ(final_judge(op, d, nan, 0).kind, TruthKind::nan);
      EXPECT_TRUE(is_nan(d, final_judge(op, d, nan, 0).rounded));
    }
    EXPECT_EQ(final_judge(kBce, d, num(d, 1), nan).kind, TruthKind::nan);
    EXPECT_EQ(final_judge(kBceGrad, d, 0, nan).kind, TruthKind::nan);
  }
}

// 1-y and ½-y may need one bit more than the dtype has: a tie, to even.
TEST_P(Ties, ExactOnesGoToEven) {
  const int p = f.p;
  expect_place(kBceGrad, d, f.infinity(), num(d, 1, -(p + 1)), num(d, 1), -1);
  expect_place(kBceGrad, d, f.infinity(), num(d, 3, -(p + 1)), num(d, 1) - 2, 1);
  expect_place(kBceGrad, d, 0, num(d, 1, -(p + 2)), num(d, 0.5), -1);
  expect_place(kBceGrad, d, f.sign_bit(), num(d, 3, -(p + 2)), num(d, 0.5) - 2, 1);
}

// ½ + z/4 - …: on the side of 0 of the midpoint, whatever is even.
TEST_P(Ties, SigmoidBesideOneHalf) {
  const int p = f.p;
  const Bits half = num(d, 0.5);
  expect_place(kSigmoid, d, num(d, 1, -(p - 1)), 0, half, 1);
  expect_place(kSigmoid, d, num(d, 3, -(p - 1)), 0, half + 1, 1);
  expect_place(kSigmoid, d, num(d, -1, -p), 0, half, -1);
  expect_place(kSigmoid, d, num(d, -3, -p), 0, half - 1, -1);
}

TEST_P(Ties, SigmoidBesideOneHalfAtTheSmallestInput) {
  const Bits half = num(d, 0.5);
  expect_place(kSigmoid, d, 1, 0, half, 1);
  expect_place(kSigmoid, d, 1 | f.sign_bit(), 0, half, -1);
  // Below ½ the ulp is half as large.
  EXPECT_EQ(final_judge(kSigmoid, d, 1, 0).q, -f.p);
  EXPECT_EQ(final_judge(kSigmoid, d, 1 | f.sign_bit(), 0).q, -f.p - 1);
  expect_place(kSigmoidGrad, d, 1, 0, num(d, 0.25), -1);
  EXPECT_EQ(final_judge(kSigmoidGrad, d, 1, 0).q, -f.p - 2);
}

// z = ±2^(emin-p+1) decides the tie of ½-y: z = ±2^-1074 in f64.
TEST_P(Ties, GradientNearZeroIsBrokenBothWays) {
  const Bits up = 1, down = 1 | f.sign_bit(), half = num(d, 0.5);
  const Bits y = num(d, 1, -(f.p + 2)), y3 = num(d, 3, -(f.p + 2));
  expect_place(kBceGrad, d, up, y, half, -1);
  expect_place(kBceGrad, d, down, y, half - 1, 1);
  expect_place(kBceGrad, d, up, y3, half - 1, -1);
  expect_place(kBceGrad, d, down, y3, half - 2, 1);
}

TEST_P(Ties, GradientAtOneHalfKeepsTheSignOfZ) {
  const Bits y = num(d, 0.5), sign = f.sign_bit();
  // t = z/4 - …: a quarter of the smallest number rounds to 0, with its sign kept.
  expect_place(kBceGrad, d, 1, y, 0, 1);
  expect_place(kBceGrad, d, 1 | sign, y, sign, 1);
  // 2/4 is a tie of 0 and 1 that epsilon breaks toward 0; 6/4 one that even would send up.
  expect_place(kBceGrad, d, 2, y, 0, 1);
  expect_place(kBceGrad, d, 6, y, 1, 1);
  expect_place(kBceGrad, d, 6 | sign, y, 1 | sign, 1);
}

TEST_P(Ties, GradientFarRightIsBrokenDownward) {
  for (Bits z : {num(d, 1, 14), f.max_finite()}) {
    expect_place(kBceGrad, d, z, num(d, 1, -(f.p + 1)), num(d, 1) - 1, 1);
    expect_place(kBceGrad, d, z, num(d, 3, -(f.p + 1)), num(d, 1) - 2, 1);
    expect_place(kBceGrad, d, z, num(d, 5, -(f.p + 1)), num(d, 1) - 3, 1);
  }
}

TEST_P(Ties, LossFarOutIsBrokenUpward) {
  // a·c = 2^(k-1)·(1.5 + 4.5 ulp), a tie that even would send down.
  const double m = 1 + 3 * exp2i(1 - f.p);
  for (int k : {10, f.emax}) {
    const Bits z = encode(d, m * exp2i(k));
    const Bits expected = num(d, 1.5, k - 1) + 5;
    expect_place(kBce, d, negate(d, z), num(d, 0.75), expected, -1);
    expect_place(kBce, d, z, num(d, 0.25), expected, -1);
  }
}

TEST_P(FarOut, SigmoidApproachesItsLimits) {
  const Bits one = num(d, 1);
  for (Bits z : {num(d, 1, 14), f.max_finite()}) {
    expect_place(kSigmoid, d, z, 0, one, -1);
    EXPECT_EQ(final_judge(kSigmoid, d, z, 0).q, -f.p) << "1 - epsilon lies below a power of two";
    expect_place(kSigmoid, d, negate(d, z), 0, 0, 1);
    expect_place(kSigmoidGrad, d, z, 0, 0, 1);
    expect_place(kSigmoidGrad, d, negate(d, z), 0, 0, 1);
  }
}

TEST_P(FarOut, ZeroLimitsKeepTheSignOfEpsilon) {
  const Bits z = f.max_finite(), one = num(d, 1);
  expect_place(kBceGrad, d, negate(d, z), 0, 0, 1);
  expect_place(kBceGrad, d, z, one, f.sign_bit(), 1);
  expect_place(kBce, d, z, one, 0, 1);
  expect_place(kBce, d, negate(d, z), 0, 0, 1);
}

TEST_P(FarOut, GradientApproachesMinusTheLabel) {
  const Bits z = negate(d, f.max_finite());
  for (Bits y : {Bits{1}, f.min_normal(), num(d, 0.25), num(d, 0.75), num(d, 1) - 1}) {
    // |t| = y - epsilon.
    expect_place(kBceGrad, d, z, y, negate(d, y), -1);
  }
  EXPECT_EQ(final_judge(kBceGrad, d, z, num(d, 0.25)).q, -3 - f.p + 1);
}

TEST_P(FarOut, GradientOneUlpFromTheLabelOne) {
  const Bits below_one = num(d, 1) - 1;  // 1 - y = 2^-p
  expect_place(kBceGrad, d, f.max_finite(), below_one, num(d, 1, -f.p), -1);
  EXPECT_FALSE(final_judge(kBceGrad, d, f.max_finite(), below_one).negative);
}

}  // namespace
}  // namespace ulpaudit
