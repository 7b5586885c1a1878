// Exact sums and extremes of quantised errors, large ones in limbs. Included once per SIMD target
// (Highway's -inl convention).
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_ERROR_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_ERROR_SUMS_INL_H_
#undef ULPAUDIT_ERROR_SUMS_INL_H_
#else
#define ULPAUDIT_ERROR_SUMS_INL_H_
#endif

#include "truth/simd-inl.h"

#include <cstddef>
#include <cstdint>
#include <limits>

#include "record/tally.hpp"
#include "score/score_block.hpp"
#include "truth/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline double Total(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }

/// The sum of the lanes mod 2^64. Not hn::SumOfLanes: with AVX-512 that adds signed integers, which
/// may overflow.
inline std::uint64_t SumModulo(hn::Vec<U64> v) {
  HWY_ALIGN std::uint64_t lanes[hn::MaxLanes(U64())];
  hn::Store(v, U64(), lanes);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < hn::Lanes(U64()); ++i) sum += lanes[i];
  return sum;
}

/// Sums over integers 0 <= n <= 2^62, each a double (53 significant bits). n = w2·2^42 + w1·2^21 +
/// w0 with w0, w1 < 2^21 and w2 <= 2^20, so every product below is under 2^43, and a sum of
/// kBlock = 2^10 of them under 2^53: each step is exact, fused or not.
struct LimbVectors {
  V high, low, signed_high, signed_low, s0, s1, s2, s3, s4;

  // Written out, so that it is compiled for the target.
  HWY_INLINE LimbVectors() {
    high = low = signed_high = signed_low = hn::Zero(D());
    s0 = s1 = s2 = s3 = s4 = high;
  }

  /// `sign`: the sign bit of each. `divide`: squares are of units, wanted as floor(n²/2^20), of
  /// which only w0² is not a multiple of 2^20.
  template <bool kDivide>
  HWY_INLINE void Add(V n, V sign) {
    const D d;
    const V w2 = hn::Floor(hn::Mul(n, hn::Set(d, 0x1p-42)));
    const V rest = hn::Sub(n, hn::Mul(w2, hn::Set(d, 0x1p42)));
    const V w1 = hn::Floor(hn::Mul(rest, hn::Set(d, 0x1p-21)));
    const V w0 = hn::Sub(rest, hn::Mul(w1, hn::Set(d, 0x1p21)));
    high = hn::Add(high, w2);
    low = hn::Add(low, rest);
    signed_high = hn::Add(signed_high, hn::Xor(w2, sign));
    signed_low = hn::Add(signed_low, hn::Xor(rest, sign));
    V square = hn::Mul(w0, w0);
    if (kDivide) square = hn::Floor(hn::Mul(square, hn::Set(d, 0x1p-20)));
    s0 = hn::Add(s0, square);
    s1 = hn::MulAdd(w0, w1, s1);  // weight 2^22
    s2 = hn::MulAdd(w1, w1, hn::MulAdd(hn::Add(w0, w0), w2, s2));
    s3 = hn::MulAdd(w1, w2, s3);  // weight 2^64
    s4 = hn::MulAdd(w2, w2, s4);
  }

  HWY_INLINE void Store(LimbSums& out) const {
    out.any = true;
    out.high = Total(high);
    out.low = Total(low);
    out.signed_high = Total(signed_high);
    out.signed_low = Total(signed_low);
    out.squares = {Total(s0), Total(s1), Total(s2), Total(s3), Total(s4)};
  }
};

/// Below this an error's square is under 2^52 units of 2^-20 ulp², the integers of a double's
/// mantissa.
constexpr double kSmallError = 0x1p16;

/// Sums and extremes of quantised errors.
struct Errors {
  V sum, sum_abs, squares_high, squares_low, top, bottom;  // sums: in ulps
  hn::Vec<U64> small_squares;                              // with a double's exponent, each
  std::uint64_t small_vectors = 0;
  LimbVectors large, largest;
  bool any_large = false, any_largest = false;

  HWY_INLINE Errors() {
    sum = sum_abs = squares_high = squares_low = hn::Zero(D());
    top = Set(-std::numeric_limits<double>::infinity());
    bottom = hn::Neg(top);
    small_squares = hn::Zero(U64());
  }

  /// All lanes scored, `size` = |error| < kSmallError. Adding 2^52 rounds the square to an integer.
  HWY_INLINE void AddSmall(V error, V size) {
    top = hn::Max(top, error);
    bottom = hn::Min(bottom, error);
    sum = hn::Add(sum, error);
    sum_abs = hn::Add(sum_abs, size);
    const V square = hn::MulAdd(hn::Mul(size, size), Set(0x1p20), Set(0x1p52));
    small_squares = hn::Add(small_squares, hn::BitCast(U64(), square));
    ++small_vectors;
  }

  HWY_INLINE void Add(V error, M scored) {
    const D d;
    top = hn::Max(top, hn::IfThenElse(scored, error, top));
    bottom = hn::Min(bottom, hn::IfThenElse(scored, error, bottom));
    const V size = hn::Abs(error);
    const M small = hn::And(scored, hn::Lt(size, Set(0x1p20)));
    const V some = hn::IfThenElseZero(small, error);
    sum = hn::Add(sum, some);
    sum_abs = hn::Add(sum_abs, hn::Abs(some));
    const V square = ToInteger(hn::Mul(hn::Mul(some, some), Set(0x1p20)));  // <= 2^60
    const V high = hn::Floor(hn::Mul(square, Set(0x1p-30)));
    squares_high = hn::Add(squares_high, high);
    squares_low = hn::Add(squares_low, hn::Sub(square, hn::Mul(high, Set(0x1p30))));
    const M rest = hn::AndNot(small, scored);
    if (!hn::AllFalse(d, rest)) AddLarge(error, rest);
  }

  HWY_INLINE void AddLarge(V error, M rest) {
    const D d;
    const V size = hn::Abs(error), sign = hn::And(error, Set(-0.0));
    const M below = hn::Lt(size, Set(0x1p40));
    const M some = hn::And(rest, below), most = hn::AndNot(below, rest);
    if (!hn::AllFalse(d, some)) {
      any_large = true;
      large.Add<true>(hn::IfThenElseZero(some, hn::Mul(size, Set(0x1p20))), sign);
    }
    if (!hn::AllFalse(d, most)) {
      any_largest = true;
      largest.Add<false>(hn::IfThenElseZero(most, ToInteger(size)), sign);
    }
  }

  void Store(BlockScore& s) const {
    const D d;
    s.sum_signed = 0x1p20 * Total(sum);
    s.sum_abs = 0x1p20 * Total(sum_abs);
    s.squares_high = Total(squares_high);
    s.squares_low = Total(squares_low);
    constexpr std::uint64_t kExponent = std::uint64_t{1023 + 52} << 52;
    s.small_squares = SumModulo(small_squares) - small_vectors * hn::Lanes(d) * kExponent;
    s.max_signed = hn::GetLane(hn::MaxOfLanes(d, top));
    s.min_signed = hn::GetLane(hn::MinOfLanes(d, bottom));
    if (any_large) large.Store(s.large);
    if (any_largest) largest.Store(s.largest);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
