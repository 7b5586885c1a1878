// The training loop: mini-batches, forwards, backwards, update; and what is seen on the way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "training/data.hpp"
#include "training/networks.hpp"

namespace ulpaudit {

struct LoopChoice {
  Shape shape;
  Path path = Path::logits;
  std::uint64_t steps = 0, batch = 0, seed = 0;
  double rate = 0;
  bool adam = false;  ///< else plain gradient descent
  const std::atomic<bool>* stop = nullptr;
};

struct LoopResult {
  std::vector<double> losses;  ///< of each step's mini-batch, the mean
  std::vector<std::string> names;
  std::vector<double> first_norms, last_norms;  ///< of the gradients
  std::optional<std::uint64_t> bad_step;        ///< the first with a NaN or an infinity
  std::string where;                            ///< it arose
  bool bad_is_nan = false;
  bool finite = true;       ///< are the final weights?
  std::uint64_t moved = 0;  ///< steps until the last that changed a weight
  Lost loss_values, gradients, derivatives;
  std::vector<Eigen::MatrixXd> weights;  ///< final
  bool stopped = false;
  double loss_scale = 0;      ///< at the end; 0: the loss is not scaled
  std::uint64_t skipped = 0;  ///< steps whose scaled gradients overflowed
};

/// The scale of a path `scaled`, as mixed-precision training chooses it (PyTorch's GradScaler):
/// from 2^16 on, halved where a gradient overflows, doubled after 2000 steps without. 1 on other
/// paths.
class LossScale {
 public:
  explicit LossScale(Path p) : on_(p == Path::scaled), scale_(on_ ? 65536 : 1) {}
  bool on() const { return on_; }
  double value() const { return scale_; }
  /// May the step be taken, its gradients being finite or not?
  bool next(bool finite) {
    if (!on_) return true;
    good_ = finite ? good_ + 1 : 0;
    if (!finite) scale_ /= 2;
    if (good_ != 0 && good_ % 2000 == 0) scale_ *= 2;
    return finite;
  }

 private:
  bool on_;
  double scale_;
  std::uint64_t good_ = 0;
};

/// Plain gradient descent, or Adam with the usual 0.9, 0.999 and 1e-8.
template <class T>
class Update {
 public:
  Update(const LoopChoice& c, std::size_t matrices)
      : adam_(c.adam), rate_(T(static_cast<float>(c.rate))), m_(matrices), v_(matrices) {}

  /// Did a weight change?
  bool step(const std::vector<Weights<T>*>& weights) {
    using std::pow;
    using std::sqrt;
    ++t_;
    bool moved = false;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      Weights<T>& w = *weights[i];
      Matrix<T> next;
      if (!adam_) {
        next = w.value - rate_ * w.gradient;
      } else {
        if (m_[i].size() == 0) m_[i] = v_[i] = Matrix<T>::Zero(w.value.rows(), w.value.cols());
        m_[i] = T(0.9) * m_[i] + T(0.1) * w.gradient;
        v_[i] = T(0.999) * v_[i] + T(0.001) * w.gradient.cwiseProduct(w.gradient);
        const T a = T(1) - pow(T(0.9), T(t_)), b = T(1) - pow(T(0.999), T(t_));
        next = w.value - m_[i].binaryExpr(v_[i], [&](const T& m, const T& v) {
          return T(rate_ * (m / a) / (sqrt(T(v / b)) + T(1e-8)));
        });
      }
      moved = moved || next != w.value;
      w.value = next;
    }
    return moved;
  }

 private:
  bool adam_;
  T rate_;
  int t_ = 0;
  std::vector<Matrix<T>> m_, v_;
};

/// The samples of a step, the same for all runs with one seed.
template <class T>
void take_batch(const DataSet& data, const LoopChoice& c, std::uint64_t step, Matrix<T>& x,
                Matrix<T>& y) {
  const auto n = static_cast<std::uint64_t>(data.x.cols());
  const auto batch = static_cast<Eigen::Index>(c.batch);
  x.resize(data.x.rows(), batch);
  y.resize(data.y.rows(), batch);
  for (Eigen::Index i = 0; i < batch; ++i) {
    const std::uint64_t word =
        random_word(c.seed ^ 0x6f72646572u, step * c.batch + static_cast<std::uint64_t>(i));
    const auto at = static_cast<Eigen::Index>(word % n);
    x.col(i) = data.x.col(at).cast<T>();
    y.col(i) = data.y.col(at).cast<T>();
  }
}

/// Loss and gradients of one mini-batch; the gradients of the weights are `scale` times too large.
template <class T>
struct Pass {
  Matrix<T> losses, dz;
  T loss{};
};
template <class T>
Pass<T> pass(Network<T>& network, Ops<T>& ops, const Matrix<T>& x, const Matrix<T>& y,
             double scale = 1) {
  Pass<T> p;
  const Matrix<T> z = network.forward(x, ops);
  ops.loss(z, y, p.losses, p.dz);
  const T count = T(static_cast<int>(z.size()));
  p.loss = p.losses.sum() / count;
  Matrix<T> d = p.dz / count;
  if (scale != 1) d *= T(scale);
  network.backward(ops.flowing(std::move(d)), ops);
  for (Weights<T>* w : network.weights()) w->gradient = ops.flowing(std::move(w->gradient));
  return p;
}

/// The gradients as they were without a scale; are all finite?
template <class T>
bool unscale(const std::vector<Weights<T>*>& weights, double scale) {
  bool finite = true;
  for (Weights<T>* w : weights) {
    w->gradient /= T(scale);
    finite = finite && w->gradient.allFinite();
  }
  return finite;
}

/// `exact` counts what the kernels lose; may be null.
template <class T>
LoopResult train(const LoopChoice& c, const DataSet& data, Kernels<T>& kernels, Kernels<T>* exact) {
  LoopResult r;
  const auto network = make_network<T>(c.shape, c.seed);
  const std::vector<Weights<T>*> weights = network->weights();
  Update<T> update(c, weights.size());
  Ops<T> ops(c.path, kernels, exact);
  LossScale scale(c.path);
  const auto bad = [&](const Matrix<T>& m, std::uint64_t step, const std::string& where) {
    if (m.allFinite()) return;
    r.finite = r.finite && where.rfind("weights", 0) != 0;
    if (r.bad_step) return;
    r.bad_step = step;
    r.where = where;
    r.bad_is_nan = m.hasNaN();
  };
  Matrix<T> x, y;
  for (std::uint64_t step = 0; step < c.steps && r.finite; ++step) {
    if (c.stop != nullptr && *c.stop) {
      r.stopped = true;
      break;
    }
    take_batch(data, c, step, x, y);
    ops.count_derivatives(step % 5 == 0);
    const Pass<T> p = pass(*network, ops, x, y, scale.value());
    r.losses.push_back(static_cast<double>(p.loss));
    bad(p.losses, step, "the loss");
    bad(p.dz, step, "the gradient of the loss");
    if (scale.on() && !scale.next(unscale(weights, scale.value()))) {
      ++r.skipped;
      continue;
    }
    r.last_norms.clear();
    for (const Weights<T>* w : weights)
      r.last_norms.push_back(w->gradient.template cast<double>().norm());
    if (r.first_norms.empty()) r.first_norms = r.last_norms;
    for (std::size_t i = weights.size(); i-- > 0;)
      bad(weights[i]->gradient, step, "the gradient of " + weights[i]->name);
    if (update.step(weights)) r.moved = step + 1;
    for (const Weights<T>* w : weights) bad(w->value, step, "weights of " + w->name);
  }
  for (const Weights<T>* w : weights) {
    r.names.push_back(w->name);
    r.weights.push_back(w->value.template cast<double>());
  }
  if (scale.on()) r.loss_scale = scale.value();
  r.first_norms.resize(weights.size());  // where each step was skipped
  r.last_norms.resize(weights.size());
  r.loss_values = ops.loss_values;
  r.gradients = ops.gradients;
  r.derivatives = ops.derivatives;
  return r;
}

/// The network with the final weights of a run.
std::unique_ptr<Network<double>> trained_network(const LoopChoice& c, const LoopResult& r);

// Compiled once, in loop.cpp, for the weights' types of training runs.
#define ULPAUDIT_LOOP_OF(EXTERN, T)                                                                \
  EXTERN template std::unique_ptr<Network<T>> make_network<T>(const Shape&, std::uint64_t);        \
  EXTERN template class Recurrent<T>;                                                              \
  EXTERN template void take_batch<T>(const DataSet&, const LoopChoice&, std::uint64_t, Matrix<T>&, \
                                     Matrix<T>&);                                                  \
  EXTERN template Pass<T> pass<T>(Network<T>&, Ops<T>&, const Matrix<T>&, const Matrix<T>&,        \
                                  double);                                                         \
  EXTERN template LoopResult train<T>(const LoopChoice&, const DataSet&, Kernels<T>&, Kernels<T>*);
ULPAUDIT_LOOP_OF(extern, float)
ULPAUDIT_LOOP_OF(extern, double)

}  // namespace ulpaudit
