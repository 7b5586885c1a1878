// What the networks are made of, each layer with its backward formula.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>

#include <cmath>
#include <string>
#include <utility>

#include "inputs/plan.hpp"
#include "training/paths.hpp"

namespace ulpaudit {

/// Tests only: the sign of one backward formula is flipped, to see that being found.
enum class BackwardFault : std::uint8_t { none, dense, relu, sigmoid, lstm };
inline BackwardFault g_backward_fault = BackwardFault::none;
template <class T>
T sign_of(BackwardFault f) {
  return g_backward_fault == f ? T(-1) : T(1);
}

/// A matrix of weights, or a column of biases, with the gradient of the loss by it.
template <class T>
struct Weights {
  std::string name;
  Matrix<T> value, gradient;
};

/// Initial weights, the same for all runs with one seed: numbers of f32.
class Initial {
 public:
  explicit Initial(std::uint64_t seed) : seed_(seed) {}
  /// Uniform in ±sqrt(6/(inputs+outputs)) (Glorot).
  template <class T>
  Matrix<T> matrix(int outputs, int inputs) {
    const double most = std::sqrt(6.0 / (inputs + outputs));
    Matrix<T> m(outputs, inputs);
    for (Eigen::Index i = 0; i < m.size(); ++i)
      m.data()[i] = T(static_cast<float>(most * (2 * unit() - 1)));
    return m;
  }

 private:
  double unit() { return static_cast<double>(random_word(seed_, at_++) >> 11) * 0x1p-53; }
  std::uint64_t seed_, at_ = 0;
};

/// z = W x + b.
template <class T>
class Dense {
 public:
  Dense(const std::string& name, int inputs, int outputs, Initial& initial)
      : w{name, initial.matrix<T>(outputs, inputs), {}},
        b{name + " bias", Matrix<T>::Zero(outputs, 1), {}} {}
  Matrix<T> forward(const Matrix<T>& x) {
    x_ = x;
    Matrix<T> z = w.value * x;
    z.colwise() += b.value.col(0);
    return z;
  }
  void backward(const Matrix<T>& dz) {
    w.gradient = sign_of<T>(BackwardFault::dense) * (dz * x_.transpose());
    b.gradient = dz.rowwise().sum();
  }
  /// dL/dx.
  Matrix<T> input_gradient(const Matrix<T>& dz) const { return w.value.transpose() * dz; }

  Weights<T> w, b;

 private:
  Matrix<T> x_;
};

template <class T>
class Relu {
 public:
  Matrix<T> forward(const Matrix<T>& z) {
    z_ = z;
    return z.cwiseMax(T(0));
  }
  Matrix<T> backward(const Matrix<T>& da) const {
    const T sign = sign_of<T>(BackwardFault::relu);
    return da.binaryExpr(z_, [&](const T& d, const T& z) { return z > T(0) ? T(sign * d) : T(0); });
  }

 private:
  Matrix<T> z_;
};

template <class T>
class SigmoidLayer {
 public:
  Matrix<T> forward(const Matrix<T>& z, Ops<T>& ops) {
    z_ = z;
    s_ = ops.sigmoid(z);
    return s_;
  }
  Matrix<T> backward(const Matrix<T>& da, Ops<T>& ops) const {
    return sign_of<T>(BackwardFault::sigmoid) * da.cwiseProduct(ops.sigmoid_grad(z_, s_));
  }

 private:
  Matrix<T> z_, s_;
};

/// An LSTM over all steps of a sequence; the gates are sigmoids, the candidate and the output tanh.
/// Rows of z: input, forget and output gate, then the candidate.
template <class T>
class LstmCell {
 public:
  LstmCell(int inputs, int hidden, T forget_bias, Initial& initial)
      : wx{"lstm input", initial.matrix<T>(4 * hidden, inputs), {}},
        wh{"lstm recurrent", initial.matrix<T>(4 * hidden, hidden), {}},
        b{"lstm bias", Matrix<T>::Zero(4 * hidden, 1), {}},
        hidden_(hidden) {
    b.value.col(0).segment(hidden, hidden).setConstant(forget_bias);
  }

  /// The last hidden state. Row block t of x (`inputs` rows) is what step t sees.
  Matrix<T> forward(const Matrix<T>& x, Ops<T>& ops) {
    const Eigen::Index n = x.cols(), inputs = wx.value.cols();
    steps_.resize(static_cast<std::size_t>(x.rows() / inputs));
    Matrix<T> h = Matrix<T>::Zero(hidden_, n), c = h;
    for (std::size_t t = 0; t < steps_.size(); ++t) {
      Step& s = steps_[t];
      s.x = x.middleRows(static_cast<Eigen::Index>(t) * inputs, inputs);
      s.h = h;
      s.c = c;
      Matrix<T> z = wx.value * s.x + wh.value * h;
      z.colwise() += b.value.col(0);
      s.gate_z = z.topRows(3 * hidden_);
      s.gate = ops.sigmoid(s.gate_z);
      s.candidate = z.bottomRows(hidden_).unaryExpr([](const T& v) { return hyperbolic(v); });
      c = forget(s).cwiseProduct(c) + input(s).cwiseProduct(s.candidate);
      s.squashed = c.unaryExpr([](const T& v) { return hyperbolic(v); });
      h = output(s).cwiseProduct(s.squashed);
    }
    return h;
  }

  /// Through all steps; `norms` receives |dL/dh| before each step, the first step first.
  void backward(const Matrix<T>& dh_last, Ops<T>& ops, std::vector<T>* norms) {
    wx.gradient = Matrix<T>::Zero(wx.value.rows(), wx.value.cols());
    wh.gradient = Matrix<T>::Zero(wh.value.rows(), wh.value.cols());
    b.gradient = Matrix<T>::Zero(b.value.rows(), 1);
    Matrix<T> dh = dh_last, dc = Matrix<T>::Zero(dh.rows(), dh.cols());
    if (norms != nullptr) norms->assign(steps_.size(), T(0));
    const auto slope = [](const T& v) { return T(T(1) - v * v); };  // of tanh
    // Of all gates in one call: a call takes longer than its few hundred results.
    const Eigen::Index n = dh.cols(), count = static_cast<Eigen::Index>(steps_.size());
    Matrix<T> gate_z(3 * hidden_, n * count), gate(3 * hidden_, n * count);
    for (Eigen::Index t = 0; t < count; ++t) {
      gate_z.middleCols(t * n, n) = steps_[static_cast<std::size_t>(t)].gate_z;
      gate.middleCols(t * n, n) = steps_[static_cast<std::size_t>(t)].gate;
    }
    const Matrix<T> gate_slopes = ops.sigmoid_grad(gate_z, gate);
    for (std::size_t t = steps_.size(); t-- > 0;) {
      const Step& s = steps_[t];
      dc += dh.cwiseProduct(output(s)).cwiseProduct(s.squashed.unaryExpr(slope));
      const auto gate_slope = gate_slopes.middleCols(static_cast<Eigen::Index>(t) * n, n);
      Matrix<T> dz(4 * hidden_, dh.cols());
      dz.topRows(hidden_) = dc.cwiseProduct(s.candidate);
      dz.middleRows(hidden_, hidden_) = sign_of<T>(BackwardFault::lstm) * dc.cwiseProduct(s.c);
      dz.middleRows(2 * hidden_, hidden_) = dh.cwiseProduct(s.squashed);
      dz.topRows(3 * hidden_) = dz.topRows(3 * hidden_).cwiseProduct(gate_slope).eval();
      dz.bottomRows(hidden_) = dc.cwiseProduct(input(s)).cwiseProduct(s.candidate.unaryExpr(slope));
      dz = ops.flowing(std::move(dz));
      wx.gradient += dz * s.x.transpose();
      wh.gradient += dz * s.h.transpose();
      b.gradient += dz.rowwise().sum();
      dh = ops.flowing(wh.value.transpose() * dz);
      dc = ops.flowing(dc.cwiseProduct(forget(s)));
      using std::sqrt;
      if (norms != nullptr) (*norms)[t] = sqrt(T(dh.squaredNorm() + dc.squaredNorm()));
    }
  }

  Weights<T> wx, wh, b;

 private:
  struct Step {
    Matrix<T> x, h, c, gate_z, gate, candidate, squashed;
  };
  static T hyperbolic(const T& v) {
    using std::tanh;
    return tanh(v);
  }
  auto input(const Step& s) const { return s.gate.topRows(hidden_); }
  auto forget(const Step& s) const { return s.gate.middleRows(hidden_, hidden_); }
  auto output(const Step& s) const { return s.gate.bottomRows(hidden_); }

  Eigen::Index hidden_;
  std::vector<Step> steps_;
};

}  // namespace ulpaudit
