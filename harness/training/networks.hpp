// The networks: how layers follow each other, forwards and backwards.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "training/kinds.hpp"
#include "training/layers.hpp"

namespace ulpaudit {

struct Shape {
  NetworkKind kind{};
  int features = 0, labels = 1;
  int depth = 3;  ///< hidden layers of the deep nets
};

/// Raw logits come out; the last sigmoid is part of the loss.
template <class T>
class Network {
 public:
  virtual ~Network() = default;
  virtual Matrix<T> forward(const Matrix<T>& x, Ops<T>& ops) = 0;
  /// Sets the gradients of all weights, given dL/dz of the logits of the last forward.
  virtual void backward(const Matrix<T>& dz, Ops<T>& ops) = 0;
  /// The first layer's first.
  virtual std::vector<Weights<T>*> weights() = 0;
};

/// Dense layers with ReLU or sigmoid between them.
template <class T>
class FeedForward final : public Network<T> {
 public:
  FeedForward(const std::vector<int>& sizes, bool sigmoid, Initial& initial) : sigmoid_(sigmoid) {
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
      dense_.emplace_back("layer " + std::to_string(i + 1), sizes[i], sizes[i + 1], initial);
    relus_.resize(dense_.size() - 1);
    sigmoids_.resize(dense_.size() - 1);
  }
  Matrix<T> forward(const Matrix<T>& x, Ops<T>& ops) override {
    Matrix<T> a = x;
    for (std::size_t i = 0; i + 1 < dense_.size(); ++i) {
      a = dense_[i].forward(a);
      a = sigmoid_ ? sigmoids_[i].forward(a, ops) : relus_[i].forward(a);
    }
    return dense_.back().forward(a);
  }
  void backward(const Matrix<T>& dz, Ops<T>& ops) override {
    Matrix<T> d = dz;
    for (std::size_t i = dense_.size(); i-- > 0;) {
      dense_[i].backward(d);
      if (i == 0) break;
      const Matrix<T> da = ops.flowing(dense_[i].input_gradient(d));
      d = ops.flowing(sigmoid_ ? sigmoids_[i - 1].backward(da, ops) : relus_[i - 1].backward(da));
    }
  }
  std::vector<Weights<T>*> weights() override {
    std::vector<Weights<T>*> out;
    for (Dense<T>& layer : dense_) {
      out.push_back(&layer.w);
      out.push_back(&layer.b);
    }
    return out;
  }

 private:
  bool sigmoid_;
  std::vector<Dense<T>> dense_;
  std::vector<Relu<T>> relus_;
  std::vector<SigmoidLayer<T>> sigmoids_;
};

/// The logit is a linear function of the LSTM's last hidden state.
template <class T>
class Recurrent final : public Network<T> {
 public:
  Recurrent(int inputs, int hidden, T forget_bias, Initial& initial)
      : cell_(inputs, hidden, forget_bias, initial), out_("output", hidden, 1, initial) {}
  Matrix<T> forward(const Matrix<T>& x, Ops<T>& ops) override {
    return out_.forward(cell_.forward(x, ops));
  }
  void backward(const Matrix<T>& dz, Ops<T>& ops) override {
    out_.backward(dz);
    cell_.backward(ops.flowing(out_.input_gradient(dz)), ops, &step_norms_);
  }
  std::vector<Weights<T>*> weights() override {
    return {&cell_.wx, &cell_.wh, &cell_.b, &out_.w, &out_.b};
  }
  /// |dL/d(h, c)| before each step of the sequence, at the last backward.
  const std::vector<T>& step_norms() const { return step_norms_; }

 private:
  LstmCell<T> cell_;
  Dense<T> out_;
  std::vector<T> step_norms_;
};

inline constexpr int kLstmInputs = 2, kLstmHidden = 16;

/// Of the dense layers of a net that is not recurrent: what goes in, …, what comes out.
inline std::vector<int> layer_sizes(const Shape& s) {
  if (s.kind == NetworkKind::binary) return {s.features, 64, 32, s.labels};
  if (s.kind == NetworkKind::multilabel) return {s.features, 64, s.labels};
  std::vector<int> sizes(static_cast<std::size_t>(s.depth) + 2, 64);
  sizes.front() = s.features;
  sizes.back() = s.labels;
  return sizes;
}

template <class T>
std::unique_ptr<Network<T>> make_network(const Shape& s, std::uint64_t seed) {
  Initial initial(seed);
  if (s.kind == NetworkKind::lstm)
    return std::make_unique<Recurrent<T>>(kLstmInputs, kLstmHidden, T(1), initial);
  return std::make_unique<FeedForward<T>>(layer_sizes(s), s.kind == NetworkKind::deep_sigmoid,
                                          initial);
}

}  // namespace ulpaudit
