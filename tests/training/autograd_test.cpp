// With LibTorch at hand: the same weights and data give the same loss and gradients as its
// autograd, for every network.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "training/loop.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kSeed = 5;
constexpr Eigen::Index kBatch = 32;

struct Case {
  Shape shape;
  DataKind data;
};
const Case kCases[] = {{{NetworkKind::binary, 20, 1}, DataKind::noisy},
                       {{NetworkKind::binary, 20, 1}, DataKind::outliers},
                       {{NetworkKind::multilabel, 20, 5}, DataKind::noisy},
                       {{NetworkKind::deep_sigmoid, 10, 1, 3}, DataKind::noisy},
                       {{NetworkKind::deep_sigmoid, 10, 1, 8}, DataKind::noisy},
                       {{NetworkKind::deep_relu, 10, 1, 3}, DataKind::noisy},
                       {{NetworkKind::lstm, 2 * kSequenceLength, 1}, DataKind::adding}};

/// A column-major matrix is its transpose, row by row.
template <class T>
torch::Tensor transposed(const Matrix<T>& m) {
  const auto type = sizeof(T) == 8 ? torch::kFloat64 : torch::kFloat32;
  return torch::from_blob(const_cast<T*>(m.data()), {m.cols(), m.rows()}, type).clone();
}

using Tensors = std::vector<torch::Tensor>;

/// w: weights (transposed) and biases (a row) of each layer in turn.
torch::Tensor feed_forward(const Tensors& w, torch::Tensor a, bool sigmoid) {
  for (std::size_t i = 0; i < w.size(); i += 2) {
    a = torch::mm(a, w[i]) + w[i + 1];
    if (i + 2 < w.size()) a = sigmoid ? torch::sigmoid(a) : torch::relu(a);
  }
  return a;
}

torch::Tensor recurrent(const Tensors& w, const torch::Tensor& x) {
  torch::Tensor h = torch::zeros({x.size(0), kLstmHidden}, x.options()), c = h;
  for (std::int64_t t = 0; t < x.size(1) / kLstmInputs; ++t) {
    const auto now = x.slice(1, t * kLstmInputs, (t + 1) * kLstmInputs);
    const auto z = (torch::mm(now, w[0]) + torch::mm(h, w[1]) + w[2]).chunk(4, 1);
    c = torch::sigmoid(z[1]) * c + torch::sigmoid(z[0]) * torch::tanh(z[3]);
    h = torch::sigmoid(z[2]) * torch::tanh(c);
  }
  return torch::mm(h, w[3]) + w[4];
}

/// The largest difference of the loss or of a gradient, relative to the largest of its matrix.
template <class T>
double off_from_autograd(const Case& k, Dtype d) {
  const auto network = make_network<T>(k.shape, kSeed);
  const DataSet data = make_data(k.data, k.shape.features, k.shape.labels, kSeed);
  LoopChoice c;
  c.batch = kBatch;
  c.seed = kSeed;
  Matrix<T> x, y;
  take_batch(data, c, 0, x, y);
  ExactKernels<T> exact(d);
  Ops<T> ops(Path::logits, exact, nullptr);
  const double loss = static_cast<double>(pass(*network, ops, x, y).loss);
  const std::vector<Weights<T>*> weights = network->weights();
  Tensors w;
  for (const Weights<T>* m : weights) w.push_back(transposed(m->value).set_requires_grad(true));
  const torch::Tensor in = transposed(x), labels = transposed(y);
  const torch::Tensor z = k.shape.kind == NetworkKind::lstm
                              ? recurrent(w, in)
                              : feed_forward(w, in, k.shape.kind == NetworkKind::deep_sigmoid);
  const torch::Tensor theirs = torch::binary_cross_entropy_with_logits(z, labels);
  theirs.backward();
  double worst = std::fabs(theirs.template item<double>() - loss) / loss;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const torch::Tensor g = w[i].grad();
    const double off = (g - transposed(weights[i]->gradient)).abs().max().template item<double>();
    worst = std::max(worst, off / g.abs().max().template item<double>());
  }
  return worst;
}

TEST(Autograd, GivesTheSameLossAndGradientsInF64) {
  for (const Case& k : kCases)
    EXPECT_LE(off_from_autograd<double>(k, Dtype::f64), 1e-12) << name(k.shape.kind);
}

TEST(Autograd, GivesTheSameLossAndGradientsInF32) {
  for (const Case& k : kCases)
    EXPECT_LE(off_from_autograd<float>(k, Dtype::f32), 1e-5) << name(k.shape.kind);
}

TEST(Autograd, SeesAWrongSign) {
  const std::pair<BackwardFault, int> faults[] = {{BackwardFault::dense, 0},
                                                  {BackwardFault::relu, 0},
                                                  {BackwardFault::sigmoid, 3},
                                                  {BackwardFault::lstm, 6}};
  for (const auto& [fault, at] : faults) {
    g_backward_fault = fault;
    EXPECT_GT(off_from_autograd<double>(kCases[at], Dtype::f64), 1e-3) << static_cast<int>(fault);
    g_backward_fault = BackwardFault::none;
  }
}

}  // namespace
}  // namespace ulpaudit
