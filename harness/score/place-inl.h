// Where t lies among the numbers of the dtype, and a result's error in quanta. Included once per
// SIMD target (Highway's -inl convention), and by the judge on a CUDA device.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_PLACE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_PLACE_INL_H_
#undef ULPAUDIT_PLACE_INL_H_
#else
#define ULPAUDIT_PLACE_INL_H_
#endif

#include "truth/simd-inl.h"

#include <cstdint>

#include "record/quantum.hpp"
#include "truth/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Where t lies among the numbers of the dtype.
struct Placed {
  V inverse;         ///< of ulp(t)
  V units, low;      ///< t in ulps, as an unevaluated sum
  V rounded, other;  ///< the two neighbours of t, `rounded` the nearer, in ulps
  M decided;
  HWY_INLINE Placed() {}  // written out, so that it is compiled for the target
};

/// What the dtype tells of ulps: binades below the smallest share its ulp.
struct Grid {
  V smallest_binade;
  hn::Vec<U64> inverse_of_ulp;  ///< less the bits of a binade: those of 1/ulp

  /// Of the dtype's format.
  HWY_INLINE Grid(int emin, int p) {
    smallest_binade =
        hn::BitCast(D(), hn::Set(U64(), static_cast<std::uint64_t>(1023 + emin) << 52));
    inverse_of_ulp = hn::Set(U64(), static_cast<std::uint64_t>(2046 + p - 1) << 52);
  }
  /// 1/ulp of numbers in the binade of the double with these bits.
  HWY_INLINE V Inverse(hn::Vec<U64> bits) const {
    const V binade = hn::BitCast(D(), hn::And(bits, hn::Set(U64(), 0x7ff0000000000000u)));
    const V top = hn::Max(binade, smallest_binade);
    return hn::BitCast(D(), hn::Sub(inverse_of_ulp, hn::BitCast(U64(), top)));
  }
};

/// A bound in ulps that is small enough for the error.
constexpr double kPrecise = 0x1p-21;
HWY_INLINE M Precise(V delta, V bound) {
  return hn::And(hn::Le(bound, Set(kPrecise)), hn::Ge(delta, hn::Zero(D())));
}

/// As decide() does it. kWide: the dtype is f64.
template <bool kWide>
HWY_INLINE Placed PlaceWithCare(V hi, V lo, V delta, const Grid& grid) {
  const D d;
  const U64 du;
  const auto sign_bit = hn::Set(du, 0x8000000000000000u);
  // |hi| - 1 bit where t lies on the inner side of hi: the binade below a power of two.
  const auto bits_hi = hn::BitCast(du, hi);
  const auto inner = hn::ShiftRight<63>(hn::Xor(bits_hi, hn::BitCast(du, lo)));
  const auto nonzero_lo = hn::VecFromMask(du, hn::RebindMask(du, hn::Ne(lo, hn::Zero(d))));
  Placed p;
  p.inverse = grid.Inverse(hn::Sub(hn::AndNot(sign_bit, bits_hi), hn::And(inner, nonzero_lo)));
  // In units of ulp: hi = m + off exactly, |off| <= 1/2.
  const V units = p.units = hn::Mul(hi, p.inverse);
  const V low = p.low = hn::Mul(lo, p.inverse);
  V m = ToInteger(units);
  V off = hn::Sub(units, m);
  const M tie = hn::Eq(hn::Abs(off), Set(0.5));
  if (!hn::AllFalse(d, tie)) {
    const M beyond = hn::And(tie, hn::Gt(hn::Mul(off, low), hn::Zero(d)));
    m = hn::IfThenElse(beyond, hn::Add(m, hn::Add(off, off)), m);
    off = hn::IfThenElse(beyond, hn::Neg(off), off);
  }
  const V v = hn::Add(off, low);
  // Where off = 0, t lies on the side of low; |low| < 2^-28 in the narrower formats, so that the
  // midpoint is far and its side does not matter.
  const V toward = kWide ? hn::IfThenElse(hn::Eq(off, hn::Zero(d)), low, off) : off;
  const V to_midpoint =
      hn::Sub(hn::Sub(Set(0.5), hn::Abs(off)), hn::Xor(low, hn::And(toward, Set(-0.0))));
  const V bound = hn::Mul(delta, p.inverse);
  p.decided =
      hn::And(hn::Gt(hn::Min(hn::Abs(v), hn::Abs(to_midpoint)), bound), Precise(delta, bound));
  p.rounded = m;
  p.other = hn::Add(m, hn::CopySign(Set(1.0), v));
  return p;
}

/// The same, and the short way to it where there is one: in the narrower formats, whose delta is
/// never negative.
template <bool kWide>
HWY_INLINE Placed Place(V hi, V lo, V delta, const Grid& grid) {
  if (kWide) return PlaceWithCare<kWide>(hi, lo, delta, grid);
  const D d;
  const U64 du;
  Placed p;
  p.inverse = grid.Inverse(hn::BitCast(du, hi));
  const V units = p.units = hn::Mul(hi, p.inverse);
  const V m = p.rounded = ToInteger(units);
  const V off = hn::Sub(units, m);
  // Where no hi is a power of two (so units none) or within 2^-20 ulp of a midpoint, |low| < 2^-28
  // and the bound, below 2^-21, tell on which side of m t lies, and the midpoint is farther away.
  const M midpoint_near = hn::Gt(hn::Abs(off), Set(0.5 - 0x1p-20));
  const auto power_of_two = hn::Eq(hn::ShiftLeft<12>(hn::BitCast(du, units)), hn::Zero(du));
  if (!hn::AllFalse(d, hn::Or(midpoint_near, hn::RebindMask(d, power_of_two))))
    return PlaceWithCare<kWide>(hi, lo, delta, grid);
  p.low = hn::Mul(lo, p.inverse);
  const V v = hn::Add(off, p.low);
  const V bound = hn::Mul(delta, p.inverse);
  // Neither where hi and delta are NaN.
  p.decided = hn::And(hn::Gt(hn::Abs(v), bound), hn::Le(bound, Set(kPrecise)));
  p.other = hn::Add(m, hn::CopySign(Set(1.0), v));
  return p;
}

/// The error quantised as quantise() does: from 2^32 on a double is a multiple of 2^-20 as it is.
HWY_INLINE V Quantise(V e) {
  const V capped = hn::Max(hn::Min(e, Set(kErrorCap)), Set(-kErrorCap));
  return hn::Mul(ToInteger(hn::Mul(capped, Set(0x1p20))), Set(kQuantum));
}

/// histogram_bin() of sizes below 2^62; 2^62 has the bin of categories.
HWY_INLINE hn::Vec<U64> BinOf(V size) {
  const U64 du;
  const auto bits = hn::BitCast(du, hn::Max(size, Set(0x1.fp-21)));
  return hn::Sub(hn::ShiftRight<49>(bits), hn::Set(du, ((1023 - 20) << 3) - 1));
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
