// Promises about times, judged.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "contract/contract.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {
namespace {

Benchmark bench(const std::string& implementation, double low, double median, double high) {
  Benchmark b;
  b.implementation = implementation;
  b.op = implementation == "memcpy" ? "" : "sigmoid";
  b.dtype = "f32";
  b.inputs = "typical";
  b.level = "L1";
  b.low = low;
  b.median = median;
  b.high = high;
  return b;
}

Report judged(const std::string& against, std::vector<Benchmark> benchmarks) {
  Report report;
  Implementation i;
  i.name = "mine/sigmoid";
  i.op = "sigmoid";
  report.implementations.push_back(i);
  report.benchmarks = std::move(benchmarks);
  const Contract c =
      parse_contract("contract = 1\n[[kernel]]\nname = \"sigmoid\"\nthroughput = { against = \"" +
                         against + "\", f32 = 2 }\n",
                     "test");
  judge_report({{"mine", c}}, false, report);
  return report;
}

TEST(SpeedPromise, KeptSaysNothing) {
  EXPECT_TRUE(judged("memcpy", {bench("mine/sigmoid", 1.8, 1.9, 2), bench("memcpy", 0.9, 1, 1.1)})
                  .findings.empty());
}

TEST(SpeedPromise, BrokenIsAnError) {
  const Report r =
      judged("naive/sigmoid", {bench("mine/sigmoid", 2.9, 3, 3.1), bench("memcpy", 1, 1, 1),
                               bench("naive/sigmoid", 0.9, 1, 1.1)});
  ASSERT_EQ(r.findings.size(), 1u);
  EXPECT_EQ(r.findings[0].rule, "throughput.ratio");
  EXPECT_EQ(r.findings[0].severity, Severity::error);
  EXPECT_NE(r.findings[0].message.find("3 times the time of naive/sigmoid; promised at most 2"),
            std::string::npos)
      << r.findings[0].message;
  EXPECT_EQ(r.verdicts[0].status, "fail");
}

TEST(SpeedPromise, HoldsUpToItsBorder) {
  EXPECT_TRUE(judged("memcpy", {bench("mine/sigmoid", 8, 8, 8), bench("memcpy", 4, 4, 4)})
                  .findings.empty());
  const Report r = judged("memcpy", {bench("mine/sigmoid", 10, 10, 10), bench("memcpy", 4, 4, 4)});
  ASSERT_EQ(r.findings.size(), 1u);
  EXPECT_EQ(r.findings[0].severity, Severity::error);
  EXPECT_NE(r.findings[0].message.find("10 ns an element, 2.5 times the time of memcpy"),
            std::string::npos)
      << r.findings[0].message;
  // The fast quarter of the times at the border of the slow quarter of the other's: the spread.
  EXPECT_EQ(judged("memcpy", {bench("mine/sigmoid", 8, 9, 10), bench("memcpy", 4, 4, 4)})
                .findings.at(0)
                .severity,
            Severity::note);
}

TEST(SpeedPromise, WithinTheSpreadIsANote) {
  const Report r =
      judged("memcpy", {bench("mine/sigmoid", 1.9, 2.1, 2.6), bench("memcpy", 0.9, 1, 1.3)});
  ASSERT_EQ(r.findings.size(), 1u);
  EXPECT_EQ(r.findings[0].severity, Severity::note);
}

TEST(SpeedPromise, WithoutTheOtherIsANote) {
  const Report r = judged("simd/sigmoid", {bench("mine/sigmoid", 1.9, 2.1, 2.6)});
  ASSERT_EQ(r.findings.size(), 1u);
  EXPECT_EQ(r.findings[0].severity, Severity::note);
  EXPECT_NE(r.findings[0].message.find("not measured"), std::string::npos);
}

}  // namespace
}  // namespace ulpaudit
