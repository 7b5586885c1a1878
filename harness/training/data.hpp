// What the networks learn from: seeded generators. All numbers are ones of f32, so that every dtype
// sees the same.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>

#include "training/kinds.hpp"

namespace ulpaudit {

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
