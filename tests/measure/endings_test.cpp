// Kernels that end their worker, hang or fail in a sweep: the input that does it is found, and the
// sweep goes on behind it. What a call did to its environment, or did not write, is told.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>

#include "names.hpp"
#include "plugin/session.hpp"
#include "sweep/batch_runner.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {
namespace {

constexpr Bits kThree = 0x40400000;

SessionOptions session_options() {
  SessionOptions o;
  o.deadline = std::chrono::milliseconds(3000);
  o.worker = std::string(ULPAUDIT_BIN_DIR) + "/ulpaudit-worker";
  return o;
}

/// Every float between 2.9 and 3.1 through one kernel.
Accumulator run(const std::string& kernel, int threads = 2) {
  const auto session = open_session(ULPAUDIT_ENDING_PLUGIN, session_options());
  std::size_t index = 0;
  while (session->info().kernels.at(index).name != kernel) ++index;
  InputChoice c;
  c.exhaustive = true;
  c.labels = {0};
  c.lo = encode(Dtype::f32, 2.9);
  c.hi = encode(Dtype::f32, 3.1);
  std::vector<Job> jobs(1);
  jobs[0].plan = make_plan(test::op("sigmoid"), Dtype::f32, c);
  jobs[0].targets = {{"ending/" + kernel, ULPAUDIT_ENDING_PLUGIN, index}};
  EngineOptions options;
  options.threads = threads;
  options.session = session_options();
  run_jobs(jobs, options);
  return jobs[0].results.at(0);
}

std::uint64_t points(const Accumulator& a) {
  std::uint64_t n = 0;
  for (const Tally& t : a.regions) n += t.points;
  return n;
}

std::uint64_t lost(const Accumulator& a) {
  std::uint64_t n = 0;
  for (const Loss& l : a.losses) n += l.points;
  return n;
}

class AtThree : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(, AtThree,
                         ::testing::Values(std::pair("crash", "crash"), std::pair("exit", "exit"),
                                           std::pair("hang", "hang"), std::pair("throw", "status"),
                                           std::pair("memory", "status")),
                         [](const auto& i) { return std::string(i.param.first); });

TEST_P(AtThree, IsFoundAndAllElseMeasured) {
  const auto start = std::chrono::steady_clock::now();
  const Accumulator a = run(GetParam().first);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  ASSERT_EQ(a.losses.size(), 1u);
  const Loss& l = a.losses[0];
  EXPECT_EQ(l.kind, GetParam().second);
  EXPECT_EQ(l.first.z, kThree);
  EXPECT_EQ(l.length, 1u);
  EXPECT_EQ(l.points, 1u);
  EXPECT_EQ(a.lost_points, 1u);
  const Bits lo = encode(Dtype::f32, 2.9), hi = encode(Dtype::f32, 3.1);
  EXPECT_EQ(points(a) + a.lost_points, hi - lo + 1);
}

TEST(Endings, ARunOfThemIsLeftOutAndCounted) {
  const Accumulator a = run("span");
  ASSERT_EQ(a.losses.size(), 1u);
  const Bits last = encode(Dtype::f32, 3.001);
  EXPECT_EQ(a.losses[0].first.z, kThree);
  EXPECT_EQ(a.losses[0].length, 1u);
  EXPECT_EQ(a.losses[0].low, kThree);
  EXPECT_EQ(a.losses[0].high, last);
  EXPECT_EQ(a.lost_points, last - kThree + 1);
  EXPECT_EQ(lost(a), a.lost_points);
}

TEST(Endings, AlwaysCostsALittleTimeAndAllPoints) {
  const auto start = std::chrono::steady_clock::now();
  const Accumulator a = run("always");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  EXPECT_EQ(points(a), 0u);
  EXPECT_EQ(lost(a), a.lost_points) << "one figure, wherever it is printed";
  ASSERT_FALSE(a.losses.empty());
  EXPECT_EQ(a.losses[0].length, 1u);
}

TEST(Endings, BatchesThatAreTooLongAreRunInParts) {
  const Accumulator a = run("long");
  ASSERT_EQ(a.losses.size(), 1u);
  EXPECT_EQ(a.losses[0].length, 10000u) << "the shortest that ends";
  EXPECT_EQ(a.lost_points, 0u);
  EXPECT_EQ(points(a), encode(Dtype::f32, 3.1) - encode(Dtype::f32, 2.9) + 1);
}

/// Writes all but the results at z = 3, and leaves a flag raised at z = 2.
class Forgetful : public Session {
 public:
  Forgetful() : buffers_(3, std::vector<double>(kBatchCapacity)) {
    z_ = buffers_[0].data();
    y_ = buffers_[1].data();
    out_ = buffers_[2].data();
  }
  Outcome run(std::size_t, Dtype, std::uint64_t n, bool) override {
    Outcome o;
    const auto* z = static_cast<const float*>(z_);
    auto* out = static_cast<float*>(out_);
    for (std::uint64_t i = 0; i < n; ++i) {
      out[i] = 1 / (1 + std::exp(-z[i]));
      if (z[i] == 3) o.facts.push_back({"batch.not_written", "one result was not written", i});
      if (z[i] == 2) o.facts.push_back({"environment.rounding", "it rounds downward now", i});
    }
    return o;
  }
  Outcome run_staged(std::size_t, Dtype, std::uint64_t, bool, const Stage&) override { return {}; }
  Outcome run_on_device(std::size_t, Dtype, std::uint64_t, bool, const DeviceArrays&) override {
    return {};
  }
  Outcome run_timed(std::size_t, Dtype, std::uint64_t, bool, const Timing&) override { return {}; }
  void restart() override {}

 private:
  std::vector<std::vector<double>> buffers_;
};

TEST(Endings, WhatIsNotWrittenIsNotJudged) {
  SessionPool pool(session_options());
  pool.adopt("forgetful", std::make_unique<Forgetful>());
  const Target target = {"forgetful/sigmoid", "forgetful", 0};
  EndBudget budget;
  std::vector<float> z(5000, 1.0f);
  z[700] = 2;
  z[4000] = 3;
  Accumulator losses;
  std::vector<int> seen(z.size());
  BatchRunner(pool, target, budget)
      .run(
          {test::op("sigmoid"), Dtype::f32, 0, z.data(), z.size()},
          [&](std::uint64_t offset, std::uint64_t n, const void*) {
            for (std::uint64_t i = 0; i < n; ++i) ++seen[offset + i];
          },
          losses);
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_EQ(seen[i], i == 4000 ? 0 : 1) << i;
  EXPECT_EQ(losses.lost_points, 1u);
  ASSERT_EQ(losses.losses.size(), 2u);
  EXPECT_EQ(losses.losses[0].kind, "batch.not_written");
  EXPECT_EQ(losses.losses[0].first.z, kThree);
  EXPECT_EQ(losses.losses[0].length, 1u);
  EXPECT_EQ(losses.losses[1].kind, "environment.rounding");
  EXPECT_EQ(losses.losses[1].points, 0u);
  EXPECT_EQ(losses.losses[1].first.z, 0x40000000u);
}

}  // namespace
}  // namespace ulpaudit
