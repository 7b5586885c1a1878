// The fast judge for f64 against MPFR (the intervals) and the final judge (the decisions), on each
// SIMD target that this machine has.
// SPDX-License-Identifier: Apache-2.0
#include "truth/fast_judge_f64.hpp"

#include <gtest/gtest.h>

#include <hwy/targets.h>
#include <boost/multiprecision/mpfr.hpp>
#include <chrono>
#include <cmath>
#include <vector>

#include "names.hpp"
#include "ops/list.hpp"

namespace ulpaudit {
namespace {

namespace mp = boost::multiprecision;
template <unsigned Digits>
using Real = mp::number<mp::mpfr_float_backend<Digits>, mp::et_off>;

constexpr Dtype kF64 = Dtype::f64;
constexpr std::uint64_t kSeed = 20261124;
// Not a multiple of any vector's lanes.
#ifdef ULPAUDIT_EMULATED
constexpr std::size_t kPoints = 301;  // MPFR takes some 100 microseconds a point there
#else
constexpr std::size_t kPoints = 3001;
#endif

double as_double(Bits b) { return decode(kF64, b); }

struct Values {
  std::vector<double> z, hi, lo, delta;
  Values(OpId op, double y, std::vector<double> inputs) : z(std::move(inputs)) {
    for (auto* v : {&hi, &lo, &delta}) v->resize(z.size());
    fast_values_f64(op, y, z.data(), z.size(), {hi.data(), lo.data(), delta.data()});
  }
};

/// |t - (hi + lo)| / delta at `Digits` digits.
template <unsigned Digits>
double relative_error(OpId op, double z, double y, const Values& v, std::size_t i) {
  using T = Real<Digits>;
  const T t = AllOps::visit(op, [&](auto o) { return o.template value<T>(T(z), T(y)); });
  return static_cast<double>(T(abs(T(T(t - T(v.hi[i])) - T(v.lo[i]))) / T(v.delta[i])));
}

/// 100 digits, or what is needed to see delta beside t.
double error_in_delta(OpId op, double y, const Values& v, std::size_t i) {
  const int bits = exponent_of(v.hi[i]) - exponent_of(v.delta[i]);
  const double z = v.z[i];
  if (bits < 200) return relative_error<100>(op, z, y, v, i);
  if (bits < 1100) return relative_error<400>(op, z, y, v, i);
  return relative_error<700>(op, z, y, v, i);
}

std::vector<double> log_uniform(test::RandomBits& random, std::size_t n, int from, int to) {
  std::vector<double> z(n);
  for (double& v : z) {
    const int e = from + static_cast<int>(random() % static_cast<std::uint64_t>(to - from));
    v = std::ldexp(1 + static_cast<double>(random() >> 12) * 0x1p-52, e);
    if (random() % 2 != 0) v = -v;
  }
  return z;
}

std::vector<double> patterns(test::RandomBits& random, std::size_t n) {
  std::vector<double> z(n);
  for (double& v : z) v = as_double(random());
  return z;
}

/// Few bits, so that R = ½ + z/4, a·c, … is a number or a midpoint.
std::vector<double> short_inputs(test::RandomBits& random, std::size_t n) {
  std::vector<double> z(n);
  for (double& v : z) {
    v = std::ldexp(static_cast<double>(1 + random() % 15), static_cast<int>(random() % 90) - 70);
    if (random() % 2 != 0) v = -v;
  }
  return z;
}

/// Around the borders of the judge's own cases, and where z/4 is about y.
std::vector<double> borders(Bits y, test::RandomBits& random, std::size_t n) {
  std::vector<double> z;
  for (double v : {0x1p-959, 0x1p-300, 0x1p-200, 0x1p-36, 1.0, 667.0, 745.0, 4 * as_double(y)})
    for (int s = -2; s <= 2; ++s) z.push_back(as_double(step(kF64, encode(kF64, v), s)));
  while (z.size() < n / 2) z.push_back(640 + 130 * static_cast<double>(random() >> 11) * 0x1p-53);
  while (z.size() < n) z.push_back(as_double(random() & ((Bits{128} << 52) - 1)));  // below 2^-894
  for (double& v : z)
    if (random() % 2 != 0) v = -v;
  return z;
}

std::vector<double> around_landmarks(OpId op, Bits y) {
  std::vector<double> z;
  for (Bits b : landmarks(op, kF64, y))
    for (int s = -3; s <= 3; ++s) z.push_back(as_double(step(kF64, b, s)));
  return z;
}

std::vector<Bits> labels_of(OpId op, test::RandomBits& random) {
  std::vector<Bits> labels = default_labels(op, kF64);
  if (info(op).arity == 1) return labels;
  const Bits one = encode(kF64, 1.0);
  for (int i = 0; i < 4; ++i)
    labels.push_back(encode(kF64, static_cast<double>(random() >> 11) * 0x1p-53));
  for (int i = 0; i < 4; ++i) labels.push_back(random() % one);
  labels.push_back(one - 1 - random() % 100);
  labels.push_back(encode(kF64, 0x1p-54 * static_cast<double>(1 + random() % 7)));
  // Where the judge treats the label by its size.
  for (double y : {0x3p-1074, 0x1p-1000, 0x1p-962, 0x1p-900, 0x1p-840, 0x1p-700, 0x1p-64})
    for (int s : {-1, 0, 1}) labels.push_back(step(kF64, encode(kF64, y), s));
  return labels;
}

struct Tally {
  std::size_t points = 0, judged = 0, undecided = 0, undecided_crossing = 0;
  double worst = 0;
  std::string worst_at;
};

bool in_crossing(OpId op, double y, double t) {
  return info(op).name == "bce_with_logits_grad" && std::fabs(t) < 0.25 * std::min(y, 1 - y);
}

void check_decision(OpId op, Bits y, const Values& v, std::size_t i, Tally& tally) {
  Truth t;
  const double yd = as_double(y);
  if (!decide(kF64, v.hi[i], v.lo[i], v.delta[i], t)) {
    (in_crossing(op, yd, v.hi[i]) ? tally.undecided_crossing : tally.undecided) += 1;
    return;
  }
  const Bits z = encode(kF64, v.z[i]);
  const Truth sure = final_judge(op, kF64, z, y);
  const std::string where = test::at(op, kF64, z, y);
  ASSERT_EQ(sure.kind, TruthKind::finite) << where;
  ASSERT_EQ(t.rounded, sure.rounded) << where;
  ASSERT_EQ(t.side, sure.side) << where;
  ASSERT_EQ(t.q, sure.q) << where;
  ASSERT_EQ(t.negative, sure.negative) << where;
  ASSERT_LE(std::fabs((t.ulps.hi - sure.ulps.hi) + (t.ulps.lo - sure.ulps.lo)), 0x1p-20) << where;
}

void check(OpId op, Bits y, const std::vector<double>& z, Tally& tally) {
  const Values v(op, as_double(y), z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    ++tally.points;
    if (v.delta[i] < 0) continue;
    const std::string where = test::at(op, kF64, encode(kF64, z[i]), y);
    ++tally.judged;
    ASSERT_TRUE(std::isfinite(z[i]) && z[i] != 0) << where;
    ASSERT_EQ(v.hi[i], v.hi[i] + v.lo[i]) << where;
    const double off = error_in_delta(op, as_double(y), v, i);
    ASSERT_LE(off, 1.0625) << where;
    // A stand-in fills its interval; elsewhere the claim has a margin.
    const bool stand_in = v.delta[i] < 0x1p-90 * std::fabs(v.hi[i]);
    if (!stand_in && off > tally.worst) {
      tally.worst = off;
      tally.worst_at = where;
    }
    ASSERT_NO_FATAL_FAILURE(check_decision(op, y, v, i, tally));
  }
}

void report(const char* target, OpId op, const char* set, const Tally& t) {
  std::printf(
      "%-6s %-21s %-12s points %7zu, not judged %7zu, undecided %zu (crossing %zu), worst %.3f "
      "delta %s\n",
      target, std::string(info(op).name).c_str(), set, t.points, t.points - t.judged, t.undecided,
      t.undecided_crossing, t.worst, t.worst_at.c_str());
  EXPECT_LT(t.worst, 0.25) << "the claimed bound has lost its margin: " << t.worst_at;
  EXPECT_LE(static_cast<double>(t.undecided), 1e-6 * static_cast<double>(t.points));
}

class FastJudgeF64 : public ::testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override {
    hwy::SetSupportedTargetsForTest(GetParam());
    ASSERT_STREQ(fast_judge_target(), target()) << "not dispatched to its target";
  }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
  const char* target() const { return hwy::TargetName(GetParam()); }

  template <class Inputs>
  void over_all(const char* set, std::uint64_t seed, Inputs inputs) {
    test::RandomBits random(seed);
    for (int k = 0; k < op_count(); ++k) {
      const OpId op = op_at(k);
      Tally tally;
      for (Bits y : labels_of(op, random))
        ASSERT_NO_FATAL_FAILURE(check(op, y, inputs(op, y, random), tally)) << set;
      report(target(), op, set, tally);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(, FastJudgeF64, ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& i) { return std::string(hwy::TargetName(i.param)); });

TEST_P(FastJudgeF64, RandomPatterns) {
  over_all("patterns", kSeed, [](OpId, Bits, test::RandomBits& r) { return patterns(r, kPoints); });
}
TEST_P(FastJudgeF64, LogUniform) {
  over_all("log-uniform", kSeed + 1,
           [](OpId, Bits, test::RandomBits& r) { return log_uniform(r, kPoints, -60, 10); });
}
TEST_P(FastJudgeF64, Busy) {
  over_all("busy", kSeed + 2,
           [](OpId, Bits, test::RandomBits& r) { return log_uniform(r, kPoints, -13, 5); });
}
TEST_P(FastJudgeF64, ShortInputsBesideTies) {
  over_all("short", kSeed + 3,
           [](OpId, Bits, test::RandomBits& r) { return short_inputs(r, kPoints); });
}
TEST_P(FastJudgeF64, Borders) {
  over_all("borders", kSeed + 7,
           [](OpId, Bits y, test::RandomBits& r) { return borders(y, r, 500); });
}
TEST_P(FastJudgeF64, Landmarks) {
  over_all("landmarks", kSeed + 4,
           [](OpId op, Bits y, test::RandomBits&) { return around_landmarks(op, y); });
}

TEST_P(FastJudgeF64, LeavesSpecialInputsAlone) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (int k = 0; k < op_count(); ++k) {
    const OpId op = op_at(k);
    const Values v(op, 0.25, {nan, inf, -inf, 0.0, -0.0, -700.0, 1.0});
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(v.delta[i], -1) << info(op).name << " " << i;
    EXPECT_GE(v.delta[6], 0);
    if (info(op).arity == 1) {
      EXPECT_EQ(v.delta[5], -1) << "|t| < 2^-960";
      continue;
    }
    for (double y : {nan, -0.25, 1.5}) EXPECT_EQ(Values(op, y, {1.0}).delta[0], -1);
    EXPECT_EQ(Values(op, -0.0, {1.0}).hi[0], Values(op, 0.0, {1.0}).hi[0]);
  }
}

TEST_P(FastJudgeF64, AgreesOnEachLaneWithItself) {
  test::RandomBits random(kSeed + 5);
  const std::vector<double> z = log_uniform(random, 61, -60, 11);
  for (int k = 0; k < op_count(); ++k) {
    const Values all(op_at(k), 0.1, z);
    for (std::size_t i = 0; i < z.size(); ++i) {
      const Values one(op_at(k), 0.1, {z[i]});
      EXPECT_EQ(one.hi[0], all.hi[i]);
      EXPECT_EQ(one.lo[0], all.lo[i]);
      EXPECT_EQ(one.delta[0], all.delta[i]);
    }
  }
}

/// Printed, not asserted: a loaded machine must not fail the test. And what `decide` leaves open
/// among many points, without MPFR.
TEST_P(FastJudgeF64, TimeAndShareUndecided) {
  test::RandomBits random(kSeed + 6);
  for (int k = 0; k < op_count(); ++k) {
    const OpId op = op_at(k);
    for (bool all_patterns : {false, true}) {
      const std::vector<double> z =
          all_patterns ? patterns(random, 4096) : log_uniform(random, 4096, -5, 5);
      std::vector<double> hi(4096), lo(4096), delta(4096);
      double best = 1e30;
      for (int run = 0; run < 50; ++run) {
        const auto start = std::chrono::steady_clock::now();
        fast_values_f64(op, 0.1, z.data(), z.size(), {hi.data(), lo.data(), delta.data()});
        const std::chrono::duration<double, std::nano> t = std::chrono::steady_clock::now() - start;
        best = std::min(best, t.count() / 4096);
      }
      std::printf("%-6s %-21s %-12s %.2f ns a point\n", target(),
                  std::string(info(op).name).c_str(), all_patterns ? "patterns" : "busy", best);
    }
    std::size_t points = 0, open = 0, crossing = 0;
    for (int block = 0; block < 200; ++block) {
      const Values v(op, 0.1, log_uniform(random, 4096, -60, 10));
      Truth t;
      for (std::size_t i = 0; i < v.z.size(); ++i) {
        ++points;
        if (v.delta[i] < 0 || decide(kF64, v.hi[i], v.lo[i], v.delta[i], t)) continue;
        (in_crossing(op, 0.1, v.hi[i]) ? crossing : open) += 1;
      }
    }
    std::printf("%-6s %-21s undecided %zu (crossing %zu) of %zu\n", target(),
                std::string(info(op).name).c_str(), open, crossing, points);
    EXPECT_LE(static_cast<double>(open), 1e-6 * static_cast<double>(points) + 1);
  }
}

}  // namespace
}  // namespace ulpaudit
