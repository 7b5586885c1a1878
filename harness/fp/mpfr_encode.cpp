// From MPFR numbers and from digits to encodings.
// SPDX-License-Identifier: Apache-2.0
#include "fp/mpfr_encode.hpp"

namespace ulpaudit {
namespace {

/// MPFR's (thread-local) exponent range set to that of the dtype, so that mpfr_subnormalize can
/// turn a rounding to p bits into the rounding to the format.
class ExponentRange {
 public:
  explicit ExponentRange(const Format& f) : emin_(mpfr_get_emin()), emax_(mpfr_get_emax()) {
    mpfr_set_emin(f.min_ulp_exponent() + 1);
    mpfr_set_emax(f.emax + 1);
  }
  ~ExponentRange() {
    mpfr_set_emin(emin_);
    mpfr_set_emax(emax_);
  }
  ExponentRange(const ExponentRange&) = delete;
  ExponentRange& operator=(const ExponentRange&) = delete;

 private:
  mpfr_exp_t emin_, emax_;
};

/// Rounds what `assign` puts into a number of p bits (its ternary value returned) to the format.
template <class Assign>
Bits round_into(Dtype d, Assign assign) {
  const Format& f = format(d);
  mpfr_t r;
  mpfr_init2(r, f.p);
  {
    int ternary = assign(r);
    ExponentRange range(f);
    ternary = mpfr_check_range(r, ternary, MPFR_RNDN);
    mpfr_subnormalize(r, ternary, MPFR_RNDN);
  }
  Bits bits = 0;
  if (mpfr_nan_p(r) != 0)
    bits = f.quiet_nan();
  else
    bits = encode(d, mpfr_get_d(r, MPFR_RNDN));  // exact: r is a number of the dtype
  mpfr_clear(r);
  return bits;
}

}  // namespace

Bits encode(Dtype d, mpfr_srcptr x) {
  return round_into(d, [x](mpfr_ptr r) { return mpfr_set(r, x, MPFR_RNDN); });
}

std::optional<Bits> encode_text(Dtype d, const std::string& text) {
  char* end = nullptr;
  const Bits bits =
      round_into(d, [&](mpfr_ptr r) { return mpfr_strtofr(r, text.c_str(), &end, 0, MPFR_RNDN); });
  if (end == text.c_str() || *end != '\0') return std::nullopt;
  return bits;
}

}  // namespace ulpaudit
