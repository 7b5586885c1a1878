// The kernels over arrays: rounding tests, and the way from one step to the next. Compiled once per
// Highway target.
#if defined(ULPAUDIT_EXACT_KERNELS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_EXACT_KERNELS_INL_H
#undef ULPAUDIT_EXACT_KERNELS_INL_H
#else
#define ULPAUDIT_EXACT_KERNELS_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <ulpaudit/half.hpp>

#include "fast-inl.h"
#include "hwy/highway.h"
#include "last_step.hpp"
#include "steps.hpp"
#include "wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace exact {
namespace HWY_NAMESPACE {

using F32 = hn::Rebind<float, D>;
using U32 = hn::Rebind<std::uint32_t, D>;
using I32 = hn::Rebind<std::int32_t, D>;
using U16 = hn::Rebind<std::uint16_t, D>;

/// One vector of a dtype as doubles, exactly.
HWY_INLINE V Load(const double* p) { return hn::LoadU(D(), p); }
HWY_INLINE V Load(const float* p) { return hn::PromoteTo(D(), hn::LoadU(F32(), p)); }
HWY_INLINE V Load(const ulpaudit::bf16* p) {
  const auto bits = hn::LoadU(U16(), reinterpret_cast<const std::uint16_t*>(p));
  return hn::PromoteTo(D(), hn::BitCast(F32(), hn::ShiftLeft<16>(hn::PromoteTo(U32(), bits))));
}
HWY_INLINE V Load(const ulpaudit::f16* p) {
  const auto bits =
      hn::PromoteTo(U32(), hn::LoadU(U16(), reinterpret_cast<const std::uint16_t*>(p)));
  const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(U32(), 0x8000)));
  const auto field = hn::And(bits, hn::Set(U32(), 0x7c00));
  const auto fraction = hn::And(bits, hn::Set(U32(), 0x3ff));
  const auto all = hn::ShiftLeft<13>(hn::And(bits, hn::Set(U32(), 0x7fff)));
  // A subnormal is its integer times 2^-24; infinity and NaN take the largest exponent.
  const auto tiny =
      hn::Mul(hn::ConvertTo(F32(), hn::BitCast(I32(), fraction)), hn::Set(F32(), 0x1p-24f));
  const auto normal = hn::Add(all, hn::Set(U32(), 112u << 23));
  const auto special = hn::Or(all, hn::Set(U32(), 0x7f800000));
  auto r = hn::IfThenElse(hn::Eq(field, hn::Zero(U32())), hn::BitCast(U32(), tiny), normal);
  r = hn::IfThenElse(hn::Eq(field, hn::Set(U32(), 0x7c00)), special, r);
  return hn::PromoteTo(D(), hn::BitCast(F32(), hn::Or(r, sign)));
}

/// v rounded to the dtype, as a double. For f32 the conversion itself, for 16 bits the sum with
/// 1.5·2^52 ulps; infinities and NaN stay.
template <class T>
HWY_INLINE V RoundTo(V v) {
  if (std::is_same<T, float>::value) return hn::PromoteTo(D(), hn::DemoteTo(F32(), v));
  const int p = std::is_same<T, ulpaudit::f16>::value ? 11 : 8;
  const int emin = std::is_same<T, ulpaudit::f16>::value ? -14 : -126;
  const hn::RebindToSigned<D> di;
  const auto bits = hn::And(hn::BitCast(di, hn::Abs(v)), hn::Set(di, 0x7ffll << 52));
  const auto least = hn::BitCast(di, Set(emin < -14 ? 0x1p-126 : 0x1p-14));
  const V scale = hn::Max(hn::BitCast(D(), bits), hn::BitCast(D(), least));
  const V grid = hn::Mul(scale, Set(1.5 * static_cast<double>(1ll << (53 - p))));
  const V q = hn::CopySign(hn::Sub(hn::Add(v, grid), grid), v);
  return hn::IfThenElse(hn::Lt(hn::Abs(v), Set(0x1p500)), q, v);
}

/// Stores numbers of the dtype.
HWY_INLINE void Store(V v, double* p) { hn::StoreU(v, D(), p); }
HWY_INLINE void Store(V v, float* p) { hn::StoreU(hn::DemoteTo(F32(), v), F32(), p); }
HWY_INLINE void Store(V v, ulpaudit::bf16* p) {
  const auto bits = hn::ShiftRight<16>(hn::BitCast(U32(), hn::DemoteTo(F32(), v)));
  hn::StoreU(hn::DemoteTo(U16(), hn::BitCast(I32(), bits)), U16(),
             reinterpret_cast<std::uint16_t*>(p));
}
HWY_INLINE void Store(V v, ulpaudit::f16* p) {
  const auto f = hn::DemoteTo(F32(), v);
  const auto bits = hn::BitCast(U32(), f);
  const auto size = hn::And(bits, hn::Set(U32(), 0x7fffffff));
  const auto sign = hn::ShiftRight<16>(hn::Sub(bits, size));
  const auto normal = hn::ShiftRight<13>(hn::Sub(size, hn::Set(U32(), 112u << 23)));
  // Subnormal: the sum with ½, whose ulp is 2^-24, is exact.
  const auto half = hn::Set(F32(), 0.5f);
  const auto sum = hn::BitCast(U32(), hn::Add(hn::BitCast(F32(), size), half));
  const auto tiny = hn::Sub(sum, hn::BitCast(U32(), half));
  const auto is_tiny = hn::Lt(hn::BitCast(F32(), size), hn::Set(F32(), 0x1p-14f));
  auto r = hn::IfThenElse(hn::RebindMask(U32(), is_tiny), tiny, normal);
  const auto large = hn::BitCast(F32(), size);
  r = hn::IfThenElse(hn::RebindMask(U32(), hn::Ge(large, hn::Set(F32(), 65536.0f))),
                     hn::Set(U32(), 0x7c00), r);
  r = hn::IfThenElse(hn::RebindMask(U32(), hn::IsNaN(large)), hn::Set(U32(), 0x7e00), r);
  r = hn::Or(r, sign);
  hn::StoreU(hn::DemoteTo(U16(), hn::BitCast(I32(), r)), U16(),
             reinterpret_cast<std::uint16_t*>(p));
}

/// What no step computes: NaN; the loss at ±∞; for f64 the gradient at 0 and ±∞, exact and rounded
/// once. Where it answers, `decided` is set.
template <Op kOp, class T>
HWY_INLINE V Special(V z, V y, V value, M& decided) {
  const V zero = hn::Zero(D()), inf = Set(HUGE_VAL);
  const M infinite = hn::Eq(hn::Abs(z), inf);
  if (kOp == Op::kBce) {
    const V c0 = hn::IfThenElse(hn::Lt(z, zero), zero, Set(1.0));  // c = 0 at this label
    value = hn::IfThenElse(infinite, hn::IfThenElse(hn::Eq(y, c0), zero, inf), value);
    decided = hn::Or(decided, infinite);
  }
  if (kOp == Op::kBceGrad && std::is_same<T, double>::value) {
    const M at_zero = hn::Eq(z, zero);
    V base = hn::IfThenElse(hn::Lt(z, zero), zero, Set(1.0));
    base = hn::IfThenElse(at_zero, Set(0.5), base);
    const M exact = hn::Or(at_zero, infinite);
    value = hn::IfThenElse(exact, hn::Sub(base, y), value);
    // -y + ε, ε < 2^-1076, is nearest to -y. ½-y+z/4 within 2^-63 of ½ is nearest to ½.
    const M label = hn::And(hn::Lt(z, Set(-kFarther)), hn::Gt(y, zero));
    value = hn::IfThenElse(label, hn::Neg(y), value);
    const M tiny = hn::And(hn::Lt(hn::Abs(z), Set(kTiny)), hn::Lt(y, Set(0x1p-64)));
    value = hn::IfThenElse(tiny, Set(0.5), value);
    decided = hn::Or(decided, hn::Or(hn::Or(exact, label), tiny));
  }
  M nan = hn::IsNaN(z);
  if (has_label(kOp)) nan = hn::Or(nan, hn::IsNaN(y));
  decided = hn::Or(decided, nan);
  return hn::IfThenElse(nan, Set(std::nan("")), value);
}

/// Equal as encodings.
HWY_INLINE M Same(V a, V b) {
  const hn::RebindToSigned<D> di;
  return hn::RebindMask(D(), hn::Eq(hn::BitCast(di, a), hn::BitCast(di, b)));
}

/// The lanes that are left: MPFR.
template <Op kOp>
HWY_NOINLINE V Last(V z, V y, V value, M decided, Rounding rounding) {
  HWY_ALIGN double zs[hn::MaxLanes(D())], ys[hn::MaxLanes(D())], out[hn::MaxLanes(D())],
      open[hn::MaxLanes(D())];
  hn::Store(z, D(), zs);
  hn::Store(y, D(), ys);
  hn::Store(value, D(), out);
  hn::Store(hn::IfThenElse(decided, hn::Zero(D()), Set(1.0)), D(), open);
  for (std::size_t i = 0; i < hn::Lanes(D()); ++i) {
    if (open[i] == 0) continue;
    count_last(kOp);
    out[i] = last_step(kOp, zs[i], ys[i], rounding);
  }
  return hn::Load(D(), out);
}

/// The second and third step for the lanes of a narrow dtype that the first leaves open.
template <Op kOp, class T>
HWY_NOINLINE V SlowNarrow(V z, V y, V value, M decided) {
  count_second(kOp, static_cast<std::uint64_t>(hn::Lanes(D()) - hn::CountTrue(D(), decided)));
  const WideValue v = Wide<kOp, true>(z, y);
  const Ends ends = LowWords(v);
  const V low = RoundTo<T>(RoundToOdd(v.hi, ends.low));
  const V high = RoundTo<T>(RoundToOdd(v.hi, ends.high));
  value = hn::IfThenElse(decided, value, low);
  decided = hn::Or(decided, Same(low, high));
  if (hn::AllTrue(D(), decided)) return value;
  const V last = RoundTo<T>(Last<kOp>(z, y, value, decided, Rounding::kOdd));
  return hn::IfThenElse(decided, value, last);
}

/// One vector.
template <Op kOp, class T>
HWY_INLINE void One(const T* zs, const T* ys, T* out) {
  const V z = Load(zs), y = has_label(kOp) ? Load(ys) : hn::Zero(D());
  const Value v = Fast<kOp>(z, y);
  V low, high;
  if (has_label(kOp)) {
    low = RoundTo<T>(RoundToOdd(v.hi, hn::Sub(v.lo, v.delta)));
    high = RoundTo<T>(RoundToOdd(v.hi, hn::Add(v.lo, v.delta)));
  } else {  // delta is some ulps of hi: a midpoint inside leaves two results
    low = RoundTo<T>(hn::Sub(v.hi, v.delta));
    high = RoundTo<T>(hn::Add(v.hi, v.delta));
  }
  M decided = Same(low, high);
  V value = Special<kOp, T>(z, y, low, decided);
  if (HWY_UNLIKELY(!hn::AllTrue(D(), decided))) value = SlowNarrow<kOp, T>(z, y, value, decided);
  Store(value, out);
}

/// f64: the second step is the first.
template <Op kOp>
HWY_INLINE void One(const double* zs, const double* ys, double* out) {
  const D d;
  const V z = Load(zs), y = has_label(kOp) ? Load(ys) : hn::Zero(d);
  const WideValue v = Wide<kOp, false>(z, y);
  const Ends ends = LowWords(v);
  V value = hn::Add(v.hi, ends.low);
  M decided = hn::AndNot(v.unfit, hn::Eq(value, hn::Add(v.hi, ends.high)));
  const V size = hn::Abs(z);
  const M tiny = hn::And(hn::Gt(size, Set(kFar)), NoExactPart<kOp>(z, y));
  if (HWY_UNLIKELY(!hn::AllFalse(d, tiny))) {
    M tiny_decided;
    V t = Tiny(size, tiny_decided);
    // At ±∞ t is 0 itself, else of the sign of z only where that is -e^-a.
    if (kOp == Op::kBceGrad) t = hn::IfThenElse(hn::Lt(z, hn::Zero(d)), t, hn::Neg(t));
    value = hn::IfThenElse(tiny, t, value);
    decided = hn::Or(hn::And(tiny, tiny_decided), hn::AndNot(tiny, decided));
  }
  value = Special<kOp, double>(z, y, value, decided);
  if (HWY_UNLIKELY(!hn::AllTrue(d, decided)))
    value = Last<kOp>(z, y, value, decided, Rounding::kNearest);
  Store(value, out);
}

/// out may be z. Elements beyond n are neither read nor written: the tail goes through a buffer.
template <Op kOp, class T>
void Array(const T* z, const T* y, T* out, std::size_t n) {
  const std::size_t lanes = hn::Lanes(D());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) One<kOp>(z + i, has_label(kOp) ? y + i : nullptr, out + i);
  if (i == n) return;
  T zs[hn::MaxLanes(D())] = {}, ys[hn::MaxLanes(D())] = {};
  for (std::size_t j = 0; j < n - i; ++j) {
    zs[j] = z[i + j];
    if (has_label(kOp)) ys[j] = y[i + j];
  }
  One<kOp>(zs, ys, zs);
  for (std::size_t j = 0; j < n - i; ++j) out[i + j] = zs[j];
}

}  // namespace HWY_NAMESPACE
}  // namespace exact
HWY_AFTER_NAMESPACE();
#endif
