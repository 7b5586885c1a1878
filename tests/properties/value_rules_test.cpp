// Value rules on results that are at hand: each promise and each universal rule, at its border.
// SPDX-License-Identifier: Apache-2.0
#include "properties/value_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "fake_session.hpp"
#include "ops/category.hpp"

namespace ulpaudit {
namespace {

using List = std::vector<std::string>;
using test::Fake;
constexpr Dtype kF32 = Dtype::f32;

Bits f32(double v) { return encode(kF32, v); }
const Bits kHalf = f32(0.5), kOne = f32(1), kNan = format(kF32).quiet_nan();

List ids(const std::vector<Violation>& violations) {
  List out;
  for (const Violation& v : violations) out.push_back(v.rule);
  return out;
}

/// Rules that a result breaks, of a kernel with this contract.
List broken(Fake& k, Bits z, Bits y, Bits got) {
  ValueRules rules(k.subject);
  return ids(rules.judge_result(z, y, got));
}
/// Those of sigmoid in f32.
List sigmoid(const KernelContract& contract, Bits z, Bits got) {
  Fake k("sigmoid");
  k.contract = contract;
  return broken(k, z, 0, got);
}
KernelContract promising(void (*change)(KernelContract&)) {
  KernelContract k;
  change(k);
  return k;
}
bool has(const List& list, const char* rule) {
  return std::find(list.begin(), list.end(), rule) != list.end();
}

TEST(ValueRules, RightResultsBreakNone) {
  for (const Dtype d : kDtypes)
    for (int i = 0; i < op_count(); ++i) {
      const std::string op(info(op_at(i)).name);
      Fake k(op, d);
      k.contract.correctly_rounded = {std::string(name(d))};
      k.contract.zero_sign = k.contract.quiet_nan = true;
      k.contract.max_ulp[std::string(name(d))]["all"] = 0.5;
      ValueRules rules(k.subject);
      for (const Bits y : k.subject.letters().labels)
        for (const Bits z : k.subject.letters().landmarks) {
          // A zero of the other sign than the limit's is another promise.
          const Truth t = final_judge(k.op, d, z, y);
          const std::vector<Violation> found = rules.judge_result(z, y, t.rounded);
          EXPECT_TRUE(found.empty()) << test::at(k.op, d, z, y) << ": " << found[0].message;
        }
    }
}

TEST(ValueRules, ZeroSignsAndNansArePromises) {
  const KernelContract none, signs = promising([](KernelContract&k) { k.zero_sign = true; }),
                             quiet = promising([](KernelContract&k) { k.quiet_nan = true; });
  const Bits minus_zero = format(kF32).sign_bit();
  EXPECT_EQ(sigmoid(none, f32(-200), minus_zero), List{});
  EXPECT_EQ(sigmoid(signs, f32(-200), minus_zero), List{"value.wrong_zero"});
  EXPECT_EQ(sigmoid(signs, f32(-200), 0), List{});
  const Bits signalling = format(kF32).infinity() + 1;
  EXPECT_EQ(sigmoid(none, kNan, signalling), List{});
  EXPECT_EQ(sigmoid(quiet, kNan, signalling), List{"value.signalling_nan"});
  EXPECT_EQ(sigmoid(quiet, kNan, kNan | 1), List{});
  EXPECT_EQ(sigmoid(quiet, kNan, kHalf), List{"value.lost_nan"});
  EXPECT_EQ(sigmoid(quiet, f32(2), kNan), List{"value.new_nan"});
}

TEST(ValueRules, FlushingIsAFaultUnlessPermitted) {
  const KernelContract permitted = promising([](KernelContract& k) { k.flush_subnormals = true; });
  EXPECT_EQ(sigmoid({}, f32(-95), 0), List{"value.flushed"});
  EXPECT_EQ(sigmoid(permitted, f32(-95), 0), List{});
  EXPECT_EQ(sigmoid(permitted, f32(-80), 0), (List{"value.vanished", "accuracy.half_lost"}))
      << "that one is normal";
}

/// sigmoid(0) is 1/2; one number up is one ulp, 2^-24, off. Errors `steps` numbers above it.
List above_half(const KernelContract& contract, std::int64_t steps) {
  List found = sigmoid(contract, 0, step(kF32, kHalf, steps));
  found.erase(std::remove(found.begin(), found.end(), "value.exact"), found.end());
  found.erase(std::remove(found.begin(), found.end(), "value.threshold"), found.end());
  return found;
}

TEST(ValueRules, BudgetsHoldUpToTheirBorder) {
  const auto max_ulp = [](const char* region, double most) {
    KernelContract k;
    k.max_ulp["f32"][region] = most;
    return k;
  };
  const List over = {"accuracy.max_ulp"};
  EXPECT_EQ(above_half(max_ulp("all", 3), 3), List{});
  EXPECT_EQ(above_half(max_ulp("all", 2.999), 3), over);
  EXPECT_EQ(above_half(max_ulp("all", 2.999), -5), List{}) << "below 1/2 a number is half an ulp";
  EXPECT_EQ(above_half(max_ulp("all", 2.999), -6), over);
  EXPECT_EQ(above_half(max_ulp("core", 2), 3), over);
  EXPECT_EQ(above_half(max_ulp("left_tail", 2), 3), List{}) << "0 lies in the core";
  KernelContract both = max_ulp("all", 2);
  both.max_ulp["f32"]["core"] = 4;
  EXPECT_EQ(above_half(both, 3), over) << "the least of both holds";
  both.max_ulp = {{"bf16", {{"all", 0.5}}}};
  EXPECT_EQ(above_half(both, 3), List{}) << "of another dtype";
}

TEST(ValueRules, PlainErrorsHoldUpToTheirBorder) {
  KernelContract k;
  k.max_absolute["f32"]["all"] = 0x1p-24;
  EXPECT_EQ(above_half(k, 1), List{});
  k.max_absolute["f32"]["all"] = 0x1.fffp-25;
  EXPECT_EQ(above_half(k, 1), List{"accuracy.absolute"});
  KernelContract r;
  r.max_relative["f32"]["all"] = 0x1p-23;
  EXPECT_EQ(above_half(r, 1), List{});
  r.max_relative["f32"]["all"] = 0x1.fffp-24;
  EXPECT_EQ(above_half(r, 1), List{"accuracy.relative"});
  // Beside a subnormal true value no number need be near in this sense.
  const Truth t = final_judge(test::op("sigmoid"), kF32, f32(-100), 0);
  EXPECT_EQ(sigmoid(r, f32(-100), t.rounded + 1), List{});
  const Truth normal = final_judge(test::op("sigmoid"), kF32, f32(-87), 0);
  EXPECT_EQ(sigmoid(r, f32(-87), normal.rounded + 2), List{"accuracy.relative"});
}

TEST(ValueRules, CorrectRoundingIsPromisedByDtype) {
  KernelContract k;
  k.correctly_rounded = {"f16"};
  EXPECT_EQ(above_half(k, 1), List{});
  k.correctly_rounded = {"f32"};
  EXPECT_EQ(above_half(k, 1), List{"accuracy.correctly_rounded"});
}

TEST(ValueRules, HalfOfTheDigitsAreRight) {
  EXPECT_EQ(above_half({}, 4096), List{}) << "2^(p/2) ulp";
  EXPECT_EQ(above_half({}, 4097), List{"accuracy.half_lost"});
  KernelContract k;
  k.max_ulp["f32"]["all"] = 4097;
  EXPECT_EQ(above_half(k, 4097), List{}) << "a budget covers it";
  k.max_ulp["f32"]["all"] = 4096.5;
  EXPECT_EQ(above_half(k, 4097), (List{"accuracy.max_ulp", "accuracy.half_lost"}));
  // Where the gradient crosses 0, digits cancel.
  Fake gradient("bce_with_logits_grad");
  const Bits y = f32(0.75), z = f32(1.0986123);  // about logit(y)
  const Truth t = final_judge(gradient.op, kF32, z, y);
  EXPECT_EQ(broken(gradient, z, y, step(kF32, t.rounded, 100000)), List{});
  EXPECT_EQ(broken(gradient, f32(3), y,
                   step(kF32, final_judge(gradient.op, kF32, f32(3), y).rounded, 100000)),
            List{"accuracy.half_lost"});
}

TEST(ValueRules, NothingIsPromisedOutsideTheDomain) {
  KernelContract k;
  k.domain["f32"] = {-80, 80};
  EXPECT_EQ(sigmoid(k, f32(81), 0), List{});
  EXPECT_EQ(sigmoid(k, f32(-81), kOne), List{});
  EXPECT_NE(sigmoid(k, f32(80), 0), List{});
  EXPECT_NE(sigmoid(k, f32(-80), kOne), List{});
  EXPECT_EQ(sigmoid(k, kNan, kOne), List{"value.lost_nan"})
      << "NaN is in no range and in any domain";
}

TEST(ValueRules, ExactValuesAtZero) {
  const auto at_zero = [](const char* op, double y, double got, Bits zero = 0) {
    Fake k(op);
    return has(broken(k, zero, f32(y), f32(got)), "value.exact");
  };
  for (const Bits zero : {Bits{0}, format(kF32).sign_bit()}) {
    EXPECT_FALSE(at_zero("sigmoid", 0, 0.5, zero));
    EXPECT_TRUE(at_zero("sigmoid", 0, 0x1.000002p-1, zero));
    EXPECT_FALSE(at_zero("sigmoid_grad", 0, 0.25, zero));
    EXPECT_TRUE(at_zero("sigmoid_grad", 0, 0x1.000002p-2, zero));
    EXPECT_FALSE(at_zero("bce_with_logits_grad", 0.75, -0.25, zero));
    EXPECT_TRUE(at_zero("bce_with_logits_grad", 0.75, -0x1.fffffep-3, zero));
  }
  EXPECT_FALSE(at_zero("sigmoid", 0, 0x1.000002p-1, f32(1))) << "nothing is exact there";
  EXPECT_FALSE(at_zero("bce_with_logits_grad", 0x1p-40, 0x1.fffffep-2)) << "1/2 - y is no float";
  EXPECT_TRUE(at_zero("sigmoid", 0, std::nan(""))) << "NaN is not 1/2";
  EXPECT_FALSE(at_zero("bce_with_logits_grad", std::nan(""), 0.5)) << "a NaN label";
  // The loss there is ln 2: rounded, or within budget.
  Fake loss("bce_with_logits");
  const Bits ln2 = f32(0x1.62e42fefa39efp-1), y = f32(0.25);
  EXPECT_FALSE(has(broken(loss, 0, y, ln2), "value.exact"));
  EXPECT_FALSE(has(broken(loss, 0, y, ln2 + 1), "value.exact")) << "no budget";
  loss.contract.max_ulp["f32"]["all"] = 1.5;
  EXPECT_FALSE(has(broken(loss, 0, y, ln2 + 1), "value.exact"));
  EXPECT_TRUE(has(broken(loss, 0, y, ln2 + 2), "value.exact"));
  EXPECT_TRUE(has(broken(loss, 0, y, ln2 - 2), "value.exact"));
}

TEST(ValueRules, DecisionsMayBeLateOrEarlyByAFactorOfFour) {
  Fake k("sigmoid");
  // The smallest z at which sigmoid rounds above one half: the number after 2^-23.
  const Bits border = f32(0x1p-23) + 1, above = kHalf + 1;
  ASSERT_EQ(final_judge(k.op, kF32, border, 0).rounded, above);
  ASSERT_EQ(final_judge(k.op, kF32, border - 1, 0).rounded, kHalf);
  const auto decided = [&](Bits z, Bits got) {
    ValueRules rules(k.subject);
    return rules.judge_decision(z, got).empty();
  };
  const Bits quarter = border - (Bits{2} << 23), four_times = border + (Bits{2} << 23);
  EXPECT_TRUE(decided(quarter, above));
  EXPECT_FALSE(decided(quarter - 1, above));
  EXPECT_TRUE(decided(four_times, kHalf));
  EXPECT_FALSE(decided(four_times + 1, kHalf));
  EXPECT_FALSE(decided(f32(-1), above));
  EXPECT_TRUE(decided(f32(1), kNan)) << "no decision";
  k.contract.correctly_rounded = {"f16"};
  EXPECT_TRUE(decided(border, kHalf));
  k.contract.correctly_rounded = {"f32"};
  EXPECT_FALSE(decided(border, kHalf));
  EXPECT_TRUE(decided(border, above));
  EXPECT_FALSE(decided(border - 1, above));
  EXPECT_TRUE(decided(border - 1, kHalf));
  Fake other("sigmoid_grad");
  EXPECT_TRUE(ValueRules(other.subject).judge_decision(f32(-1), above).empty());
}

TEST(ValueRules, LabelsOutsideGiveWhatTheContractSays) {
  Fake k("bce_with_logits");
  const Bits z = f32(1), inf = format(kF32).infinity();
  const auto wrong = [&](OutsideLabels what, double y, Bits got, Bits at) {
    k.contract.outside_labels = what;
    return has(broken(k, at, f32(y), got), "value.outside_labels");
  };
  const auto value = [&](double y, Bits at) { return final_judge(k.op, kF32, at, f32(y)).rounded; };
  using Outside = OutsideLabels;
  for (const double y : {1.5, -0.5}) {
    const Bits nearest = value(y < 0 ? 0 : 1, z);
    EXPECT_FALSE(wrong(Outside::unspecified, y, inf, z)) << y;
    EXPECT_FALSE(wrong(Outside::nan, y, kNan, z)) << y;
    EXPECT_TRUE(wrong(Outside::nan, y, nearest, z)) << y;
    EXPECT_FALSE(wrong(Outside::clamp, y, nearest, z)) << y;
    EXPECT_TRUE(wrong(Outside::clamp, y, value(y, z), z)) << y;
    EXPECT_TRUE(wrong(Outside::clamp, y, kNan, z)) << y;
    EXPECT_FALSE(wrong(Outside::extrapolate, y, value(y, z), z)) << y;
    EXPECT_TRUE(wrong(Outside::extrapolate, y, nearest, z)) << y;
    // NaN in z gives NaN whatever is said of labels.
    for (const Outside what : {Outside::clamp, Outside::extrapolate}) {
      EXPECT_FALSE(wrong(what, y, kNan, kNan)) << y;
      EXPECT_TRUE(wrong(what, y, nearest, kNan)) << y;
    }
  }
  // Without a budget 64 ulp, with one so many.
  const Bits right = value(1.5, z);
  EXPECT_FALSE(wrong(Outside::extrapolate, 1.5, right + 63, z));
  EXPECT_TRUE(wrong(Outside::extrapolate, 1.5, right + 66, z));
  k.contract.max_ulp["f32"]["all"] = 2;
  EXPECT_FALSE(wrong(Outside::extrapolate, 1.5, right + 1, z));
  EXPECT_TRUE(wrong(Outside::extrapolate, 1.5, right + 4, z));
  // An infinite label has no finite formula: nothing is asked for, but a clamp has a value there.
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(wrong(Outside::extrapolate, infinity, kOne, z));
  EXPECT_FALSE(wrong(Outside::clamp, infinity, value(1, z), z));
  EXPECT_TRUE(wrong(Outside::clamp, -infinity, value(1, z), z));
}

TEST(ValueRules, MirrorImages) {
  Fake k("sigmoid"), loss("bce_with_logits"), gradient("bce_with_logits_grad");
  const ValueRules of_sigmoid(k.subject), of_loss(loss.subject), of_gradient(gradient.subject);
  using Image = std::pair<Bits, Bits>;
  EXPECT_EQ(of_sigmoid.mirror(f32(2), 0), (Image{f32(-2), 0}));
  EXPECT_FALSE(of_sigmoid.mirror(kNan, 0));
  EXPECT_FALSE(of_sigmoid.mirror(format(kF32).infinity(), 0));
  EXPECT_EQ(of_loss.mirror(f32(-2), f32(0.25)), (Image{f32(2), f32(0.75)}));
  EXPECT_EQ(of_loss.mirror(f32(-2), f32(1)), (Image{f32(2), 0}));
  EXPECT_FALSE(of_loss.mirror(f32(2), f32(0.1f) + 1)) << "1 - y is no float, or does not lead back";
  EXPECT_FALSE(of_loss.mirror(f32(2), f32(0x1p-60)));
  EXPECT_FALSE(of_loss.mirror(f32(2), kNan));
  EXPECT_FALSE(of_gradient.mirror(f32(2), f32(0.25)));
}

TEST(ValueRules, MirroredResultsDifferByTheSumOfTheirBudgets) {
  Fake k("sigmoid_grad");
  const Bits z = f32(0.5), other = f32(-0.5);
  const Bits right = final_judge(k.op, kF32, z, 0).rounded;  // 0.235: an ulp is 2^-26
  const auto rules_broken = [&](std::int64_t steps) {
    ValueRules rules(k.subject);
    return ids(rules.judge_mirrored(z, 0, step(kF32, right, steps), {other, 0}, right));
  };
  EXPECT_EQ(rules_broken(64), List{}) << "without a contract";
  EXPECT_EQ(rules_broken(65), List{"symmetry"});
  EXPECT_EQ(rules_broken(-65), List{"symmetry"});
  k.contract.max_ulp["f32"]["all"] = 2;
  EXPECT_EQ(rules_broken(4), List{});
  EXPECT_EQ(rules_broken(5), List{"symmetry"});
  k.contract.exactly_symmetric = true;
  EXPECT_EQ(rules_broken(0), List{});
  EXPECT_EQ(rules_broken(1), List{"symmetry.exact"});
  ValueRules rules(k.subject);
  EXPECT_TRUE(rules.judge_mirrored(z, 0, kNan, {other, 0}, right).empty());
  EXPECT_TRUE(rules.judge_mirrored(z, 0, right, {other, 0}, kNan).empty());
}

TEST(ValueRules, SigmoidAndItsMirrorImageAddUpToOne) {
  Fake k("sigmoid");
  const Bits z = f32(2), other = f32(-2);
  const Bits high = final_judge(k.op, kF32, z, 0).rounded;
  const Bits low = final_judge(k.op, kF32, other, 0).rounded;
  const auto rules_broken = [&](Bits a, Bits b) {
    ValueRules rules(k.subject);
    return ids(rules.judge_mirrored(z, 0, a, {other, 0}, b));
  };
  EXPECT_EQ(rules_broken(high, low), List{});
  EXPECT_EQ(rules_broken(high + 60, low), List{});
  EXPECT_EQ(rules_broken(high + 70, low), List{"symmetry"});
  EXPECT_EQ(rules_broken(high - 70, low), List{"symmetry"});
  EXPECT_EQ(rules_broken(high, low + 8 * 70), List{"symmetry"}) << "an ulp of low is 1/8 of high's";
  k.contract.exactly_symmetric = true;
  EXPECT_EQ(rules_broken(f32(0.875), f32(0.125)), List{});
  EXPECT_EQ(rules_broken(f32(0.875), f32(0.125) + 1), List{"symmetry.exact"});
}

/// What is plainly mirrored breaks neither rule, and right results are plainly mirrored.
void compare_with_plain(const char* op, const KernelContract& contract, std::size_t* refused) {
  Fake k(op);
  k.contract = contract;
  ValueRules rules(k.subject);
  std::mt19937_64 rng(7);
  constexpr std::size_t kRun = 16;
  for (int i = 0; i < 2000; ++i) {
    const Bits y = 0;
    const Bits first = i % 5 == 0
                           ? f32(0x1p-23) - 8
                           : f32(std::ldexp(1.0, static_cast<int>(rng() % 30) - 24)) + rng() % 1000;
    const auto at = rules.mirror(first, y);
    ASSERT_TRUE(at);
    std::uint32_t got[kRun], other[kRun];
    bool all = true, none_broken = true;
    const auto wrong = static_cast<std::int64_t>(rng() % 100);
    for (std::size_t j = 0; j < kRun; ++j) {
      const Bits a = final_judge(k.op, kF32, first + j, y).rounded;
      const Bits b = final_judge(k.op, kF32, at->first + j, at->second).rounded;
      ASSERT_TRUE(rules.plainly_mirrored(first + j, a, b) || contract.exactly_symmetric)
          << test::at(k.op, kF32, first + j, y);
      const bool off = i % 2 == 0 && j == static_cast<std::size_t>(i) % kRun;
      got[j] = static_cast<std::uint32_t>(off ? step(kF32, a, wrong - 50) : a);
      other[j] = static_cast<std::uint32_t>(b);
      if (off && i % 12 == 0)
        got[j] = static_cast<std::uint32_t>(rng() % 2 == 0 ? kNan : format(kF32).infinity());
      if (off && i % 14 == 0) other[j] = static_cast<std::uint32_t>(kOne);
      const bool plain = rules.plainly_mirrored(first + j, got[j], other[j]);
      const std::pair<Bits, Bits> image = {at->first + j, at->second};
      const bool fine = rules.judge_mirrored(first + j, y, got[j], image, other[j]).empty() &&
                        rules.judge_decision(first + j, got[j]).empty() &&
                        rules.judge_decision(image.first, other[j]).empty();
      ASSERT_TRUE(!plain || fine) << test::at(k.op, kF32, first + j, y) << " got " << got[j]
                                  << " and " << other[j];
      all = all && plain;
      none_broken = none_broken && fine;
    }
    ASSERT_EQ(rules.plainly_mirrored(first, got, other, kRun), all) << i;
    *refused += none_broken ? 0 : 1;
  }
}

TEST(ValueRules, WhatIsPlainlyMirroredBreaksNothing) {
  KernelContract budgets, exact;
  budgets.max_ulp["f32"] = {{"all", 3}, {"core", 1}};
  exact.exactly_symmetric = true;
  for (const char* op : {"sigmoid", "sigmoid_grad"})
    for (const KernelContract& contract : {KernelContract(), budgets, exact}) {
      std::size_t refused = 0;
      compare_with_plain(op, contract, &refused);
      EXPECT_GT(refused, 100u) << op;
    }
}

TEST(ValueRules, JudgeLooksAtTheMirrorImageToo) {
  Fake k("sigmoid_grad");
  k.session.element = [&](Bits z, Bits y) {
    const Bits right = final_judge(k.op, kF32, z, y).rounded;
    return is_negative(kF32, z) ? right : right + 100;
  };
  ValueRules rules(k.subject);
  EXPECT_EQ(ids(rules.judge(f32(0.5), 0)), List{"symmetry"});
  EXPECT_EQ(ids(rules.judge(f32(-0.5), 0)), List{"symmetry"});
  k.contract.domain["f32"] = {0, 0.25};
  EXPECT_EQ(ids(rules.judge(f32(0.5), 0)), List{});
  Admitted positive;
  positive.range = {ordinal(kF32, 0), ordinal(kF32, f32(1))};
  Fake narrow("sigmoid_grad", kF32, positive);
  narrow.session.element = k.session.element;
  ValueRules alone(narrow.subject);
  EXPECT_EQ(ids(alone.judge(f32(0.5), 0)), List{}) << "its mirror image was not chosen";
}

/// The fixed cases of a kernel, as a set.
std::set<std::pair<Bits, Bits>> pieces(const Fake& k) {
  // Rules are made of a subject that can run.
  const auto list = ValueRules(const_cast<Subject&>(k.subject)).set_pieces();
  return {list.begin(), list.end()};
}

TEST(ValueRules, SetPiecesHoldWhatTheRulesSpeakOf) {
  for (const Dtype d : kDtypes) {
    const Bits minus_zero = format(d).sign_bit(), nan = format(d).quiet_nan();
    Fake sigmoid("sigmoid", d);
    const auto of_sigmoid = pieces(sigmoid);
    EXPECT_EQ(of_sigmoid.count({0, 0}), 1u);
    EXPECT_EQ(of_sigmoid.count({minus_zero, 0}), 1u);
    // The decision threshold, its neighbours, and mirror images of all of them.
    Bits border = 1;
    while (final_judge(sigmoid.op, d, border * 2, 0).rounded == encode(d, 0.5)) border *= 2;
    for (Bits low = border, high = border * 2; high - low > 1;) {
      const Bits mid = low + (high - low) / 2;
      (final_judge(sigmoid.op, d, mid, 0).rounded > encode(d, 0.5) ? high : low) = mid;
      border = high;
    }
    for (const double factor : {1e-3, 0.1, 0.24, 1.0, 4.1, 16.0, 1e3})
      for (int k = -4; k <= 4; ++k) {
        const Bits z = step(d, encode(d, decode(d, border) * factor), k);
        EXPECT_EQ(of_sigmoid.count({z, 0}), 1u) << name(d) << factor << k;
        EXPECT_EQ(of_sigmoid.count({negate(d, z), 0}), 1u) << name(d) << factor << k;
      }
    for (const double z : {0.01, 0.3, 1.0, 1.7, 3.0, 6.5, 12.0, 25.0})
      EXPECT_EQ(of_sigmoid.count({encode(d, z), 0}), 1u) << z;

    Fake loss("bce_with_logits", d);
    const auto of_loss = pieces(loss);
    for (const Bits y : default_labels(loss.op, d))
      for (const Bits z : {Bits{0}, minus_zero}) EXPECT_EQ(of_loss.count({z, y}), 1u);
    std::set<Bits> nans, outside, zeros;
    for (const auto& [z, y] : of_loss) {
      if (is_nan(d, y)) nans.insert(y);
      if (!in_domain(loss.op, d, y)) outside.insert(y);
      if (y == minus_zero) zeros.insert(z);
    }
    EXPECT_TRUE(outside.empty()) << "the contract says nothing of them";
    EXPECT_GE(zeros.size(), 10u);
    EXPECT_EQ(nans.count(nan), 1u);
    EXPECT_EQ(nans.count(negate(d, nan)), 1u);
    const Bits payloads = (Bits{1} << format(d).mantissa_bits()) - 1;
    if (format(d).width == 16) {
      EXPECT_EQ(nans.size(), 2 * payloads) << "every NaN";
    } else {
      for (int i = 0; i < format(d).mantissa_bits(); ++i)
        for (const Bits b : {Bits{1} << i, payloads ^ (Bits{1} << i), payloads >> i}) {
          EXPECT_EQ(nans.count(format(d).infinity() | b), 1u) << name(d) << i;
          EXPECT_EQ(nans.count(negate(d, format(d).infinity() | b)), 1u) << name(d) << i;
        }
      EXPECT_GT(nans.size(), 6 * static_cast<std::size_t>(format(d).mantissa_bits()) + 90);
    }
    // Each typical and special logit beside a NaN label.
    for (const double z : {0.5, -3.0, 40.0, -40.0, 1.0, 1000.0})
      EXPECT_EQ(of_loss.count({encode(d, z), nan}), 1u) << name(d) << z;
    for (const Bits z : {Bits{0}, minus_zero, format(d).infinity(), format(d).max_finite(), nan,
                         negate(d, format(d).infinity()), Bits{1}})
      EXPECT_EQ(of_loss.count({z, nan}), 1u) << name(d);

    loss.contract.outside_labels = OutsideLabels::nan;
    const auto more = pieces(loss);
    std::vector<Bits> beyond = {encode(d, 1.0) + 1, negate(d, 1), format(d).infinity(),
                                negate(d, format(d).infinity())};
    for (const double y : {-0.5, -1.0, 1.5, 2.0, -3.0, 100.0}) beyond.push_back(encode(d, y));
    for (const Bits y : beyond)
      EXPECT_GE(
          std::count_if(more.begin(), more.end(), [&](const auto& p) { return p.second == y; }),
          150)
          << name(d);
  }
}

TEST(ValueRules, SetPiecesAreAmongTheChosenInputs) {
  Admitted chosen;
  chosen.range = {ordinal(kF32, f32(-1)), ordinal(kF32, f32(2))};
  chosen.labels = {f32(0.25)};
  Fake k("bce_with_logits", kF32, chosen);
  const auto left = pieces(k);
  EXPECT_FALSE(left.empty());
  for (const auto& [z, y] : left) {
    EXPECT_TRUE(chosen.z(kF32, z)) << z;
    EXPECT_EQ(y, f32(0.25));
  }
  Fake unary("sigmoid", kF32, chosen);
  for (const auto& [z, y] : pieces(unary)) EXPECT_TRUE(chosen.z(kF32, z)) << z;
}

TEST(ValueRules, SayWhereAndWhat) {
  Fake k("sigmoid");
  ValueRules rules(k.subject);
  const auto found = rules.judge_result(f32(2), 0, kNan);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].region, "right_tail");
  EXPECT_TRUE(found[0].promised);
  EXPECT_FALSE(found[0].ended);
  EXPECT_EQ(found[0].element, 0u);
  EXPECT_EQ(found[0].got, kNan);
  EXPECT_EQ(rules.judge_result(kNan, 0, kHalf).at(0).region, "special");
  EXPECT_EQ(rules.judge_result(format(kF32).infinity(), 0, kHalf).at(0).region, "special");
  EXPECT_EQ(rules.judge_result(f32(-200), 0, kHalf).at(0).region, "underflow");
  EXPECT_EQ(rules.judge_result(f32(-1), 0, kNan).at(0).region, "left_tail");
  EXPECT_EQ(rules.judge_result(f32(1), 0, kNan).at(0).region, "right_tail");
  EXPECT_EQ(rules.judge_result(f32(1) - 1, 0, kNan).at(0).region, "core");
  EXPECT_NE(found[0].message.find("got nan, expected 0.88079"), std::string::npos)
      << found[0].message;
  // In bits too where the decimals are the same.
  k.contract.correctly_rounded = {"f32"};
  Fake half("sigmoid", Dtype::f16);
  half.contract.correctly_rounded = {"f16"};
  ValueRules of_half(half.subject);
  const Bits right = final_judge(half.op, Dtype::f16, encode(Dtype::f16, 2.0), 0).rounded;
  const auto close = of_half.judge_result(encode(Dtype::f16, 2.0), 0, right + 1);
  ASSERT_EQ(close.size(), 1u);
}

}  // namespace
}  // namespace ulpaudit
