// The sigmoid and its gradient, compiled once per Highway target.
#if defined(ULPAUDIT_SIMD_SIGMOID_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ULPAUDIT_SIMD_SIGMOID_INL_H
#undef ULPAUDIT_SIMD_SIGMOID_INL_H
#else
#define ULPAUDIT_SIMD_SIGMOID_INL_H
#endif

#include "exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace simd {
namespace HWY_NAMESPACE {

// |z| between kNear and kFar.
template <class D, class V>
HWY_INLINE V Magnitude(D d, V z) {
  using C = Num<hn::TFromD<D>>;
  return hn::Max(hn::Min(hn::Abs(z), hn::Set(d, C::kFar)), hn::Set(d, C::kNear));
}

// x <= 1, or a quiet NaN where z is one: then the second argument is what Min returns.
template <class D, class V>
HWY_INLINE V OrNaN(D d, V z, V x) {
  return hn::Min(x, hn::Add(hn::Abs(z), hn::Set(d, hn::TFromD<D>(1))));
}

// 1/(1+t), 1+t = d1 + d2 exactly (for t > 1 too: d1 - 1 is then a number of t's binade): one
// rounding, of the last addition. Without FMA, where the residual of d1 would cost more than it
// brings, two.
template <class D, class V>
HWY_INLINE V InverseOf1Plus(D d, V t) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V d1 = hn::Add(one, t);
  const V y = hn::Div(one, d1);
  const V d2 = hn::Sub(t, hn::Sub(d1, one));
#if HWY_NATIVE_FMA
  return hn::MulAdd(y, hn::NegMulAdd(y, d2, hn::NegMulAdd(y, d1, one)), y);
#else
  return hn::Sub(y, hn::Mul(y, hn::Mul(y, d2)));
#endif
}

// The sigmoid. With a = |z|, e^a = 2^k P, P = e^r and |r| <= ln2/2:
//
//   sigma(-a) = 2^-k / (P + 2^-k),   sigma(a) = 1 - sigma(-a).
//
// P and 2^-k are added before either is rounded: D = 1 + t, t = (P - 1) + 2^-k, in two parts, and
// the reciprocal of D is corrected by its own residual.
//
// Error of sigma(-a), in its ulps: 0.5 for the last rounding (1.0 without FMA, where the residual
// cannot be had), and the relative errors of D, of which 2^-p is one ulp at most: the rounding of
// P - 1 (2^-p-2), of its sum with 2^-k (2^-p-1; for k = 0 2^-p, beside D >= 2), of w and r (2^-p-2
// together), the polynomial (num.hpp). They never meet at their largest; the measured maxima, with
// witnesses, are in contract.toml. 1 - s adds 0.5 to at most half the error of s.
//
// Speed in f32 with AVX2 on Zen 3, in L1: .705 ns a result beside SLEEF's .925 and XNNPACK's .398
// (reports/samples/libraries). Counted: 36 vector operations for eight results, of which llvm-mca
// puts 66 cycles for 32 on the busier multiplier; D in two parts and the residual are five, results
// below the normal ones five, NaN two, clamps three. Tried, best of 3,000 beside SLEEF's .874 and
// XNNPACK's .352: y - y^2 d2 as residual .72 (1.37 ulp), RCPPS and a cubic step in place of the
// division .76 (1.09 ulp), no residual .61 (2.0 ulp). None comes near .44 of SLEEF's time.
struct Sigmoid {
  static constexpr bool kLabels = false;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V*, V (&out)[N]) {
    using T = hn::TFromD<D>;
    V a[N], t[N];
    Exp<D> e[N];
    SIMD_EACH a[u] = Magnitude(d, z[u]);
    ExpOf<N>(d, a, Num<T>::kShort, e);
    SIMD_EACH t[u] = hn::Add(hn::Add(e[u].r1, e[u].w), PowerOf<1>(d, e[u].k_bits));
    SIMD_EACH t[u] = InverseOf1Plus(d, t[u]);
    SIMD_EACH t[u] = TimesPower(d, t[u], a[u], e[u].k_bits);
    SIMD_EACH t[u] = hn::IfNegativeThenElse(z[u], t[u], hn::Sub(hn::Set(d, T(1)), t[u]));
    SIMD_EACH out[u] = OrNaN(d, z[u], t[u]);
  }
};

// Its gradient: e/(1+e)^2 = 2^-k / Q with s = 2^-k, Q = P + 2s + s^2/P. 1/P comes from the same
// polynomial at -r. Q = 1 + t is summed small parts first, r1 + w and s^2 (1/P - 1), whose odd
// powers cancel at k = 0, before the constant 2s + s^2 joins. Errors as for the sigmoid: t below 4
// beside Q >= 4 (k = 0) gives 2^-p-1. Q >= 4 at k = 0 in floating point too, as rounding is
// monotone (r1 + w >= r1 - mirror), so that no result exceeds 1/4.
struct SigmoidGrad {
  static constexpr bool kLabels = false;
  static constexpr int kVectors = 4;
  template <int N, class D, class V>
  static HWY_INLINE void Of(D d, const V (&z)[N], const V*, V (&out)[N]) {
    using T = hn::TFromD<D>;
    V a[N], s[N], s2[N], t[N];
    Exp<D> e[N];
    SIMD_EACH a[u] = Magnitude(d, z[u]);
    ExpOf<N>(d, a, Num<T>::kShort, e);
    SIMD_EACH s[u] = PowerOf<1>(d, e[u].k_bits);
    SIMD_EACH s2[u] = PowerOf<2>(d, e[u].k_bits);
    SIMD_EACH t[u] = hn::Add(e[u].r1, e[u].w);
    SIMD_EACH t[u] = hn::MulAdd(s2[u], hn::Sub(e[u].mirror, e[u].r1), t[u]);
    SIMD_EACH t[u] = hn::Add(t[u], hn::Add(hn::Add(s[u], s[u]), s2[u]));
    SIMD_EACH t[u] = InverseOf1Plus(d, t[u]);
    SIMD_EACH t[u] = TimesPower(d, t[u], a[u], e[u].k_bits);
    SIMD_EACH out[u] = OrNaN(d, z[u], t[u]);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace simd
HWY_AFTER_NAMESPACE();
#endif
