// One rounding: from double, double-double and MPFR, against each other and at ties.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <mpfr.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

#include "each_dtype.hpp"
#include "fp/mpfr_encode.hpp"

namespace ulpaudit {
namespace {

ULPAUDIT_EACH_DTYPE(Encode);

class Number {
 public:
  explicit Number(DoubleDouble v) {
    mpfr_init2(v_, 2200);
    mpfr_set_d(v_, v.hi, MPFR_RNDN);
    mpfr_add_d(v_, v_, v.lo, MPFR_RNDN);
  }
  ~Number() { mpfr_clear(v_); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  mpfr_ptr get() { return v_; }

 private:
  mpfr_t v_;
};

Bits by_mpfr(Dtype d, DoubleDouble v) { return encode(d, Number(v).get()); }

/// Midpoint of b and b + 1, exact in double for all but f64.
double middle(Dtype d, Bits b) { return (decode(d, b) + decode(d, b + 1)) / 2; }

TEST_P(Encode, TiesGoToEvenAndEpsilonBreaksThem) {
  const Bits at[] = {0,
                     1,
                     2,
                     f.min_normal() - 2,
                     f.min_normal() - 1,
                     f.min_normal(),
                     encode(d, 1.0) - 1,
                     encode(d, 1.0),
                     encode(d, 1.0) + 1,
                     f.max_finite() - 1};
  for (Bits b : at) {
    for (double sign : {1.0, -1.0}) {
      const Bits s = sign < 0 ? f.sign_bit() : 0, even = (b & 1) != 0 ? b + 1 : b;
      if (d == Dtype::f64) {  // the midpoint itself needs MPFR
        const double gap = decode(d, b + 1) - decode(d, b);
        if (gap / 2 == 0) continue;
        EXPECT_EQ(by_mpfr(d, {sign * decode(d, b), sign * gap / 2}), even | s) << b;
        continue;
      }
      const double m = sign * middle(d, b), tiny = sign * 0x1p-1074;
      EXPECT_EQ(encode(d, m), even | s) << b;
      EXPECT_EQ(encode(d, DoubleDouble{m, 0}), even | s) << b;
      EXPECT_EQ(by_mpfr(d, {m, 0}), even | s) << b;
      EXPECT_EQ(encode(d, DoubleDouble{m, tiny}), (b + 1) | s) << b;
      EXPECT_EQ(by_mpfr(d, {m, tiny}), (b + 1) | s) << b;
      EXPECT_EQ(encode(d, DoubleDouble{m, -tiny}), b | s) << b;
      EXPECT_EQ(by_mpfr(d, {m, -tiny}), b | s) << b;
      EXPECT_EQ(encode(d, std::nextafter(m, sign * 1e300)), (b + 1) | s) << b;
      EXPECT_EQ(encode(d, std::nextafter(m, 0.0)), b | s) << b;
    }
  }
}

TEST_P(Encode, OverflowsHalfAnUlpBeyondTheLargest) {
  if (d == Dtype::f64) {
    EXPECT_EQ(encode(d, std::numeric_limits<double>::max()), f.max_finite());
    return;
  }
  const double border = decode(d, f.max_finite()) + exp2i(f.emax - f.p);
  EXPECT_EQ(encode(d, border), f.infinity()) << "a tie, to even";
  EXPECT_EQ(encode(d, std::nextafter(border, 0.0)), f.max_finite());
  EXPECT_EQ(encode(d, DoubleDouble{border, -0x1p-1000}), f.max_finite());
  EXPECT_EQ(by_mpfr(d, {border, -0x1p-1000}), f.max_finite());
  EXPECT_EQ(by_mpfr(d, {border, 0}), f.infinity());
}

TEST_P(Encode, KeepsSpecialValues) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(encode(d, inf), f.infinity());
  EXPECT_EQ(encode(d, -inf), f.infinity() | f.sign_bit());
  EXPECT_EQ(encode(d, -0.0), f.sign_bit());
  EXPECT_EQ(by_mpfr(d, {-0.0, 0}), 0u) << "-0 + 0 is +0";
  EXPECT_TRUE(is_nan(d, encode(d, std::nan(""))));
  EXPECT_EQ(by_mpfr(d, {std::nan(""), 0}), f.quiet_nan());
  EXPECT_EQ(by_mpfr(d, {inf, 0}), f.infinity());
}

// NaN payloads keep their leading bits; a signalling one whose payload would be lost stays a NaN.
TEST_P(Encode, NanPayloads) {
  const Bits low = 0x7ff0000000000001;
  const Bits b = encode(d, detail::bit_copy<double>(low));
  EXPECT_TRUE(is_nan(d, b));
  for (Bits payload = 1; payload < f.min_normal(); payload <<= 1) {
    const Bits nan = f.infinity() | payload;
    const Bits back =
        detail::narrow_double(detail::widen_to_double(nan, f.width, f.p), f.width, f.p);
    EXPECT_TRUE(is_nan(d, back));
    EXPECT_EQ(back & payload, payload);
  }
}

// By way of f32, these would round twice: just above a tie of f16 and bf16, by less than half an
// ulp of f32.
TEST(DoubleRounding, IsAvoided) {
  for (Dtype d : {Dtype::f16, Dtype::bf16}) {
    for (Bits b : {encode(d, 1.0), encode(d, 1.5), encode(d, 0.1)}) {
      b &= ~Bits{1};
      const double m = middle(d, b), above = m * (1 + 0x1p-30);
      ASSERT_EQ(encode(d, static_cast<double>(static_cast<float>(above))), b) << "no trap";
      EXPECT_EQ(encode(d, above), b + 1) << name(d);
      EXPECT_EQ(encode(d, m * (1 - 0x1p-30)), b) << name(d);
    }
    // The same at the smallest numbers.
    EXPECT_EQ(encode(d, decode(d, 1) / 2 * (1 + 0x1p-30)), 1u);
    EXPECT_EQ(encode(d, decode(d, 1) / 2), 0u);
    EXPECT_EQ(encode(d, decode(d, 1) * 1.5 * (1 - 0x1p-30)), 1u);
  }
}

TEST_P(Encode, DoubleDoubleAgreesWithMpfr) {
  const Dtype dtype = d;
  EXPECT_TRUE(rc::check([dtype] {
    // hi near a breakpoint of the dtype, lo at most half an ulp of hi.
    const Bits near = *rc::gen::inRange<Bits>(0, format(dtype).max_finite());
    double hi = decode(dtype, near);
    if (dtype != Dtype::f64 && *rc::gen::arbitrary<bool>()) hi = middle(dtype, near);
    hi = decode(Dtype::f64, step(Dtype::f64, detail::bit_copy<Bits>(hi), *rc::gen::inRange(-2, 3)));
    const double lo =
        hi * *rc::gen::element(0.0, 0x1p-54, -0x1p-54, 0x1p-60, -0x1p-60, 0x1p-200, -0x1p-200);
    const double sum = hi + lo;
    const DoubleDouble v{sum, lo - (sum - hi)};
    RC_ASSERT(encode(dtype, v) == by_mpfr(dtype, v));
    RC_ASSERT(encode(dtype, hi) == by_mpfr(dtype, {hi, 0}));
  }));
}

TEST(EncodeF32, AgreesWithTheProcessor) {
  EXPECT_TRUE(rc::check([] {
    const auto b = *rc::gen::arbitrary<std::uint64_t>();
    const double v = detail::bit_copy<double>(b);
    if (std::isnan(v)) return;
    const auto f = static_cast<float>(v);
    RC_ASSERT(encode(Dtype::f32, v) == detail::bit_copy<std::uint32_t>(f));
  }));
}

}  // namespace
}  // namespace ulpaudit
