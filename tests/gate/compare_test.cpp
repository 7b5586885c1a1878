// The statistics of the gate, its classes and its baselines.
// SPDX-License-Identifier: Apache-2.0
#include "gate/compare.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ulpaudit {
namespace {

// Values of scipy.stats.mannwhitneyu(b, a, alternative='greater', method='asymptotic'), 1.17.1.
TEST(MannWhitney, AgreesWithScipy) {
  EXPECT_NEAR(larger_by_chance({1, 2, 3, 4, 5, 6, 7, 8}, {9, 10, 11, 12, 13, 14, 15, 16}),
              0.00046955284955859495, 1e-15);
  EXPECT_NEAR(larger_by_chance({1, 3, 5, 7, 9, 11, 13, 15}, {2, 4, 6, 8, 10, 12, 14, 16}),
              0.356595630508036, 1e-14);
  // With ties.
  EXPECT_NEAR(larger_by_chance({1, 1, 2, 2, 3, 3, 4, 4}, {2, 3, 3, 4, 4, 5, 5, 6}),
              0.023788217589176944, 1e-14);
  EXPECT_EQ(larger_by_chance({1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1}), 1);
}

Benchmark times(const std::string& name, double ns, double spread, int n, unsigned seed) {
  Benchmark b;
  b.implementation = name;
  b.op = name == "memcpy" ? "" : "sigmoid";
  b.dtype = "f32";
  b.inputs = "typical";
  b.level = "L1";
  b.elements = 2048;
  std::mt19937 random(seed);
  std::exponential_distribution<double> late(1 / spread);  // a machine makes things slow, not fast
  for (int i = 0; i < n; ++i) b.ns.push_back(ns * (1 + late(random)));
  std::vector<double> sorted = b.ns;
  std::sort(sorted.begin(), sorted.end());
  b.median = sorted.empty() ? 0 : sorted[sorted.size() / 2];
  return b;
}

Report timed(double ns, double machine, int n, unsigned seed) {
  Report r;
  r.context.isa = "x86-64 avx2";
  r.run.cpu = "a CPU";
  r.benchmarks = {times("mine/sigmoid", ns * machine, 0.03, n, seed),
                  times("naive/sigmoid", 3 * machine, 0.03, n, seed + 1),
                  times("memcpy", 0.05 * machine, 0.03, n, seed + 2)};
  return r;
}

std::vector<std::string> failing(const GateReport& g) {
  std::vector<std::string> kinds;
  for (const Change& c : g.changes)
    if (c.fails) kinds.push_back(c.kind);
  return kinds;
}

TEST(Throughput, ASlowerMachineIsNoSlowerKernel) {
  const Baseline b = make_baseline(timed(1, 1, 11, 1));
  for (unsigned seed = 10; seed < 200; seed += 3)
    EXPECT_TRUE(compare(timed(1, 1.5, 11, seed), &b, {}).passed) << "seed " << seed;
}

/// The other thread of the core was busy when the baseline was made: naive took 1.85 times as long,
/// vector code 1.33 times (measured on an AMD EPYC).
TEST(Throughput, ABusyCoreInTheBaselineIsNoSlowerKernelLater) {
  Report busy = timed(1.33, 1, 11, 1);
  for (double& x : busy.benchmarks[1].ns) x *= 1.85;
  busy.benchmarks[1].median *= 1.85;
  const Baseline b = make_baseline(busy);
  for (unsigned seed = 10; seed < 200; seed += 3)
    EXPECT_TRUE(compare(timed(1, 1, 11, seed), &b, {}).passed) << "seed " << seed;
}

/// Half of the repetitions of naive were slowed so, in one of the runs.
TEST(Throughput, ACoreThatIsBusyAtTimesIsNoSlowerKernel) {
  Report busy = timed(1, 1, 11, 1);
  for (std::size_t i = 0; i < 6; ++i) busy.benchmarks[1].ns[2 * i] *= 1.85;
  busy.benchmarks[1].median *= 1.85;
  const Baseline b = make_baseline(busy);
  for (unsigned seed = 10; seed < 200; seed += 3)
    EXPECT_TRUE(compare(timed(1, 1, 11, seed), &b, {}).passed) << "seed " << seed;
}

TEST(Throughput, AKernelTwentyPercentSlowerIsSeen) {
  const Baseline b = make_baseline(timed(1, 1, 11, 1));
  for (unsigned seed = 10; seed < 200; seed += 3) {
    const GateReport g = compare(timed(1.2, 0.8, 11, seed), &b, {});
    ASSERT_EQ(failing(g), std::vector<std::string>{"throughput"}) << "seed " << seed;
    EXPECT_NE(g.changes.at(0).message.find("slower by"), std::string::npos);
  }
}

TEST(Throughput, ASlowerMachineHidesNoSlowerKernel) {
  const Baseline b = make_baseline(timed(1, 1, 11, 1));
  for (unsigned seed = 10; seed < 100; seed += 3)
    EXPECT_FALSE(compare(timed(1.3, 1.5, 11, seed), &b, {}).passed) << "seed " << seed;
}

TEST(Throughput, TheMachineIsTheMedianOverTheReferences) {
  Report old = timed(1, 1, 11, 1), now = timed(1, 1, 11, 4);
  for (Report* r : {&old, &now}) {
    r->benchmarks.push_back(times("naive/grad", 2, 0.03, 11, r == &old ? 8 : 9));
    r->benchmarks.back().op = "sigmoid_grad";
  }
  const Baseline b = make_baseline(old);
  const auto with = [&](std::size_t reference, double factor, double kernel) {
    Report r = now;
    for (const auto& [i, by] : {std::pair(reference, factor), std::pair(std::size_t{0}, kernel)}) {
      for (double& x : r.benchmarks[i].ns) x *= by;
      r.benchmarks[i].median *= by;
    }
    return compare(r, &b, {}).passed;
  };
  for (const std::size_t one : {1u, 2u, 3u}) {
    EXPECT_TRUE(with(one, 0.5, 1)) << "one reference that is faster makes no slower kernel";
    EXPECT_FALSE(with(one, 3, 1.3)) << "one that is slower hides none";
  }
}

TEST(Throughput, OneReferenceIsEnough) {
  Report old = timed(1, 1, 11, 1), now = timed(1, 1, 11, 4);
  for (Report* r : {&old, &now}) r->benchmarks.erase(r->benchmarks.begin() + 1);
  const Baseline b = make_baseline(old);
  EXPECT_TRUE(compare(now, &b, {}).passed) << "memcpy, in a twentieth of a nanosecond";
  now.benchmarks.pop_back();
  EXPECT_EQ(failing(compare(now, &b, {})), std::vector<std::string>{"repetitions"});
}

TEST(Throughput, EveryKernelOfTheBaselineIsLookedAt) {
  Report old = timed(1, 1, 11, 1), now = timed(1, 1, 11, 4);
  old.benchmarks.insert(old.benchmarks.begin(), times("mine/gone", 1, 0.03, 11, 5));
  old.benchmarks.push_back(times("other/slow", 1, 0.03, 11, 6));
  now.benchmarks.push_back(times("other/slow", 2, 0.03, 11, 7));
  const Baseline b = make_baseline(old);
  EXPECT_EQ(failing(compare(now, &b, {})), (std::vector<std::string>{"repetitions", "throughput"}));
  EXPECT_EQ(failing(compare(now, &b, {.missing_allowed = true})),
            std::vector<std::string>{"throughput"});
  // The references themselves are not judged.
  for (double& x : now.benchmarks[1].ns) x *= 3;
  EXPECT_EQ(failing(compare(now, &b, {.missing_allowed = true})),
            std::vector<std::string>{"throughput"});
}

TEST(Throughput, TooFewRepetitionsAreNoPass) {
  const Baseline b = make_baseline(timed(1, 1, 11, 1));
  EXPECT_EQ(failing(compare(timed(1, 1, 5, 4), &b, {})), std::vector<std::string>{"repetitions"});
  EXPECT_EQ(failing(compare(timed(1, 1, 0, 4), &b, {})), std::vector<std::string>{"repetitions"});
  Report none = timed(1, 1, 0, 4);
  none.benchmarks.clear();
  EXPECT_EQ(failing(compare(none, &b, {})), std::vector<std::string>{"repetitions"});
  EXPECT_TRUE(compare(none, &b, {.missing_allowed = true}).passed);
}

TEST(Throughput, MoreInstructionsAreSeenOnAnyMachine) {
  Report old = timed(1, 1, 11, 1), now = timed(1, 1, 11, 4);
  old.benchmarks[0].instructions = 10;
  now.benchmarks[0].instructions = 10.1;
  const Baseline b = make_baseline(old);
  EXPECT_TRUE(compare(now, &b, {}).passed);
  now.benchmarks[0].instructions = 10.3;
  EXPECT_EQ(failing(compare(now, &b, {})), std::vector<std::string>{"throughput"});
}

TEST(Throughput, AnotherProcessorIsNotCompared) {
  const Baseline b = make_baseline(timed(1, 1, 11, 1));
  Report now = timed(3, 1, 11, 4);
  now.run.cpu = "another";
  const GateReport g = compare(now, &b, {});
  EXPECT_TRUE(g.passed);
  EXPECT_FALSE(g.throughput_compared);
  EXPECT_EQ(g.notes.size(), 1u);
}

TEST(Class, IsAFileNameAndTellsWhatMakesOtherBits) {
  Context c;
  c.isa = "x86-64 avx2";
  c.libm = "glibc 2.36";
  c.compiler = "GNU 12.2.0";
  c.flags = "-O2";
  const std::string name = class_of(c);
  EXPECT_EQ(name.rfind("x86-64-avx2_glibc-2.36_gnu-12.2.0_", 0), 0u) << name;
  EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._"), std::string::npos);
  c.flags = "-O3";
  EXPECT_NE(class_of(c), name);
  c.isa = "../../etc";
  EXPECT_EQ(class_of(c).find('/'), std::string::npos);
}

TEST(Files, ComeBackAndNoticeAChange) {
  Baseline b = make_baseline(timed(1, 1, 11, 1));
  b.updates.push_back({"2026-11-24", "abc", "because", {"one", "two"}});
  b.breaches.push_back({"mine/sigmoid", "f32", "monotone"});
  const std::string text = to_json(b);
  EXPECT_EQ(to_json(baseline_from_json(text)), text);
  for (std::size_t i = 0; i < text.size(); i += 7) {
    std::string changed = text;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_THROW(baseline_from_json(changed), BadBaseline) << i;
    EXPECT_THROW(baseline_from_json(text.substr(0, i)), BadBaseline) << i;
  }
}

}  // namespace
}  // namespace ulpaudit
