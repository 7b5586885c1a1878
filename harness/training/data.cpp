// Generators of training data.
// SPDX-License-Identifier: Apache-2.0
#include "training/data.hpp"

#include <cmath>

#include "inputs/plan.hpp"

namespace ulpaudit {
namespace {

/// A stream of random numbers, each rounded to f32.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : seed_(seed) {}
  double unit() {  // in (0, 1)
    return (static_cast<double>(random_word(seed_, at_++) >> 12) + 0.5) * 0x1p-52;
  }
  double normal() {  // Box and Muller
    const double a = unit(), b = unit();
    return std::sqrt(-2 * std::log(a)) * std::cos(2 * M_PI * b);
  }
  std::uint64_t word() { return random_word(seed_, at_++); }

 private:
  std::uint64_t seed_, at_ = 0;
};

double to_f32(double v) { return static_cast<float>(v); }

void split(Eigen::MatrixXd x, Eigen::MatrixXd y, DataSet& out) {
  const Eigen::Index half = x.cols() / 2;
  out.x = x.leftCols(half);
  out.y = y.leftCols(half);
  out.test_x = x.rightCols(x.cols() - half);
  out.test_y = y.rightCols(y.cols() - half);
}

void sequences(Stream& random, Eigen::MatrixXd& x, Eigen::MatrixXd& y) {
  x = Eigen::MatrixXd::Zero(2 * kSequenceLength, 2 * kSamples);
  y.resize(1, 2 * kSamples);
  for (Eigen::Index i = 0; i < x.cols(); ++i) {
    for (int t = 0; t < kSequenceLength; ++t) x(2 * t, i) = to_f32(random.unit());
    const auto half = static_cast<std::uint64_t>(kSequenceLength / 2);
    const auto a = static_cast<Eigen::Index>(random.word() % half);
    const auto b = static_cast<Eigen::Index>(half + random.word() % half);
    x(2 * a + 1, i) = x(2 * b + 1, i) = 1;
    y(0, i) = x(2 * a, i) + x(2 * b, i) > 1 ? 1 : 0;
  }
}

}  // namespace

DataSet make_data(DataKind kind, int features, int labels, std::uint64_t seed) {
  Stream random(seed ^ 0x64617461u);  // "data": another stream than the weights'
  DataSet out;
  out.name = name(kind);
  Eigen::MatrixXd x, y;
  if (kind == DataKind::adding) {
    sequences(random, x, y);
    split(x, y, out);
    return out;
  }
  Eigen::MatrixXd direction(labels, features);
  for (Eigen::Index i = 0; i < direction.size(); ++i) direction.data()[i] = random.normal();
  direction.rowwise().normalize();
  x.resize(features, 2 * kSamples);
  y.resize(labels, 2 * kSamples);
  for (Eigen::Index i = 0; i < x.cols(); ++i) {
    for (Eigen::Index f = 0; f < features; ++f) x(f, i) = random.normal();
    if (kind == DataKind::separable) {  // away from the first label's border
      const double score = direction.row(0).dot(x.col(i));
      x.col(i) += (score > 0 ? 0.5 : -0.5) * direction.row(0).transpose();
    }
    const double blur = kind == DataKind::separable ? 0 : 0.5;
    const double border = kind == DataKind::imbalanced ? 1.8 : 0;
    for (Eigen::Index l = 0; l < labels; ++l)
      y(l, i) = direction.row(l).dot(x.col(i)) + blur * random.normal() > border ? 1 : 0;
    if (kind == DataKind::outliers && i % 50 == 7) x.col(i) *= 40;
    x.col(i) = x.col(i).unaryExpr(&to_f32);
  }
  split(x, y, out);
  return out;
}

}  // namespace ulpaudit
