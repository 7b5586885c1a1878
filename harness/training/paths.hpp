// The ways people write sigmoid and BCE in a model: each a path of a training run. All calls of the
// four ops are made here, and counted where they lose what the true value has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "training/kernels.hpp"
#include "training/kinds.hpp"

namespace ulpaudit {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;  ///< a sample is a column

/// Results of one kind, and those that lost what the true value has.
struct Lost {
  std::uint64_t results = 0;
  std::uint64_t zero = 0;    ///< exactly 0, where the true value does not round to 0
  std::uint64_t digits = 0;  ///< more than half of the dtype's digits wrong, zeros included
  std::optional<double> zero_from, digits_from;  ///< the smallest |z| at which it happened
};

/// The ops along a path.
template <class T>
class Ops {
 public:
  /// `exact` counts what is lost; null: nothing is counted.
  Ops(Path path, Kernels<T>& kernels, Kernels<T>* exact)
      : path_(path), dtype_(kernels.dtype()), kernels_(kernels), exact_(exact) {}

  Matrix<T> sigmoid(const Matrix<T>& z) {
    Matrix<T> s(z.rows(), z.cols());
    call(kernels_, kSigmoid, z, nullptr, s);
    return s;
  }

  /// sigma' at z, where s is the sigmoid that was computed there.
  Matrix<T> sigmoid_grad(const Matrix<T>& z, const Matrix<T>& s) {
    Matrix<T> d(z.rows(), z.cols());
    if (has_gradient_kernel(path_))
      call(kernels_, kSigmoidGrad, z, nullptr, d);
    else
      d = s.unaryExpr([this](const T& p) { return saved(p); });
    if (count_derivatives_) count(kSigmoidGrad, z, nullptr, d, derivatives);
    return d;
  }

  /// The loss of each sample and label, and its derivative by z.
  void loss(const Matrix<T>& z, const Matrix<T>& y, Matrix<T>& losses, Matrix<T>& dz) {
    losses.resize(z.rows(), z.cols());
    dz.resize(z.rows(), z.cols());
    if (has_loss_kernels(path_)) {
      call(kernels_, kBce, z, &y, losses);
      call(kernels_, kBceGrad, z, &y, dz);
    } else {
      const Matrix<T> s = sigmoid(z);
      for (Eigen::Index i = 0; i < z.size(); ++i)
        of_probability(s.data()[i], y.data()[i], losses.data()[i], dz.data()[i]);
    }
    count(kBce, z, &y, losses, loss_values);
    count(kBceGrad, z, &y, dz, gradients);
  }

  /// A gradient on its way backwards, as the path keeps it.
  Matrix<T> flowing(Matrix<T> d) const {
    if (is_mixed(path_)) d = d.unaryExpr([this](const T& v) { return r(v); }).eval();
    return d;
  }

  /// Derivatives are many: a loop counts those of some steps only.
  void count_derivatives(bool on) { count_derivatives_ = on; }

  Lost loss_values, gradients, derivatives;

 private:
  static void call(Kernels<T>& k, OpId op, const Matrix<T>& z, const Matrix<T>* y, Matrix<T>& out) {
    k.run(op, z.data(), y != nullptr ? y->data() : nullptr, out.data(),
          static_cast<std::size_t>(z.size()));
  }

  /// Each operation along a path is rounded to the dtype, as its framework would.
  T r(const T& v) const {
    if constexpr (std::is_floating_point_v<T>) {
      if (dtype_ == Dtype::bf16) return static_cast<T>(bf16(v));
      if (dtype_ == Dtype::f16) return static_cast<T>(f16(v));
      if (dtype_ == Dtype::f32) return static_cast<T>(static_cast<float>(v));
    }
    return v;
  }

  T saved(const T& s) const { return r(s * r(T(1) - s)); }

  void of_probability(const T& s, const T& y, T& value, T& dz) const {
    using std::log;
    T p = s;
    bool passes = true;
    if (path_ == Path::clipped) {
      const T least = r(T(1e-7)), most = r(T(1) - least);
      passes = p >= least && p <= most;
      if (p < least) p = least;
      if (p > most) p = most;
    }
    const T q = r(T(1) - p), c = r(T(1) - y);
    value = r(-r(r(y * r(log(p))) + r(c * r(log(q)))));
    const T dp = r(r(c * r(T(1) / q)) - r(y * r(T(1) / p)));
    dz = passes || p != p ? r(dp * saved(s)) : T(0);
  }

  void count(OpId op, const Matrix<T>& z, const Matrix<T>* y, const Matrix<T>& got, Lost& lost) {
    if constexpr (std::is_floating_point_v<T>) {
      if (exact_ == nullptr) return;
      Matrix<T> truth(z.rows(), z.cols());
      call(*exact_, op, z, y, truth);
      const T half = static_cast<T>(exp2i(-format(dtype_).p / 2));
      for (Eigen::Index i = 0; i < z.size(); ++i) {
        const T t = truth.data()[i], g = got.data()[i];
        const bool zero = g == 0 && t != 0;
        const bool digits = !(std::fabs(g - t) <= half * std::fabs(t)) && t == t && g != t;
        ++lost.results;
        lost.zero += zero;
        lost.digits += digits;
        const double at = std::fabs(static_cast<double>(z.data()[i]));
        if (zero) lost.zero_from = std::min(at, lost.zero_from.value_or(at));
        if (digits) lost.digits_from = std::min(at, lost.digits_from.value_or(at));
      }
    }
  }

  Path path_;
  Dtype dtype_;
  Kernels<T>& kernels_;
  Kernels<T>* exact_;
  bool count_derivatives_ = true;
};

}  // namespace ulpaudit
