// Packed encodings as vectors of doubles. Included once per SIMD target (Highway's -inl
// convention).
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_LOAD_DOUBLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_LOAD_DOUBLE_INL_H_
#undef ULPAUDIT_LOAD_DOUBLE_INL_H_
#else
#define ULPAUDIT_LOAD_DOUBLE_INL_H_
#endif

#include "truth/simd-inl.h"

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Lanes(double) packed numbers as doubles, exactly: f32; f64; f16 (kind 0) or bf16 (kind 1) by
/// bits.
template <class T>
inline hn::Vec<hn::ScalableTag<double>> LoadDouble(const T* z, int kind) {
  const hn::ScalableTag<double> d;
  if constexpr (sizeof(T) == 8) {
    return hn::LoadU(d, reinterpret_cast<const double*>(z));
  } else if constexpr (sizeof(T) == 4) {
    const hn::Rebind<float, hn::ScalableTag<double>> df;
    return hn::PromoteTo(d, hn::LoadU(df, reinterpret_cast<const float*>(z)));
  } else {
    const hn::Rebind<std::uint16_t, hn::ScalableTag<double>> d16;
    const hn::Rebind<std::uint32_t, hn::ScalableTag<double>> d32;
    const hn::Rebind<std::uint64_t, hn::ScalableTag<double>> d64;
    const auto b32 = hn::PromoteTo(d32, hn::LoadU(d16, z));
    if (kind == 1) {  // bf16: the upper half of a float
      const hn::Rebind<float, hn::ScalableTag<double>> df;
      return hn::PromoteTo(d, hn::BitCast(df, hn::ShiftLeft<16>(b32)));
    }
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2 && !defined(HWY_DISABLE_F16C)
    const hn::Rebind<hwy::float16_t, hn::ScalableTag<double>> dh;
    const hn::Rebind<float, hn::ScalableTag<double>> df;
    return hn::PromoteTo(
        d, hn::PromoteTo(df, hn::LoadU(dh, reinterpret_cast<const hwy::float16_t*>(z))));
#else
    // f16: its bits as the top of a double, times 2^1008; infinity and NaN put right.
    const auto b = hn::PromoteTo(d64, b32);
    const auto mag = hn::And(b, hn::Set(d64, 0x7fff));
    const auto sign = hn::ShiftLeft<48>(hn::And(b, hn::Set(d64, 0x8000)));
    auto v = hn::Mul(hn::BitCast(d, hn::ShiftLeft<42>(mag)), hn::Set(d, 0x1p1008));
    const auto special =
        hn::BitCast(d, hn::Or(hn::ShiftLeft<42>(mag), hn::Set(d64, 0x7ffull << 52)));
    v = hn::IfThenElse(hn::Ge(v, hn::Set(d, 65536.0)), special, v);
    return hn::Or(v, hn::BitCast(d, sign));
#endif
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#endif
