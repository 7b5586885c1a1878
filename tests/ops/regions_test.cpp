// Regions part the line of inputs, and their borders lie where the final judge's results change.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "each_dtype.hpp"
#include "names.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

ULPAUDIT_EACH_DTYPE(Regions);

/// What the region of one finite input says about the judged result there.
void expect_agreement(OpId op, Dtype d, Bits z, Bits y, Region region) {
  const Truth t = final_judge(op, d, z, y);
  const Bits size = magnitude(d, t.rounded);
  const std::string where = test::at(op, d, z, y) + " in " + std::string(name(region));
  const double zd = decode(d, z), yd = decode(d, y);
  if (region == Region::crossing) {
    // Scaled by 2^100: a quarter of the smallest label is no double.
    const double border = std::ldexp(std::min(yd, 1 - yd), 98);
    ASSERT_LT(std::ldexp(t.ulps.hi, t.q + 100), border * (1 + 0x1p-45)) << where;
    return;
  }
  ASSERT_EQ(region == Region::underflow, size == 0) << where;
  ASSERT_EQ(region == Region::subnormal, is_subnormal(d, t.rounded)) << where;
  if (info(op).name == "sigmoid") {
    ASSERT_EQ(region == Region::saturated, t.rounded == encode(d, 1.0)) << where;
  }
  if (info(op).name == "bce_with_logits_grad" && region == Region::saturated) {
    const Bits limit = encode(d, zd > 0 ? 1 - yd : -yd);
    ASSERT_LE(std::max(limit, t.rounded) - std::min(limit, t.rounded), 1u) << where;
  }
  if (region == Region::left_tail) {
    ASSERT_LE(zd, -1) << where;
  }
  if (region == Region::right_tail) {
    ASSERT_GE(zd, 1) << where;
  }
  if (region == Region::core && info(op).name != "bce_with_logits") {
    ASSERT_LT(std::fabs(zd), 1) << where;
  }
  if (info(op).name == "bce_with_logits" && size != 0) {
    const double value = std::ldexp(t.ulps.hi, t.q);
    const double slack = 1e-14;
    if (region == Region::tail) {
      ASSERT_LT(value, 0.25 * (1 + slack)) << where;
    }
    if (region == Region::core) {
      ASSERT_GE(value, 0.25 * (1 - slack)) << where;
      ASSERT_LE(value, 4 * (1 + slack)) << where;
    }
    if (region == Region::large) {
      ASSERT_GT(value, 4 * (1 - slack)) << where;
    }
  }
}

std::vector<Bits> labels_of(OpId op, Dtype d) {
  std::vector<Bits> labels = default_labels(op, d);
  if (info(op).arity == 2) labels.push_back(encode(d, 1.0 / 3));
  return labels;
}

TEST_P(Regions, CoverEachInputOnceInOrder) {
  for (int k = 0; k < op_count(); ++k) {
    const OpId op = op_at(k);
    const std::vector<Region>& has = regions_of(op);
    for (Bits y : labels_of(op, d)) {
      const auto spans = region_spans(op, d, y);
      std::uint64_t next = ordinal(d, negate(d, f.infinity()));
      for (std::size_t i = 0; i < spans.size(); ++i) {
        ASSERT_EQ(spans[i].first, next) << test::at(op, d, 0, y);
        ASSERT_LE(spans[i].first, spans[i].last);
        if (i > 0) {
          ASSERT_NE(spans[i].region, spans[i - 1].region) << "a span is maximal";
        }
        ASSERT_EQ(std::count(has.begin(), has.end(), spans[i].region), 1);
        next = spans[i].last + 1;
      }
      EXPECT_EQ(next, ordinal(d, f.infinity()) + 1);
      EXPECT_EQ(spans.front().region, Region::special);
      EXPECT_EQ(spans.back().region, Region::special);
      EXPECT_EQ(spans.front().first, spans.front().last) << "-inf alone";
    }
  }
}

TEST_P(Regions, BordersAgreeWithTheJudge) {
  for (int k = 0; k < op_count(); ++k) {
    const OpId op = op_at(k);
    for (Bits y : labels_of(op, d))
      for (const RegionSpan& s : region_spans(op, d, y)) {
        if (s.region == Region::special) continue;
        const std::uint64_t reach = std::min<std::uint64_t>(2, s.last - s.first);
        for (std::uint64_t i = 0; i <= reach; ++i)
          for (std::uint64_t o : {s.first + i, s.last - i}) {
            expect_agreement(op, d, from_ordinal(d, o), y, s.region);
            if (HasFatalFailure()) return;
          }
      }
  }
}

TEST_P(Regions, ANanLabelIsSpecialThroughout) {
  const auto spans = region_spans(test::op("bce_with_logits"), d, f.quiet_nan());
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].region, Region::special);
}

class Regions16 : public test::EachDtype {};
INSTANTIATE_TEST_SUITE_P(, Regions16, ::testing::Values(Dtype::f16, Dtype::bf16), test::dtype_name);

void expect_each(OpId op, Dtype d, Bits y) {
  for (const RegionSpan& s : region_spans(op, d, y)) {
    if (s.region == Region::special) continue;
    for (std::uint64_t o = s.first; o <= s.last; ++o) {
      expect_agreement(op, d, from_ordinal(d, o), y, s.region);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST_P(Regions16, EachInputOfSigmoid) { expect_each(test::op("sigmoid"), d, 0); }
TEST_P(Regions16, EachInputOfSigmoidGrad) { expect_each(test::op("sigmoid_grad"), d, 0); }
TEST_P(Regions16, EachInputOfTheLoss) {
  expect_each(test::op("bce_with_logits"), d, encode(d, 0.9));
}
TEST_P(Regions16, EachInputOfTheGradient) {
  expect_each(test::op("bce_with_logits_grad"), d, encode(d, 0.1));
}

}  // namespace
}  // namespace ulpaudit
