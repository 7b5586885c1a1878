// Vectors of doubles, one lane a point, and the counting of lanes. Included once per SIMD target
// (Highway's -inl convention).
#if defined(ULPAUDIT_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_LANES_INL_H_
#undef ULPAUDIT_LANES_INL_H_
#else
#define ULPAUDIT_LANES_INL_H_
#endif

#include <hwy/highway.h>

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

inline V Set(double x) { return hn::Set(D(), x); }
/// v rounded to the nearest integer, ties to even.
inline V ToInteger(V v) { return hn::Round(v); }
/// All ones where the sign bit is set.
inline M IsNegative(V v) {
  return hn::MaskFromVec(
      hn::BitCast(D(), hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<D>(), v))));
}

/// A number of lanes, counted vector by vector.
class LaneCount {
 public:
  HWY_INLINE LaneCount() : count_(hn::Zero(U64())) {}
  HWY_INLINE void Add(M m) {
    count_ = hn::Sub(count_, hn::VecFromMask(U64(), hn::RebindMask(U64(), m)));
  }
  std::uint64_t Total() const { return hn::GetLane(hn::SumOfLanes(U64(), count_)); }

 private:
  hn::Vec<U64> count_;
};

/// i plus the last lane of m, which has one.
inline std::size_t LastTrue(M m, std::size_t i) {
  std::uint8_t bits[hn::MaxLanes(D()) / 8 + 8];
  hn::StoreMaskBits(D(), m, bits);
  std::size_t lane = hn::Lanes(D()) - 1;
  while ((bits[lane / 8] >> (lane % 8) & 1) == 0) --lane;
  return i + lane;
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
