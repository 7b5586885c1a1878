// Encodings: classification, order, decoding, ulp exponents, in every format.
// SPDX-License-Identifier: Apache-2.0
#include "fp/bits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "each_dtype.hpp"

namespace ulpaudit {
namespace {

ULPAUDIT_EACH_DTYPE(Encodings);

TEST_P(Encodings, ClassesPartThePatterns) {
  const struct {
    Bits b;
    bool nan, inf, zero, subnormal;
  } cases[] = {{0, false, false, true, false},
               {1, false, false, false, true},
               {f.min_normal() - 1, false, false, false, true},
               {f.min_normal(), false, false, false, false},
               {f.max_finite(), false, false, false, false},
               {f.infinity(), false, true, false, false},
               {f.infinity() + 1, true, false, false, false},
               {f.quiet_nan(), true, false, false, false},
               {f.sign_bit() - 1, true, false, false, false}};
  for (const auto& c : cases)
    for (Bits b : {c.b, negate(d, c.b)}) {
      EXPECT_EQ(is_nan(d, b), c.nan) << b;
      EXPECT_EQ(is_infinite(d, b), c.inf) << b;
      EXPECT_EQ(is_finite(d, b), !c.nan && !c.inf) << b;
      EXPECT_EQ(is_zero(d, b), c.zero) << b;
      EXPECT_EQ(is_subnormal(d, b), c.subnormal) << b;
      EXPECT_EQ(is_negative(d, b), b != c.b) << b;
      EXPECT_EQ(magnitude(d, b), c.b);
    }
}

TEST_P(Encodings, DecodeAtTheBorders) {
  EXPECT_EQ(decode(d, 1), std::ldexp(1, f.emin - f.p + 1));
  EXPECT_EQ(decode(d, f.min_normal()), std::ldexp(1, f.emin));
  EXPECT_EQ(decode(d, f.min_normal() - 1), std::ldexp(1, f.emin) - decode(d, 1));
  EXPECT_EQ(decode(d, f.max_finite()), std::ldexp(2 - std::ldexp(1, 1 - f.p), f.emax));
  EXPECT_EQ(decode(d, f.infinity()), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::signbit(decode(d, f.sign_bit())));
  EXPECT_TRUE(std::isnan(decode(d, f.infinity() + 1)));
}

TEST_P(Encodings, PowersOfTwo) {
  for (int e = f.emin - f.p + 1; e <= f.emax; ++e) {
    const Bits b = encode(d, exp2i(e));
    EXPECT_EQ(decode(d, b), std::ldexp(1, e)) << e;
    EXPECT_EQ(is_subnormal(d, b), e < f.emin) << e;
    EXPECT_EQ(exponent_of(decode(d, b)), e);
    EXPECT_EQ(ulp_exponent(d, e), std::max(e, f.emin) - f.p + 1);
    // The number above lies one ulp away; the one below half an ulp in the normal range.
    EXPECT_EQ(decode(d, b + 1) - decode(d, b), e < f.emax + 1 ? exp2i(ulp_exponent(d, e)) : 0);
    if (e > f.emin) {
      EXPECT_EQ(decode(d, b) - decode(d, b - 1), exp2i(ulp_exponent(d, e) - 1));
    }
  }
  EXPECT_EQ(encode(d, exp2i(f.emax) * 1.5) >> (f.p - 1), f.max_finite() >> (f.p - 1));
}

TEST_P(Encodings, OrdinalsFollowTheNumbers) {
  const Bits line[] = {f.mask(),
                       f.infinity() | f.sign_bit(),
                       f.max_finite() | f.sign_bit(),
                       1 | f.sign_bit(),
                       f.sign_bit(),
                       0,
                       1,
                       f.min_normal() - 1,
                       f.min_normal(),
                       f.max_finite(),
                       f.infinity(),
                       f.sign_bit() - 1};
  for (std::size_t i = 0; i + 1 < std::size(line); ++i)
    EXPECT_LT(ordinal(d, line[i]), ordinal(d, line[i + 1])) << i;
  EXPECT_EQ(ordinal(d, 0), ordinal(d, f.sign_bit()) + 1);
  EXPECT_EQ(ordinal(d, f.mask()), 0u);
  EXPECT_EQ(ordinal(d, f.sign_bit() - 1), f.mask());
  for (Bits b : line) EXPECT_EQ(from_ordinal(d, ordinal(d, b)), b);
}

TEST_P(Encodings, StepsStayBetweenTheInfinities) {
  EXPECT_EQ(step(d, 0, 1), 1u);
  EXPECT_EQ(step(d, 0, -1), f.sign_bit());
  EXPECT_EQ(step(d, 1, -2), f.sign_bit());
  EXPECT_EQ(step(d, f.min_normal(), -1), f.min_normal() - 1);
  EXPECT_EQ(step(d, f.max_finite(), 5), f.infinity());
  EXPECT_EQ(step(d, negate(d, f.max_finite()), -5), negate(d, f.infinity()));
  EXPECT_EQ(step(d, f.infinity(), -1), f.max_finite());
}

TEST(Encodings16, EachPatternDecodesToItself) {
  for (Dtype d : {Dtype::f16, Dtype::bf16})
    for (Bits b = 0; b < 65536; ++b) {
      if (is_nan(d, b)) continue;
      ASSERT_EQ(encode(d, decode(d, b)), b) << name(d);
      ASSERT_EQ(from_ordinal(d, ordinal(d, b)), b);
    }
}

TEST(Encodings32, DecodeAgreesWithFloat) {
  for (std::uint64_t b = 0; b <= 0xffffffffu; b += 65521) {
    const float v = detail::bit_copy<float>(static_cast<std::uint32_t>(b));
    if (std::isnan(v)) continue;
    ASSERT_EQ(detail::bit_copy<Bits>(decode(Dtype::f32, b)),
              detail::bit_copy<Bits>(static_cast<double>(v)));
  }
}

}  // namespace
}  // namespace ulpaudit
