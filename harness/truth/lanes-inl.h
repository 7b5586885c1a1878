// Vectors of doubles, one lane a point. Included once per SIMD target
// (Highway's -inl convention).
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_LANES_INL_H_
#undef ULPAUDIT_LANES_INL_H_
#else
#define ULPAUDIT_LANES_INL_H_
#endif

#include "truth/simd-inl.h"

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;
using U64 = hn::RebindToUnsigned<D>;

HWY_INLINE V Set(double x) { return hn::Set(D(), x); }
/// v rounded to the nearest integer, ties to even.
HWY_INLINE V ToInteger(V v) { return hn::Round(v); }
/// All ones where the sign bit is set.
HWY_INLINE M IsNegative(V v) {
  return hn::MaskFromVec(
      hn::BitCast(D(), hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<D>(), v))));
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
