// Workloads, sizes, statistics of times, and real times of a kernel.
// SPDX-License-Identifier: Apache-2.0
#include "throughput/bench.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "each_dtype.hpp"
#include "fp/text.hpp"

namespace ulpaudit {
namespace {

Benchmark times(const char* implementation, std::vector<double> ns) {
  Benchmark b;
  b.implementation = implementation;
  b.op = std::string(implementation) == "memcpy" ? "" : "sigmoid";
  b.dtype = "f32";
  b.inputs = "typical";
  b.level = "L1";
  b.elements = 2048;
  b.ns = std::move(ns);
  return b;
}

TEST(Summary, MedianQuartilesNoiseAndRatios) {
  std::vector<Benchmark> rows = {times("naive/sigmoid", {4, 4, 4.1, 3.9, 4}),
                                 times("mine/sigmoid", {1, 5, 2, 4, 3}),
                                 times("memcpy", {0.5, 0.5, 0.5, 0.5, 0.5})};
  summarise(rows);
  EXPECT_EQ(rows[1].median, 3);
  EXPECT_EQ(rows[1].low, 2);
  EXPECT_EQ(rows[1].high, 4);
  EXPECT_TRUE(rows[1].noisy);
  EXPECT_FALSE(rows[0].noisy);
  EXPECT_EQ(rows[1].to_naive, 0.75);
  EXPECT_EQ(rows[1].to_copy, 6);
  EXPECT_EQ(rows[0].to_naive, 1);
  EXPECT_EQ(rows[0].gigabytes_per_second, 2);
  EXPECT_EQ(rows[2].gigabytes_per_second, 16);
  EXPECT_FALSE(rows[2].to_copy);
}

TEST(Summary, RatiosKeepToTheirSizeInputsAndDtype) {
  std::vector<Benchmark> rows = {times("mine/sigmoid", {1, 1, 1}), times("memcpy", {1, 1, 1}),
                                 times("naive/sigmoid", {1, 1, 1})};
  rows[1].elements = 4096;
  rows[2].inputs = "bits";
  summarise(rows);
  EXPECT_FALSE(rows[0].to_copy);
  EXPECT_FALSE(rows[0].to_naive);
}

TEST(Summary, AFailureHasNoFigures) {
  std::vector<Benchmark> rows = {times("mine/sigmoid", {})};
  rows[0].failure = "crashed";
  summarise(rows);
  EXPECT_EQ(rows[0].median, 0);
}

ULPAUDIT_EACH_DTYPE(Workloads);

TEST_P(Workloads, AreWhatTheyAreCalled) {
  for (int k = 0; k < op_count(); ++k) {
    const OpId op = op_at(k);
    double sum = 0, squares = 0;
    int nans = 0, ones = 0;
    constexpr int n = 20000;
    for (const TimedInput& t : timed_inputs(op, d, Workload::typical, 7, n)) {
      const double z = decode(d, t.z);
      sum += z;
      squares += z * z;
      ones += t.y != 0;
    }
    for (const TimedInput& t : timed_inputs(op, d, Workload::uniform, 7, n)) {
      ASSERT_LE(std::abs(decode(d, t.z)), 20);
      ASSERT_TRUE(in_domain(op, d, t.y));
    }
    for (const TimedInput& t : timed_inputs(op, d, Workload::bits, 7, n)) nans += is_nan(d, t.z);
    const auto spans = region_spans(op, d, 0);
    for (const TimedInput& t : timed_inputs(op, d, Workload::subnormal, 7, n)) {
      const std::uint64_t at = ordinal(d, t.z);
      bool subnormal = false;
      for (const RegionSpan& r : spans)
        subnormal |= r.region == Region::subnormal && r.first <= at && at <= r.last;
      ASSERT_TRUE(subnormal) << hex_float(d, t.z);
      ASSERT_EQ(t.y, 0u);
    }
    EXPECT_NEAR(sum / n, 0, 0.15);
    EXPECT_NEAR(std::sqrt(squares / n), 4, 0.15);
    EXPECT_NEAR(ones, n / 2, n / 20);
    EXPECT_GT(nans, 0);
  }
}

TEST(Sizes, ArraysFitTheirLevelAndDramFitsNoCache) {
  for (const Dtype d : kDtypes)
    for (int arrays : {2, 3}) {
      const auto bytes = [&](Level l) {
        return elements_of(l, d, arrays) * static_cast<unsigned>(arrays * format(d).bytes());
      };
      EXPECT_LT(bytes(Level::l1), bytes(Level::l2));
      EXPECT_LT(bytes(Level::l2), bytes(Level::dram));
      EXPECT_GE(bytes(Level::dram), 64u << 20);
    }
}

TEST(Bench, TimesAKernelBesideTheCopy) {
  SessionOptions options;
  options.worker = std::string(ULPAUDIT_BIN_DIR) + "/ulpaudit-worker";
  const std::string path = std::string(ULPAUDIT_PLUGIN_DIR) + "/stable.so";
  const auto session = open_session(path, options);
  std::size_t kernel = 0;
  while (session->info().kernels.at(kernel).op != "sigmoid") ++kernel;
  BenchChoice choice;
  choice.levels = {Level::l1};
  choice.workloads = {Workload::typical};
  choice.repetitions = 3;
  choice.milliseconds = 0.2;
  const auto rows = run_benchmarks(
      {{"stable/sigmoid", path, kernel, *op_from_name("sigmoid"), Dtype::f32}}, choice, options);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].implementation, "stable/sigmoid");
  EXPECT_EQ(rows[1].implementation, "memcpy");
  for (const Benchmark& b : rows) {
    EXPECT_EQ(b.ns.size(), 3u);
    EXPECT_GT(b.median, 0);
  }
  EXPECT_GT(*rows[0].to_copy, 1);  // an exponential is not as fast as a copy
}

}  // namespace
}  // namespace ulpaudit
