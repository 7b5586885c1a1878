// What the networks learn from: seeded generators. All numbers are ones of f32, so that every dtype
// sees the same.
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <string_view>

namespace ulpaudit {

/// noisy: labels of a random direction, blurred. separable: a gap between the classes. imbalanced:
/// about one in twenty is 1. outliers: noisy, and one sample in fifty lies 40 times further out, so
/// that its |logit| is large. adding: sequences of a number and a marker; the label says whether
/// the two marked numbers add up to more than 1 (the adding problem of Hochreiter and Schmidhuber
/// as a decision; LSTM only). breast_cancer: Breast Cancer Wisconsin (csv.hpp). file: the user's
/// own (csv.hpp).
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
std::string_view name(DataKind k);

/// Columns are samples. test: kept apart from training.
struct DataSet {
  std::string name;
  Eigen::MatrixXd x, y, test_x, test_y;
};

inline constexpr int kSamples = 1024;       ///< for training, and as many kept apart
inline constexpr int kSequenceLength = 20;  ///< of adding

/// A generated set; `features` and `labels` are ignored by adding.
DataSet make_data(DataKind kind, int features, int labels, std::uint64_t seed);

}  // namespace ulpaudit
