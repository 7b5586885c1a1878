// Binary cross-entropy with logits and its gradient, compiled once per Highway target.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_SIMD_BCE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_SIMD_BCE_INL_H
#undef ULPAUDIT_SIMD_BCE_INL_H
#else
#define ULPAUDIT_SIMD_BCE_INL_H
#endif

#include "exp-inl.h"
#include "sigmoid-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simd {
namespace HWY_NAMESPACE {

#if HWY_NATIVE_FMA
// The loss: a*c + log1p(e), a = |z|, c = y for z < 0, else 1 - y, e = e^-a = s/P with s = 2^-k.
// With w = e/(2+e) = (s/2)/D, D = P + s/2,
//
//   log1p(e) = 2 atanh(w) = v (1 + v^2 q'(v^2)), v = 2w = s/D, q' = q/4 of a fourth of its
//   argument.
//
// 1/D as for the sigmoid (AVX-512, float: from e alone, within 2^-28), its correction together with
// that of the factor, so that log1p(e) has one rounding; 1 + s/2 is not exact for k > 22 (double
// 51), and the same is done about it. a*c + log1p(e) adds another, with 1 - y in two parts.
//
// llvm-mca as for the sigmoid, AVX-512: float 22.8 cycles (32.8 by division), double 32.8 (44.8).
struct Bce {
  static constexpr bool kLabels = true;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    BySize<Bce>(d, z, y, out);
  }

  // kAll: for every z, else for |z| up to kFast and NaN.
  template <bool kAll, int N, class D, class V>
  static HWY_INLINE void Steps(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    using T = hn::TFromD<D>;
    using C = Num<T>;
    const V one = hn::Set(d, T(1)), half = hn::Set(d, T(0.5));
    V a[N], p[N], s[N], b[N], g[N], e[N], v[N], v2[N];
    Bits<D> s_bits[N];
    SIMD_EACH a[u] = hn::Abs(z[u]);
    if (kAll) {
      SIMD_EACH a[u] = AtMost(hn::Set(d, C::kFar), AtLeast(hn::Set(d, C::kNear), a[u]));
    }
    ExpParts<true, N>(d, a, p, s_bits);
    SIMD_EACH s[u] = kAll ? PowerOr(d, -64, hn::Neg(a[u]), s_bits[u]) : hn::BitCast(d, s_bits[u]);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH s[u] = FinitePower(d, s[u]);
    }
    SIMD_EACH b[u] = hn::MulAdd(s[u], half, one);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH p[u] = hn::Add(p[u], hn::MulSub(s[u], half, hn::Sub(b[u], one)));
    }
    SIMD_EACH g[u] = FirstInverse<T>::Of(hn::Add(b[u], p[u]));
    SIMD_EACH e[u] = hn::NegMulAdd(g[u], p[u], hn::NegMulAdd(g[u], b[u], one));
    if (FirstInverse<T>::kPowers == 3) {  // in float 2^-28 is left: no order of neighbours to keep
      SIMD_EACH e[u] = hn::MulAdd(e[u], hn::MulAdd(e[u], e[u], e[u]), e[u]);
    }
    SIMD_EACH v[u] = hn::Mul(s[u], hn::MulAdd(g[u], e[u], g[u]));
    SIMD_EACH v2[u] = hn::MulAdd(v[u], v[u], hn::Set(d, C::kTiny));
    SIMD_EACH v2[u] = hn::Mul(v2[u], Horner(d, v2[u], kQuarters<T>.c, 0, 1));
    SIMD_EACH e[u] = hn::Add(hn::MulAdd(v2[u], e[u], v2[u]), e[u]);
    SIMD_EACH g[u] = hn::Mul(s[u], g[u]);
    SIMD_EACH v[u] = hn::MulAdd(g[u], e[u], g[u]);
    if (kAll) {
      SIMD_EACH v[u] = OrSubnormal(d, hn::Neg(a[u]), v[u], hn::Sub(Exponent(d, -63), s_bits[u]));
    }
    // z c, c = 1 - y or -y in two parts.
    SIMD_EACH a[u] = hn::IfNegativeThenElse(z[u], hn::Zero(d), one);
    SIMD_EACH b[u] = hn::Sub(a[u], y[u]);
    SIMD_EACH a[u] = hn::Sub(hn::Sub(a[u], b[u]), y[u]);
    // An infinite z with c = 0 has a loss of 0, and none has a low part.
    SIMD_EACH s[u] =
        kAll ? AtLeast(hn::Set(d, -kLargest<T>), AtMost(hn::Set(d, kLargest<T>), z[u])) : z[u];
    SIMD_EACH g[u] = kAll ? hn::IfThenElseZero(hn::Ne(b[u], hn::Zero(d)), z[u]) : z[u];
    SIMD_EACH out[u] = hn::MulAdd(g[u], b[u], hn::MulAdd(s[u], a[u], v[u]));
  }

  template <class T>
  static constexpr T kLargest = hwy::HighestValue<T>();
  // kAtanh[i] / 4^(i+1).
  template <class T>
  struct Quarters {
    static constexpr int n = sizeof(Num<T>::kAtanh) / sizeof(T);
    T c[n] = {};
    constexpr Quarters() {
      T scale = 1;
      for (int i = 0; i < n; ++i) c[i] = Num<T>::kAtanh[i] * (scale *= T(0.25));
    }
  };
  template <class T>
  static constexpr Quarters<T> kQuarters{};
};
#else
// |z| c + loss. |z| becomes 0 where c is, so that an infinite and right logit has loss 0.
template <class D, class V>
HWY_INLINE V AddProduct(D d, V z, V y, V loss) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T(1)), zero = hn::Zero(d);
  const V c = hn::IfNegativeThenElse(z, y, hn::Sub(one, y));
  const V low = hn::IfNegativeThenElse(z, zero, hn::Sub(hn::Sub(one, c), y));
  const V a = hn::IfThenElseZero(hn::Ne(c, zero), hn::Abs(z));
  const V finite = hn::Min(a, hn::Set(d, hwy::HighestValue<T>()));
  const V rest = hn::MulAdd(finite, low, loss);
  // The low half of the product; below 2^-100 (2^-900) it is lost, and the product on the grid
  // of the subnormals, or near it.
  const V product = hn::Mul(a, c);
  const V error = Residual(d, hn::Mul(finite, c), finite, c);
  const V tiny = hn::Set(d, sizeof(T) == 4 ? T(0x1p-100) : T(0x1p-900));
  return hn::Add(product, hn::Sub(rest, hn::IfThenElseZero(hn::Gt(product, tiny), error)));
}

// The loss: a*c + log1p(e), c = y for z < 0, else 1 - y, e = e^-a = s/P with s = 2^-k. With
// D = P + s/2 and w = s/2 / D = e/(2+e) <= 1/3,
//
//   log1p(e) = 2 atanh(w) = 2^-k (1 + w^2 q(w^2)) / D.
//
// Nothing cancels: D is 1 + t in two parts as for the sigmoid, its reciprocal is corrected together
// with the factor, so log1p(e) has one rounding (and D's error, below 2^-p-1). a*c + log1p(e) adds
// another, with the low half of the product. 1 - y is c in two parts.
struct Bce {
  static constexpr bool kLabels = true;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T(1)), half = hn::Set(d, T(0.5));
    V a[N], s[N], t[N], d1[N], d2[N], g[N], w[N], v[N];
    Exp<D> e[N];
    SIMD_EACH a[u] = Magnitude(d, z[u]);
    ExpOf<N>(d, a, Num<T>::kShort, e);
    SIMD_EACH s[u] = hn::Mul(half, PowerOf<1>(d, e[u].k_bits));
    SIMD_EACH t[u] = hn::Add(hn::Add(e[u].r1, e[u].w), s[u]);
    SIMD_EACH d1[u] = hn::Add(one, t[u]);
    SIMD_EACH g[u] = hn::Div(one, d1[u]);
    SIMD_EACH d2[u] = hn::Sub(t[u], hn::Sub(d1[u], one));
    SIMD_EACH w[u] = hn::Mul(s[u], g[u]);
    SIMD_EACH v[u] = hn::Mul(w[u], w[u]);
    // The factor's v q(v) and the residual of g; that of v, 2^-p-3 at most, is left.
    SIMD_EACH d1[u] = hn::NegMulAdd(g[u], d2[u], Residual(d, one, g[u], d1[u]));
    SIMD_EACH d1[u] = hn::MulAdd(v[u], Horner(d, v[u], Num<T>::kAtanh, 0, 1), d1[u]);
    SIMD_EACH g[u] = hn::MulAdd(g[u], d1[u], g[u]);
    SIMD_EACH g[u] = TimesPower(d, g[u], a[u], e[u].k_bits);
    SIMD_EACH out[u] = KeepNaN(d, z[u], AddProduct(d, z[u], y[u], g[u]));
  }
};
#endif

// Its gradient, sigma(z) - y, for a < 1 as +-h + (1/2 - y), h = tanh(a/2)/2 = (P-s) / 2D; else as
// -y + q or (1-y) - q, q = sigma(-a) = s/D, with D = P + s. Both quotients have two parts, so has
// the difference K - y, K = 1/2, 0 or 1, and only the last addition rounds.
//
// Error of the quotient: that of P, 2^-p-3 or so (rounding of r and w, polynomial), taken times the
// cancellation: at most 5 where |t| >= min(y, 1-y)/4, so outside the crossing the result has an
// error of 1 ulp or so. In the crossing the absolute error remains (measured: contract.toml).
struct BceGrad {
  static constexpr bool kLabels = true;
  static constexpr int kVectors = 2;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T(1));
    V a[N], high[N], low[N];
    Exp<D> e[N];
    SIMD_EACH a[u] = hn::Min(hn::Abs(z[u]), hn::Set(d, Num<T>::kFar));
    ExpOf<N>(d, a, Num<T>::kLong, e);
    SIMD_EACH Quotient(d, a[u], e[u], &high[u], &low[u]);
    SIMD_EACH out[u] = Difference(d, hn::Lt(a[u], one), z[u], y[u], high[u], low[u]);
    SIMD_EACH out[u] = KeepNaN(d, z[u], out[u]);
  }

 private:
  // h where a < 1, else q, in two parts.
  template <class D, class V>
  static HWY_INLINE void Quotient(D d, V a, const Exp<D>& e, V* high, V* low) {
    using T = hn::TFromD<D>;
    const hn::RebindToSigned<D> di;
    const V one = hn::Set(d, T(1)), half = hn::Set(d, T(0.5));
    const auto core = hn::Lt(a, one);
    // P - 1 = p1 + p2. 1 + s = b + b2 exactly; d1 + d2 = D, n1 + n2 = P - s for k <= 1.
    const V s = PowerOf<1>(d, e.k_bits);
    const V p1 = hn::Add(e.r1, e.w);
    const V p2 = hn::Sub(e.w, hn::Sub(p1, e.r1));
    const V b = hn::Add(one, s);
    const V b2 = hn::Sub(s, hn::Sub(b, one));
    const V d1 = hn::Add(b, p1);
    const V d2 = hn::Add(hn::Sub(p1, hn::Sub(d1, b)), hn::Add(b2, p2));
    const V below = hn::Sub(one, s);
    V n1 = hn::Add(below, p1);
    V n2 = hn::Add(hn::Sub(p1, hn::Sub(n1, below)), p2);
    n1 = hn::IfThenElse(core, n1, one);
    n2 = hn::IfThenElseZero(core, n2);
    // Halved in the divisor: half of a small n1 may not be a number.
    const V inverse = hn::Mul(hn::Div(one, d1), hn::IfThenElse(core, half, one));
    const V q = hn::Mul(n1, inverse);
    const V twice = hn::Add(q, hn::IfThenElseZero(core, q));
    const V rest = hn::NegMulAdd(twice, d2, hn::Add(Residual(d, n1, twice, d1), n2));
    *high =
        TimesPower(d, q, a, hn::BitCast(di, hn::IfThenZeroElse(core, hn::BitCast(d, e.k_bits))));
    *low = hn::Mul(hn::Mul(rest, inverse), hn::IfThenElse(core, one, s));
  }

  // K - y with the quotient, of the sign that belongs to it, by Knuth's exact sum.
  template <class D, class M, class V>
  static HWY_INLINE V Difference(D d, M core, V z, V y, V high, V low) {
    using T = hn::TFromD<D>;
    const V far = hn::IfNegativeThenElse(z, hn::Zero(d), hn::Set(d, T(1)));
    const V from = hn::IfThenElse(core, hn::Set(d, T(0.5)), far);
    // y - K, negated so that a result below half the smallest number keeps the sign of the
    // quotient.
    const V b1 = hn::Sub(y, from);
    const V b2 = hn::Sub(y, hn::Add(from, b1));
    const V minus = hn::SignBit(d);
    const V sign = hn::Xor(hn::And(z, minus), hn::IfThenZeroElse(core, minus));
    const V v1 = hn::Xor(high, sign), v2 = hn::Xor(low, sign);
    const V sum = hn::Sub(v1, b1);
    const V part = hn::Add(sum, b1);
    const V error = hn::Add(hn::Add(hn::Sub(sum, part), b1), hn::Sub(part, v1));
    return hn::Sub(sum, hn::Add(error, hn::Sub(b2, v2)));
  }
};

#if HWY_NATIVE_FMA
// The same in fewer steps: (1 - yD)/D, D = 1 + e^-z in two parts as for the sigmoid, so that
// nothing cancels but near the zero. For y > 1/2 it is minus that of -z and 1 - y, which is exact
// then, so y <= 1/2.
//
// Error, in ulps of the result: for y = 0 (and 1) the sigmoid's and the quarter ulp that kMore
// takes from it. Else besides the two roundings of 1 - yD, half an ulp of its larger term each, and
// those of D that the sigmoid has, all taken times the cancellation (at most 5 where |t| >= min(y,
// 1-y)/4), and one of the product. In the crossing the absolute error remains (measured:
// contract.toml). P - 1 is sharp, or a z below 2^-25 would have a result of the wrong sign at y =
// 1/2 (a zero result is +0 there).
//
// Beyond kBorder sigma(z) is subnormal: rounded as the sigmoid's it is, y is taken from it.
struct BceGradFast {
  static constexpr bool kLabels = true;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    BySize<BceGradFast>(d, z, y, out);
  }

  // kAll: for every z, else for |z| up to kFast and NaN.
  template <bool kAll, int N, class D, class V>
  static HWY_INLINE void Steps(D d, const V (&z)[N], const V* y, V (&out)[N]) {
    using T = hn::TFromD<D>;
    using C = Num<T>;
    const V one = hn::Set(d, T(1)), half = hn::Set(d, T(0.5));
    V x[N], flip[N], v[N], p[N], s[N], b[N], t[N], g[N], e[N], q[N];
    Bits<D> s_bits[N];
    SIMD_EACH flip[u] = hn::IfThenElseZero(hn::Gt(y[u], half), hn::SignBit(d));
    SIMD_EACH v[u] = hn::IfThenElse(hn::Gt(y[u], half), hn::Sub(one, y[u]), y[u]);
    SIMD_EACH x[u] = hn::Xor(z[u], flip[u]);
    if (kAll) {
      SIMD_EACH x[u] = AtMost(hn::Set(d, C::kFar / 2), AtLeast(hn::Set(d, -C::kFar), x[u]));
    }
    ExpParts<false, N, true>(d, x, p, s_bits);
    SIMD_EACH s[u] = kAll ? PowerOr(d, 64, x[u], s_bits[u]) : hn::BitCast(d, s_bits[u]);
    SIMD_EACH b[u] = hn::Add(s[u], one);
    SIMD_EACH t[u] = hn::Mul(s[u], p[u]);
    if (kAll && C::kFast < C::kBorder) {
      SIMD_EACH t[u] = hn::MulAdd(s[u], p[u], hn::Sub(one, hn::Sub(b[u], s[u])));
    }
    InverseParts<N>(d, b, t, g, e);
    SIMD_EACH q[u] = hn::NegMulAdd(v[u], t[u], hn::NegMulAdd(v[u], b[u], one));
    SIMD_EACH q[u] = hn::Mul(q[u], g[u]);
    SIMD_EACH out[u] = hn::MulAdd(q[u], e[u], q[u]);
    if (kAll) {
      const V border = hn::Set(d, -C::kBorder);
      SIMD_EACH g[u] = hn::MulAdd(g[u], e[u], g[u]);
      SIMD_EACH g[u] = OrSubnormal(d, x[u], g[u], hn::Sub(s_bits[u], Exponent(d, 63)));
      SIMD_EACH out[u] = hn::IfThenElse(hn::Lt(x[u], border), hn::Sub(g[u], v[u]), out[u]);
    }
    // Of two NaNs it is z's, whatever the order of operands in a product.
    SIMD_EACH out[u] = KeepNaN(d, z[u], hn::Xor(out[u], flip[u]));
  }
};
#endif

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
