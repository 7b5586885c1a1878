// Scans of blocks of inputs and results: digest, order, equality.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <vector>

#include "fp/bits.hpp"

namespace ulpaudit {

/// First of n lanes with this value; n where there is none.
std::size_t find_value(const double* v, std::size_t n, double value);

/// The sum of digest_term() over n packed inputs and results.
std::uint64_t digest_of(Dtype d, const void* z, Bits y, const void* got, std::size_t n);
/// The same for 16 bits and kLabelRow labels that take turns; n is a multiple of it.
std::uint64_t digest_of_rows(const void* z, const std::vector<Bits>& labels, const void* got,
                             std::size_t n);

/// The same where all n results are `got`, for inputs in order.
std::uint64_t digest_of_constant(Dtype d, const void* z, Bits y, Bits got, std::size_t n);

/// Do all n packed results equal `want`?
bool all_equal(Dtype d, const void* out, std::size_t n, Bits want);
/// Is each of n packed results the magnitude of its z times 2^shift, a normal number?
bool all_scaled(Dtype d, const void* z, const void* out, std::size_t n, int shift);
/// Are all n packed results NaN?
bool all_nan(Dtype d, const void* out, std::size_t n);

/// Pairs (i, i+step) of numbers among n packed results (with room to read 64 bytes behind), and
/// those that move against `direction` (±1).
struct PairCount {
  std::uint64_t pairs = 0, violations = 0;
  std::size_t first = 0, last = 0;  ///< lower lanes of the first and the last violation
  std::size_t step = 1;
};
PairCount count_pairs(Dtype d, const void* got, std::size_t n, int direction, std::size_t step = 1);

}  // namespace ulpaudit
