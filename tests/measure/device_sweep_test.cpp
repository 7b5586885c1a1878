// A sweep that a device judges gives the counts of one that the host judges, to the last bit: on
// the emulated device, with kernels right and wrong.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sweep/device_sweep.hpp"
#include "sweep/engine.hpp"
#include "sweep/state.hpp"
#include "truth/fast_judge.hpp"

namespace ulpaudit {
namespace {

constexpr Dtype kF32 = Dtype::f32;

Target target(const char* kernel) {
  SessionOptions options;
  options.isolate = false;
  const auto session = open_session(ULPAUDIT_DEVICE_PLUGIN, options);
  for (std::size_t i = 0; i < session->info().kernels.size(); ++i)
    if (session->info().kernels[i].name == kernel)
      return {std::string("device/") + kernel, ULPAUDIT_DEVICE_PLUGIN, i,
              session->info().kernels[i].device_arrays};
  ADD_FAILURE() << "no kernel " << kernel;
  return {};
}

/// A run of ordinals, in chunks of the usual size.
Job job_over(const char* op, Bits y, std::uint64_t first, std::uint64_t count,
             const std::vector<const char*>& kernels) {
  Job job;
  InputChoice choice;
  choice.exhaustive = true;
  choice.labels = {y};
  choice.lo = choice.hi = encode(kF32, 1.0);
  job.plan = make_plan(*op_from_name(op), kF32, choice);
  job.plan.segments[0].first = first;
  job.plan.segments[0].count = count;
  job.plan.chunks.clear();
  for (std::uint64_t at = 0; at < count; at += kChunkInputs)
    job.plan.chunks.push_back({0, at, std::min(kChunkInputs, count - at)});
  job.plan.points = count;
  for (const char* k : kernels) job.targets.push_back(target(k));
  return job;
}

std::uint64_t at(double z) { return ordinal(kF32, encode(kF32, z)); }

EngineOutcome run(Job& job, bool on_device, int threads = 1) {
  EngineOptions options;
  options.threads = threads;
  options.session.isolate = false;
  options.judge_on_device = on_device;
  std::vector<Job> jobs = {job};
  const EngineOutcome outcome = run_jobs(jobs, options);
  job = std::move(jobs[0]);
  EXPECT_EQ(outcome.device, on_device ? "emulated" : "");
  return outcome;
}

std::string bytes(const Accumulator& a) {
  StateWriter w;
  w.counts(a);
  return w.take();
}

void expect_same(Job job, const char* where) {
  Job host = job;
  run(host, false);
  run(job, true);
  for (std::size_t t = 0; t < job.targets.size(); ++t) {
    const Accumulator &d = job.results[t], &h = host.results[t];
    EXPECT_TRUE(bytes(d) == bytes(h)) << job.targets[t].name << ' ' << where;
    EXPECT_EQ(d.judged.disagreements, 0u);
    if (bytes(d) == bytes(h)) continue;
    EXPECT_EQ(d.digest, h.digest);
    EXPECT_EQ(d.monotone.pairs, h.monotone.pairs);
    EXPECT_EQ(d.monotone.violations, h.monotone.violations);
    EXPECT_EQ(d.judged.fast, h.judged.fast);
    EXPECT_EQ(d.judged.final_judge, h.judged.final_judge);
    EXPECT_EQ(d.judged.cross_checked, h.judged.cross_checked);
    for (std::size_t r = 0; r < d.regions.size(); ++r) {
      const Tally &a = d.regions[r], &b = h.regions[r];
      EXPECT_EQ(a.points, b.points) << r;
      EXPECT_EQ(a.correctly_rounded, b.correctly_rounded) << r;
      EXPECT_EQ(a.faithful, b.faithful) << r;
      EXPECT_EQ(a.allclose_failures, b.allclose_failures) << r;
      EXPECT_EQ(a.sum_signed, b.sum_signed) << r;
      EXPECT_EQ(a.sum_squares, b.sum_squares) << r;
      EXPECT_EQ(a.max_abs.error, b.max_abs.error) << r;
      EXPECT_EQ(a.max_abs.at.z, b.max_abs.at.z) << r;
      EXPECT_EQ(a.histogram, b.histogram) << r;
    }
  }
}

TEST(DeviceSweep, SigmoidCountsAsTheHostDoes) {
  const std::vector<const char*> kernels = {"sigmoid", "wild", "coarse", "flushes", "minus_zero"};
  const std::uint64_t few = 60000;
  // Chunk borders, all regions, NaNs, infinities, zeros.
  expect_same(job_over("sigmoid", 0, at(-105), few, kernels), "underflow");
  expect_same(job_over("sigmoid", 0, at(-87.5), few, kernels), "subnormal");
  expect_same(job_over("sigmoid", 0, at(-1.001), few, kernels), "left tail");
  expect_same(job_over("sigmoid", 0, ordinal(kF32, 0) - few / 2, few, kernels), "zero");
  expect_same(job_over("sigmoid", 0, at(0x1p-25), few, kernels), "constant");
  expect_same(job_over("sigmoid", 0, at(16.9), few, kernels), "saturates");
  const std::uint64_t infinity = ordinal(kF32, format(kF32).infinity());
  expect_same(job_over("sigmoid", 0, infinity - few / 2, few, kernels), "infinity");
  expect_same(job_over("sigmoid", 0, 0, few, kernels), "NaN, the first inputs");
  expect_same(job_over("sigmoid", 0, ~std::uint32_t{0} - 1000u, 1001, kernels), "the last inputs");
}

TEST(DeviceSweep, AllOpsAndLabels) {
  for (double z : {-103.9, -1.0, -0.0625, 0x1p-30, 0.06, 1.0, 88.0}) {
    const auto where = std::to_string(z);
    expect_same(job_over("sigmoid_grad", 0, at(z), 20000, {"grad"}), where.c_str());
    for (double y : {0.0, 0.25, 0.3, 1.0, 0x1p-149}) {
      const Bits label = encode(kF32, y);
      expect_same(job_over("bce_with_logits", label, at(z), 20000, {"bce"}), where.c_str());
      expect_same(job_over("bce_with_logits_grad", label, at(z), 20000, {"bce_grad"}),
                  where.c_str());
    }
  }
}

TEST(DeviceSweep, SeveralChunksAndThreads) {
  Job one = job_over("sigmoid", 0, at(-3), 3 * kChunkInputs + 17, {"sigmoid"});
  Job two = one;
  run(one, true, 1);
  run(two, true, 3);
  EXPECT_TRUE(bytes(one.results[0]) == bytes(two.results[0]));
  run(two, false, 2);
  EXPECT_TRUE(bytes(one.results[0]) == bytes(two.results[0]));
}

TEST(DeviceSweep, ChunksWithManySlowLanesAreTheHosts) {
  // Results far beyond what a device sums up in one chunk and a half, right ones in the rest.
  expect_same(job_over("sigmoid", 0, at(-87) - 3 * kChunkInputs / 2, 3 * kChunkInputs, {"far"}),
              "far");
  expect_same(job_over("sigmoid", 0, at(1), 30000, {"all_nan"}), "all NaN");
}

TEST(DeviceSweep, AGroupThatTheTimeLimitEndsStaysUndone) {
  std::vector<Job> jobs = {job_over("sigmoid", 0, at(-3), 8 * kChunkInputs, {"sigmoid", "coarse"})};
  EngineOptions options;
  options.session.isolate = false;
  std::atomic<bool> stop{false};
  options.stop = &stop;
  options.progress = [&](std::uint64_t, std::uint64_t) { stop = true; };  // after the first group
  const EngineOutcome outcome = run_jobs(jobs, options);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_LT(outcome.evaluations, 16 * kChunkInputs);
  std::uint64_t points = 0;
  for (const Tally& t : jobs[0].results[0].regions) points += t.points;
  EXPECT_EQ(2 * points, outcome.evaluations);
}

TEST(DeviceSweep, ResultsThatAreNotWrittenAreWrong) {
  Job job = job_over("sigmoid", 0, 0, 1000, {"skips_nan"});
  run(job, true);
  const Tally& special = job.results[0].regions[static_cast<std::size_t>(Region::special)];
  EXPECT_EQ(special.categories[static_cast<std::size_t>(Category::lost_nan)].count, 1000u);
}

TEST(DeviceSweep, OtherResultsThanPlainBatchesAreALoss) {
  Job job = job_over("sigmoid", 0, at(-1) - 100, 1000, {"sigmoid", "other"});
  run(job, true);
  EXPECT_TRUE(job.results[0].losses.empty());
  ASSERT_EQ(job.results[1].losses.size(), 1u);
  EXPECT_EQ(job.results[1].losses[0].kind, "protocol");
}

TEST(DeviceSweep, AKernelThatFailsOnTheDeviceAloneIsALossToo) {
  Job job = job_over("sigmoid", 0, at(1), 1000, {"only_host", "sigmoid"});
  run(job, true);
  ASSERT_EQ(job.results[0].losses.size(), 1u);
  EXPECT_EQ(job.results[0].losses[0].kind, "status");
  EXPECT_EQ(job.results[0].losses[0].points, 0u);
  // The host counted, and checked itself.
  EXPECT_EQ(job.results[0].lost_points, 0u);
  EXPECT_EQ(job.results[0].judged.cross_checked, job.results[1].judged.cross_checked);
  EXPECT_EQ(job.results[0].digest, job.results[1].digest);
}

TEST(DeviceSweep, AKernelThatFailsIsTheHosts) {
  Job job = job_over("sigmoid", 0, at(1), 1000, {"fails"});
  std::vector<Job> jobs = {job};
  EngineOptions options;
  options.session.isolate = false;
  const EngineOutcome outcome = run_jobs(jobs, options);
  EXPECT_EQ(outcome.device, "");
  EXPECT_EQ(jobs[0].results[0].lost_points, 1000u);
}

TEST(DeviceSweep, AWrongJudgeIsFoundOut) {
  set_fast_judge_fault(1 + 0x1p-40);
  Job job = job_over("sigmoid", 0, at(-3), kChunkInputs, {"sigmoid"});
  run(job, true);
  set_fast_judge_fault(1);
  EXPECT_GT(job.results[0].judged.disagreements, 0u);
}

}  // namespace
}  // namespace ulpaudit
