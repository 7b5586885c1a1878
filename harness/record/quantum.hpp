// The grid of errors, the bins of their histogram, and the digest of results: what sums are made
// of. Without any library, so that code for devices has it too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "fp/format.hpp"

namespace ulpaudit {

/// Errors are counted as this many ulps at most in sums (a kernel that far off needs no mean).
inline constexpr double kErrorCap = 4.611686018427387904e18;  // 2^62
inline constexpr double kQuantum = 1.0 / 1048576.0;           // 2^-20 ulp

/// Bins of |error|: 0 for below 2^-20, then 8 per octave up to 2^62, last for categories.
inline constexpr int kHistogramBins = 1 + 82 * 8 + 1;

/// Order-independent hash: the sum over all points, modulo 2^64, of a pseudo-random odd key of the
/// input times the result (multilinear hashing): two kernels that differ anywhere collide with
/// a probability below 2^-30. The upper half of
/// a 64-bit result is folded into the lower one, since a key times 2^63 is 2^63 whatever the key.
// Constants: the splitmix64 finaliser, as published by Steele, Lea & Flood (2014).
inline constexpr std::uint64_t kDigestStep = 0x9e3779b97f4a7c15u;
inline constexpr std::uint64_t kDigestFirst = 0xbf58476d1ce4e5b9u;
inline constexpr std::uint64_t kDigestSecond = 0x94d049bb133111ebu;
constexpr std::uint64_t digest_offset(Bits y) { return kDigestStep + y * 0xff51afd7ed558ccdu; }
constexpr std::uint64_t digest_key(Bits z, Bits y) {
  std::uint64_t x = z + digest_offset(y);
  x = (x ^ (x >> 30)) * kDigestFirst;
  x = (x ^ (x >> 27)) * kDigestSecond;
  return x ^ (x >> 31);
}
constexpr std::uint64_t digest_term(Bits z, Bits y, Bits got) {
  return (digest_key(z, y) | 1) * ((got ^ (got >> 32)) + kDigestStep);
}

}  // namespace ulpaudit
