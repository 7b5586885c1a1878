// The four ops as a training run calls them: an implementation's kernels through the plug-in
// boundary, or exact ones.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ops/op.hpp"
#include "plugin/session_pool.hpp"

namespace ulpaudit {

inline const OpId kSigmoid = *op_from_name("sigmoid");
inline const OpId kSigmoidGrad = *op_from_name("sigmoid_grad");
inline const OpId kBce = *op_from_name("bce_with_logits");
inline const OpId kBceGrad = *op_from_name("bce_with_logits_grad");

/// Numbers of type T go in and come out; inside they are rounded to the dtype of the kernels.
template <class T>
class Kernels {
 public:
  using Number = T;
  virtual ~Kernels() = default;
  virtual Dtype dtype() const = 0;
  /// n results of an op; y is ignored by unary ops, and may be null for them.
  virtual void run(OpId op, const T* z, const T* y, T* out, std::size_t n) = 0;
};

/// The true values, correctly rounded to the dtype: double-double with a proven bound, and the
/// final judge where the bound leaves the rounding open.
template <class T>
class ExactKernels final : public Kernels<T> {
 public:
  explicit ExactKernels(Dtype d) : d_(d) {}
  Dtype dtype() const override { return d_; }
  void run(OpId op, const T* z, const T* y, T* out, std::size_t n) override;

 private:
  /// Writes to out[at[i]]; null: to out[i].
  void run_label(OpId op, double y, const std::vector<double>& z, T* out, const std::size_t* at);
  Dtype d_;
  std::vector<double> z_, y_, hi_, lo_, delta_;
};

/// A kernel of a plug-in.
struct KernelChoice {
  std::string name;  ///< of the implementation
  std::string plugin_path;
  std::size_t kernel = 0;
};

/// By op; where there is none, exact values stand in.
using KernelSet = std::array<std::optional<KernelChoice>, 4>;

/// A call that did not come back as it should; tells which and how.
class KernelFailure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
class PluginKernels final : public Kernels<T> {
 public:
  PluginKernels(const KernelSet& set, Dtype d, SessionPool& sessions)
      : set_(set), d_(d), sessions_(sessions), exact_(d) {}
  Dtype dtype() const override { return d_; }
  /// Throws KernelFailure.
  void run(OpId op, const T* z, const T* y, T* out, std::size_t n) override;

 private:
  const KernelSet& set_;
  Dtype d_;
  SessionPool& sessions_;
  ExactKernels<T> exact_;
};

extern template class ExactKernels<float>;
extern template class ExactKernels<double>;
extern template class PluginKernels<float>;
extern template class PluginKernels<double>;

}  // namespace ulpaudit
