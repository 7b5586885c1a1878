// Exact sums of large integers held in doubles, and of their squares. Included once per SIMD target
// (Highway's -inl convention).
#if defined(ULPAUDIT_LIMB_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_LIMB_SUMS_INL_H_
#undef ULPAUDIT_LIMB_SUMS_INL_H_
#else
#define ULPAUDIT_LIMB_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include "measure/score_block.hpp"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline double Total(hn::Vec<hn::ScalableTag<double>> v) {
  return hn::GetLane(hn::SumOfLanes(hn::ScalableTag<double>(), v));
}

/// Sums over integers 0 <= n <= 2^62, each a double (53 significant bits). n = w2·2^42 + w1·2^21 +
/// w0 with w0, w1 < 2^21 and w2 <= 2^20, so every product below is under 2^43, and a sum of
/// kBlock = 2^10 of them under 2^53: each step is exact, fused or not.
struct LimbVectors {
  using D = hn::ScalableTag<double>;
  using V = hn::Vec<D>;

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

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
