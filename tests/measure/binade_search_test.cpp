// The worst-case search of one binade: planted errors are found, points are spent exactly, the seed
// decides.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/binade_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "names.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 18;

using Kernel = std::function<double(std::uint64_t ordinal)>;

struct Found {
  double max = 0;
  std::uint64_t points = 0;
  std::vector<std::uint64_t> inputs;
};

Found search(const Stratum& binade, std::uint64_t seed, std::uint64_t points, const Kernel& error) {
  BinadeSearch s(binade, seed, points, kMost);
  Found found;
  while (true) {
    const std::vector<std::uint64_t>& inputs = s.next();
    if (inputs.empty()) return found;
    std::vector<double> errors;
    for (std::uint64_t o : inputs) {
      errors.push_back(error(o));
      if (errors.back() > found.max) found.max = errors.back();
    }
    found.points += inputs.size();
    found.inputs.insert(found.inputs.end(), inputs.begin(), inputs.end());
    s.learn(errors);
  }
}

/// What a rounding leaves: uniform in [0, 1/2).
double noise(std::uint64_t o) { return static_cast<double>(random_word(77, o) >> 12) * 0x1p-53; }

const Stratum kBinade = {std::uint64_t{1} << 62, std::uint64_t{1} << 52, 0, 0};

TEST(BinadeSearch, SpendsItsPointsInOrderInsideTheBinade) {
  for (std::uint64_t points : {1u, 2u, 64u, 1000u, 12345u, 600000u}) {
    BinadeSearch s(kBinade, 5, points, 4096);
    std::uint64_t spent = 0;
    while (true) {
      const std::vector<std::uint64_t> inputs = s.next();
      if (inputs.empty()) break;
      ASSERT_LE(inputs.size(), 4096u);
      ASSERT_TRUE(std::is_sorted(inputs.begin(), inputs.end()));
      ASSERT_EQ(std::adjacent_find(inputs.begin(), inputs.end()), inputs.end());
      ASSERT_GE(inputs.front(), kBinade.first);
      ASSERT_LT(inputs.back() - kBinade.first, kBinade.size);
      spent += inputs.size();
      std::vector<double> errors;
      for (std::uint64_t o : inputs) errors.push_back(noise(o));
      s.learn(errors);
    }
    EXPECT_EQ(spent, points);
  }
}

TEST(BinadeSearch, RunsASmallBinadeWhole) {
  for (std::uint64_t size : {1u, 2u, 63u, 5000u}) {
    const Found f = search({1000, size, 0, 0}, 1, size, noise);
    const std::set<std::uint64_t> distinct(f.inputs.begin(), f.inputs.end());
    EXPECT_EQ(f.points, size);
    EXPECT_EQ(distinct.size(), size);
  }
}

TEST(BinadeSearch, TheSeedDecides) {
  const Found a = search(kBinade, 3, 20000, noise), b = search(kBinade, 3, 20000, noise);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_NE(a.inputs, search(kBinade, 4, 20000, noise).inputs);
}

TEST(BinadeSearch, EndsInNeighboursOfTheWorst) {
  const std::uint64_t worst = kBinade.first + (std::uint64_t{1} << 51) + 12345;
  // A cone of errors over the binade: the search closes in on its tip.
  const Found f = search(kBinade, 9, 100000, [&](std::uint64_t o) {
    const double off = o > worst ? static_cast<double>(o - worst) : static_cast<double>(worst - o);
    return 10 - off * 0x1p-52;
  });
  EXPECT_EQ(f.max, 10);
  std::uint64_t neighbours = 0;
  for (std::uint64_t o : f.inputs) neighbours += o - (worst - 100) <= 200 ? 1 : 0;
  EXPECT_GE(neighbours, 201u);
}

TEST(BinadeSearch, GoesOnWhereErrorsAreUnknown) {
  const Found f = search(kBinade, 2, 5000, [](std::uint64_t) { return std::nan(""); });
  EXPECT_EQ(f.points, 5000u);
}

/// The budget that a plan of 10^8 points gives each binade.
const InputPlan& plan_of(OpId op, Bits y) {
  static std::map<std::pair<int, Bits>, InputPlan> plans;
  InputPlan& p = plans[{static_cast<int>(op), y}];
  if (p.segments.empty()) {
    InputChoice c;
    c.search = true;
    c.points = 100'000'000;
    c.labels = {y};
    p = make_plan(op, Dtype::f64, c);
  }
  return p;
}

struct Planted {
  const char* op;
  double y;
};

class Faults : public testing::TestWithParam<Planted> {
 protected:
  /// A random binade of the search, and the seed of its search.
  Stratum binade(std::uint64_t seed) const {
    const Dtype d = Dtype::f64;
    const InputPlan& p = plan_of(test::op(GetParam().op), encode(d, GetParam().y));
    EXPECT_LE(p.points, 101'000'000u);
    EXPECT_EQ(p.segments.back().kind, Segment::Kind::search);
    std::vector<Stratum> whole;
    for (const Stratum& s : p.segments.back().strata)
      if (s.size == std::uint64_t{1} << 52) whole.push_back(s);
    return whole[random_word(seed, 1) % whole.size()];
  }
};

TEST_P(Faults, ThreeUlpsOn2To40Neighbours) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Stratum b = binade(seed);
    const std::uint64_t from = b.first + random_word(seed, 2) % (b.size - (std::uint64_t{1} << 40));
    const Found f = search(b, seed, b.points, [&](std::uint64_t o) {
      return noise(o) + (o - from < std::uint64_t{1} << 40 ? 3 : 0);
    });
    EXPECT_GE(f.max, 3) << "seed " << seed;
  }
}

TEST_P(Faults, SmoothBumpOverAThousandth) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Stratum b = binade(seed);
    const double width = static_cast<double>(b.size) / 1000;
    const double middle = width + static_cast<double>(random_word(seed, 3) % b.size) * 0.99;
    const Found f = search(b, seed, b.points, [&](std::uint64_t o) {
      const double off = (static_cast<double>(o - b.first) - middle) / (width / 2);
      return noise(o) + (std::fabs(off) < 1 ? 1.5 * (1 - off * off) : 0);
    });
    // The top of the bump and most of the noise above it.
    EXPECT_GE(f.max, 1.9) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, Faults,
                         testing::Values(Planted{"sigmoid", 0}, Planted{"sigmoid_grad", 0},
                                         Planted{"bce_with_logits", 0.25},
                                         Planted{"bce_with_logits_grad", 0.5}),
                         [](const auto& p) { return std::string(p.param.op); });

}  // namespace
}  // namespace ulpaudit
