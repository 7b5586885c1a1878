// The networks' loss and gradients: every gradient against 50 digits, and 50 digits against central
// differences, which know no backward formula; a formula with a wrong sign is found.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/multiprecision/eigen.hpp>
#include <boost/multiprecision/mpfr.hpp>
#include <ostream>

#include "ops/list.hpp"
#include "training/loop.hpp"

namespace ulpaudit {
namespace {

namespace mp = boost::multiprecision;
using Fifty = mp::number<mp::mpfr_float_backend<50>, mp::et_off>;

/// The formulas that truth uses, in 50 digits.
class FiftyKernels final : public Kernels<Fifty> {
 public:
  Dtype dtype() const override { return Dtype::f64; }
  void run(OpId op, const Fifty* z, const Fifty* y, Fifty* out, std::size_t n) override {
    AllOps::visit(op, [&](auto o) {
      for (std::size_t i = 0; i < n; ++i)
        out[i] = o.template value<Fifty>(z[i], y != nullptr ? y[i] : Fifty(0));
    });
  }
};

struct Case {
  Shape shape;
  DataKind data;
  Path path;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << name(c.shape.kind) << ' ' << name(c.path);
}

const Case kCases[] = {
    {{NetworkKind::binary, 20, 1}, DataKind::noisy, Path::logits},
    {{NetworkKind::binary, 20, 1}, DataKind::noisy, Path::probability},
    {{NetworkKind::binary, 20, 1}, DataKind::noisy, Path::clipped},
    {{NetworkKind::multilabel, 20, 5}, DataKind::noisy, Path::logits},
    {{NetworkKind::deep_sigmoid, 10, 1, 3}, DataKind::noisy, Path::logits},
    {{NetworkKind::deep_sigmoid, 10, 1, 3}, DataKind::noisy, Path::saved},
    {{NetworkKind::deep_relu, 10, 1, 3}, DataKind::noisy, Path::logits},
    {{NetworkKind::lstm, 2 * kSequenceLength, 1}, DataKind::adding, Path::logits},
    {{NetworkKind::lstm, 2 * kSequenceLength, 1}, DataKind::adding, Path::saved},
};

/// A network with one mini-batch of three samples.
template <class T>
class Bench {
 public:
  Bench(const Case& c, Kernels<T>& kernels)
      : network_(make_network<T>(c.shape, kSeed)), ops_(c.path, kernels, nullptr) {
    LoopChoice choice;
    choice.batch = 3;
    choice.seed = kSeed;
    const DataSet data = make_data(c.data, c.shape.features, c.shape.labels, kSeed);
    take_batch(data, choice, 0, x_, y_);
  }
  T loss() { return pass(*network_, ops_, x_, y_).loss; }
  std::vector<Weights<T>*> weights() { return network_->weights(); }

 private:
  static constexpr std::uint64_t kSeed = 11;
  std::unique_ptr<Network<T>> network_;
  Ops<T> ops_;
  Matrix<T> x_, y_;
};

class Gradients : public testing::TestWithParam<Case> {
 protected:
  ~Gradients() override { g_backward_fault = BackwardFault::none; }
};
INSTANTIATE_TEST_SUITE_P(All, Gradients, testing::ValuesIn(kCases), [](const auto& i) {
  return std::string(name(i.param.shape.kind)) + "_" + std::string(name(i.param.path));
});

/// The largest difference between central differences and the backward formulas, relative to the
/// largest gradient of its matrix; of some weights in each matrix.
double off_from_differences(const Case& c) {
  FiftyKernels kernels;
  Bench<Fifty> bench(c, kernels);
  bench.loss();
  std::vector<Matrix<Fifty>> gradients;
  for (const auto* w : bench.weights()) gradients.push_back(w->gradient);
  const Fifty h("1e-18");  // leaves an error of about 1e-36, and 1e-32 of rounding
  double worst = 0;
  const auto weights = bench.weights();
  for (std::size_t m = 0; m < weights.size(); ++m) {
    Matrix<Fifty>& value = weights[m]->value;
    Fifty largest = 0;
    for (Eigen::Index i = 0; i < value.size(); ++i)
      largest = std::max(largest, Fifty(abs(gradients[m].data()[i])));
    for (int k = 0; k < 5; ++k) {
      const auto i = static_cast<Eigen::Index>(random_word(m, static_cast<std::uint64_t>(k)) %
                                               static_cast<std::uint64_t>(value.size()));
      const Fifty at = value.data()[i];
      value.data()[i] = at + h;
      const Fifty up = bench.loss();
      value.data()[i] = at - h;
      const Fifty down = bench.loss();
      value.data()[i] = at;
      const Fifty off = abs(Fifty((up - down) / (2 * h) - gradients[m].data()[i])) / largest;
      worst = std::max(worst, static_cast<double>(off));
    }
  }
  return worst;
}

TEST_P(Gradients, AreThoseOfCentralDifferences) {
  // The clip's bounds are those of f64 in 50 digits too, and no sample lies on them.
  EXPECT_LT(off_from_differences(GetParam()), 1e-25);
}

TEST_P(Gradients, InF64AreThoseIn50Digits) {
  FiftyKernels fifty;
  ExactKernels<double> exact(Dtype::f64);
  Bench<Fifty> good(GetParam(), fifty);
  Bench<double> own(GetParam(), exact);
  const Fifty true_loss = good.loss();
  EXPECT_NEAR(own.loss() / static_cast<double>(true_loss), 1, 1e-14);
  const auto a = own.weights();
  const auto b = good.weights();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t m = 0; m < a.size(); ++m) {
    double off = 0, largest = 0;
    for (Eigen::Index i = 0; i < a[m]->gradient.size(); ++i) {
      const double t = static_cast<double>(b[m]->gradient.data()[i]);
      off = std::max(off, std::fabs(a[m]->gradient.data()[i] - t));
      largest = std::max(largest, std::fabs(t));
    }
    EXPECT_GT(largest, 0) << a[m]->name;
    EXPECT_LE(off, 1e-12 * largest) << a[m]->name;
  }
}

TEST(Faults, AWrongSignInABackwardFormulaIsFound) {
  const std::pair<BackwardFault, Case> faults[] = {{BackwardFault::dense, kCases[0]},
                                                   {BackwardFault::relu, kCases[0]},
                                                   {BackwardFault::sigmoid, kCases[4]},
                                                   {BackwardFault::lstm, kCases[7]}};
  for (const auto& [fault, c] : faults) {
    g_backward_fault = fault;
    EXPECT_GT(off_from_differences(c), 1e-3) << static_cast<int>(fault);
    g_backward_fault = BackwardFault::none;
  }
}

}  // namespace
}  // namespace ulpaudit
