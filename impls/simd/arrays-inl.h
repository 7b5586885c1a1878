// From kernels of vectors to kernels of arrays, in each dtype, compiled once per Highway target.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_SIMD_ARRAYS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_SIMD_ARRAYS_INL_H
#undef ULPAUDIT_SIMD_ARRAYS_INL_H
#else
#define ULPAUDIT_SIMD_ARRAYS_INL_H
#endif

#include <algorithm>

#include "exp-inl.h"
#include "table.hpp"

HWY_BEFORE_NAMESPACE();
namespace simd {
namespace HWY_NAMESPACE {

// How a dtype lies in memory, and what it is computed in.
template <class T>
struct Native {
  using Element = T;
  using Lane = T;
  static constexpr bool kFullVectors = true;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load(D d, const T* p) {
    return hn::LoadU(d, p);
  }
  template <class D>
  static HWY_INLINE void Store(hn::Vec<D> v, D d, T* p) {
    hn::StoreU(v, d, p);
  }
};

// The 16 low bits of each lane.
template <class D, class V>
HWY_INLINE void StoreLow(V bits, D, std::uint16_t* p) {
  const hn::Rebind<std::uint16_t, D> du16;
  hn::StoreU(hn::DemoteTo(du16, bits), du16, p);
}

struct Bf16 {
  using Element = std::uint16_t;
  using Lane = float;
  static constexpr bool kFullVectors = false;
  template <class D>
  static HWY_INLINE hn::Vec<D> Load(D d, const std::uint16_t* p) {
    const hn::RebindToUnsigned<D> du;
    const hn::Rebind<std::uint16_t, D> du16;
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(du16, p))));
  }
  // To nearest, ties to even; subnormals and the carry to infinity come by themselves. A NaN is
  // that of an argument, made quiet, or the default one: its lower 16 bits are 0, so nothing is
  // carried.
  template <class D>
  static HWY_INLINE void Store(hn::Vec<D> v, D d, std::uint16_t* p) {
    const hn::RebindToSigned<D> di;
    const hn::RebindToUnsigned<D> du;
    (void)d;
    const auto bits = hn::BitCast(du, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
    const auto up = hn::Add(hn::Add(bits, hn::Set(du, 0x7fffu)), odd);
    StoreLow(hn::BitCast(di, hn::ShiftRight<16>(up)), di, p);
  }
};

// With F16C or on Arm by one instruction (Highway's code for SSE4 truncates).
#if (HWY_ARCH_X86 && HWY_TARGET < HWY_SSE4 && !defined(HWY_DISABLE_F16C)) || HWY_ARCH_ARM_A64
#define SIMD_NATIVE_F16 1
#else
#define SIMD_NATIVE_F16 0
#endif

struct F16 {
  using Element = std::uint16_t;
  using Lane = float;
  static constexpr bool kFullVectors = false;

  template <class D>
  static HWY_INLINE hn::Vec<D> Load(D d, const std::uint16_t* p) {
    const hn::Rebind<std::uint16_t, D> du16;
#if SIMD_NATIVE_F16
    const hn::Rebind<hwy::float16_t, D> df16;
    return hn::PromoteTo(d, hn::BitCast(df16, hn::LoadU(du16, p)));
#else
    // Subnormals get the exponent of 2^-14 and lose that number again; infinity and NaN get the
    // largest exponent.
    const hn::RebindToSigned<D> di;
    const auto half = hn::PromoteTo(di, hn::LoadU(du16, p));
    const auto rest = hn::ShiftLeft<13>(hn::And(half, hn::Set(di, 0x7fff)));
    const auto sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(di, 0x8000)));
    const auto bias = hn::Set(di, 112 << 23), one = hn::Set(di, 1 << 23);
    const auto normal = hn::Add(rest, bias);
    const auto special = hn::Gt(rest, hn::Set(di, (0x7c00 << 13) - 1));
    const auto wide = hn::Add(normal, hn::IfThenElseZero(special, bias));
    const auto tiny = hn::Sub(hn::BitCast(d, hn::Add(normal, one)), hn::Set(d, 0x1p-14f));
    const auto value = hn::IfThenElse(hn::Lt(rest, one), hn::BitCast(di, tiny), wide);
    return hn::BitCast(d, hn::Or(value, sign));
#endif
  }

  // To nearest, ties to even.
  template <class D>
  static HWY_INLINE void Store(hn::Vec<D> v, D d, std::uint16_t* p) {
#if SIMD_NATIVE_F16
    (void)d;
    const hn::Rebind<hwy::float16_t, D> df16;
    const hn::Rebind<std::uint16_t, D> du16;
    hn::StoreU(hn::BitCast(du16, hn::DemoteTo(df16, v)), du16, p);
#else
    // Below 2^-14 adding 1/2, whose ulp is 2^-24, rounds; from 65520 on the carry gives infinity.
    const hn::RebindToSigned<D> di;
    const auto bits = hn::BitCast(di, hn::Abs(v));
    const auto sign = hn::And(hn::ShiftRight<16>(hn::BitCast(di, v)), hn::Set(di, 0x8000));
    const auto odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(di, 1));
    const auto up = hn::Add(hn::Add(bits, odd), hn::Set(di, 0xfff - (112 << 23)));
    const auto infinity = hn::Set(di, 0x7c00);
    const auto normal = hn::Min(hn::ShiftRight<13>(up), infinity);
    // Not of a NaN or a large number: the addition may raise no flag that the kernel must not.
    const auto small = hn::Min(bits, hn::Set(di, 113 << 23));
    const auto half = hn::Set(d, 0.5f);
    const auto sum = hn::BitCast(di, hn::Add(hn::BitCast(d, small), half));
    const auto tiny = hn::Sub(sum, hn::BitCast(di, half));
    auto result = hn::IfThenElse(hn::Lt(bits, hn::Set(di, 113 << 23)), tiny, normal);
    const auto nan = hn::Gt(bits, hn::Set(di, 0x7f800000));
    result = hn::IfThenElse(nan, hn::Set(di, 0x7e00), result);
    StoreLow(hn::Or(result, sign), di, p);
#endif
  }
};

// kPast: results go past the caches; out is aligned to vectors.
template <int N, class Op, class Format, bool kPast = false, class D, class E>
HWY_INLINE void Step(D d, const E* z, const E* y, E* out) {
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<D> vz[N], vy[N], result[N];
  SIMD_EACH vz[u] = Format::Load(d, z + static_cast<std::size_t>(u) * lanes);
  if constexpr (Op::kLabels)
    SIMD_EACH vy[u] = Format::Load(d, y + static_cast<std::size_t>(u) * lanes);
  Op::template Of<N>(d, vz, vy, result);
  if constexpr (kPast)
    SIMD_EACH hn::Stream(result[u], d, out + static_cast<std::size_t>(u) * lanes);
  else
    SIMD_EACH Format::Store(result[u], d, out + static_cast<std::size_t>(u) * lanes);
}

// n elements, less than a vector, through buffers: those beyond are neither read nor written.
template <class Op, class Format, class D, class E>
HWY_INLINE void Few(D d, const E* z, const E* y, E* out, std::size_t n) {
  HWY_ALIGN E some_z[hn::MaxLanes(d)] = {};
  HWY_ALIGN E some_y[hn::MaxLanes(d)] = {};
  for (std::size_t j = 0; j < n; ++j) some_z[j] = z[j];
  if (Op::kLabels)
    for (std::size_t j = 0; j < n; ++j) some_y[j] = y[j];
  Step<1, Op, Format>(d, some_z, some_y, some_z);
  for (std::size_t j = 0; j < n; ++j) out[j] = some_z[j];
}

// Results that no cache holds are written past them: memory then need not be read first. Returns
// how many are done: the rest is less than a step.
template <class Op, class Format, class D, class E>
HWY_INLINE std::size_t Past(D d, const E* z, const E* y, E* out, std::size_t n) {
  const std::size_t lanes = hn::Lanes(d), vector = lanes * sizeof(E);
  const std::size_t off = reinterpret_cast<std::uintptr_t>(out) % vector;
  const std::size_t few = off == 0 ? 0 : (vector - off) / sizeof(E);
  Few<Op, Format>(d, z, y, out, few);
  constexpr int N = Op::kVectors;
  std::size_t i = few;
  for (; i + N * lanes <= n; i += N * lanes)
    Step<N, Op, Format, true>(d, z + i, Op::kLabels ? y + i : y, out + i);
  hwy::FlushStream();
  return i;
}

// out may be z.
template <class Op, class Format>
void Run(const void* z_array, const void* y_array, void* out_array, std::size_t n) {
  using E = typename Format::Element;
  const auto* z = static_cast<const E*>(z_array);
  const auto* y = static_cast<const E*>(y_array);
  auto* out = static_cast<E*>(out_array);
  constexpr int N = Op::kVectors;
  const hn::ScalableTag<typename Format::Lane> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  if constexpr (Format::kFullVectors) {
    const std::size_t most = past_the_caches() / sizeof(E);
    const bool aligned = reinterpret_cast<std::uintptr_t>(out) % sizeof(E) == 0;
    if (HWY_UNLIKELY(n > most) && aligned && out != z) i = Past<Op, Format>(d, z, y, out, n);
  }
  for (; i + N * lanes <= n; i += N * lanes)
    Step<N, Op, Format>(d, z + i, Op::kLabels ? y + i : y, out + i);
  for (; i + lanes <= n; i += lanes)
    Step<1, Op, Format>(d, z + i, Op::kLabels ? y + i : y, out + i);
  if (i != n) Few<Op, Format>(d, z + i, Op::kLabels ? y + i : y, out + i, n - i);
}

#undef SIMD_NATIVE_F16

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
