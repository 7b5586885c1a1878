// SPDX-License-Identifier: Apache-2.0
// The final judge: decides the place of the true value among the numbers of a dtype.
//
// An enclosure [lo, hi] of |t| decides when it lies strictly between two neighbouring breakpoints
// (numbers and midpoints, i.e. multiples of ulp/2) and inside one binade. Where t = R + epsilon
// with R a breakpoint or next to one, the half-open interval between R and R + bound decides
// instead.
#include <fmt/format.h>

#include <array>
#include <boost/multiprecision/mpfi.hpp>
#include <boost/multiprecision/mpfr.hpp>
#include <optional>

#include "fp/text.hpp"
#include "ops/list.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

namespace mp = boost::multiprecision;
template <unsigned Digits>
using Interval = mp::number<mp::mpfi_float_backend<Digits>, mp::et_off>;
/// Holds every R exactly: at most 1,077 bits for the gradient near 0, 1,180 for a·c.
using Wide = mp::number<mp::mpfr_float_backend<800>, mp::et_off>;
constexpr mpfr_prec_t kWideBits = 2700;

/// An MPFR number that frees itself.
class Mpfr {
 public:
  explicit Mpfr(mpfr_prec_t bits = kWideBits) { mpfr_init2(v_, bits); }
  ~Mpfr() { mpfr_clear(v_); }
  Mpfr(const Mpfr&) = delete;
  Mpfr& operator=(const Mpfr&) = delete;
  mpfr_ptr get() { return v_; }
  mpfr_srcptr get() const { return v_; }

 private:
  mpfr_t v_;
};

/// Enclosure of |t| with t of known sign; an open end is excluded.
struct Enclosure {
  mpfr_srcptr lo, hi;
  bool lo_open = false, hi_open = false;
};

/// Floor of log2 for numbers just below (`from_below`) or at x > 0.
long binade(mpfr_srcptr x, bool from_below) {
  const long k = static_cast<long>(mpfr_get_exp(x)) - 1;
  if (!from_below) return k;
  return mpfr_cmp_ui_2exp(x, 1, k) == 0 ? k - 1 : k;
}

int ulp_exponent_of(Dtype d, mpfr_srcptr x, bool from_below) {
  if (mpfr_zero_p(x) != 0) return format(d).min_ulp_exponent();
  const long k = binade(x, from_below);
  return ulp_exponent(d, k < format(d).emin ? format(d).emin : static_cast<int>(k));
}

struct Cell {
  std::uint64_t n;  ///< floor(x / (ulp/2))
  bool exact;       ///< x is a multiple of ulp/2
};

/// Throws nothing; x·2^(1-q) < 2^(p+1) fits 64 bits.
Cell cell_of(mpfr_srcptr x, int q) {
  Mpfr scaled(mpfr_get_prec(x));
  mpfr_mul_2si(scaled.get(), x, 1 - q, MPFR_RNDZ);
  const bool exact = mpfr_integer_p(scaled.get()) != 0;
  return {static_cast<std::uint64_t>(mpfr_get_uj(scaled.get(), MPFR_RNDZ)), exact};
}

/// |x| / 2^q as an unevaluated sum.
DoubleDouble in_ulps(mpfr_srcptr x, int q) {
  Mpfr scaled(mpfr_get_prec(x));
  mpfr_mul_2si(scaled.get(), x, -q, MPFR_RNDN);
  DoubleDouble r;
  r.hi = mpfr_get_d(scaled.get(), MPFR_RNDN);
  mpfr_sub_d(scaled.get(), scaled.get(), r.hi, MPFR_RNDN);
  r.lo = mpfr_get_d(scaled.get(), MPFR_RNDN);
  return r;
}

/// Encoding of m·2^q, m <= 2^p.
Bits assemble(Dtype d, std::uint64_t m, int q, bool negative) {
  const Format& f = format(d);
  const Bits b = m + (static_cast<Bits>(q - f.min_ulp_exponent()) << (f.p - 1));
  return (b < f.infinity() ? b : f.infinity()) | (negative ? f.sign_bit() : 0);
}

/// Rounding, side and ulp where the enclosure decides them (all but `ulps`).
std::optional<Truth> place(Dtype d, const Enclosure& e, bool negative) {
  const int q = ulp_exponent_of(d, e.lo, false);
  if (mpfr_zero_p(e.hi) != 0 || ulp_exponent_of(d, e.hi, e.hi_open) != q) return std::nullopt;
  const Cell lo = cell_of(e.lo, q);
  const Cell hi = cell_of(e.hi, q);
  if ((lo.exact && !e.lo_open) || (hi.exact && !e.hi_open)) return std::nullopt;
  if (lo.n != hi.n - (hi.exact ? 1 : 0)) return std::nullopt;
  Truth t;
  t.kind = TruthKind::finite;
  t.negative = negative;
  t.q = q;
  t.rounded = assemble(d, (lo.n + 1) / 2, q, negative);
  t.side = lo.n % 2 == 0 ? 1 : -1;
  return t;
}

Truth exact_truth(Dtype d, const Exact<Wide>& e) {
  using K = Exact<Wide>::Kind;
  const Format& f = format(d);
  Truth t;
  if (e.kind == K::nan) {
    t.rounded = f.quiet_nan();
    return t;
  }
  if (e.kind == K::plus_infinity) {
    t.kind = TruthKind::infinite;
    t.rounded = f.infinity();
    return t;
  }
  if (e.number == 0) {
    t.kind = TruthKind::zero;
    return t;
  }
  if (isinf(e.number)) {  // of labels outside [0, 1] alone
    t.kind = TruthKind::infinite;
    t.negative = e.number < 0;
    t.rounded = f.infinity() | (t.negative ? f.sign_bit() : 0);
    return t;
  }
  t.kind = TruthKind::finite;
  t.negative = e.number < 0;
  const Wide size = abs(e.number);
  mpfr_srcptr x = size.backend().data();
  t.q = ulp_exponent_of(d, x, false);
  const Cell c = cell_of(x, t.q);
  std::uint64_t m = (c.n + 1) / 2;
  if (c.exact && c.n % 2 == 1 && m % 2 == 1) m -= 1;  // tie, to even
  t.rounded = assemble(d, m, t.q, t.negative);
  t.side = static_cast<std::int8_t>(2 * m == c.n ? (c.exact ? 0 : 1) : 2 * m > c.n ? -1 : 1);
  t.ulps = in_ulps(x, t.q);
  return t;
}

/// The side of R on which t lies, as an enclosure of |t|.
std::optional<Truth> place_beside(Dtype d, const Anchor<Wide>& a) {
  const bool negative = a.r == 0 ? a.sign < 0 : a.r < 0;
  const Wide size = abs(a.r);
  const bool outward = a.r == 0 || (a.sign < 0) == negative;  // |t| > |R|
  Mpfr far;
  mpfr_set_ui_2exp(far.get(), 1, a.log2_bound, MPFR_RNDU);
  if (outward)
    mpfr_add(far.get(), size.backend().data(), far.get(), MPFR_RNDU);
  else
    mpfr_sub(far.get(), size.backend().data(), far.get(), MPFR_RNDD);
  if (mpfr_sgn(far.get()) <= 0) return std::nullopt;
  if (outward) return place(d, {size.backend().data(), far.get(), true, false}, negative);
  return place(d, {far.get(), size.backend().data(), false, true}, negative);
}

/// Width of [lo, hi] is at most 2^-60 ulp, so that either end serves as the value.
bool narrow(Dtype d, mpfr_srcptr lo, mpfr_srcptr hi) {
  Mpfr width(64);
  mpfr_sub(width.get(), hi, lo, MPFR_RNDU);
  if (mpfr_zero_p(width.get()) != 0) return true;
  return binade(width.get(), false) < ulp_exponent_of(d, lo, false) - 61;
}

/// |t| as an interval: signs removed, ends in order. Nothing where the sign is open.
struct Magnitude {
  bool negative;
  Mpfr lo, hi;
};

template <unsigned Digits>
bool evaluate(OpId op, double z, double y, Magnitude& out) {
  const Interval<Digits> t =
      AllOps::visit(op, [&](auto o) { return o.value(Interval<Digits>(z), Interval<Digits>(y)); });
  const mpfi_srcptr i = t.backend().data();
  mpfr_srcptr left = &i->left;
  mpfr_srcptr right = &i->right;
  out.negative = mpfr_sgn(right) <= 0 && mpfr_sgn(left) < 0;
  if (!out.negative && mpfr_sgn(left) < 0) return false;
  mpfr_set_prec(out.lo.get(), mpfr_get_prec(left));
  mpfr_set_prec(out.hi.get(), mpfr_get_prec(left));
  mpfr_abs(out.lo.get(), out.negative ? right : left, MPFR_RNDN);
  mpfr_abs(out.hi.get(), out.negative ? left : right, MPFR_RNDN);
  return true;
}

using Rung = bool (*)(OpId, double, double, Magnitude&);
constexpr std::array<Rung, 4> kLadder = {evaluate<50>, evaluate<150>, evaluate<400>, evaluate<800>};

}  // namespace

Truth final_judge(OpId op, Dtype d, Bits z, Bits y) {
  const double zd = decode(d, z), yd = decode(d, y);
  const auto exact = AllOps::visit(op, [&](auto o) { return o.template exact<Wide>(zd, yd); });
  if (exact) return exact_truth(d, *exact);
  std::optional<Truth> beside;
  bool tried_beside = false;
  Magnitude m;
  for (const Rung rung : kLadder) {
    if (!rung(op, zd, yd, m)) continue;
    if (!narrow(d, m.lo.get(), m.hi.get())) continue;
    std::optional<Truth> t = place(d, {m.lo.get(), m.hi.get()}, m.negative);
    if (!t) {
      if (!tried_beside)
        beside = place_beside(
            d, AllOps::visit(op, [&](auto o) { return o.template anchor<Wide>(zd, yd); }));
      tried_beside = true;
      t = beside;
    }
    if (t) {
      t->ulps = in_ulps(m.lo.get(), t->q);
      return *t;
    }
  }
  throw Undecided(fmt::format("truth undecided at 800 digits: {} {} z={} y={}", info(op).name,
                              name(d), bits_text(d, z), bits_text(d, y)));
}

Bits other_neighbour(Dtype d, const Truth& t) {
  if (t.kind != TruthKind::finite || t.side == 0) return t.rounded;
  const Bits mag = magnitude(d, t.rounded);
  const Bits sign = t.negative ? format(d).sign_bit() : 0;
  return (t.side > 0 ? mag + 1 : mag - 1) | sign;
}

namespace {

/// Digits that both ends of the enclosure round to; nothing where they differ.
std::optional<std::string> common_digits(const Magnitude& m, int digits) {
  const auto text = [digits](mpfr_srcptr x) {
    char buffer[1200];
    mpfr_snprintf(buffer, sizeof buffer, "%.*Re", digits - 1, x);
    return std::string(buffer);
  };
  std::string lo = text(m.lo.get());
  if (lo != text(m.hi.get())) return std::nullopt;
  return (m.negative ? "-" : "") + lo;
}

}  // namespace

std::string true_digits(OpId op, Dtype d, Bits z, Bits y, int digits) {
  const double zd = decode(d, z), yd = decode(d, y);
  Magnitude m;
  const auto exact = AllOps::visit(op, [&](auto o) { return o.template exact<Wide>(zd, yd); });
  if (exact) {
    using K = Exact<Wide>::Kind;
    if (exact->kind == K::nan) return "nan";
    if (exact->kind == K::plus_infinity) return "inf";
    if (isinf(exact->number)) return exact->number < 0 ? "-inf" : "inf";
    const Wide size = abs(exact->number);
    m.negative = exact->number < 0;
    mpfr_set(m.lo.get(), size.backend().data(), MPFR_RNDN);
    mpfr_set(m.hi.get(), size.backend().data(), MPFR_RNDN);
    return *common_digits(m, digits);
  }
  for (const Rung rung : kLadder) {
    if (!rung(op, zd, yd, m)) continue;
    if (mpfr_zero_p(m.lo.get()) != 0)  // e^-|z| below MPFR's exponents: t = ±e^-|z| (1 - tiny)
      return fmt::format("{}e^-{}", m.negative ? "-" : "", decimal(d, magnitude(d, z)));
    if (auto text = common_digits(m, digits)) return *text;
  }
  // The ends differ only in how the last digit rounds.
  char buffer[1200];
  mpfr_snprintf(buffer, sizeof buffer, "%.*Re", digits - 1, m.lo.get());
  return (m.negative ? "-" : "") + std::string(buffer);
}

}  // namespace ulpaudit
