// The last step on MPFR: t = R + ε with R exact and ε in an interval, at two precisions.
// SPDX-License-Identifier: Apache-2.0
#include "last_step.hpp"

#include <mpfr.h>

#include <cfenv>
#include <cstdint>
#include <cstring>

namespace exact {
namespace {

/// R and R + ε are kept at this precision: R has bits from 2^1024 to 2^-1126, and ε counts down to
/// 2^-2886 and 2400 bits below (2^-3230 for z^3/48, whose z/4 or y = ½ then stands apart from any
/// midpoint by 2^-1076 or more).
constexpr mpfr_prec_t kSumPrecision = 6400;
/// 2,300 bits decide every point of f64; most need no more than the first.
constexpr mpfr_prec_t kPrecisions[] = {256, 2400};

class Number {
 public:
  explicit Number(mpfr_prec_t precision) { mpfr_init2(v_, precision); }
  ~Number() { mpfr_clear(v_); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  operator mpfr_ptr() { return v_; }

 private:
  mpfr_t v_;
};

/// R and ε (within 2^-(precision-8) of its own) in forms in which nothing cancels.
void parts(Op op, double z, double y, mpfr_ptr r, mpfr_ptr w) {
  const double a = z < 0 ? -z : z;
  const bool core = a < 1 && op != Op::kBce;
  const mpfr_prec_t precision = mpfr_get_prec(w);
  Number e(precision), d(precision);
  // Beyond 2000 e^-a is below 2^-2885, less than any distance of R from a breakpoint.
  mpfr_set_d(e, a < 2000 ? -a : -2000, MPFR_RNDN);
  if (core) {
    mpfr_div_2ui(w, e, 1, MPFR_RNDN);
    mpfr_tanh(w, w, MPFR_RNDN);
    mpfr_div_2ui(w, w, 1, MPFR_RNDN);
    if (z > 0) mpfr_neg(w, w, MPFR_RNDN);
  } else {
    mpfr_exp(e, e, MPFR_RNDN);
    mpfr_add_ui(d, e, 1, MPFR_RNDN);
    if (op == Op::kBce) {
      mpfr_log1p(w, e, MPFR_RNDN);
    } else {
      mpfr_div(w, e, d, MPFR_RNDN);
      if (op == Op::kSigmoidGrad)
        mpfr_div(w, w, d, MPFR_RNDN);
      else if (z > 0)
        mpfr_neg(w, w, MPFR_RNDN);
    }
  }
  switch (op) {
    case Op::kSigmoid:
      mpfr_set_d(r, core ? 0.5 : z < 0 ? 0.0 : 1.0, MPFR_RNDN);
      break;
    case Op::kSigmoidGrad:
      mpfr_set_d(r, core ? 0.25 : 0.0, MPFR_RNDN);
      if (core) {
        mpfr_sqr(w, w, MPFR_RNDN);
        mpfr_neg(w, w, MPFR_RNDN);
      }
      break;
    case Op::kBce:
      mpfr_set_d(r, y, MPFR_RNDN);
      if (z > 0) mpfr_ui_sub(r, 1, r, MPFR_RNDN);
      mpfr_mul_d(r, r, a, MPFR_RNDN);
      break;
    case Op::kBceGrad:
      mpfr_set_d(r, core ? 0.5 : z < 0 ? 0.0 : 1.0, MPFR_RNDN);
      mpfr_sub_d(r, r, y, MPFR_RNDN);
      break;
  }
}

double rounded(mpfr_ptr v, Rounding rounding) {
  if (rounding == Rounding::kNearest) return mpfr_get_d(v, MPFR_RNDN);
  const double d = mpfr_get_d(v, MPFR_RNDZ);
  if (mpfr_cmp_d(v, d) == 0) return d;
  std::uint64_t bits;
  std::memcpy(&bits, &d, sizeof bits);
  bits |= 1;
  double odd;
  std::memcpy(&odd, &bits, sizeof odd);
  return odd;
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

}  // namespace

double last_step(Op op, double z, double y, Rounding rounding) {
  // MPFR's conversions may raise flags of their own.
  std::fenv_t environment;
  std::feholdexcept(&environment);
  double low = 0;
  for (const mpfr_prec_t precision : kPrecisions) {
    Number r(kSumPrecision), sum(kSumPrecision), w(precision), slack(precision);
    parts(op, z, y, r, w);
    mpfr_mul_2si(slack, w, -(static_cast<long>(precision) - 12), MPFR_RNDN);
    mpfr_abs(slack, slack, MPFR_RNDN);
    mpfr_add(sum, r, w, MPFR_RNDD);
    mpfr_sub(sum, sum, slack, MPFR_RNDD);
    low = rounded(sum, rounding);
    mpfr_add(sum, r, w, MPFR_RNDU);
    mpfr_add(sum, sum, slack, MPFR_RNDU);
    if (same_bits(low, rounded(sum, rounding))) break;
  }
  std::fesetenv(&environment);
  return low;
}

}  // namespace exact
