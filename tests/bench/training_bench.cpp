// SPDX-License-Identifier: Apache-2.0
// A training step of the binary classifier, batch 256, f32: ours, with each plug-in's kernels in
// its worker, against LibTorch's own loop for the same network; one thread each.
//   cmake --build --preset release --target training_bench
//   build/release/tests/training_bench --benchmark_repetitions=15
//     --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "plugin/loader.hpp"
#include "training/loop.hpp"

namespace ulpaudit {
namespace {

constexpr Shape kShape = {NetworkKind::binary, 20, 1};

LoopChoice choice() {
  LoopChoice c;
  c.shape = kShape;
  c.batch = 256;
  c.seed = 1;
  c.rate = 0.1;
  return c;
}

DataSet data() { return make_data(DataKind::noisy, kShape.features, kShape.labels, 1); }

SessionOptions options() {
  SessionOptions o;
  o.worker = ULPAUDIT_WORKER;
  return o;
}

KernelSet kernels_of(const std::string& plugin, SessionPool& sessions) {
  const std::string path = std::string(ULPAUDIT_PLUGIN_DIR) + "/" + plugin + ".so";
  KernelSet set;
  const auto& kernels = sessions.of(path).info().kernels;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    auto& slot = set[static_cast<std::size_t>(*op_from_name(kernels[i].op))];
    if (!slot) slot = KernelChoice{kernels[i].name, path, i};
  }
  return set;
}

void ours(benchmark::State& state, const std::string& plugin) {
  const LoopChoice c = choice();
  const DataSet d = data();
  SessionPool sessions(options());
  const KernelSet set = kernels_of(plugin, sessions);
  PluginKernels<float> kernels(set, Dtype::f32, sessions);
  const auto network = make_network<float>(c.shape, c.seed);
  const auto weights = network->weights();
  Update<float> update(c, weights.size());
  Ops<float> ops(Path::logits, kernels, nullptr);
  Matrix<float> x, y;
  std::uint64_t step = 0;
  float loss = 0;
  for (auto _ : state) {
    take_batch(d, c, step++, x, y);
    loss = pass(*network, ops, x, y).loss;
    update.step(weights);
  }
  state.counters["loss"] = static_cast<double>(loss);
}

void libtorch(benchmark::State& state) {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  const DataSet d = data();
  const auto tensor = [](const Eigen::MatrixXd& m) {
    return torch::from_blob(const_cast<double*>(m.data()), {m.cols(), m.rows()}, torch::kFloat64)
        .to(torch::kFloat32);
  };
  const torch::Tensor all_x = tensor(d.x), all_y = tensor(d.y);
  torch::nn::Sequential network(torch::nn::Linear(20, 64), torch::nn::ReLU(),
                                torch::nn::Linear(64, 32), torch::nn::ReLU(),
                                torch::nn::Linear(32, 1));
  torch::optim::SGD update(network->parameters(), 0.1);
  float loss = 0;
  for (auto _ : state) {
    const torch::Tensor at = torch::randint(kSamples, {256}, torch::kInt64);
    update.zero_grad();
    const torch::Tensor out = torch::binary_cross_entropy_with_logits(
        network->forward(all_x.index_select(0, at)), all_y.index_select(0, at));
    out.backward();
    update.step();
    loss = out.item<float>();
  }
  state.counters["loss"] = static_cast<double>(loss);
}

BENCHMARK_CAPTURE(ours, stable, "stable")->UseRealTime();
BENCHMARK_CAPTURE(ours, simd, "simd")->UseRealTime();
BENCHMARK(libtorch)->UseRealTime();

}  // namespace
}  // namespace ulpaudit

BENCHMARK_MAIN();
