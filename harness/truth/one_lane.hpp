// SPDX-License-Identifier: Apache-2.0
// Stands in for Highway where a vector has one lane: in CUDA code, and in the test that runs the
// same code on the CPU. What the judge's -inl files use of Highway, and nothing else, with the
// results of the real one's AVX2: MulAdd is fused.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#define HWY_NAMESPACE N_ONE_LANE
#define HWY_BEFORE_NAMESPACE() static_assert(true, "")
#define HWY_AFTER_NAMESPACE() static_assert(true, "")
#if defined(__CUDACC__)
#define HWY_INLINE __host__ __device__ __forceinline__
#else
#define HWY_INLINE inline
#endif

namespace hwy {
namespace HWY_NAMESPACE {

template <class T>
struct OneLane {
  using Type = T;
};
template <class T>
using ScalableTag = OneLane<T>;
template <class Tag>
using RebindToSigned = OneLane<std::int64_t>;
template <class Tag>
using RebindToUnsigned = OneLane<std::uint64_t>;

template <class T>
struct Lane {
  T raw;
};
template <class Tag>
using Vec = Lane<typename Tag::Type>;
struct LaneMask {
  bool raw;
};
template <class Tag>
using Mask = LaneMask;

using F64 = Lane<double>;
using U64 = Lane<std::uint64_t>;

template <class T, class From>
HWY_INLINE Lane<T> BitCast(OneLane<T>, Lane<From> v) {
  static_assert(sizeof(T) == sizeof(From), "lanes of one size");
  Lane<T> to;
  memcpy(&to, &v, sizeof to);
  return to;
}
HWY_INLINE U64 BitsOf(F64 v) { return BitCast(OneLane<std::uint64_t>(), v); }
HWY_INLINE F64 FromBits(std::uint64_t b) { return BitCast(OneLane<double>(), U64{b}); }

template <class T, class U>
HWY_INLINE Lane<T> Set(OneLane<T>, U v) {
  return {static_cast<T>(v)};
}
template <class T>
HWY_INLINE Lane<T> Zero(OneLane<T>) {
  return {T(0)};
}

template <class T>
HWY_INLINE Lane<T> Add(Lane<T> a, Lane<T> b) {
  return {a.raw + b.raw};
}
template <class T>
HWY_INLINE Lane<T> Sub(Lane<T> a, Lane<T> b) {
  return {a.raw - b.raw};
}
HWY_INLINE F64 Mul(F64 a, F64 b) { return {a.raw * b.raw}; }
HWY_INLINE F64 Div(F64 a, F64 b) { return {a.raw / b.raw}; }
HWY_INLINE F64 MulAdd(F64 a, F64 b, F64 c) { return {fma(a.raw, b.raw, c.raw)}; }
HWY_INLINE F64 Neg(F64 a) { return {-a.raw}; }
HWY_INLINE F64 Abs(F64 a) { return {fabs(a.raw)}; }
HWY_INLINE F64 Round(F64 a) { return {rint(a.raw)}; }
HWY_INLINE F64 CopySign(F64 size, F64 sign) { return {copysign(size.raw, sign.raw)}; }
template <class T>
HWY_INLINE Lane<T> Min(Lane<T> a, Lane<T> b) {
  return {a.raw < b.raw ? a.raw : b.raw};
}
template <class T>
HWY_INLINE Lane<T> Max(Lane<T> a, Lane<T> b) {
  return {a.raw > b.raw ? a.raw : b.raw};
}

HWY_INLINE U64 And(U64 a, U64 b) { return {a.raw & b.raw}; }
HWY_INLINE U64 AndNot(U64 a, U64 b) { return {~a.raw & b.raw}; }
HWY_INLINE U64 Or(U64 a, U64 b) { return {a.raw | b.raw}; }
HWY_INLINE U64 Xor(U64 a, U64 b) { return {a.raw ^ b.raw}; }
HWY_INLINE F64 And(F64 a, F64 b) { return FromBits(BitsOf(a).raw & BitsOf(b).raw); }
HWY_INLINE F64 Or(F64 a, F64 b) { return FromBits(BitsOf(a).raw | BitsOf(b).raw); }
HWY_INLINE F64 Xor(F64 a, F64 b) { return FromBits(BitsOf(a).raw ^ BitsOf(b).raw); }
template <int kBits, class T>
HWY_INLINE Lane<T> ShiftLeft(Lane<T> a) {
  return {static_cast<T>(static_cast<std::uint64_t>(a.raw) << kBits)};
}
template <int kBits>
HWY_INLINE U64 ShiftRight(U64 a) {
  return {a.raw >> kBits};
}

template <class T>
HWY_INLINE LaneMask Eq(Lane<T> a, Lane<T> b) {
  return LaneMask{a.raw == b.raw};
}
template <class T>
HWY_INLINE LaneMask Ne(Lane<T> a, Lane<T> b) {
  return LaneMask{a.raw != b.raw};
}
template <class T>
HWY_INLINE LaneMask Lt(Lane<T> a, Lane<T> b) {
  return LaneMask{a.raw < b.raw};
}
template <class T>
HWY_INLINE LaneMask Le(Lane<T> a, Lane<T> b) {
  return LaneMask{a.raw <= b.raw};
}
template <class T>
HWY_INLINE LaneMask Gt(Lane<T> a, Lane<T> b) {
  return LaneMask{a.raw > b.raw};
}
template <class T>
HWY_INLINE LaneMask Ge(Lane<T> a, Lane<T> b) {
  return LaneMask{a.raw >= b.raw};
}
HWY_INLINE LaneMask And(LaneMask a, LaneMask b) { return LaneMask{a.raw && b.raw}; }
HWY_INLINE LaneMask AndNot(LaneMask a, LaneMask b) { return LaneMask{!a.raw && b.raw}; }
HWY_INLINE LaneMask Or(LaneMask a, LaneMask b) { return LaneMask{a.raw || b.raw}; }
template <class Tag>
HWY_INLINE LaneMask RebindMask(Tag, LaneMask m) {
  return m;
}
HWY_INLINE U64 VecFromMask(OneLane<std::uint64_t>, LaneMask m) {
  return {m.raw ? ~std::uint64_t{0} : 0};
}
template <class T>
HWY_INLINE Lane<T> IfThenElse(LaneMask m, Lane<T> a, Lane<T> b) {
  return m.raw ? a : b;
}
template <class T>
HWY_INLINE Lane<T> IfThenElseZero(LaneMask m, Lane<T> a) {
  return m.raw ? a : Lane<T>{T(0)};
}
HWY_INLINE LaneMask IsNegativeBit(F64 v) { return LaneMask{(BitsOf(v).raw >> 63) != 0}; }
HWY_INLINE F64 IfNegativeThenElse(F64 v, F64 a, F64 b) { return IsNegativeBit(v).raw ? a : b; }
// The sign bit as a mask: what lanes-inl.h asks for.
HWY_INLINE Lane<std::int64_t> BroadcastSignBit(Lane<std::int64_t> a) {
  return {a.raw < 0 ? std::int64_t{-1} : 0};
}
HWY_INLINE LaneMask MaskFromVec(F64 v) { return IsNegativeBit(v); }

template <class Tag>
HWY_INLINE bool AllTrue(Tag, LaneMask m) {
  return m.raw;
}
template <class Tag>
HWY_INLINE bool AllFalse(Tag, LaneMask m) {
  return !m.raw;
}

}  // namespace HWY_NAMESPACE
}  // namespace hwy
