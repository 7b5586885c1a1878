// What the kernels of `simd` must know of float and double: constants and their scripts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace simd {

template <class T>
struct Num;

// e^r = 1 + r + r^2 q(r), coefficients from r^2 on, and ln2 = hi + lo: exp.sollya. The error of the
// short one is below 2^-28.18 (float) and 2^-57.86 (double), of the long one 2^-32.84 and 2^-63.5.
// atanh(w) = w (1 + w^2 q(w^2)), error below 2^-31.61 and 2^-57.5: log1p.sollya.
template <>
struct Num<float> {
  static constexpr int kMantissa = 23;
  // e^-104 < 2^-150, half the smallest subnormal.
  static constexpr float kFar = 104.0f;
  // As good as 0 where the result is near 1/2 or 1/4.
  static constexpr float kNear = 0x1p-40f;
  // e^-a < 2^-126 above it, so a result of that size is subnormal (the largest such number).
  static constexpr float kBorder = 0x1.5d589ep6f;
  // In [2^23, 2^24) the ulp is 1: adding this rounds to an integer.
  static constexpr float kMagic = 0x1.8p23f;
  static constexpr float kBias = 127.0f;
  // What sigmoid and loss take in their stride, and what the sigmoid adds to r^2 (sigmoid-inl.h).
  static constexpr float kFast = kBorder;
  static constexpr float kMore = 0x1p-25f;
  // Added to a square, keeps it from being subnormal.
  static constexpr float kTiny = 0x1p-100f;
  static constexpr float kLog2E = 0x1.715476p0f;
  static constexpr float kLn2Hi = 0x1.62e4p-1f;
  static constexpr float kLn2Lo = 0x1.7f7d1cp-20f;
  // Half the digits of x * y, for products without FMA.
  static constexpr std::uint32_t kUpperHalf = 0xfffff000u;
  static constexpr float kShort[] = {0x1.fffffap-2f, 0x1.555492p-3f, 0x1.555a26p-5f, 0x1.12397ep-7f,
                                     0x1.694c98p-10f};
  static constexpr float kLong[] = {0x1p-1f,        0x1.555552p-3f,  0x1.5554e4p-5f,
                                    0x1.1115b4p-7f, 0x1.6d5144p-10f, 0x1.9a97fap-13f};
  static constexpr float kAtanh[] = {0x1.555556p-2f, 0x1.999866p-3f, 0x1.24d76ep-3f, 0x1.bb3124p-4f,
                                     0x1.e1216p-4f};
};

template <>
struct Num<double> {
  static constexpr int kMantissa = 52;
  static constexpr double kFar = 746.0;
  static constexpr double kNear = 0x1p-70;
  static constexpr double kBorder = 0x1.6232bdd7abcd2p9;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr double kBias = 1023.0;
  // Below 51.5 ln2.
  static constexpr double kFast = 35.5;
  static constexpr double kTiny = 0x1p-900;
  static constexpr double kMore = kTiny;
  static constexpr double kLog2E = 0x1.71547652b82fep0;
  static constexpr double kLn2Hi = 0x1.62e42fefa38p-1;
  static constexpr double kLn2Lo = 0x1.ef35793c7673p-45;
  static constexpr std::uint64_t kUpperHalf = 0xfffffffff8000000u;
  static constexpr double kShort[] = {
      0x1.000000000000ap-1,  0x1.55555555554fep-3,  0x1.55555555506cp-5,   0x1.1111111126b37p-7,
      0x1.6c16c18475a18p-10, 0x1.a01a012fec2f9p-13, 0x1.a0199963c9d45p-16, 0x1.71df18fbc7568p-19,
      0x1.28adf7a193ac6p-22, 0x1.ad92c7da71985p-26};
  static constexpr double kLong[] = {0x1p-1,
                                     0x1.555555555555cp-3,
                                     0x1.5555555555544p-5,
                                     0x1.111111110ea08p-7,
                                     0x1.6c16c16c1e5bep-10,
                                     0x1.a01a01b43cdcep-13,
                                     0x1.a01a017d475d3p-16,
                                     0x1.71ddee8a25294p-19,
                                     0x1.27e533a40dfd3p-22,
                                     0x1.af6e53ea7200ep-26,
                                     0x1.1eed010d6971p-29};
  static constexpr double kAtanh[] = {
      0x1.5555555555555p-2, 0x1.999999999a27cp-3, 0x1.24924923df843p-3, 0x1.c71c726c171afp-4,
      0x1.745cf154e8581p-4, 0x1.3b18a6cd119f3p-4, 0x1.10acf61876aa7p-4, 0x1.eb8a175c590e7p-5,
      0x1.688edd07e1f92p-5, 0x1.4afd63cfd0f0cp-4};
};

}  // namespace simd
