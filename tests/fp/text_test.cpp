// Numbers as text: there and back without loss, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "fp/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <stdexcept>

namespace ulpaudit {
namespace {

/// Decimal and hex float give the number back, NaN as a quiet one; the bits give everything back.
bool round_trips(Dtype d, Bits b) {
  const Bits number = is_nan(d, b) ? (b & format(d).sign_bit()) | format(d).quiet_nan() : b;
  return parse_number(d, bits_text(d, b)) == b && parse_number(d, hex_float(d, b)) == number &&
         parse_number(d, decimal(d, b)) == number;
}

TEST(Text, EachPatternOf16BitsRoundTrips) {
  for (Dtype d : {Dtype::f16, Dtype::bf16})
    for (Bits b = 0; b < 65536; ++b)
      ASSERT_TRUE(round_trips(d, b))
          << name(d) << " " << bits_text(d, b) << " " << hex_float(d, b) << " " << decimal(d, b);
}

TEST(Text, RandomPatternsRoundTrip) {
  EXPECT_TRUE(rc::check("f32", [](std::uint32_t b) { RC_ASSERT(round_trips(Dtype::f32, b)); }));
  EXPECT_TRUE(rc::check("f64", [](std::uint64_t b) { RC_ASSERT(round_trips(Dtype::f64, b)); }));
  // Patterns as integers are small: spread them over the exponents.
  EXPECT_TRUE(rc::check("f64, all exponents", [](std::uint64_t b, std::uint16_t top) {
    RC_ASSERT(round_trips(Dtype::f64, b ^ (std::uint64_t{top} << 48)));
  }));
}

TEST(Text, BordersRoundTrip) {
  for (Dtype d : kDtypes) {
    const Format& f = format(d);
    for (Bits b : {Bits{0}, Bits{1}, f.min_normal() - 1, f.min_normal(), f.max_finite(),
                   f.infinity(), f.quiet_nan(), f.infinity() + 1})
      for (Bits signed_b : {b, negate(d, b)}) EXPECT_TRUE(round_trips(d, signed_b)) << signed_b;
  }
}

TEST(Text, Shows) {
  EXPECT_EQ(bits_text(Dtype::f32, 0x3f800000), "0x3f800000");
  EXPECT_EQ(bits_text(Dtype::f16, 1), "0x0001");
  EXPECT_EQ(hex_float(Dtype::f16, 0x3000), "0x1p-3");
  EXPECT_EQ(hex_float(Dtype::f16, 0xfc00), "-inf");
  EXPECT_EQ(decimal(Dtype::f32, 0x3dcccccd), "0.1") << "the shortest";
  EXPECT_EQ(decimal(Dtype::f16, 0x2e66), "0.1");
  EXPECT_EQ(decimal(Dtype::f16, 0x3555), "0.3333");
  EXPECT_EQ(decimal(Dtype::bf16, 0x8000), "-0");
}

TEST(Text, ReadsEveryForm) {
  const Dtype d = Dtype::f32;
  const Bits one = 0x3f800000;
  for (const char* text : {"1", "1.0", "+1", "1e0", "10e-1", "0x1p0", "0x1.0p+0", "0X2P-1",
                           "0x3f800000", "0b111111100000000000000000000000"})
    EXPECT_EQ(parse_number(d, text), one) << text;
  EXPECT_EQ(parse_number(d, "-inf"), 0xff800000u);
  EXPECT_EQ(parse_number(d, "∞"), 0x7f800000u);
  EXPECT_EQ(parse_number(d, "-0"), 0x80000000u);
  EXPECT_EQ(parse_number(d, "0x0"), 0u) << "a pattern";
  EXPECT_EQ(parse_number(d, "1e-400"), 0u) << "rounds to 0";
  EXPECT_EQ(parse_number(d, "-1e999999"), 0xff800000u);
}

TEST(Text, RoundsOnce) {
  // 1 + 2^-11 (a tie of f16) and a little more, which f64 cannot see.
  EXPECT_EQ(parse_number(Dtype::f16, "1.00048828125"), 0x3c00u);
  EXPECT_EQ(parse_number(Dtype::f16, "1.00048828125000000000000000000000000001"), 0x3c01u);
  EXPECT_EQ(parse_number(Dtype::f16, "0x1.002p0"), 0x3c00u);
  EXPECT_EQ(parse_number(Dtype::f16, "0x1.00200000000000000000001p0"), 0x3c01u);
  EXPECT_EQ(parse_number(Dtype::f64, "4.9406564584124654e-324"), 1u);
  EXPECT_EQ(parse_number(Dtype::f64, "2.4703282292062327e-324"), 0u);
  EXPECT_EQ(parse_number(Dtype::f64, "2.4703282292062328e-324"), 1u);
}

std::string error_of(Dtype d, const std::string& text) {
  try {
    parse_number(d, text);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Text, RefusesAndSaysWhatIsAccepted) {
  for (const char* bad : {"", "abc", "1.2.3", "1e", "--1", "0x", "0x1g", "0b12", "1 ", " 1", "1f",
                          "infinit", "nan(1)", "-", "+", "1_000", "0x-1", "e5"}) {
    const std::string error = error_of(Dtype::f32, bad);
    EXPECT_NE(error.find("'" + std::string(bad) + "' is not a f32 number"), std::string::npos)
        << bad << ": " << error;
    EXPECT_NE(error.find("accepted: decimal"), std::string::npos) << error;
    EXPECT_NE(error.find("0x00800000"), std::string::npos) << "an example of the width";
  }
  EXPECT_NE(error_of(Dtype::f16, "0x10000").find("more than 16 bits"), std::string::npos);
  EXPECT_NE(error_of(Dtype::f64, "0x10000000000000000").find("more than 64 bits"),
            std::string::npos);
  EXPECT_NE(error_of(Dtype::bf16, "-0x3f80"), "nothing was thrown") << "a pattern has no sign";
}

}  // namespace
}  // namespace ulpaudit
