// Figures that are derived of sums: shares, percentiles, means over typical logits, curves.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "record/replay.hpp"
#include "record/report.hpp"

namespace ulpaudit {
namespace {

constexpr Dtype kD = Dtype::f32;
Bits f32(double v) { return encode(kD, v); }

/// `n` points with this error.
void add(Tally& t, double error, std::uint64_t n, Bits z = 0) {
  t.start();
  for (std::uint64_t i = 0; i < n; ++i) t.add_error(kD, quantise(error), {z, 0, 0});
  t.points += n;
  t.histogram[static_cast<std::size_t>(histogram_bin(std::fabs(quantise(error))))] += n;
}

TEST(Statistics, OfNoPointsAreNone) {
  const Statistics s = derive(kD, Tally(), nullptr);
  EXPECT_FALSE(s.max_ulp || s.mean || s.p50 || s.typical_logits);
}

TEST(Statistics, SharesAndMeans) {
  Tally t;
  add(t, 3, 1);
  add(t, -4, 1);
  add(t, 0, 2);
  t.correctly_rounded = 2;
  t.faithful = 3;
  t.allclose_failures = 1;
  const Statistics s = derive(kD, t, nullptr);
  EXPECT_EQ(s.max_ulp, 4);
  EXPECT_EQ(s.max_signed, 3);
  EXPECT_EQ(s.min_signed, -4);
  EXPECT_EQ(s.mean, 1.75);
  EXPECT_EQ(s.bias, -0.25);
  EXPECT_EQ(s.rms, 2.5);
  EXPECT_EQ(s.correctly_rounded, 0.5);
  EXPECT_EQ(s.faithful, 0.75);
  EXPECT_EQ(s.allclose_failures, 1u);
  // Points without an error in ulps have a part in the shares alone.
  t.points = 8;
  EXPECT_EQ(derive(kD, t, nullptr).correctly_rounded, 0.25);
  EXPECT_EQ(derive(kD, t, nullptr).mean, 1.75);
  Tally nans;
  nans.start();
  nans.points = nans.histogram.back() = 5;
  const Statistics none = derive(kD, nans, nullptr);
  EXPECT_FALSE(none.max_ulp || none.mean || none.rms);
  EXPECT_EQ(none.p50, std::numeric_limits<double>::infinity()) << "a category";
}

TEST(Statistics, PercentilesAreUpperBordersOfBins) {
  Tally t;
  add(t, 0.3, 50);
  add(t, 0.6, 40);
  add(t, 5, 9);
  add(t, 100, 1);
  const auto border = [](double e) { return histogram_upper(histogram_bin(e)); };
  Statistics s = derive(kD, t, nullptr);
  EXPECT_EQ(s.p50, border(0.3)) << "the 50th of 100";
  EXPECT_EQ(s.p90, border(0.6));
  EXPECT_EQ(s.p99, border(5));
  EXPECT_EQ(s.p999, border(100));
  add(t, 5, 1);
  s = derive(kD, t, nullptr);
  EXPECT_EQ(s.p50, border(0.6)) << "the 51st of 101";
  EXPECT_EQ(s.p90, border(5));
}

/// Every input of a bin of the curve has the same error.
Curve::value_type bin_at(double z, double error, std::uint64_t points = 10) {
  CurveBin b;
  for (std::uint64_t i = 0; i < points; ++i) b.add_error(quantise(error));
  b.points = points;
  return {curve_bin(kD, ordinal(kD, f32(z))), b};
}

TEST(Statistics, TypicalLogitsWeighBinsByTheirMass) {
  const auto weighted = [](const Curve& c) {
    Tally t;
    add(t, 1, 1);
    return derive(kD, t, &c).typical_logits;
  };
  EXPECT_FALSE(weighted({}));
  // One bin: its mass does not matter.
  Curve one = {bin_at(1.01, -3)};
  one.begin()->second.correctly_rounded = 4;
  ASSERT_TRUE(weighted(one));
  EXPECT_NEAR(weighted(one)->mean, 3, 1e-12);
  EXPECT_NEAR(*weighted(one)->bias, -3, 1e-12);
  EXPECT_NEAR(weighted(one)->rms, 3, 1e-12);
  EXPECT_NEAR(weighted(one)->correctly_rounded, 0.4, 1e-12);
  // Two: by the normal distribution with standard deviation 4, whatever their points.
  const auto mass = [](double z) {
    const BinSpan s = curve_span(kD, ordinal(kD, f32(z)));
    const auto phi = [](double x) { return 0.5 * std::erfc(-x / (4 * std::sqrt(2.0))); };
    return std::fabs(phi(decode(kD, from_ordinal(kD, s.last))) -
                     phi(decode(kD, from_ordinal(kD, s.first))));
  };
  for (const double far : {-8.3, 5.1, -0.7}) {
    const double a = mass(1.01), b = mass(far);
    const Curve two = {bin_at(1.01, 1, 3), bin_at(far, -2, 1000)};
    EXPECT_NEAR(weighted(two)->mean, (a + 2 * b) / (a + b), 1e-9) << far;
    EXPECT_NEAR(*weighted(two)->bias, (a - 2 * b) / (a + b), 1e-9) << far;
    EXPECT_NEAR(weighted(two)->rms, std::sqrt((a + 4 * b) / (a + b)), 1e-9) << far;
  }
  // Bins without points, or of infinities and NaN, have no part.
  Curve more = one;
  more.insert(bin_at(3, 7, 0));
  more.insert(bin_at(std::numeric_limits<double>::infinity(), 7));
  EXPECT_NEAR(weighted(more)->mean, 3, 1e-12);
}

TEST(CurveBins, AddAndMerge) {
  CurveBin a, b;
  a.add_error(-2);
  a.points = 1;
  b.add_error(3);
  b.add_error(1);
  b.points = 5;
  b.correctly_rounded = 2;
  b.categories = 3;
  EXPECT_EQ(a.max_signed, 0) << "0 included";
  a.merge(b);
  EXPECT_EQ(a.points, 6u);
  EXPECT_EQ(a.correctly_rounded, 2u);
  EXPECT_EQ(a.categories, 3u);
  EXPECT_EQ(a.max_signed, 3);
  EXPECT_EQ(a.min_signed, -2);
  EXPECT_EQ(a.sum_signed, Sum(2) << 20);
  EXPECT_EQ(a.sum_abs, Sum(6) << 20);
  EXPECT_EQ(a.sum_squares, Sum(14) << 20);
  Curve into = {{3, a}, {9, a}}, from = {{1, b}, {3, b}, {5, b}, {12, b}, {13, CurveBin()}};
  merge(into, from);
  std::vector<std::uint32_t> bins;
  for (const auto& [bin, value] : into) bins.push_back(bin);
  EXPECT_EQ(bins, (std::vector<std::uint32_t>{1, 3, 5, 9, 12})) << "without empty ones";
  EXPECT_EQ(into.at(3).points, 11u);
  EXPECT_EQ(into.at(9).points, 6u);
}

TEST(CurveSpans, AreFineWhereTypicalLogitsLie) {
  for (const Dtype d : kDtypes) {
    const auto span = [&](double z) { return curve_span(d, ordinal(d, encode(d, z))); };
    for (const double z : {0x1p-4, 1.0, 17.3, 63.0, -0x1p-4, -2.5, -63.0}) {
      const BinSpan s = span(z);
      const double a = std::fabs(decode(d, from_ordinal(d, s.first)));
      const double b = std::fabs(decode(d, from_ordinal(d, s.last)));
      EXPECT_LT(std::max(a, b) / std::min(a, b), 1.126)
          << name(d) << z << ": an eighth of a binade";
      EXPECT_EQ(s.last - s.first + 1, std::uint64_t{1} << curve_shift(d));
    }
    if (d != Dtype::f16)
      for (const double z : {0x1p-6, 100.0, -100.0}) {
        const BinSpan s = span(z);
        EXPECT_GT(s.last - s.first + 1, std::uint64_t{1} << curve_shift(d)) << name(d) << z;
      }
    // Fine ones begin and end at powers of two.
    EXPECT_EQ(span(0x1p-4).first, ordinal(d, encode(d, 0x1p-4)));
    EXPECT_EQ(span(-0x1p-4).last, ordinal(d, encode(d, -0x1p-4)));
    EXPECT_EQ(span(64).first, ordinal(d, encode(d, 64)));
    EXPECT_EQ(span(-64).last, ordinal(d, encode(d, -64)));
  }
}

TEST(Search, SummaryShowsTheTenWorst) {
  EXPECT_FALSE(summarise(kD, {}, false));
  SearchedBinades all;
  for (int i = 0; i < 14; ++i) {
    SearchedBinade b;
    b.last = ordinal(kD, f32(std::ldexp(1, i) * 1.5));
    b.points = static_cast<std::uint64_t>(100 + i);
    if (i != 3) b.max.offer(kD, i % 7, {f32(std::ldexp(1, i)), f32(0.5), 0});
    all[ordinal(kD, f32(std::ldexp(1, i)))] = b;
  }
  const auto s = summarise(kD, all, true);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->binades, 14u);
  EXPECT_EQ(s->least_points, 100u);
  EXPECT_EQ(s->most_points, 113u);
  ASSERT_EQ(s->worst.size(), 10u);
  EXPECT_EQ(s->worst[0].max_ulp, 6);
  EXPECT_EQ(s->worst[0].at.decimal, "64") << "of equal ones the lowest first";
  EXPECT_EQ(s->worst[0].first.decimal, "64");
  EXPECT_EQ(s->worst[0].last.decimal, "96");
  EXPECT_EQ(s->worst[0].points, 106u);
  EXPECT_EQ(s->worst[0].y->decimal, "0.5");
  EXPECT_EQ(s->worst[1].at.decimal, "8192");
  EXPECT_TRUE(std::is_sorted(s->worst.begin(), s->worst.end(),
                             [](const auto& a, const auto& b) { return a.max_ulp > b.max_ulp; }));
  EXPECT_FALSE(summarise(kD, all, false)->worst[0].y);
}

TEST(Curves, JoinEqualNeighboursAndGroupTheRest) {
  const auto bins = [](std::initializer_list<double> errors) {
    Curve c;
    std::uint64_t o = ordinal(kD, f32(1));
    for (const double e : errors) {
      const BinSpan s = curve_span(kD, o);
      CurveBin b;
      b.add_error(e);
      b.points = 10;
      c[curve_bin(kD, s.first)] = b;
      o = s.last + 1;
    }
    return c;
  };
  const auto points = plot_curve(kD, bins({1, 1, 2, 2, 2, 1}), 100);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].points, 20u);
  EXPECT_EQ(points[1].points, 30u);
  EXPECT_EQ(points[1].max_signed, 2);
  EXPECT_NEAR(points[1].mean, 3 * 2.0 / 30, 1e-12);
  EXPECT_EQ(points[0].first.decimal, "1");
  EXPECT_EQ(points[1].first.decimal, "1.25") << "an eighth of a binade each";
  EXPECT_EQ(points[2].first.decimal, "1.625");
  EXPECT_EQ(points[0].last.bits, number(kD, f32(1.25) - 1).bits);
  EXPECT_EQ(points[2].last.bits, number(kD, f32(1.75) - 1).bits);
  const auto grouped = plot_curve(kD, bins({1, 2, 3, -4, 5}), 2);
  ASSERT_EQ(grouped.size(), 2u);
  EXPECT_EQ(grouped[0].points, 30u);
  EXPECT_EQ(grouped[0].max_signed, 3);
  EXPECT_EQ(grouped[1].min_signed, -4);
  EXPECT_EQ(grouped[1].max_signed, 5);
  EXPECT_EQ(grouped[1].last.bits, number(kD, f32(1.625) - 1).bits);
  EXPECT_EQ(plot_curve(kD, bins({1, 2, 3, 4}), 4).size(), 4u);
  // Where there are categories, and where not, are two stretches.
  Curve c = bins({1, 1, 1});
  std::next(c.begin())->second.categories = 2;
  EXPECT_EQ(plot_curve(kD, c, 100).size(), 3u);
  for (auto& [bin, b] : c) b.categories = 1 + bin % 2;
  const auto all = plot_curve(kD, c, 100);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_GE(all[0].categories, 4u);
  // Bins that do not lie side by side are not joined.
  Curve apart = bins({1, 1, 1});
  apart.erase(std::next(apart.begin()));
  EXPECT_EQ(plot_curve(kD, apart, 100).size(), 2u);
  EXPECT_TRUE(plot_curve(kD, {}, 100).empty());
}

TEST(Giving, WordsForAShell) {
  EXPECT_EQ(quoted("a b"), "'a b'");
  EXPECT_EQ(quoted("it's"), "'it'\\''s'");
  Report r;
  Implementation i;
  i.name = "mine/sigmoid";
  r.implementations = {i};
  EXPECT_EQ(choosing(r, "mine/sigmoid"), "--impl 'mine/sigmoid'");
  EXPECT_EQ(choosing(r, "not/there"), "--impl 'not/there'");
  r.implementations[0].given_path = "my.so";
  EXPECT_EQ(choosing(r, "mine/sigmoid"), "--plugin 'my.so' --impl 'mine/sigmoid'");
  r.implementations[0].given_path = "exec:python3 worker.py";
  r.implementations[0].given_contract = "c.toml";
  EXPECT_EQ(choosing(r, "mine/sigmoid"),
            "--exec 'python3 worker.py' --contract 'c.toml' --impl 'mine/sigmoid'");
  Result a, b;
  a.implementation = b.implementation = "mine/sigmoid";
  a.dtype = b.dtype = "f32";
  a.region = "core";
  b.region = "all";
  r.results = {a, b};
  EXPECT_EQ(find_total(r, "mine/sigmoid", "f32"), &r.results[1]);
  EXPECT_EQ(find_total(r, "mine/sigmoid", "f16"), nullptr);
  EXPECT_EQ(find_total(r, "mine/other", "f32"), nullptr);
}

TEST(Sums, FromText) {
  EXPECT_EQ(sum_from_text("0"), Sum(0));
  EXPECT_EQ(sum_from_text("-12"), Sum(-12));
  EXPECT_EQ(sum_from_text("123456789012345678901234567890"),
            *sum_from_text("123456789012345678901234567890"));
  for (const char* bad : {"", "-", "1.5", "0x12", "12 ", "--1", "1e3", "010", "-00"})
    EXPECT_FALSE(sum_from_text(bad)) << bad;
  EXPECT_TRUE(sum_from_text(std::string(76, '9')));
  EXPECT_TRUE(sum_from_text("-" + std::string(76, '9')));
  EXPECT_FALSE(sum_from_text(std::string(77, '9'))) << "more than a sum holds";
}

}  // namespace
}  // namespace ulpaudit
