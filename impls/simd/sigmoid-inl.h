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

// One vector is a chain of some 80 cycles, more than a core looks ahead to overlap. So N vectors go
// through each step together.
#define SIMD_EACH _Pragma("GCC unroll 8") for (int u = 0; u < N; ++u)

// The sigmoid of N vectors at z. With a = |z|, e^a = 2^k P, P = e^r and |r| <= ln2/2:
//
//   sigma(-a) = 2^-k / (P + 2^-k),   sigma(a) = 1 - sigma(-a).
//
// P and 2^-k are added before either is rounded: D = 1 + t, t = (P - 1) + 2^-k, in two parts, and
// the reciprocal of D is corrected by its own residual.
//
// Error of sigma(-a), in its ulps: 0.5 for the last rounding (1.0 without FMA, where the residual
// cannot be had), and the relative errors of D, of which 2^-24 is one ulp at most: the rounding of
// P - 1 (2^-26), of its sum with 2^-k (2^-25; for k = 0 2^-24, beside D >= 2), of w and r (2^-26
// together), the polynomial (2^-28). They never meet at their largest; the maxima over all 2^32
// inputs, with witnesses, are in contract.toml. 1 - s adds 0.5 to at most half the error of s.
//
// No arithmetic but the discarded 1 - s takes or makes a subnormal, so there is no slow path.
template <int N, class D>
HWY_INLINE void SigmoidOf(D d, const float* in, float* out) {
  using V = hn::Vec<D>;
  const hn::RebindToSigned<D> di;
  using I = hn::Vec<decltype(di)>;
  const V one = hn::Set(d, 1.0f);
  const std::size_t lanes = hn::Lanes(d);

  // e^-104 < 2^-150, half the smallest subnormal; 2^-40 is as good as 0. A NaN becomes anything.
  V z[N], a[N];
  SIMD_EACH z[u] = hn::LoadU(d, in + static_cast<std::size_t>(u) * lanes);
  SIMD_EACH a[u] = hn::Max(hn::Min(hn::Abs(z[u]), hn::Set(d, 104.0f)), hn::Set(d, 0x1p-40f));

  // k to the nearest integer, in the low bits of kf: 2^23 + 2^22 has ulp 1. r1 = a - k*hi is exact:
  // k*hi has 24 bits at most, and r1 < 1/2 is a multiple of ulp(a) or of 2^-16. c = -k*lo.
  V kf[N], k[N], r1[N], c[N], r[N];
  const V magic = hn::Set(d, 0x1.8p23f);
  SIMD_EACH kf[u] = hn::MulAdd(a[u], hn::Set(d, 0x1.715476p0f), magic);
  SIMD_EACH k[u] = hn::Sub(kf[u], magic);
  SIMD_EACH r1[u] = hn::NegMulAdd(k[u], hn::Set(d, 0x1.62e4p-1f), a[u]);
  SIMD_EACH c[u] = hn::Mul(k[u], hn::Set(d, -0x1.7f7d1cp-20f));
  SIMD_EACH r[u] = hn::Add(r1[u], c[u]);

  // P = 1 + r1 + w, w = c + r^2 q(r). Coefficients, their error and the split of ln2: exp.sollya.
  V r2[N], low[N], high[N], w[N];
  SIMD_EACH r2[u] = hn::Mul(r[u], r[u]);
  SIMD_EACH high[u] = hn::MulAdd(hn::Set(d, 0x1.12397ep-7f), r[u], hn::Set(d, 0x1.555a26p-5f));
  SIMD_EACH low[u] = hn::MulAdd(hn::Set(d, 0x1.555492p-3f), r[u], hn::Set(d, 0x1.fffffap-2f));
  SIMD_EACH high[u] = hn::MulAdd(hn::Set(d, 0x1.694c98p-10f), r2[u], high[u]);
  SIMD_EACH low[u] = hn::MulAdd(high[u], r2[u], low[u]);
  SIMD_EACH w[u] = hn::MulAdd(r2[u], low[u], c[u]);

  // scale = 2^-k, or 0 from k = 127 on, where it no longer counts. d1 + d2 = 1 + t exactly; for
  // t > 1 (k = 0) too: d1 - 1 is then a number of t's binade.
  I k23[N], scale[N];
  V t[N], d1[N], d2[N], y[N];
  SIMD_EACH k23[u] = hn::ShiftLeft<23>(hn::BitCast(di, kf[u]));
  SIMD_EACH scale[u] = hn::Max(hn::Sub(hn::BitCast(di, one), k23[u]), hn::Zero(di));
  SIMD_EACH t[u] = hn::Add(hn::Add(r1[u], w[u]), hn::BitCast(d, scale[u]));
  SIMD_EACH d1[u] = hn::Add(one, t[u]);
  SIMD_EACH y[u] = hn::Div(one, d1[u]);
  SIMD_EACH d2[u] = hn::Sub(t[u], hn::Sub(d1[u], one));
#if HWY_NATIVE_FMA
  SIMD_EACH d1[u] = hn::NegMulAdd(y[u], d1[u], one);
  SIMD_EACH d1[u] = hn::NegMulAdd(y[u], d2[u], d1[u]);
  SIMD_EACH y[u] = hn::MulAdd(y[u], d1[u], y[u]);
#else
  SIMD_EACH y[u] = hn::Sub(y[u], hn::Mul(y[u], hn::Mul(y[u], d2[u])));
#endif

  // y 2^-k on the bits. Where that is below 2^-126 (a > log(2^126 - 1), k >= 126), y + m with
  // m = 2^(k-126) rounds y to a multiple of 2^(k-149), and what its bits have above those of m is
  // the encoding of the result. Elsewhere m = 0.
  I m[N];
  V s[N];
  SIMD_EACH m[u] = hn::BitCast(di, hn::VecFromMask(d, hn::Gt(a[u], hn::Set(d, 0x1.5d589ep6f))));
  SIMD_EACH m[u] = hn::And(m[u], hn::Add(k23[u], hn::Set(di, 1 << 23)));
  SIMD_EACH s[u] = hn::Add(y[u], hn::BitCast(d, m[u]));
  SIMD_EACH s[u] = hn::BitCast(d, hn::Sub(hn::BitCast(di, s[u]), hn::Max(k23[u], m[u])));

  SIMD_EACH s[u] = hn::IfNegativeThenElse(z[u], s[u], hn::Sub(one, s[u]));
  const V quiet = hn::BitCast(d, hn::Set(di, 1 << 22));
  SIMD_EACH s[u] = hn::IfThenElse(hn::IsNaN(z[u]), hn::Or(z[u], quiet), s[u]);
  SIMD_EACH hn::StoreU(s[u], d, out + static_cast<std::size_t>(u) * lanes);
}

// out may be z. Elements beyond n are neither read nor written: the tail goes through a buffer.
void SigmoidF32(const float* z, float* out, std::size_t n) {
  constexpr int N = 4;
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + N * lanes <= n; i += N * lanes) SigmoidOf<N>(d, z + i, out + i);
  for (; i + lanes <= n; i += lanes) SigmoidOf<1>(d, z + i, out + i);
  if (i == n) return;
  HWY_ALIGN float buffer[hn::MaxLanes(d)] = {};
  for (std::size_t j = 0; j < n - i; ++j) buffer[j] = z[i + j];
  SigmoidOf<1>(d, buffer, buffer);
  for (std::size_t j = 0; j < n - i; ++j) out[i + j] = buffer[j];
}

#undef SIMD_EACH

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
