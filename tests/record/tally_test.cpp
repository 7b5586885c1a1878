// Tallies: exact sums that do not depend on the order of points, threads or shards.
// SPDX-License-Identifier: Apache-2.0
#include "record/tally.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <boost/multiprecision/cpp_int.hpp>

#include "record/json.hpp"

namespace ulpaudit {
namespace {

constexpr Dtype kD = Dtype::f32;

struct Point {
  Case at;
  double error;
  int category;  ///< kCategoryCount: none
};

void add(Tally& t, const Point& p) {
  ++t.points;
  if (p.category < kCategoryCount) t.add_category(kD, static_cast<Category>(p.category), p.at);
  if (p.at.got % 5 == 0) t.wrong_zero.add(kD, p.at);
  if (p.category % 3 != 0) return;
  t.add_error(kD, quantise(p.error), p.at);
  ++t.histogram[static_cast<std::size_t>(histogram_bin(std::fabs(quantise(p.error))))];
}

/// Tallies have no operator==: their JSON is compared.
std::string text_of(const Tally& t) {
  Report r;
  r.results.resize(1);
  r.results[0].raw = t;
  return to_json(r);
}

rc::Gen<Point> any_point() {
  const auto exponent = rc::gen::inRange(-30, 70);
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange<std::uint64_t>(0, 64), rc::gen::inRange<std::uint64_t>(0, 4),
                     rc::gen::inRange(-1000, 1001), exponent,
                     rc::gen::inRange(0, kCategoryCount + 4)),
      [](const std::tuple<std::uint64_t, std::uint64_t, int, int, int>& v) {
        const auto [z, y, m, e, c] = v;
        // Few inputs, both signs, so that equal errors and equal inputs meet.
        const Bits zb = (z & 1) != 0 ? z | format(kD).sign_bit() : z;
        return Point{{zb, y, z + y}, std::ldexp(m, e), std::min(c, kCategoryCount)};
      });
}

void check(const char* what, bool held) {
  EXPECT_TRUE(held) << what << ": RapidCheck's text above";
}

TEST(Tally, AnySplitInAnyOrderGivesTheSame) {
  check("split", rc::check([] {
          const auto points = *rc::gen::container<std::vector<Point>>(any_point());
          Tally whole;
          for (const Point& p : points) add(whole, p);
          std::vector<Tally> parts(4);
          auto shuffled = points;
          const auto seed = *rc::gen::arbitrary<std::uint32_t>();
          std::mt19937 order(seed);
          std::shuffle(shuffled.begin(), shuffled.end(), order);
          for (const Point& p : shuffled) add(parts[order() % parts.size()], p);
          std::shuffle(parts.begin(), parts.end(), order);
          Tally merged;
          for (const Tally& t : parts) merged.merge(kD, t);
          RC_ASSERT(text_of(merged) == text_of(whole));
        }));
}

TEST(Tally, MergingIsAssociative) {
  check("associative", rc::check([] {
          std::vector<Tally> t(3);
          for (Tally& x : t)
            for (const Point& p : *rc::gen::container<std::vector<Point>>(any_point())) add(x, p);
          Tally left = t[0], right = t[1];
          left.merge(kD, t[1]);
          left.merge(kD, t[2]);
          right.merge(kD, t[2]);
          Tally all = t[0];
          all.merge(kD, right);
          RC_ASSERT(text_of(left) == text_of(all));
        }));
}

TEST(Tally, OfEqualErrorsTheLowestInputIsTheWitness) {
  Tally t;
  const Bits minus_two = 0xc0000000, one = 0x3f800000;
  t.add_error(kD, 1.5, {one, 0, 1});
  t.add_error(kD, -1.5, {minus_two, 0, 2});
  t.add_error(kD, 1.5, {one, 1, 3});
  EXPECT_EQ(t.max_abs.at.z, minus_two);
  EXPECT_EQ(t.max_signed.at.z, one);
  EXPECT_EQ(t.max_signed.at.y, 0u) << "then the lowest label";
  EXPECT_EQ(t.min_signed.error, 1.5) << "holds the negated error";
  t.add_category(kD, Category::new_nan, {one, 0, 0});
  t.add_category(kD, Category::new_nan, {minus_two, 0, 0});
  const Counter& c = t.categories[static_cast<std::size_t>(Category::new_nan)];
  EXPECT_EQ(c.count, 2u);
  EXPECT_EQ(c.first.z, minus_two);
  EXPECT_EQ(c.last, one);
}

TEST(Sum, IsAnIntegerModulo2To256) {
  const Sum minus = -Sum(1), big = (Sum(1) << 200) + minus;
  EXPECT_EQ(minus.str(), "-1");
  EXPECT_EQ(big.str(), "1606938044258990275541962092341162602522202993782792835301375");
  EXPECT_EQ((-big).str(), "-" + big.str());
  EXPECT_EQ(minus << 64, -(Sum(1) << 64));
  EXPECT_EQ(Sum(~std::uint64_t{0}) + 1, Sum(1) << 64) << "carries";
  EXPECT_EQ((Sum(~std::uint64_t{0}) << 64) + (Sum(1) << 64), Sum(1) << 128);
  EXPECT_EQ(Sum(-5) + 7, Sum(2)) << "carries out of the highest limb";
  EXPECT_EQ(Sum(3) << 61, Sum(0x6000000000000000));
  EXPECT_EQ((-(Sum(1) << 120)).to_double(), -0x1p120);
  EXPECT_EQ(((Sum(1) << 53) + 1).to_double(), 0x1p53) << "to even";
  for (const char* text :
       {"0", "-12", "123456789012345678901234567890",
        "9999999999999999999999999999999999999999999999999999999999999999999999999999"})
    EXPECT_EQ(sum_from_text(text).value().str(), text);
  for (const char* text :
       {"", "-", "010", "1e3", "+1", " 1",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999"})
    EXPECT_FALSE(sum_from_text(text)) << text;
}

TEST(Tally, SumsAreExact) {
  Tally t;
  for (int i = 0; i < 1000; ++i) t.add_error(kD, kErrorCap, {});
  t.add_error(kD, kQuantum, {});
  t.add_error(kD, -kErrorCap, {});
  EXPECT_EQ(t.sum_signed, (Sum(999) << 82) + 1);
  EXPECT_EQ(t.sum_abs, (Sum(1001) << 82) + 1);
  Tally half;
  half.add_error(kD, -0.5, {});
  EXPECT_EQ(half.sum_signed, Sum(-(1 << 19)));
  EXPECT_EQ(half.sum_squares, Sum(1 << 18)) << "¼ in units of 2^-20";
}

using boost::multiprecision::cpp_int;

// Squares are rounded to a unit below 2^20 ulp and cut to one above; errors are whole from 2^40 on.
TEST(Tally, SumsOfLargeErrorsAreExact) {
  const auto of = [](double e) {
    Tally t;
    t.add_error(kD, e, {});
    return t;
  };
  for (const double e : {0x1p20 - kQuantum, 0x1p20, 0x1p20 + kQuantum, 0x1p40 - 0x1p-12, 0x1p40,
                         0x1p40 + 0x1p-12, 0x1p50 + 0.25, 0x1p53 + 2}) {
    const Sum units = e < 0x1p40 ? Sum(std::llrint(e * 0x1p20)) : Sum(std::llrint(e)) << 20;
    EXPECT_EQ(of(e).sum_signed, units) << e;
    EXPECT_EQ(of(-e).sum_signed, -units) << e;
    EXPECT_EQ(of(-e).sum_abs, units) << e;
    const Sum square = of(e).sum_squares;
    const cpp_int whole(units.str()), cut = (whole * whole) >> 20;
    const cpp_int off = cpp_int(square.str()) - cut;
    EXPECT_TRUE(off == 0 || off == 1) << e << ' ' << off;
    EXPECT_EQ(of(-e).sum_squares, square) << e;
  }
  EXPECT_EQ(of(kQuantum * 724).sum_squares, Sum(0)) << "just below half a unit";
  EXPECT_EQ(of(kQuantum * 725).sum_squares, Sum(1)) << "just above";
}

TEST(Quantise, ToMultiplesOfTheQuantum) {
  EXPECT_EQ(quantise(0.5), 0.5);
  EXPECT_EQ(quantise(kQuantum * 2.4), kQuantum * 2);
  EXPECT_EQ(quantise(-kQuantum * 2.6), -kQuantum * 3);
  EXPECT_EQ(quantise(kQuantum / 4), 0);
  EXPECT_EQ(quantise(0x1p32 + 1), 0x1p32 + 1);
  EXPECT_EQ(quantise(1e30), kErrorCap);
  EXPECT_EQ(quantise(-std::numeric_limits<double>::infinity()), -kErrorCap);
}

TEST(Histogram, BinsMeetAtTheirBorders) {
  EXPECT_EQ(histogram_bin(0), 0);
  EXPECT_EQ(histogram_bin(kQuantum), 1);
  EXPECT_EQ(histogram_upper(0), kQuantum);
  for (int bin = 1; bin < kHistogramBins - 2; ++bin) {
    const double lower = histogram_upper(bin - 1), upper = histogram_upper(bin);
    EXPECT_LT(lower, upper);
    EXPECT_EQ(histogram_bin(lower), bin);
    EXPECT_EQ(histogram_bin(std::nextafter(upper, 0)), bin);
  }
  EXPECT_EQ(histogram_bin(kErrorCap), kHistogramBins - 2) << "the last is kept for categories";
  EXPECT_TRUE(std::isinf(histogram_upper(kHistogramBins - 1)));
  EXPECT_EQ(histogram_upper(histogram_bin(0.5) - 1), 0.5) << "½ is a border";
}

TEST(CurveSpans, PartTheLine) {
  for (Dtype d : kDtypes) {
    const std::uint64_t last = format(d).mask();
    std::uint64_t o = 0;
    std::size_t spans = 0;
    while (true) {
      const BinSpan s = curve_span(d, o);
      ASSERT_EQ(s.first, o) << name(d);
      ASSERT_GE(s.last, s.first);
      for (std::uint64_t inside : {s.first + (s.last - s.first) / 2, s.last})
        ASSERT_EQ(curve_span(d, inside).first, s.first) << name(d);
      ASSERT_EQ(curve_bin(d, s.first), curve_bin(d, s.last));
      ++spans;
      if (s.last == last) break;
      o = s.last + 1;
      ASSERT_NE(curve_bin(d, s.last), curve_bin(d, o)) << name(d);
    }
    EXPECT_LT(spans, 3000u) << name(d);
  }
}

// Equal digests: equal results, so every bit of z, y and got must count.
TEST(Digest, DependsOnEveryBit) {
  const Bits z = 0x123456789abcdef0, y = 0x3fd0000000000000, got = 0x3fe0000000000001;
  for (int bit = 0; bit < 64; ++bit) {
    const Bits flip = Bits{1} << bit;
    EXPECT_NE(digest_term(z, y, got), digest_term(z ^ flip, y, got)) << "z, bit " << bit;
    EXPECT_NE(digest_term(z, y, got), digest_term(z, y ^ flip, got)) << "y, bit " << bit;
    EXPECT_NE(digest_term(z, y, got), digest_term(z, y, got ^ flip)) << "got, bit " << bit;
  }
  EXPECT_NE(digest_term(1, 0, 5) + digest_term(2, 0, 6),
            digest_term(1, 0, 6) + digest_term(2, 0, 5))
      << "two results that changed places";
}

}  // namespace
}  // namespace ulpaudit
