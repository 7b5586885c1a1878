// The sigmoid in f32, compiled once per Highway target (simd.cpp is what foreach_target.h repeats).
#if defined(ULPAUDIT_SIMD_SIGMOID_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_SIMD_SIGMOID_INL_H
#undef ULPAUDIT_SIMD_SIGMOID_INL_H
#else
#define ULPAUDIT_SIMD_SIGMOID_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sigma(-a) for a = |z|, with e^a = 2^k P and P = e^r, |r| <= ln2/2:
//
//   sigma(-a) = 2^-k / (P + 2^-k),   sigma(a) = 1 - sigma(-a).
//
// P and 2^-k are added before either is rounded: D = 1 + t, t = (P - 1) + 2^-k, in two parts, and
// the reciprocal of D is corrected by its own residual, so that what is left is the last rounding
// and that of t. No step makes or takes a subnormal float, so there is no slow path.
//
// Error of sigma(-a), in its ulps; y = 1/D, and u(y) <= 2 * 2^-24 y is an ulp of y:
//   0.5    the last rounding (with FMA; 1.0 without, where the residual cannot be had)
//   + the errors of D, relative, of which each 2^-24 is at most 1 ulp, and less where y is not just
//   below a power of two: (P - 1) = r1 + w is rounded (2^-26), its sum with 2^-k is rounded (2^-25,
//   for k = 0 2^-24 beside D >= 2), w (2^-28), polynomial (2^-29).
// They never meet at their largest. Measured over all 2^32 inputs (contract.toml has the witnesses):
// MEASURED
// Results below 2^-126: y is right to an ulp, then rounded to a multiple of 2^-149.

// The work on one vector is a chain of some 80 cycles, more than a core can look ahead to overlap.
// So it is cut in two, and the loop ends one vector while it begins the next.
template <class D>
struct Begun {
  hn::Vec<D> z, y1, d1, d2;                     // y1 = 1/d1, D = d1 + d2
  hn::Vec<hn::RebindToSigned<D>> k23, m;  // k << 23; bits of 2^(k-126) where the result is subnormal, else 0
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Begun<D> Begin(D d, V z) {
  const hn::RebindToSigned<D> di;
  const V one = hn::Set(d, 1.0f);

  // e^-104 < 2^-150, below half the smallest subnormal; 2^-40 as good as 0. A NaN becomes anything.
  const V a = hn::Max(hn::Min(hn::Abs(z), hn::Set(d, 104.0f)), hn::Set(d, 0x1p-40f));

  // k to the nearest integer, in the low bits of kf: 2^23 + 2^22 has ulp 1.
  const V magic = hn::Set(d, 0x1.8p23f);
  const V kf = hn::MulAdd(a, hn::Set(d, 0x1.715476p0f), magic);
  const V k = hn::Sub(kf, magic);
  // r1 is exact: k*hi has 24 bits at most, and r1 is a multiple of ulp(a) or 2^-16, and below 1/2.
  const V r1 = hn::NegMulAdd(k, hn::Set(d, 0x1.62e4p-1f), a);
  const V c = hn::Mul(k, hn::Set(d, -0x1.7f7d1cp-20f));
  const V r = hn::Add(r1, c);

  // Coefficients, their error (2^-28.18) and the split of ln2: exp.sollya.
  const V r2 = hn::Mul(r, r);
  const V q23 = hn::MulAdd(hn::Set(d, 0x1.555492p-3f), r, hn::Set(d, 0x1.fffffap-2f));
  const V q45 = hn::MulAdd(hn::Set(d, 0x1.12397ep-7f), r, hn::Set(d, 0x1.555a26p-5f));
  const V q = hn::MulAdd(hn::MulAdd(hn::Set(d, 0x1.694c98p-10f), r2, q45), r2, q23);
  const V w = hn::MulAdd(r2, q, c);

  // 2^-k, or 0 from k = 127 on, where it no longer counts.
  const auto k23 = hn::ShiftLeft<23>(hn::BitCast(di, kf));
  const auto scale = hn::Max(hn::Sub(hn::BitCast(di, one), k23), hn::Zero(di));

  // d1 + d2 = 1 + t exactly. For t > 1 (k = 0) too: d1 - 1 is then a number of t's binade.
  const V t = hn::Add(hn::Add(r1, w), hn::BitCast(d, scale));
  const V d1 = hn::Add(one, t);
  const V d2 = hn::Sub(t, hn::Sub(d1, one));

  const auto tiny = hn::Gt(a, hn::Set(d, 0x1.5d589ep6f));  // a > log(2^126 - 1)
  const auto m =
      hn::And(hn::Add(k23, hn::Set(di, 1 << 23)), hn::BitCast(di, hn::VecFromMask(d, tiny)));
  return {z, hn::Div(one, d1), d1, d2, k23, m};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V End(D d, const Begun<D>& b) {
  const hn::RebindToSigned<D> di;
  const V one = hn::Set(d, 1.0f);
#if HWY_NATIVE_FMA
  const V residual = hn::NegMulAdd(b.y1, b.d2, hn::NegMulAdd(b.y1, b.d1, one));
  const V y = hn::MulAdd(b.y1, residual, b.y1);
#else
  const V y = hn::Sub(b.y1, hn::Mul(b.y1, hn::Mul(b.y1, b.d2)));
#endif

  // y * 2^-k on the bits. Where that is subnormal (k >= 126), y + m, with m = 2^(k-126), rounds y to
  // a multiple of 2^(k-149), and the bits above those of m are the result's encoding.
  const auto sum = hn::BitCast(di, hn::Add(y, hn::BitCast(d, b.m)));
  const V s = hn::BitCast(d, hn::Sub(sum, hn::Max(b.k23, b.m)));
  const V both = hn::IfNegativeThenElse(b.z, s, hn::Sub(one, s));
  return hn::IfThenElse(hn::IsNaN(b.z), hn::Or(b.z, hn::BitCast(d, hn::Set(di, 1 << 22))), both);
}

// out may be z. Elements beyond n are neither read nor written: the tail goes through a buffer.
void SigmoidF32(const float* z, float* out, std::size_t n) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  if (n >= lanes) {
    auto begun = Begin(d, hn::LoadU(d, z));
    for (i = lanes; i + lanes <= n; i += lanes) {
      const auto next = Begin(d, hn::LoadU(d, z + i));
      hn::StoreU(End(d, begun), d, out + i - lanes);
      begun = next;
    }
    hn::StoreU(End(d, begun), d, out + i - lanes);
  }
  if (i == n) return;
  HWY_ALIGN float buffer[hn::MaxLanes(d)] = {};
  for (std::size_t j = 0; j < n - i; ++j) buffer[j] = z[i + j];
  hn::Store(End(d, Begin(d, hn::Load(d, buffer))), d, buffer);
  for (std::size_t j = 0; j < n - i; ++j) out[i + j] = buffer[j];
}

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
