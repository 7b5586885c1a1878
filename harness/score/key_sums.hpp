// Sums of digest keys over whole runs of f32 inputs without a label: nine floats in ten have a
// constant sigmoid, and the digest of such a run is its sum of keys times one factor.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ulpaudit {

inline constexpr std::uint64_t kKeyRun = std::uint64_t{1} << 18;
inline constexpr std::size_t kKeyRuns = (std::uint64_t{1} << 32) / kKeyRun;

/// Of encodings r·2^18 … (r+1)·2^18 - 1: the sum of digest_key(z, 0) | 1. Null in a cross build,
/// which cannot run what makes the table.
extern const std::uint64_t* const kKeySums;

}  // namespace ulpaudit
