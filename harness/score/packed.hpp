// The cases that packed arrays of inputs and results make.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fp/storage.hpp"
#include "record/tally.hpp"

namespace ulpaudit {

/// Inputs and their results, with one label or an array of them.
struct PackedCases {
  Dtype d;
  Bits y;
  const void* z;
  const void* got;
  const void* labels = nullptr;  ///< where given, instead of y
  Case operator()(std::uint64_t i) const {
    return {load(d, z, i), labels == nullptr ? y : load(d, labels, i), load(d, got, i)};
  }
};

}  // namespace ulpaudit
