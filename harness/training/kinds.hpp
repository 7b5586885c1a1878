// What can be chosen of a training run: network, data, path.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ulpaudit {

enum class NetworkKind : std::uint8_t { binary, multilabel, deep_sigmoid, deep_relu, lstm };
inline constexpr NetworkKind kNetworks[] = {NetworkKind::binary, NetworkKind::multilabel,
                                            NetworkKind::deep_sigmoid, NetworkKind::deep_relu,
                                            NetworkKind::lstm};
inline std::string_view name(NetworkKind k) {
  constexpr std::string_view names[] = {"binary", "multilabel", "deep_sigmoid", "deep_relu",
                                        "lstm"};
  return names[static_cast<std::size_t>(k)];
}
/// Has it sigmoids besides that of the output?
inline bool has_inner_sigmoids(NetworkKind k) {
  return k == NetworkKind::deep_sigmoid || k == NetworkKind::lstm;
}

/// What a network learns from. noisy: labels of a random direction, blurred. separable: a gap
/// between the classes. imbalanced: about one in twenty is 1. outliers: noisy, and one sample in
/// fifty lies 40 times further out, so that its |logit| is large. adding: sequences of a number and
/// a marker; the label says whether the two marked numbers add up to more than 1 (the adding
/// problem of Hochreiter and Schmidhuber as a decision; LSTM only). breast_cancer: Breast Cancer
/// Wisconsin (csv.hpp). file: the user's own (csv.hpp).
enum class DataKind : std::uint8_t {
  noisy,
  separable,
  imbalanced,
  outliers,
  adding,
  breast_cancer,
  file
};
inline constexpr DataKind kDataKinds[] = {DataKind::noisy,      DataKind::separable,
                                          DataKind::imbalanced, DataKind::outliers,
                                          DataKind::adding,     DataKind::breast_cancer};
inline std::string_view name(DataKind k) {
  constexpr std::string_view names[] = {"noisy",  "separable",     "imbalanced", "outliers",
                                        "adding", "breast_cancer", "file"};
  return names[static_cast<std::size_t>(k)];
}

/// The ways people write sigmoid and BCE. logits: loss and gradient from the logit, sigma' from z.
/// saved: the same, but sigma' in hidden layers and gates is s(1-s) of the rounded s.
/// probability: p = sigma(z), -(y log p + (1-y) log(1-p)), and its gradient by the chain rule, as
/// automatic differentiation takes it; hidden layers as saved.
/// clipped: the same with p clipped to [1e-7, 1-1e-7] (Keras), which stops the gradient beyond.
/// mixed: as logits, and gradients flow backwards through the layers, and come to the weights, in
/// the 16-bit dtype of the kernels, as in mixed-precision training; weights and sums stay f32.
/// scaled: mixed with the loss multiplied by a scale, so that small gradients do not underflow
/// (LossScale).
enum class Path : std::uint8_t { logits, saved, probability, clipped, mixed, scaled };
inline constexpr Path kPaths[] = {Path::logits,  Path::saved, Path::probability,
                                  Path::clipped, Path::mixed, Path::scaled};
inline std::string_view name(Path p) {
  constexpr std::string_view names[] = {"logits",  "saved", "probability",
                                        "clipped", "mixed", "scaled"};
  return names[static_cast<std::size_t>(p)];
}
/// Do loss and sigma' come from the logit, by kernels of their own?
inline bool has_loss_kernels(Path p) { return p != Path::probability && p != Path::clipped; }
inline bool has_gradient_kernel(Path p) { return has_loss_kernels(p) && p != Path::saved; }
/// Do gradients flow in 16 bits?
inline bool is_mixed(Path p) { return p == Path::mixed || p == Path::scaled; }

}  // namespace ulpaudit
