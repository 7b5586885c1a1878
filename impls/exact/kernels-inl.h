// The kernels over arrays: rounding tests, and the way from one step to the next. Compiled once per
// Highway target.
// SPDX-License-Identifier: Apache-2.0
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

// AVX2 and AVX-512 convert f16, rounding to nearest.
#undef EXACT_F16C
#define EXACT_F16C (HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL)

/// One vector of a dtype as doubles, exactly.
HWY_INLINE V Load(const double* p) { return hn::LoadU(D(), p); }
HWY_INLINE V Load(const float* p) { return hn::PromoteTo(D(), hn::LoadU(F32(), p)); }
HWY_INLINE V Load(const ulpaudit::bf16* p) {
  const auto bits = hn::LoadU(U16(), reinterpret_cast<const std::uint16_t*>(p));
  return hn::PromoteTo(D(), hn::BitCast(F32(), hn::ShiftLeft<16>(hn::PromoteTo(U32(), bits))));
}
HWY_INLINE V Load(const ulpaudit::f16* p) {
#if EXACT_F16C
  const hn::Rebind<hwy::float16_t, D> dh;
  const auto h = hn::LoadU(dh, reinterpret_cast<const hwy::float16_t*>(p));
  return hn::PromoteTo(D(), hn::PromoteTo(F32(), h));
#else
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
#endif
}

/// v rounded to the dtype: to f32 by the conversion, to 16 bits, still as doubles, by the sum with
/// 1.5·2^52 ulps; infinities and NaN stay. The bits of two such are compared by Same.
HWY_INLINE hn::Vec<F32> RoundTo(V v, const float*) { return hn::DemoteTo(F32(), v); }
template <int P>
HWY_INLINE V RoundTo(V v, const ulpaudit::detail::Sixteen<P>*) {
  const hn::RebindToSigned<D> di;
  const auto exponent = hn::And(hn::BitCast(di, v), hn::Set(di, 0x7ffll << 52));
  const V scale = hn::Max(hn::BitCast(D(), exponent), Set(P == 11 ? 0x1p-14 : 0x1p-126));
  const V grid = hn::Mul(scale, Set(1.5 * static_cast<double>(1ll << (53 - P))));
  const V q = hn::CopySign(hn::Sub(hn::Add(v, grid), grid), v);
  return hn::IfThenElse(hn::Lt(scale, Set(0x1p500)), q, v);
}

/// Stores numbers of the dtype.
HWY_INLINE void Store(V v, double* p) { hn::StoreU(v, D(), p); }
HWY_INLINE void Store(hn::Vec<F32> v, float* p) { hn::StoreU(v, F32(), p); }
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

/// The quick test's rounding of a lower or upper bound: to f32 by the conversion; to 16 bits, as an
/// encoding, by way of a float, first moved outward by 2^-22 of its size and 2^-148, which is more
/// than the conversion to float may move it back. What changes sign so rounds to 0 either way, and
/// keeps t's sign.
template <bool kLower>
HWY_INLINE hn::Vec<F32> QuickRound(V v, const float*) {
  return hn::DemoteTo(F32(), v);
}
template <bool kLower>
HWY_INLINE hn::Vec<F32> OutwardFloat(V v) {
  const V slack = hn::MulAdd(hn::Abs(v), Set(0x1p-22), Set(0x1p-148));
  return hn::DemoteTo(F32(), hn::CopySign(kLower ? hn::Sub(v, slack) : hn::Add(v, slack), v));
}
template <bool kLower>
HWY_INLINE hn::Vec<U32> QuickRound(V v, const ulpaudit::bf16*) {
  const auto bits = hn::BitCast(U32(), OutwardFloat<kLower>(v));
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(U32(), 1));
  return hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(U32(), 0x7fff))));
}
template <bool kLower>
HWY_INLINE hn::Vec<U32> QuickRound(V v, const ulpaudit::f16*) {
#if EXACT_F16C
  const auto h = hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), OutwardFloat<kLower>(v));
  return hn::PromoteTo(U32(), hn::BitCast(U16(), h));
#else
  const auto bits = hn::BitCast(U32(), OutwardFloat<kLower>(v));
  const auto size = hn::And(bits, hn::Set(U32(), 0x7fffffff));
  const auto sign = hn::ShiftRight<16>(hn::Xor(bits, size));
  const auto odd = hn::And(hn::ShiftRight<13>(size), hn::Set(U32(), 1));
  const auto up = hn::Add(size, hn::Add(odd, hn::Set(U32(), 0xfff)));
  auto normal = hn::Sub(hn::ShiftRight<13>(up), hn::Set(U32(), 112u << 10));
  normal = hn::Min(normal, hn::Set(U32(), 0x7c00));
  normal = hn::IfThenElse(hn::Gt(size, hn::Set(U32(), 0x7f800000)), hn::Set(U32(), 0x7e00), normal);
  // Subnormal: the sum with ½, whose ulp is 2^-24, rounds.
  const auto half = hn::Set(F32(), 0.5f);
  const auto sum = hn::BitCast(U32(), hn::Add(hn::BitCast(F32(), size), half));
  const auto tiny = hn::Sub(sum, hn::BitCast(U32(), half));
  const auto is_tiny = hn::Lt(size, hn::Set(U32(), 113u << 23));
  return hn::Or(hn::IfThenElse(is_tiny, tiny, normal), sign);
#endif
}
HWY_INLINE void StoreQuick(hn::Vec<F32> v, float* p) { hn::StoreU(v, F32(), p); }
template <int P>
HWY_INLINE void StoreQuick(hn::Vec<U32> v, ulpaudit::detail::Sixteen<P>* p) {
  hn::StoreU(hn::DemoteTo(U16(), hn::BitCast(I32(), v)), U16(),
             reinterpret_cast<std::uint16_t*>(p));
}

/// What no step computes: the loss at ±∞, NaN.
template <Op kOp>
HWY_INLINE V Special(V z, V y, V value) {
  if (kOp == Op::kBce) {
    const V zero = hn::Zero(D()), inf = Set(HUGE_VAL);
    const V none = hn::IfThenElse(hn::Lt(z, zero), zero, Set(1.0));  // c = 0 at this label
    const V loss = hn::IfThenElse(hn::Eq(y, none), zero, inf);
    value = hn::IfThenElse(hn::Eq(hn::Abs(z), inf), loss, value);
  }
  M nan = hn::IsNaN(z);
  if (has_label(kOp)) nan = hn::Or(nan, hn::IsNaN(y));
  return hn::IfThenElse(nan, Set(std::nan("")), value);
}

/// z/4 less a little, rounded to f64, for 0 < |z| < 2^-958. Below 2^-1022 as in Tiny.
HWY_INLINE V JustBelowQuarter(V z) {
  const V v = hn::Mul(hn::Mul(hn::Abs(z), Set(0x1p200)), Set(0.25));
  const V grid = Set(0x1p-822);
  const Sum s = AddExactly(grid, v);
  const V q = hn::Add(s.hi, RoundToOdd(s.lo, Set(-0x1p-1060)));
  const V tiny = hn::Mul(hn::Sub(q, grid), Set(0x1p-200));
  const V quarter = hn::IfThenElse(hn::Lt(v, grid), tiny, hn::Mul(hn::Abs(z), Set(0.25)));
  return hn::CopySign(quarter, z);
}

/// What of the gradient in f64 no step computes: 0 and ±∞, exact and rounded once; -y + ε,
/// ε < 2^-1076, nearest to -y; ½-y+z/4 within 2^-63 of ½.
HWY_INLINE M SpecialGradient(V z, V y, V& value) {
  const V zero = hn::Zero(D());
  const M at_zero = hn::Eq(z, zero);
  V base = hn::IfThenElse(hn::Lt(z, zero), zero, Set(1.0));
  base = hn::IfThenElse(at_zero, Set(0.5), base);
  const M exact = hn::Or(at_zero, hn::Eq(hn::Abs(z), Set(HUGE_VAL)));
  value = hn::IfThenElse(exact, hn::Sub(base, y), value);
  const M label = hn::And(hn::Lt(z, Set(-kFarther)), hn::Gt(y, zero));
  value = hn::IfThenElse(label, hn::Neg(y), value);
  const M half = hn::And(hn::Lt(hn::Abs(z), Set(kTiny)), hn::Lt(y, Set(0x1p-64)));
  value = hn::IfThenElse(half, Set(0.5), value);
  M decided = hn::Or(hn::Or(exact, label), half);
  const M quarter =
      hn::AndNot(at_zero, hn::And(hn::Lt(hn::Abs(z), Set(0x1p-958)), hn::Eq(y, Set(0.5))));
  if (HWY_UNLIKELY(!hn::AllFalse(D(), quarter))) {
    value = hn::IfThenElse(quarter, JustBelowQuarter(z), value);
    decided = hn::Or(decided, quarter);
  }
  return decided;
}

/// A lane's bit is set where the encodings are equal.
template <class W>
HWY_INLINE unsigned Same(W a, W b) {
  const hn::RebindToSigned<hn::DFromV<W>> di;
  std::uint8_t bits[8] = {};
  hn::StoreMaskBits(di, hn::Eq(hn::BitCast(di, a), hn::BitCast(di, b)), bits);
  return bits[0];
}
template <class W>
HWY_INLINE bool AllSame(W a, W b) {
  const hn::RebindToSigned<hn::DFromV<W>> di;
  return hn::AllTrue(di, hn::Eq(hn::BitCast(di, a), hn::BitCast(di, b)));
}

HWY_INLINE M LaneMask(unsigned bits) {
  const std::uint8_t bytes[8] = {static_cast<std::uint8_t>(bits)};
  return hn::LoadMaskBits(D(), bytes);
}

/// The last step for the lanes whose bit in `open` is set.
template <Op kOp>
HWY_NOINLINE V Last(V z, V y, V value, unsigned open, Rounding rounding) {
  HWY_ALIGN double zs[hn::MaxLanes(D())], ys[hn::MaxLanes(D())], out[hn::MaxLanes(D())];
  hn::Store(z, D(), zs);
  hn::Store(y, D(), ys);
  hn::Store(value, D(), out);
  for (std::size_t i = 0; i < hn::Lanes(D()); ++i) {
    if ((open >> i & 1) == 0) continue;
    count_last(kOp);
    out[i] = last_step(kOp, zs[i], ys[i], rounding);
  }
  return hn::Load(D(), out);
}

/// All that follows the quick test for the lanes of a narrow dtype whose bit in `open` is set.
template <Op kOp, class T>
HWY_NOINLINE void Slow(V z, V y, unsigned open, T* out) {
  const Bounds odd = OddBounds(Fast<kOp>(z, y));
  V value = odd.low;
  unsigned left = open & ~Same(RoundTo(odd.low, out), RoundTo(odd.high, out));
  if (left != 0) {
    for (unsigned rest = left; rest != 0; rest &= rest - 1) count_second(kOp);
    const WideValue v = Wide<kOp, true>(z, y);
    const Ends ends = LowWords(v);
    const V low = RoundToOdd(v.hi, ends.low), high = RoundToOdd(v.hi, ends.high);
    value = hn::IfThenElse(LaneMask(left), low, value);
    left &= ~Same(RoundTo(low, out), RoundTo(high, out));
  }
  if (left != 0) value = Last<kOp>(z, y, value, left, Rounding::kOdd);
  T results[hn::MaxLanes(D())];
  Store(RoundTo(value, out), results);
  for (std::size_t i = 0; i < hn::Lanes(D()); ++i)
    if ((open >> i & 1) != 0) out[i] = results[i];
}

/// One vector: a quick test, and what is left after it.
template <Op kOp, class T>
HWY_INLINE void One(const T* zs, const T* ys, T* out) {
  const V z = Load(zs), y = has_label(kOp) ? Load(ys) : hn::Zero(D());
  const Bounds t = QuickBounds<kOp>(Fast<kOp>(z, y));
  const auto low = QuickRound<true>(t.low, out), high = QuickRound<false>(t.high, out);
  StoreQuick(low, out);
  if (HWY_UNLIKELY(!AllSame(low, high)))
    Slow<kOp>(z, y, ~Same(low, high) & ((1u << hn::Lanes(D())) - 1), out);
}

/// Four vectors of an op of one argument together: bounds by one product each, as there is no exact
/// part and w > 0 (or NaN).
///
/// Counted on Zen 3 (AVX2): 120 vector operations for 16 sigmoids, 64 of them products, besides 12
/// conversions and 4 divisions; llvm-mca puts 83 cycles of them on the busier of the two
/// multipliers, so this is what double costs. FourNormal takes 8 products off.
template <Op kOp, class T>
HWY_INLINE void Four(const T* zs, T* out) {
  constexpr int N = 4;
  const std::size_t lanes = hn::Lanes(D());
  V z[N], w[N];
  EXACT_EACH z[u] = Load(zs + static_cast<std::size_t>(u) * lanes);
  FastUnary<kOp, N>(z, w);
  decltype(QuickRound<true>(w[0], out)) low[N], high[N];
  EXACT_EACH low[u] = QuickRound<true>(hn::Mul(w[u], Set(1 - kFastEta)), out);
  EXACT_EACH high[u] = QuickRound<false>(hn::Mul(w[u], Set(1 + kFastEta)), out);
  EXACT_EACH StoreQuick(low[u], out + static_cast<std::size_t>(u) * lanes);
  auto differ = hn::Xor(hn::BitCast(U32(), low[0]), hn::BitCast(U32(), high[0]));
  for (int u = 1; u < N; ++u)
    differ = hn::Or(differ, hn::Xor(hn::BitCast(U32(), low[u]), hn::BitCast(U32(), high[u])));
  if (HWY_LIKELY(hn::AllTrue(U32(), hn::Eq(differ, hn::Zero(U32()))))) return;
  for (int u = 0; u < N; ++u)
    if (const unsigned open = ~Same(low[u], high[u]) & ((1u << lanes) - 1))
      Slow<kOp>(z[u], hn::Zero(D()), open, out + static_cast<std::size_t>(u) * lanes);
}

/// Where x has none of the bits.
using I64 = hn::RebindToSigned<D>;
HWY_INLINE M NoneOf(hn::Vec<I64> bits, hn::Vec<I64> x) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return M{_mm512_testn_epi64_mask(bits.raw, x.raw)};  // else two operations
#else
  return hn::RebindMask(D(), hn::Eq(hn::And(bits, x), hn::Zero(I64())));
#endif
}

/// The same in f32 where all |z| <= kNormal, else false. A float nearest to w lies beside the
/// middle of two, whose lowest 29 bits in double are 2^28; w, times 1 ± kNormalEta, is on either
/// side of a middle if its own are within kSlack of that.
template <Op kOp>
HWY_INLINE bool FourNormal(const float* zs, float* out) {
  constexpr int N = 4;
  constexpr auto kSlack = static_cast<std::int64_t>(kNormalEta * 0x1p53);
  const hn::ScalableTag<float> floats;
  const I64 di;
  const std::size_t lanes = hn::Lanes(D());
  const auto near = [&](std::size_t i) {
    return hn::Le(hn::Abs(hn::LoadU(floats, zs + i)), hn::Set(floats, kNormal));
  };
  auto all_near = near(0);
  for (std::size_t i = hn::Lanes(floats); i < N * lanes; i += hn::Lanes(floats))
    all_near = hn::And(all_near, near(i));
  if (HWY_UNLIKELY(!hn::AllTrue(floats, all_near))) return false;
  V z[N], w[N];
  EXACT_EACH z[u] = Load(zs + static_cast<std::size_t>(u) * lanes);
  NormalUnary<kOp, N>(z, w);
  EXACT_EACH StoreQuick(hn::DemoteTo(F32(), w[u]), out + static_cast<std::size_t>(u) * lanes);
  M open[N];
  EXACT_EACH open[u] = NoneOf(hn::Set(di, (1 << 29) - 2 * kSlack),
                              hn::Add(hn::BitCast(di, w[u]), hn::Set(di, kSlack - (1 << 28))));
  if (HWY_LIKELY(hn::AllFalse(D(), hn::Or(hn::Or(open[0], open[1]), hn::Or(open[2], open[3])))))
    return true;
  for (int u = 0; u < N; ++u) {
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(D(), open[u], bits);
    if (bits[0] != 0)
      Slow<kOp>(z[u], hn::Zero(D()), bits[0], out + static_cast<std::size_t>(u) * lanes);
  }
  return true;
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
  if (kOp == Op::kBceGrad) decided = hn::Or(decided, SpecialGradient(z, y, value));
  value = Special<kOp>(z, y, value);
  M special = hn::IsNaN(value);
  if (kOp == Op::kBce) special = hn::Or(special, hn::Eq(size, Set(HUGE_VAL)));
  decided = hn::Or(decided, special);
  if (HWY_UNLIKELY(!hn::AllTrue(d, decided))) {
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(d, decided, bits);
    const unsigned open = ~static_cast<unsigned>(bits[0]) & ((1u << hn::Lanes(d)) - 1);
    value = Last<kOp>(z, y, value, open, Rounding::kNearest);
  }
  Store(value, out);
}

/// out may be z. Elements beyond n are neither read nor written: the tail goes through a buffer.
template <Op kOp, class T>
void Array(const T* z, const T* y, T* out, std::size_t n) {
  const std::size_t lanes = hn::Lanes(D());
  std::size_t i = 0;
  if constexpr (!has_label(kOp) && !std::is_same_v<T, double>)
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      if constexpr (std::is_same_v<T, float>)
        if (FourNormal<kOp>(z + i, out + i)) continue;
      Four<kOp>(z + i, out + i);
    }
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
