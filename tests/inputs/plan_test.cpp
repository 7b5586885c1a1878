// Input plans: nothing is left out, nothing comes twice, the seed decides the rest.
// SPDX-License-Identifier: Apache-2.0
#include "inputs/plan.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "each_dtype.hpp"
#include "names.hpp"

namespace ulpaudit {
namespace {

ULPAUDIT_EACH_DTYPE(Plans);

const OpId kSigmoid = test::op("sigmoid");

InputChoice sampled(std::uint64_t points, std::uint64_t seed = 1) {
  InputChoice c;
  c.points = points;
  c.seed = seed;
  c.labels = {0};
  return c;
}

std::vector<Bits> inputs_of(const InputPlan& p, const Segment& s) {
  std::vector<Bits> v;
  for (std::uint64_t i = 0; i < s.count; ++i) v.push_back(p.input(s, i));
  return v;
}

const Segment& strata_of(const InputPlan& p) { return p.segments.at(1); }

TEST(Exhaustive, HitsEachPatternOnceInOrder) {
  for (Dtype d : {Dtype::f16, Dtype::bf16}) {
    InputChoice c;
    c.exhaustive = true;
    c.labels = {0, 1};
    const InputPlan p = make_plan(kSigmoid, d, c);
    EXPECT_TRUE(p.exhaustive);
    EXPECT_EQ(p.points, 2 * 65536u);
    for (const Segment& s : p.segments) {
      ASSERT_EQ(s.count, 65536u);
      for (std::uint64_t i = 0; i < s.count; ++i) ASSERT_EQ(ordinal(d, p.input(s, i)), i);
    }
  }
}

TEST(Exhaustive, OfF32CountsEachPattern) {
  InputChoice c;
  c.exhaustive = true;
  c.labels = {0};
  const InputPlan p = make_plan(kSigmoid, Dtype::f32, c);
  EXPECT_EQ(p.points, std::uint64_t{1} << 32);
  EXPECT_EQ(p.chunks.size(), 4096u);
}

/// Every binade in which t varies is searched; the others are sampled; none is left out.
TEST(Search, LeavesNoGap) {
  InputChoice c;
  c.search = true;
  c.points = 1'000'000;
  for (const char* op : {"sigmoid", "sigmoid_grad", "bce_with_logits", "bce_with_logits_grad"}) {
    for (Dtype d : {Dtype::f32, Dtype::f64}) {
      c.labels = {encode(d, 0.25)};
      const InputPlan p = make_plan(test::op(op), d, c);
      std::map<std::uint64_t, const Stratum*> strata;
      for (const Segment& s : p.segments)
        for (const Stratum& x : s.strata) {
          EXPECT_EQ(&stratum_of(s, x.before), &x);
          EXPECT_EQ(&stratum_of(s, x.before + x.points - 1), &x);
          EXPECT_GE(x.points,
                    s.kind == Segment::Kind::search ? std::min<std::uint64_t>(64, x.size) : 1);
          EXPECT_TRUE(strata.emplace(x.first, &x).second);
        }
      std::uint64_t next = ordinal(d, format(d).max_finite() | format(d).sign_bit());
      for (const auto& [first, x] : strata) {
        ASSERT_EQ(first, next);
        next += x->size;
      }
      EXPECT_EQ(next, ordinal(d, format(d).infinity()));
    }
  }
}

/// sigmoid in f64: 0 below z = -745.2, ½ between -2^-53 and 2^-52, 1 above z = 36.8.
TEST(Search, SearchesWhereSigmoidVaries) {
  InputChoice c;
  c.search = true;
  c.labels = {0};
  const Dtype d = Dtype::f64;
  const InputPlan p = make_plan(kSigmoid, d, c);
  ASSERT_EQ(p.segments.back().kind, Segment::Kind::search);
  std::set<double> lowest;  // magnitude of the binade, with its sign
  for (const Stratum& x : p.segments.back().strata) {
    const double a = decode(d, from_ordinal(d, x.first));
    const double b = decode(d, from_ordinal(d, x.first + x.size - 1));
    lowest.insert(std::fabs(a) < std::fabs(b) ? a : b);
  }
  std::set<double> expected;
  for (int e = -53; e <= 9; ++e) expected.insert(-std::ldexp(1.0, e));
  for (int e = -52; e <= 5; ++e) expected.insert(std::ldexp(1.0, e));
  EXPECT_EQ(lowest, expected);
}

TEST(Search, HasOneChunkForEachBinade) {
  InputChoice c;
  c.search = true;
  c.points = 500'000'000;
  c.labels = {0};
  const InputPlan p = make_plan(kSigmoid, Dtype::f64, c);
  std::size_t chunks = 0;
  std::uint64_t points = 0;
  for (const Chunk& x : p.chunks) {
    points += x.count;
    if (p.segments[x.segment].kind == Segment::Kind::search) ++chunks;
  }
  EXPECT_EQ(chunks, p.segments.back().strata.size());
  EXPECT_EQ(points, p.points);
}

TEST_P(Plans, StrataLeaveNoGap) {
  const InputPlan p = make_plan(kSigmoid, d, sampled(5000));
  const Segment& s = strata_of(p);
  // From the largest finite number below to that above, both signs.
  std::uint64_t next = ordinal(d, negate(d, f.max_finite())), before = 0;
  for (const Stratum& x : s.strata) {
    EXPECT_EQ(x.first, next);
    EXPECT_EQ(x.before, before);
    EXPECT_GE(x.points, 1u);
    EXPECT_LE(x.points, x.size);
    next = x.first + x.size;
    before += x.points;
  }
  EXPECT_EQ(next, ordinal(d, f.max_finite()) + 1);
  EXPECT_EQ(before, s.count);
}

TEST_P(Plans, EachStratumStaysInItsBinade) {
  const InputPlan p = make_plan(kSigmoid, d, sampled(5000));
  for (const Stratum& x : strata_of(p).strata) {
    const Bits a = from_ordinal(d, x.first), b = from_ordinal(d, x.first + x.size - 1);
    EXPECT_EQ(is_negative(d, a), is_negative(d, b));
    if (is_zero(d, a) || is_zero(d, b)) {
      EXPECT_EQ(x.size, 1u);
      continue;
    }
    EXPECT_EQ(exponent_of(decode(d, a)), exponent_of(decode(d, b)));
  }
}

TEST_P(Plans, SamplesRiseAndEachLiesInItsPart) {
  const InputPlan p = make_plan(kSigmoid, d, sampled(3000));
  const Segment& s = strata_of(p);
  std::uint64_t i = 0;
  std::uint64_t last = 0;
  for (const Stratum& x : s.strata)
    for (std::uint64_t j = 0; j < x.points; ++j, ++i) {
      const std::uint64_t o = ordinal(d, p.input(s, i));
      ASSERT_GE(o, x.first);
      ASSERT_LT(o, x.first + x.size);
      ASSERT_TRUE(i == 0 || o > last) << "no input twice";
      last = o;
    }
  EXPECT_GE(s.count, 1500u);
}

TEST_P(Plans, SeedsDecide) {
  const InputPlan a = make_plan(kSigmoid, d, sampled(3000)),
                  b = make_plan(kSigmoid, d, sampled(3000)),
                  c = make_plan(kSigmoid, d, sampled(3000, 2));
  EXPECT_EQ(inputs_of(a, strata_of(a)), inputs_of(b, strata_of(b)));
  EXPECT_NE(inputs_of(a, strata_of(a)), inputs_of(c, strata_of(c)));
  EXPECT_EQ(a.segments[0].list, c.segments[0].list) << "edges do not depend on the seed";
}

TEST_P(Plans, LabelsHaveSamplesOfTheirOwn) {
  InputChoice c = sampled(3000);
  c.labels = {encode(d, 0.25), encode(d, 0.5)};
  const InputPlan p = make_plan(test::op("bce_with_logits"), d, c);
  ASSERT_EQ(p.segments.size(), 4u);
  EXPECT_EQ(p.segments[0].y, encode(d, 0.25));
  EXPECT_EQ(p.segments[3].y, encode(d, 0.5));
  EXPECT_NE(inputs_of(p, p.segments[1]), inputs_of(p, p.segments[3]));
}

TEST_P(Plans, EdgesHoldLandmarksTheirNeighboursAndNans) {
  InputChoice c = sampled(100);
  c.edge_ulps = 3;
  const InputPlan p = make_plan(kSigmoid, d, c);
  const std::vector<Bits>& list = p.segments[0].list;
  const std::set<Bits> have(list.begin(), list.end());
  EXPECT_EQ(have.size(), list.size()) << "no input twice";
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end(),
                             [this](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); }));
  for (Bits z : landmarks(kSigmoid, d, 0))
    for (int k = -3; k <= 3; ++k) EXPECT_EQ(have.count(step(d, z, k)), 1u) << z << " " << k;
  for (Bits nan : {f.quiet_nan(), f.infinity() + 1, f.mask()}) EXPECT_EQ(have.count(nan), 1u);
}

TEST_P(Plans, SampledSweepsRunNumbersOfFewBitsWithTheirNeighbours) {
  const std::vector<Bits> table = table_points(d);
  EXPECT_EQ(table.size(), 2u * (18 * 128 + 1));
  for (const double v : {2.0, 3.0, -10.5, 1024.0, -0x1p-8, 1.9921875})
    EXPECT_EQ(std::count(table.begin(), table.end(), encode(d, v)), 1) << v;
  EXPECT_TRUE(std::is_sorted(table.begin(), table.end(),
                             [this](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); }));
  std::set<Bits> seen;
  const InputPlan p = make_plan(kSigmoid, d, sampled(20000));
  for (const Segment& s : p.segments)
    for (const Bits z : inputs_of(p, s)) seen.insert(z);
  if (f.width == 16) return;  // these are exhaustive by default
  for (const Bits z : table)
    for (int k = -1; k <= 1; ++k) EXPECT_EQ(seen.count(step(d, z, k)), 1u) << decode(d, z);
  EXPECT_LT(make_plan(kSigmoid, d, sampled(60)).segments[0].count, 2000u) << "--points bounds them";
}

TEST_P(Plans, NanLabelsOfSeveralPayloadsMeetTheEndsOfTheLine) {
  const OpId bce = test::op("bce_with_logits");
  InputChoice c = sampled(100);
  c.labels = {0};
  const std::size_t without = make_plan(bce, d, c).segments.size();
  c.nan_labels = true;
  const InputPlan p = make_plan(bce, d, c);
  ASSERT_EQ(p.segments.size(), without + 4);
  std::set<Bits> labels;
  for (std::size_t i = without; i < p.segments.size(); ++i) {
    labels.insert(p.segments[i].y);
    EXPECT_TRUE(is_nan(d, p.segments[i].y));
    const std::vector<Bits>& z = p.segments[i].list;
    for (const Bits end : {f.infinity(), negate(d, f.infinity()), f.quiet_nan()})
      EXPECT_EQ(std::count(z.begin(), z.end(), end), 1);
  }
  EXPECT_EQ(labels.size(), 4u);
  EXPECT_EQ(p.labels, c.labels) << "not labels that were asked for";
}

TEST_P(Plans, RangesAreRespectedAndReached) {
  InputChoice c = sampled(2000);
  c.lo = encode(d, -1.5);
  c.hi = encode(d, 2.0);
  for (bool exhaustive : {false, true}) {
    if (exhaustive && f.width > 16) continue;
    c.exhaustive = exhaustive;
    const InputPlan p = make_plan(kSigmoid, d, c);
    std::set<Bits> seen;
    for (const Segment& s : p.segments)
      for (Bits z : inputs_of(p, s)) {
        ASSERT_GE(decode(d, z), -1.5);
        ASSERT_LE(decode(d, z), 2.0);
        seen.insert(z);
      }
    EXPECT_EQ(seen.count(0) + seen.count(f.sign_bit()), 2u);
    if (exhaustive) {
      EXPECT_EQ(seen.size(), ordinal(d, *c.hi) - ordinal(d, *c.lo) + 1);
    }
  }
}

TEST_P(Plans, ARangeOfOneNumber) {
  InputChoice c = sampled(2000);
  c.lo = c.hi = encode(d, 3.0);
  const InputPlan p = make_plan(kSigmoid, d, c);
  for (const Segment& s : p.segments)
    for (Bits z : inputs_of(p, s)) EXPECT_EQ(z, *c.lo);
  EXPECT_GE(p.points, 1u);
}

TEST_P(Plans, ChunksCoverEachInputOnce) {
  InputChoice c = sampled(20000);
  c.labels = {0, encode(d, 1.0)};
  if (f.width == 32) c.exhaustive = true;
  const InputPlan p = make_plan(kSigmoid, d, c);
  std::map<std::size_t, std::uint64_t> next;
  std::uint64_t total = 0;
  for (const Chunk& x : p.chunks) {
    EXPECT_EQ(x.first, next[x.segment]);
    EXPECT_TRUE(x.count > 0 && x.count <= kChunkInputs);
    next[x.segment] = x.first + x.count;
    total += x.count;
  }
  EXPECT_EQ(total, p.points);
  for (std::size_t i = 0; i < p.segments.size(); ++i) EXPECT_EQ(next[i], p.segments[i].count);
}

TEST_P(Plans, FillWritesWhatInputSays) {
  InputChoice c = sampled(1000);
  std::vector<InputPlan> plans = {make_plan(kSigmoid, d, c)};
  c.exhaustive = true;
  c.lo = step(d, 0, -5000);
  c.hi = step(d, 0, 5000);
  plans.push_back(make_plan(kSigmoid, d, c));
  for (const InputPlan& p : plans)
    for (const Segment& s : p.segments) {
      const std::uint64_t n = std::min<std::uint64_t>(s.count, 1000), first = (s.count - n) / 2;
      std::vector<unsigned char> out(n * 8);
      p.fill(s, first, n, out.data());
      for (std::uint64_t i = 0; i < n; ++i) {
        Bits b = 0;
        const auto bytes = static_cast<std::size_t>(f.bytes());
        for (std::size_t k = 0; k < bytes; ++k) b |= Bits{out[i * bytes + k]} << (8 * k);
        ASSERT_EQ(b, p.input(s, first + i));
      }
    }
}

}  // namespace
}  // namespace ulpaudit
