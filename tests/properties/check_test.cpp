// Whole checks of kernels that are functions: what is found of each, and how far each rule got.
// SPDX-License-Identifier: Apache-2.0
#include "properties/check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "fake_session.hpp"

namespace ulpaudit {
namespace {

using List = std::vector<std::string>;
using test::Call;
using test::Fake;
using Kind = Outcome::Kind;
constexpr Dtype kF32 = Dtype::f32;

Bits f32(double v) { return encode(kF32, v); }

CheckChoice brief() {
  CheckChoice c;
  c.values = 60;
  c.batches = 20;
  c.lengths.longest = std::uint64_t{1} << 15;
  return c;
}

List ids(const std::vector<Breach>& breaches) {
  List out;
  for (const Breach& b : breaches) out.push_back(b.violation.rule);
  return out;
}
const Breach& the(const Checked& c, const std::string& rule) {
  for (const Breach& b : c.breaches)
    if (b.violation.rule == rule) return b;
  throw std::out_of_range(rule);
}
std::map<std::string, std::string> statuses(const Checked& c) {
  std::map<std::string, std::string> out;
  for (const RuleCoverage& r : c.counts.rows(ids(c.breaches))) out[r.rule] = r.status;
  return out;
}
Outcome crash() { return {Kind::crashed, "it crashed"}; }

/// Seven elements, as repeated calls: the host compares them and tells what differs.
Outcome differs(const Call& c) {
  Outcome o;
  if (c.stage.repeats > 1) o.facts = {{"determinism.repeat", "two results", 0}};
  return o;
}

TEST(Check, OfARightKernelFindsNothingAndChecksEachRule) {
  for (const char* op : {"sigmoid", "bce_with_logits"}) {
    Fake k(op);
    k.contract.correctly_rounded = {"f32"};
    k.contract.zero_sign = k.contract.quiet_nan = k.contract.under_ftz = true;
    k.contract.any_rounding = true;
    k.contract.in_place = {"z"};
    const Checked c = check(k.subject, brief());
    EXPECT_EQ(ids(c.breaches), List{})
        << (c.breaches.empty() ? "" : c.breaches[0].violation.message);
    EXPECT_FALSE(c.unstable);
    for (const auto& [rule, status] : statuses(c)) {
      const bool applies = rule != "consistency.f32" && rule != "value.outside_labels" &&
                           rule != "symmetry.exact" && rule != "determinism.other_kernels" &&
                           (rule != "value.threshold" || op == std::string("sigmoid"));
      EXPECT_EQ(status, applies ? "checked" : "not_applicable") << rule;
    }
  }
}

TEST(Check, GoesOnBehindAnInputThatCrashes) {
  Fake k("sigmoid");
  const Bits bad = format(kF32).infinity();
  k.session.behaviour = [&](Call& c) {
    return std::find(c.z.begin(), c.z.end(), bad) != c.z.end() ? crash() : Outcome();
  };
  const Checked c = check(k.subject, brief());
  EXPECT_EQ(ids(c.breaches), List{"plugin.crash"});
  EXPECT_EQ(c.breaches.at(0).trial.z, std::vector<Bits>{bad});
  EXPECT_GT(c.breaches[0].count, 0u);
  EXPECT_TRUE(k.subject.avoided(bad, 0));
}

TEST(Check, LeavesOutLengthsThatCrash) {
  Fake k("sigmoid");
  k.session.behaviour = [](Call& c) { return c.z.size() > 30 ? crash() : Outcome(); };
  const Checked c = check(k.subject, brief());
  EXPECT_EQ(ids(c.breaches), List{"plugin.crash"});
  EXPECT_EQ(c.breaches.at(0).trial.z.size(), 31u);
  EXPECT_EQ(k.subject.endings().longest, 30u);
}

TEST(Check, DropsGuardsBehindWhatTouchesThem) {
  Fake k("sigmoid");
  k.session.behaviour = [](Call& c) {
    if (!c.staged || c.stage.readable || c.z.empty()) return Outcome();
    Outcome o = crash();
    o.facts = {{"batch.read_outside", "4 bytes behind z"}};
    return o;
  };
  const Checked c = check(k.subject, brief());
  EXPECT_EQ(ids(c.breaches), List{"batch.read_outside"});
  EXPECT_TRUE(k.subject.guards_dropped());
  EXPECT_EQ(c.breaches.at(0).trial.z.size(), 1u);
}

TEST(Check, OfATimeBombFindsTheCall) {
  Fake k("sigmoid");
  k.session.behaviour = [](Call& c) {
    const std::uint64_t last = c.number + std::uint64_t{c.stage.repeats} * c.stage.threads - 1;
    if (c.number >= 1000 && !c.out.empty()) c.out[0] ^= 1;
    return c.number < 1000 && last >= 1000 ? differs(c) : Outcome();
  };
  const Checked c = check(k.subject, brief());
  EXPECT_EQ(ids(c.breaches), List{"determinism.repeat"});
  EXPECT_EQ(c.breaches.at(0).trial.stage.repeats, 1000u);
  EXPECT_FALSE(c.unstable) << "no process makes that many";
  EXPECT_EQ(k.subject.endings().most_calls, 999u);
}

TEST(Check, BlamesAnUnstableKernelForThatAlone) {
  Fake k("sigmoid");
  std::uint64_t call = 0;
  k.session.behaviour = [&](Call& c) {
    if (++call % 2 == 0)
      for (Bits& b : c.out) b ^= 1;
    return differs(c);
  };
  const Checked c = check(k.subject, brief());
  EXPECT_EQ(ids(c.breaches), List{"determinism.repeat"});
  EXPECT_TRUE(c.unstable);
  EXPECT_EQ(statuses(c).at("determinism.threads"), "stopped");
  // What takes long is not worth thirty votes.
  std::uint64_t repeated = 0;
  for (const Call& x : k.session.calls) {
    EXPECT_EQ(x.stage.tile, 0u);
    EXPECT_EQ(x.stage.threads, 1u);
    EXPECT_TRUE(!x.stage.process || x.number > 1) << "nor a process of its own";
    repeated = x.stage.repeats > 1 ? 0 : repeated + 1;
  }
  EXPECT_GT(repeated, 100u) << "behind the search for chance";
  // What every call breaks it is blamed for too.
  Fake wrong("sigmoid");
  call = 0;
  wrong.session.element = [&](Bits z, Bits) { return is_nan(kF32, z) ? f32(1) : wrong.right(z); };
  wrong.session.behaviour = [&](Call& x) {
    if (++call % 2 == 0)
      for (std::size_t i = 0; i < x.z.size(); ++i)
        if (!is_nan(kF32, x.z[i])) x.out[i] ^= 1;
    return differs(x);
  };
  const Checked both = check(wrong.subject, brief());
  EXPECT_TRUE(both.unstable);
  EXPECT_EQ(ids(both.breaches), (List{"value.lost_nan", "determinism.repeat"}));
}

TEST(Check, ShrinksAWrongValueToItsSimplestInput) {
  Fake k("sigmoid");
  k.contract.max_ulp["f32"]["all"] = 2;
  k.session.element = [&](Bits z, Bits) {
    return is_finite(kF32, z) && !is_negative(kF32, z) && z >= f32(1) ? k.right(z) - 40
                                                                      : k.right(z);
  };
  const Checked c = check(k.subject, brief());
  ASSERT_EQ(ids(c.breaches), (List{"accuracy.max_ulp", "symmetry"}));
  EXPECT_EQ(c.breaches[0].trial.z, std::vector<Bits>{f32(1)});
  EXPECT_GT(c.breaches[0].count, 10u);
  ASSERT_TRUE(c.breaches[0].range);
  EXPECT_GE(c.breaches[0].range->first, f32(1));
  EXPECT_GT(c.breaches[0].range->second, f32(10));
}

TEST(Check, TheSeedDecides) {
  const auto inputs = [](std::uint64_t seed) {
    Fake k("sigmoid");
    CheckChoice c = brief();
    c.seed = seed;
    check(k.subject, c);
    std::vector<std::vector<Bits>> out;
    for (const Call& call : k.session.calls) out.push_back(call.z);
    return out;
  };
  const auto one = inputs(1);
  EXPECT_TRUE(one == inputs(1));
  EXPECT_FALSE(one == inputs(2));
}

TEST(CheckMirrored, LooksAtEveryInputOfTheRange) {
  for (const Dtype d : {Dtype::f16, kF32}) {
    Fake k("sigmoid_grad", d);
    const MirrorRange range = {encode(d, 1.0), encode(d, 1.0) + 699};
    Checked c = check_mirrored(k.subject, {0}, range);
    EXPECT_EQ(ids(c.breaches), List{});
    c.counts.explain(k.subject);
    for (const RuleCoverage& r : c.counts.rows({}))
      if (r.rule == "symmetry") {
        EXPECT_EQ(r.status, "checked");
        EXPECT_EQ(r.cases, 700u);
        EXPECT_EQ(r.of, 700u);
      }
    // One input, and one mirror image, are off.
    for (const Bits bad : {range.first, range.last, negate(d, range.first + 300)}) {
      Fake off("sigmoid_grad", d);
      off.session.element = [&](Bits z, Bits) { return off.right(z) - (z == bad ? 200 : 0); };
      Checked found = check_mirrored(off.subject, {0}, range);
      ASSERT_EQ(ids(found.breaches), List{"symmetry"}) << name(d);
      EXPECT_EQ(found.breaches[0].count, 1u);
      EXPECT_EQ(found.breaches[0].trial.z[0], magnitude(d, bad)) << name(d);
      EXPECT_EQ(found.breaches[0].violation.got.has_value(), true);
      std::vector<Breach> breaches = found.breaches;
      shrink_values(off.subject, breaches);
      EXPECT_EQ(breaches[0].trial.z.size(), 1u);
    }
  }
  Fake gradient("bce_with_logits_grad");
  const Checked none = check_mirrored(gradient.subject, {0, f32(1)}, {f32(1), f32(2)});
  EXPECT_TRUE(none.breaches.empty());
  EXPECT_TRUE(gradient.session.calls.empty()) << "the op has no such symmetry";
}

TEST(CheckMirrored, LooksAtDecisionsOfBothSides) {
  Fake k("sigmoid");
  k.session.element = [&](Bits z, Bits) { return z == f32(-3) ? f32(0.75) : k.right(z); };
  const Checked c = check_mirrored(k.subject, {0}, {f32(3) - 5, f32(3) + 5});
  EXPECT_EQ(ids(c.breaches), (List{"value.threshold", "symmetry"}));
  EXPECT_EQ(the(c, "value.threshold").trial.z[0], f32(-3));
  EXPECT_EQ(the(c, "symmetry").trial.z[0], f32(3));
}

TEST(CheckMirrored, EndsWhereThousandsBreakARule) {
  Fake k("sigmoid_grad");
  k.session.element = [&](Bits, Bits) { return Bits{0}; };
  k.session.behaviour = [](Call& c) {
    for (std::size_t i = 0; i < c.z.size(); ++i)
      c.out[i] = is_negative(kF32, c.z[i]) ? f32(0.25) : f32(0.125);
    return Outcome();
  };
  Checked c = check_mirrored(k.subject, {0}, {f32(1), f32(1) + 400000});
  EXPECT_EQ(the(c, "symmetry").count, 10000u);
  EXPECT_LT(k.session.calls.size(), 4u);
}

TEST(CheckMirrored, MissingResultsAreNotComparedAndNotCounted) {
  Fake k("sigmoid_grad");
  const Bits first = f32(1), bad = first + 40;
  k.session.behaviour = [&](Call& c) {
    return std::find(c.z.begin(), c.z.end(), bad) != c.z.end() ? crash() : Outcome();
  };
  Checked c = check_mirrored(k.subject, {0}, {first, first + 99});
  EXPECT_EQ(ids(c.breaches), List{});
  c.counts.explain(k.subject);
  for (const RuleCoverage& r : c.counts.rows({}))
    EXPECT_EQ(r.cases, r.rule == "symmetry" ? 100u : 0u) << "one that ends the worker has its own";
}

TEST(CheckMirrored, OneThatEndsTheWorkerHidesNoOther) {
  for (const bool at_mirror : {false, true}) {
    Fake k("sigmoid_grad");
    const Bits first = f32(1), off = first + 50;
    const Bits bad = at_mirror ? negate(kF32, first + 40) : first + 40;
    k.session.element = [&](Bits z, Bits) { return k.right(z) - (z == off ? 200 : 0); };
    k.session.behaviour = [&](Call& c) {
      return std::find(c.z.begin(), c.z.end(), bad) != c.z.end() ? crash() : Outcome();
    };
    Checked c = check_mirrored(k.subject, {0}, {first, first + 99});
    ASSERT_EQ(ids(c.breaches), List{"symmetry"}) << at_mirror;
    EXPECT_EQ(c.breaches[0].count, 1u);
    EXPECT_EQ(c.breaches[0].trial.z[0], off);
    c.counts.explain(k.subject);
    for (const RuleCoverage& r : c.counts.rows({}))
      EXPECT_EQ(r.cases, r.rule == "symmetry" ? 100u : 0u) << r.rule;
  }
}

TEST(CheckCase, JudgesTheCaseAlone) {
  Fake k("sigmoid");
  k.contract.max_ulp["f32"]["all"] = 2;
  k.session.element = [&](Bits z, Bits) { return z == f32(2) ? k.right(z) - 9 : k.right(z); };
  Trial one;
  one.z = {f32(2)};
  EXPECT_EQ(ids(check_case(k.subject, one)), (List{"accuracy.max_ulp", "symmetry"}));
  Trial staged = one;
  staged.stage.edge = Stage::Edge::start;
  EXPECT_EQ(ids(check_case(k.subject, staged)), List{}) << "about manners alone";
  // Two neighbours in their order.
  Trial two;
  two.z = {f32(2) - 1, f32(2)};
  const auto found = check_case(k.subject, two);
  ASSERT_EQ(ids(found), List{"monotone"});
  EXPECT_FALSE(found[0].violation.promised);
  EXPECT_EQ(found[0].violation.element, 0u);
  EXPECT_EQ(found[0].violation.got, k.right(f32(2) - 1));
  EXPECT_NE(found[0].violation.message.find("the op rises"), std::string::npos);
  EXPECT_NE(found[0].violation.message.find("the result falls"), std::string::npos);
  k.contract.monotone = true;
  EXPECT_TRUE(check_case(k.subject, two).at(0).violation.promised);
  two.z = {f32(2), f32(2) - 1};
  EXPECT_EQ(ids(check_case(k.subject, two)), List{}) << "not in order";
  two.z = {f32(3), f32(4), f32(2) - 1, f32(2)};
  EXPECT_EQ(check_case(k.subject, two).at(0).violation.element, 2u);
  two.z = {f32(2), f32(2)};
  EXPECT_EQ(ids(check_case(k.subject, two)), List{});
  two.z = {f32(2) - 1, format(kF32).infinity()};
  EXPECT_EQ(ids(check_case(k.subject, two)), List{});
}

TEST(CheckCase, OrderGoesByTheOpsOwnDirection) {
  // The loss for the label 1 falls.
  Fake k("bce_with_logits");
  Trial two;
  two.z = {f32(2), f32(2.5)};
  two.y = {f32(1), f32(1)};
  EXPECT_EQ(ids(check_case(k.subject, two)), List{});
  Fake wrong("bce_with_logits");
  wrong.session.element = [&](Bits z, Bits y) { return k.right(z == f32(2) ? f32(3) : z, y); };
  const auto found = check_case(wrong.subject, two);
  ASSERT_EQ(ids(found), List{"monotone"});
  EXPECT_NE(found[0].violation.message.find("the op falls"), std::string::npos);
  EXPECT_NE(found[0].violation.message.find("the result rises"), std::string::npos);
  two.y = {f32(1), f32(0.5)};
  EXPECT_EQ(ids(check_case(wrong.subject, two)), List{}) << "of two labels";
  // From one side of its minimum to the other the op has no direction.
  Fake right("bce_with_logits");
  right.session.element = [&](Bits z, Bits y) {
    return right.right(z, y) + (z == f32(-1) ? 0 : 1);
  };
  two.z = {f32(-1), f32(1)};
  two.y = {f32(0.5), f32(0.5)};
  EXPECT_EQ(ids(check_case(right.subject, two)), List{});
}

TEST(Simplest, IsTheSimplestInputThatBreaksTheRule) {
  Fake k("sigmoid");
  k.session.element = [&](Bits z, Bits) { return is_nan(kF32, z) ? f32(0.5) : k.right(z); };
  const auto b = simplest(k.subject, "value.lost_nan", format(kF32).quiet_nan() | 0x1234, 0);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->count, 1u);
  EXPECT_EQ(b->violation.rule, "value.lost_nan");
  EXPECT_LT(b->trial.z[0], format(kF32).quiet_nan() | 0x1234);
  EXPECT_FALSE(simplest(k.subject, "value.lost_nan", f32(1), 0));
  EXPECT_FALSE(simplest(k.subject, "value.new_nan", format(kF32).quiet_nan(), 0));
}

TEST(Consistency, ComparesWithF32RoundedOnce) {
  Fake narrow("bce_with_logits", Dtype::f16), wide("bce_with_logits");
  narrow.session.element = [&](Bits z, Bits y) {
    const auto widened = [](Bits b) { return f32(decode(Dtype::f16, b)); };
    return encode(Dtype::f16, decode(kF32, wide.right(widened(z), widened(y))));
  };
  EXPECT_FALSE(consistency(narrow.subject, wide.subject, {}));
  narrow.session.element = [&](Bits z, Bits y) {
    const Bits right = narrow.right(z, y);
    return is_nan(Dtype::f16, right) ? right ^ 1 : right + 1;
  };
  const auto b = consistency(narrow.subject, wide.subject, {});
  ASSERT_TRUE(b);
  EXPECT_EQ(b->violation.rule, "consistency.f32");
  EXPECT_FALSE(b->violation.promised);
  EXPECT_GT(b->count, 2000u);
  EXPECT_EQ(b->trial.z.size(), 1u);
  EXPECT_EQ(b->trial.y.size(), 1u);
  EXPECT_NE(b->violation.message.find("of 4000 inputs"), std::string::npos) << b->violation.message;
  wide.session.behaviour = [](Call&) { return crash(); };
  EXPECT_FALSE(consistency(narrow.subject, wide.subject, {})) << "no results";
}

}  // namespace
}  // namespace ulpaudit
