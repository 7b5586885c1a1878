// Landmarks, labels, domains, directions and names of the ops.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "each_dtype.hpp"
#include "names.hpp"
#include "ops/category.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

ULPAUDIT_EACH_DTYPE(Landmarks);
ULPAUDIT_EACH_DTYPE(Labels);
ULPAUDIT_EACH_DTYPE(Trend);

bool has(const std::vector<Bits>& v, Bits b) { return std::find(v.begin(), v.end(), b) != v.end(); }

TEST_P(Landmarks, AreSortedAndUnique) {
  for (int k = 0; k < op_count(); ++k)
    for (Bits y : default_labels(op_at(k), d)) {
      const auto v = landmarks(op_at(k), d, y);
      for (std::size_t i = 0; i + 1 < v.size(); ++i)
        ASSERT_LT(ordinal(d, v[i]), ordinal(d, v[i + 1])) << test::at(op_at(k), d, v[i], y);
      for (Bits b : v) ASSERT_FALSE(is_nan(d, b));
    }
}

TEST_P(Landmarks, HoldTheBordersOfFormatAndRegions) {
  for (int k = 0; k < op_count(); ++k)
    for (Bits y : default_labels(op_at(k), d)) {
      const auto v = landmarks(op_at(k), d, y);
      for (Bits b :
           {Bits{0}, Bits{1}, f.min_normal(), encode(d, 1.0), f.max_finite(), f.infinity()})
        EXPECT_TRUE(has(v, b) && has(v, negate(d, b))) << test::at(op_at(k), d, b, y);
      for (const RegionSpan& s : region_spans(op_at(k), d, y))
        EXPECT_TRUE(has(v, from_ordinal(d, s.first)) && has(v, from_ordinal(d, s.last)));
    }
}

TEST_P(Landmarks, HoldTheZeroOfTheGradient) {
  const OpId grad = test::op("bce_with_logits_grad");
  const Bits y = encode(d, 0.25), zero = encode(d, std::log(1.0 / 3));
  const auto v = landmarks(grad, d, y);
  EXPECT_TRUE(has(v, zero) || has(v, step(d, zero, 1)) || has(v, step(d, zero, -1)));
  EXPECT_NE(final_judge(grad, d, step(d, zero, -2), y).negative,
            final_judge(grad, d, step(d, zero, 2), y).negative);
}

TEST_P(Labels, AreTheDefaultOnes) {
  for (const char* op : {"bce_with_logits", "bce_with_logits_grad"}) {
    const Bits one = encode(d, 1.0);
    const std::vector<Bits> expected = {f.sign_bit(),
                                        0,
                                        1,
                                        encode(d, std::ldexp(1, -(f.p + 1))),
                                        encode(d, 0.1),
                                        encode(d, 0.25),
                                        encode(d, 0.5),
                                        encode(d, 0.75),
                                        encode(d, 0.9),
                                        one - 1,
                                        one};
    EXPECT_EQ(default_labels(test::op(op), d), expected);
    // 1 - 2^-(p+1) is a tie.
    EXPECT_EQ(decode(d, expected[3]), std::ldexp(1, -(f.p + 1)));
  }
  EXPECT_EQ(default_labels(test::op("sigmoid"), d), std::vector<Bits>{0});
}

TEST(AllLabels, AreThoseFromZeroToOne) {
  for (Dtype d : {Dtype::f16, Dtype::bf16}) {
    const auto labels = all_labels(test::op("bce_with_logits"), d);
    EXPECT_EQ(labels.size(), encode(d, 1.0) + 2);
    EXPECT_EQ(labels.at(0), format(d).sign_bit()) << "-0 is a label of its own";
    EXPECT_EQ(labels.at(1), 0u);
    EXPECT_EQ(labels.back(), encode(d, 1.0));
    EXPECT_TRUE(std::is_sorted(labels.begin() + 1, labels.end()));
    EXPECT_EQ(all_labels(test::op("sigmoid"), d), std::vector<Bits>{0});
  }
}

TEST_P(Labels, Domain) {
  const OpId op = test::op("bce_with_logits");
  const Bits one = encode(d, 1.0);
  for (Bits y : {Bits{0}, f.sign_bit(), Bits{1}, one - 1, one, f.quiet_nan()})
    EXPECT_TRUE(in_domain(op, d, y)) << y;
  for (Bits y : {one + 1, 1 | f.sign_bit(), f.infinity(), negate(d, f.infinity())})
    EXPECT_FALSE(in_domain(op, d, y)) << y;
  EXPECT_TRUE(in_domain(test::op("sigmoid"), d, f.infinity()));
}

/// -1, 0, 1 by comparing |a.ulps·2^q| with signs.
int compare(const Truth& a, const Truth& b) {
  const auto value = [](const Truth& t) {
    if (t.kind == TruthKind::infinite) return std::numeric_limits<double>::infinity();
    const double v = std::ldexp(t.ulps.hi + t.ulps.lo, t.q);
    return t.negative ? -v : v;
  };
  return value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0;
}

TEST_P(Trend, IsTheDirectionOfTheTruth) {
  const double zs[] = {-30, -9, -3, -1.5, -0.75, -0.25, 0.25, 0.75, 1.5, 3, 9, 30};
  for (int k = 0; k < op_count(); ++k) {
    const OpId op = op_at(k);
    for (Bits y : default_labels(op, d))
      for (double z : zs) {
        const int direction = trend(op, z, decode(d, y));
        const Bits lo = encode(d, z), hi = encode(d, z + 0.125);
        // Both ends on the same side of an extremum.
        if (direction == 0 || trend(op, decode(d, hi), decode(d, y)) != direction) continue;
        const int moved = compare(final_judge(op, d, hi, y), final_judge(op, d, lo, y));
        EXPECT_TRUE(moved == direction || moved == 0) << test::at(op, d, lo, y);
      }
  }
}

TEST(Trends, TurnWhereTheOpTurns) {
  EXPECT_EQ(trend(test::op("sigmoid"), 5, 0), 1);
  EXPECT_EQ(trend(test::op("sigmoid_grad"), -1, 0), 1);
  EXPECT_EQ(trend(test::op("sigmoid_grad"), 0, 0), 0);
  EXPECT_EQ(trend(test::op("sigmoid_grad"), 1, 0), -1);
  const OpId loss = test::op("bce_with_logits");
  EXPECT_EQ(trend(loss, -50, 0), 1);
  EXPECT_EQ(trend(loss, 50, 1), -1);
  EXPECT_EQ(trend(loss, -1.2, 0.25), -1);
  EXPECT_EQ(trend(loss, std::log(1.0 / 3), 0.25), 0) << "not certain at the extremum";
  EXPECT_EQ(trend(loss, -1.0, 0.25), 1);
}

TEST(Names, ComeBack) {
  for (int i = 0; i < op_count(); ++i) EXPECT_EQ(op_from_name(info(op_at(i)).name), op_at(i));
  EXPECT_FALSE(op_from_name("softmax"));
  for (int i = 0; i < kRegionCount; ++i)
    EXPECT_EQ(region_from_name(name(static_cast<Region>(i))), static_cast<Region>(i));
  EXPECT_FALSE(region_from_name("all"));
  EXPECT_EQ(name(Category::none), "none");
  EXPECT_EQ(name(Category::out_of_range), "out_of_range");
}

}  // namespace
}  // namespace ulpaudit
