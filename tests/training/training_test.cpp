// Training runs: what is the same as the reference, what is called differently, and that threads
// change nothing.
// SPDX-License-Identifier: Apache-2.0
#include "training/training.hpp"

#include <gtest/gtest.h>

#include "inputs/plan.hpp"
#include "record/json.hpp"
#include "training/csv.hpp"
#include "training/loop.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

SessionOptions session_options() {
  SessionOptions o;
  o.worker = std::string(ULPAUDIT_BIN_DIR) + "/ulpaudit-worker";
  return o;
}

/// The first kernel of each op.
KernelSet kernels_of(const std::string& plugin) {
  const std::string path = std::string(ULPAUDIT_PLUGIN_DIR) + "/" + plugin + ".so";
  const auto session = open_session(path, session_options());
  KernelSet set;
  for (std::size_t i = 0; i < session->info().kernels.size(); ++i) {
    const KernelInfo& k = session->info().kernels[i];
    auto& slot = set[static_cast<std::size_t>(*op_from_name(k.op))];
    if (!slot) slot = KernelChoice{plugin + "/" + k.name, path, i};
  }
  return set;
}

TrainingRun run_of(NetworkKind n, DataKind d, Path p, Dtype t, const std::string& plugin) {
  TrainingRun r{n, d, p, t, plugin, {}};
  if (plugin != kExactKernels) r.kernels = kernels_of(plugin);
  return r;
}

std::vector<Training> trained(const std::vector<TrainingRun>& runs, std::uint64_t steps,
                              int threads = 1) {
  TrainingChoice c;
  c.steps = steps;
  c.threads = threads;
  return run_training(runs, c, session_options());
}

TEST(Exact, TakesTheJudgesValues) {
  ExactKernels<double> exact(Dtype::f64);
  const double z[] = {-800, -30, -1, -0.0, 0, 1e-300, 2, 40, 1e300, INFINITY, NAN};
  const double y[] = {0, 1, 0.25, 0, 0.5, 1, 0, 1, 0, 1, 0};
  constexpr std::size_t n = std::size(z);
  for (const OpId op : {kSigmoid, kSigmoidGrad, kBce, kBceGrad}) {
    double out[n];
    exact.run(op, z, y, out, n);
    for (std::size_t i = 0; i < n; ++i) {
      const double label = info(op).arity == 2 ? y[i] : 0;
      const Bits want =
          final_judge(op, Dtype::f64, encode(Dtype::f64, z[i]), encode(Dtype::f64, label)).rounded;
      if (is_nan(Dtype::f64, want))
        EXPECT_TRUE(std::isnan(out[i]));
      else
        EXPECT_EQ(encode(Dtype::f64, out[i]), want) << info(op).name << ' ' << z[i];
    }
  }
}

TEST(Exact, F32IsTheFinalJudgesRounding) {
  constexpr std::uint64_t kSeed = 7, kPoints = 3000;
  ExactKernels<float> exact(Dtype::f32);
  std::vector<float> z, y, out(kPoints);
  for (std::uint64_t i = 0; i < kPoints; ++i) {
    const Bits any = random_word(kSeed, i) & format(Dtype::f32).mask();
    // Half of them where the ops vary; results around 2^-149 among them.
    z.push_back(i % 2 == 0 ? static_cast<float>(decode(Dtype::f32, any))
                           : static_cast<float>(static_cast<double>(any) * 0x1p-32 * 210 - 105));
    y.push_back(static_cast<float>(i % 5) / 4);
  }
  for (const OpId op : {kSigmoid, kSigmoidGrad, kBce, kBceGrad}) {
    exact.run(op, z.data(), y.data(), out.data(), kPoints);
    for (std::size_t i = 0; i < kPoints; ++i) {
      const auto bits = [](float v) { return encode(Dtype::f32, static_cast<double>(v)); };
      const Bits label = info(op).arity == 2 ? bits(y[i]) : 0;
      const Bits want = final_judge(op, Dtype::f32, bits(z[i]), label).rounded;
      if (is_nan(Dtype::f32, want))
        ASSERT_TRUE(std::isnan(out[i]));
      else
        ASSERT_EQ(bits(out[i]), want) << info(op).name << " at " << z[i] << ", " << y[i];
    }
  }
}

TEST(Training, ExactKernelsInF64AreTheReference) {
  const auto rows = trained(
      {run_of(NetworkKind::binary, DataKind::noisy, Path::logits, Dtype::f64, kExactKernels)}, 40);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].outcome, "as_reference");
  EXPECT_EQ(rows[0].weights_distance, 0);
  EXPECT_EQ(rows[0].drift, 0);
  EXPECT_EQ(rows[0].gradients.digits, 0u);
  EXPECT_EQ(rows[0].gradients.results, 40u * rows[0].batch);
  EXPECT_LT(rows[0].curve.back().loss, rows[0].curve.front().loss);
}

TEST(Training, ThreadsLeaveNoTrace) {
  std::vector<TrainingRun> runs;
  for (const NetworkKind n : kNetworks)
    runs.push_back(run_of(n, n == NetworkKind::lstm ? DataKind::adding : DataKind::noisy,
                          Path::logits, n == NetworkKind::binary ? Dtype::bf16 : Dtype::f32,
                          "stable"));
  Report one, two;
  one.training = trained(runs, 4, 1);
  two.training = trained(runs, 4, 2);
  EXPECT_EQ(one.training.size(), 2 * runs.size());
  EXPECT_EQ(to_json(one), to_json(two));
}

TEST(Training, BceOfARoundedProbabilityEndsInNan) {
  const auto rows = trained(
      {run_of(NetworkKind::binary, DataKind::outliers, Path::probability, Dtype::f32, "naive")},
      300);
  ASSERT_EQ(rows.size(), 2u);
  for (const Training& t : rows) {  // with exact kernels too: the path is at fault
    EXPECT_EQ(t.outcome, "nan") << t.implementation;
    EXPECT_TRUE(t.outcome_step);
  }
}

TEST(Training, SmallGradientsOfF16NeedALossScale) {
  // 10 sigmoid layers: the first layers' gradients lie below the smallest f16.
  TrainingChoice c;
  c.steps = 20;
  c.depth = 10;
  const auto rows = run_training(
      {run_of(NetworkKind::deep_sigmoid, DataKind::noisy, Path::mixed, Dtype::f16, kExactKernels),
       run_of(NetworkKind::deep_sigmoid, DataKind::noisy, Path::scaled, Dtype::f16, kExactKernels)},
      c, session_options());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].layers[0].first, 0);
  EXPECT_EQ(rows[0].loss_scale, 0);
  EXPECT_GT(rows[1].layers[0].first, 0);
  EXPECT_GE(rows[1].loss_scale, 1);
  EXPECT_GT(rows[0].layers[0].reference_first, 0);
}

TEST(Training, AScaleThatOverflowsIsHalved) {
  const auto rows = trained(
      {run_of(NetworkKind::binary, DataKind::outliers, Path::scaled, Dtype::f16, kExactKernels)},
      300);
  EXPECT_GT(rows[0].skipped_steps, 0u);
  EXPECT_LT(rows[0].loss_scale, 65536);
  EXPECT_NE(rows[0].outcome, "nan");
}

TEST(Training, LossesSayFromWhichLogitOn) {
  const auto rows = trained(
      {run_of(NetworkKind::binary, DataKind::outliers, Path::clipped, Dtype::f32, "naive")}, 300);
  const Training& t = rows[1];
  ASSERT_GT(t.gradients.digits, 0u);
  ASSERT_TRUE(t.gradients.digits_from && t.gradients.zero_from);
  EXPECT_LE(*t.gradients.digits_from, *t.gradients.zero_from);
  EXPECT_GT(*t.gradients.digits_from, 8);  // 1-s has half of its digits left
  EXPECT_GT(*t.gradients.zero_from, 16);   // s is clipped at 1e-7 from the ends
}

TEST(Training, AMissingOpIsSaidAndTakenFromTheReference) {
  TrainingRun run = run_of(NetworkKind::binary, DataKind::noisy, Path::logits, Dtype::f32, "naive");
  run.kernels[static_cast<std::size_t>(kBceGrad)].reset();
  const auto rows = trained({run}, 3);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].missing, std::vector<std::string>{"bce_with_logits_grad"});
  EXPECT_NE(rows[1].verdict.find("(exact values for bce_with_logits_grad)"), std::string::npos);
  EXPECT_EQ(rows[1].weights_distance, rows[0].weights_distance);  // the loss alone is naive's
}

TEST(Training, AKernelThatCannotRunIsAFailure) {
  TrainingRun run = run_of(NetworkKind::binary, DataKind::noisy, Path::logits, Dtype::f32, "naive");
  run.kernels[static_cast<std::size_t>(kBce)]->plugin_path = "/nowhere.so";
  const auto rows = trained({run}, 3);
  EXPECT_EQ(rows[1].outcome, "failed");
  EXPECT_NE(rows[1].failure.find("/nowhere.so"), std::string::npos);
}

TEST(Record, SurvivesJson) {
  Report r;
  r.training = trained(
      {run_of(NetworkKind::binary, DataKind::outliers, Path::probability, Dtype::bf16, "naive")},
      30);
  EXPECT_EQ(to_json(from_json(to_json(r))), to_json(r));
}

TEST(Data, BreastCancerIsThere) {
  const DataSet d = breast_cancer();
  EXPECT_EQ(d.x.rows(), 30);
  EXPECT_EQ(d.x.cols() + d.test_x.cols(), 569);
  EXPECT_EQ(d.y.sum() + d.test_y.sum(), 357);  // benign, as its description says
  EXPECT_EQ(d.x.cast<float>().cast<double>(), d.x);
}

TEST(Data, IsOfF32AndHasBothLabels) {
  for (const DataKind k : kDataKinds) {
    if (k == DataKind::breast_cancer) continue;  // not generated
    const DataSet d = make_data(k, 20, 3, 5);
    EXPECT_EQ(d.x.cols(), kSamples);
    EXPECT_EQ(d.test_x.cols(), kSamples);
    EXPECT_EQ(d.x.cast<float>().cast<double>(), d.x);
    const double ones = d.y.mean();
    EXPECT_GT(ones, 0.01) << name(k);
    EXPECT_LT(ones, 0.99) << name(k);
  }
}

}  // namespace
}  // namespace ulpaudit
