// The user's own data: a file of comma-separated numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <istream>
#include <stdexcept>

#include "training/data.hpp"

namespace ulpaudit {

/// One line: what is wrong, in which row and column (both from 1, the header counted), and what is
/// accepted.
class BadData : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Features, then `labels` columns of labels in [0, 1]. The first row may be a header: no cell is a
/// number. Every second row is kept apart; features are standardised by those for training. Throws
/// BadData.
DataSet read_csv(const std::string& path, int labels);
/// The same from a stream; `path` names it.
DataSet read_csv(std::istream& in, const std::string& path, int labels);

/// Breast Cancer Wisconsin (data/README.md), part of the program: 569 samples, 30 features, a
/// label.
DataSet breast_cancer();

}  // namespace ulpaudit
