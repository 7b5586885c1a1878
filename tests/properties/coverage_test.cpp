// Which rules a case is about, what counts as checked, and what a program leaves out.
// SPDX-License-Identifier: Apache-2.0
#include "properties/coverage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "contract/rules.hpp"
#include "fake_session.hpp"
#include "properties/applicable.hpp"

namespace ulpaudit {
namespace {

using List = std::vector<std::string>;
using Set = std::set<std::string>;
using test::Fake;
constexpr Dtype kF32 = Dtype::f32;

Bits f32(double v) { return encode(kF32, v); }

Set about(Fake& k, const Trial& t) {
  const List list = rules_about(k.subject, t);
  return {list.begin(), list.end()};
}

/// A trial of three elements whose stage is changed.
template <class F>
Trial staged(F&& change) {
  Trial t;
  t.z = {f32(1), f32(2), f32(3)};
  change(t);
  return t;
}

/// What the change adds to the rules of a plain trial, and what it takes away.
struct Difference {
  Set more, less;
};
template <class F>
Difference difference(Fake& k, F&& change) {
  const Set plain = about(k, staged([](Trial&) {})), changed = about(k, staged(change));
  Difference d;
  std::set_difference(changed.begin(), changed.end(), plain.begin(), plain.end(),
                      std::inserter(d.more, d.more.end()));
  std::set_difference(plain.begin(), plain.end(), changed.begin(), changed.end(),
                      std::inserter(d.less, d.less.end()));
  return d;
}

TEST(RulesAbout, APlainTrial) {
  Fake k("sigmoid");
  EXPECT_EQ(about(k, staged([](Trial&) {})),
            (Set{"plugin.crash", "plugin.exit", "plugin.hang", "plugin.status", "plugin.protocol",
                 "batch.length", "batch.position", "batch.neighbours", "batch.alignment",
                 "batch.read_outside", "batch.write_outside", "batch.input_changed",
                 "batch.not_written", "environment.rounding_mode", "environment.ftz_daz",
                 "environment.exception_masks", "environment.x87", "determinism.memory"}));
  EXPECT_EQ(about(k, Trial()), (Set{"plugin.crash", "plugin.exit", "plugin.hang", "plugin.status",
                                    "plugin.protocol", "batch.empty"}));
}

TEST(RulesAbout, WhatEachWordOfATrialAdds) {
  Fake k("bce_with_logits");
  const auto adds = [&](auto change, const Set& more, const Set& less = {}) {
    const Difference d = difference(k, change);
    EXPECT_EQ(d.more, more) << to_text(kF32, staged(change));
    EXPECT_EQ(d.less, less) << to_text(kF32, staged(change));
  };
  adds([](Trial& t) { t.stage.readable = true; }, {}, {"batch.read_outside"});
  adds([](Trial& t) { t.stage.in_place = true; }, {"batch.in_place"},
       {"batch.input_changed", "batch.not_written"});
  adds([](Trial& t) { t.stage.in_place_y = true; }, {"batch.in_place"},
       {"batch.input_changed", "batch.not_written"});
  adds([](Trial& t) { t.stage.flags_up = true; }, {"environment.flags"});
  adds([](Trial& t) { t.stage.flush = true; }, {"environment.under_ftz"});
  adds([](Trial& t) { t.stage.rounding = Stage::Rounding::up; }, {"environment.under_rounding"});
  adds([](Trial& t) { t.stage.process = true; },
       {"environment.output", "environment.signal_handler", "environment.thread",
        "environment.locale", "environment.working_directory", "environment.umask",
        "environment.process"});
  adds([](Trial& t) { t.stage.repeats = 2; }, {"determinism.repeat"});
  adds([](Trial& t) { t.stage.threads = 2; }, {"determinism.threads"});
  adds([](Trial& t) { t.stage.threads = t.stage.repeats = 2; }, {"determinism.threads"});
  adds([](Trial& t) { t.fresh = true; }, {"determinism.first_call"});
  // Buffers at the start are aligned to whatever a kernel may wish, but for an offset.
  adds([](Trial& t) { t.stage.edge = Stage::Edge::start; }, {}, {"batch.alignment"});
  for (std::uint32_t Stage::*offset : {&Stage::z_offset, &Stage::y_offset, &Stage::out_offset})
    adds(
        [offset](Trial& t) {
          t.stage.edge = Stage::Edge::start;
          t.stage.*offset = 4;
        },
        {});
}

TEST(RulesAbout, AProgramShowsWhatItOffers) {
  Fake k("sigmoid");
  k.session.plugin().program = true;
  const auto process = [](Trial& t) { t.stage.process = t.stage.flags_up = t.fresh = true; };
  const Set bare = about(k, staged(process));
  EXPECT_EQ(bare,
            (Set{"plugin.crash", "plugin.exit", "plugin.hang", "plugin.status", "plugin.protocol",
                 "batch.length", "batch.position", "batch.neighbours", "batch.write_outside",
                 "batch.input_changed", "batch.not_written", "determinism.memory"}));
  for (const char* rule : {"batch.read_outside", "environment.rounding_mode", "environment.flags",
                           "environment.output", "determinism.first_call"}) {
    k.session.plugin().offers = {rule};
    Set with = bare;
    with.insert(rule);
    EXPECT_EQ(about(k, staged(process)), with) << rule;
  }
}

TEST(RulesAboutValue, AreThoseOfTheInput) {
  Fake k("sigmoid");
  const auto about_value = [](Fake& s, Bits z, Bits y) {
    const List list = rules_about_value(s.subject, z, y);
    return Set(list.begin(), list.end());
  };
  const Set numbers = {"value.new_nan",    "value.wrong_infinity",   "value.finite_for_infinite",
                       "value.wrong_sign", "value.nonzero_for_zero", "value.flushed",
                       "value.vanished",   "value.out_of_range"};
  const auto with = [&](Set more) {
    more.insert(numbers.begin(), numbers.end());
    return more;
  };
  const Bits nan = format(kF32).quiet_nan(), inf = format(kF32).infinity();
  EXPECT_EQ(about_value(k, f32(1), 0), with({"value.threshold", "symmetry"}));
  EXPECT_EQ(about_value(k, 0, 0), with({"value.threshold", "symmetry", "value.exact"}));
  EXPECT_EQ(about_value(k, inf, 0), with({"value.threshold"}));
  EXPECT_EQ(about_value(k, nan, 0), Set{"value.lost_nan"});
  k.contract.zero_sign = k.contract.quiet_nan = k.contract.exactly_symmetric = true;
  EXPECT_EQ(about_value(k, f32(1), 0),
            with({"value.threshold", "symmetry", "symmetry.exact", "value.wrong_zero"}));
  EXPECT_EQ(about_value(k, nan, 0), (Set{"value.lost_nan", "value.signalling_nan"}));

  Fake loss("bce_with_logits"), gradient("bce_with_logits_grad");
  EXPECT_EQ(about_value(loss, f32(1), f32(0.5)), with({"symmetry"}));
  EXPECT_EQ(about_value(loss, 0, nan).count("value.exact"), 0u) << "nothing is exact there";
  EXPECT_EQ(about_value(loss, f32(1), f32(2)), Set{"value.outside_labels"});
  EXPECT_EQ(about_value(gradient, f32(1), f32(0.5)), with({}));
  Admitted positive;
  positive.range = {ordinal(kF32, 0), ordinal(kF32, f32(9))};
  Fake half("sigmoid", kF32, positive);
  EXPECT_EQ(about_value(half, f32(1), 0), with({"value.threshold"}))
      << "its mirror image was not chosen";
}

std::map<std::string, RuleCoverage> by_rule(const std::vector<RuleCoverage>& rows) {
  std::map<std::string, RuleCoverage> out;
  for (const RuleCoverage& r : rows) out[r.rule] = r;
  return out;
}

TEST(RuleCounts, SayHowFarEachRuleGot) {
  Fake k("sigmoid");
  RuleCounts counts;
  counts.ask({"batch.length", "batch.position"});
  counts.ask({"batch.length"}, 3);
  counts.answer({"batch.length"}, 4);
  counts.ask({"value.new_nan"}, 5);
  counts.answer({"value.new_nan"}, 2);
  counts.explain(k.subject);
  auto rows = by_rule(counts.rows({}));
  const auto is = [&](const char* rule, const char* status, std::uint64_t done, std::uint64_t asked,
                      const char* why) {
    const RuleCoverage& r = rows.at(rule);
    EXPECT_EQ(r.status, status) << rule;
    EXPECT_EQ(r.cases, done) << rule;
    EXPECT_EQ(r.of, asked) << rule;
    EXPECT_EQ(r.why, why) << rule;
  };
  is("batch.length", "checked", 4, 4, "");
  is("batch.position", "stopped", 0, 1, "not all came back");
  is("value.new_nan", "stopped", 2, 5, "not all came back");
  is("batch.empty", "not_applicable", 0, 0, "no such case was chosen");
  counts.stop("the first reason");
  counts.stop("another");
  rows = by_rule(counts.rows({"value.new_nan", "batch.position"}));
  is("value.new_nan", "checked", 2, 5, "");
  is("batch.position", "checked", 1, 1, "");
  counts.ask({"batch.empty"});
  rows = by_rule(counts.rows({}));
  is("batch.empty", "stopped", 0, 1, "the first reason");

  RuleCounts whole, part;
  part.ask({"batch.length"}, 2);
  part.answer({"batch.length"}, 1);
  part.stop("in a part");
  whole.merge(counts);
  whole.merge(part);
  rows = by_rule(whole.rows({}));
  is("batch.length", "stopped", 5, 6, "the first reason");
  RuleCounts last;
  last.merge(part);
  last.merge(counts);
  rows = by_rule(last.rows({}));
  is("batch.length", "stopped", 5, 6, "in a part");
}

TEST(RuleCounts, HaveARowForEachRuleThatCheckJudges) {
  Fake k("sigmoid");
  RuleCounts counts;
  counts.explain(k.subject);
  const std::vector<RuleCoverage> rows = counts.rows({});
  Set found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    found.insert(rows[i].rule);
    if (i == 0) continue;
    EXPECT_LT(find_rule(rows[i - 1].rule), find_rule(rows[i].rule)) << "in their order";
  }
  for (const Rule& r : rules()) {
    const std::string group(r.id.substr(0, r.id.find('.')));
    const bool judged =
        Set{"batch", "environment", "determinism", "value", "symmetry", "consistency", "plugin"}
                .count(group) != 0 &&
        r.id != "plugin.load";
    EXPECT_EQ(found.count(std::string(r.id)), judged ? 1u : 0u) << r.id;
  }
}

TEST(RuleCounts, SayWhyARuleDoesNotApply) {
  const auto why = [](Fake& k, const char* rule) {
    RuleCounts counts;
    counts.explain(k.subject);
    return by_rule(counts.rows({})).at(rule).why;
  };
  Fake sigmoid("sigmoid"), loss("bce_with_logits"), gradient("bce_with_logits_grad");
  EXPECT_EQ(why(loss, "value.threshold"), "the op has no decision threshold");
  EXPECT_EQ(why(gradient, "symmetry"), "the op has no such symmetry");
  EXPECT_EQ(why(gradient, "symmetry.exact"), "the op has no such symmetry");
  EXPECT_EQ(why(loss, "symmetry"), "no input and its mirror image were chosen");
  EXPECT_EQ(why(loss, "symmetry.exact"),
            "the contract does not promise it (symmetric = \"exact\")");
  EXPECT_EQ(why(sigmoid, "value.wrong_zero"), "the contract does not promise it (zero_sign)");
  EXPECT_EQ(why(sigmoid, "value.signalling_nan"), "the contract does not promise it (quiet_nan)");
  EXPECT_EQ(why(sigmoid, "value.outside_labels"), "the op has no label");
  EXPECT_EQ(why(loss, "value.outside_labels"),
            "the contract says nothing of them (outside_labels)");
  EXPECT_EQ(why(sigmoid, "value.exact"), "no zero was chosen");
  EXPECT_EQ(why(sigmoid, "batch.in_place"), "neither the kernel nor its contract says that it can");
  EXPECT_EQ(why(sigmoid, "environment.under_ftz"),
            "the contract does not promise it (same_under_ftz)");
  EXPECT_EQ(why(sigmoid, "environment.under_rounding"),
            "the contract does not promise it (same_under_any_rounding)");
  EXPECT_EQ(why(sigmoid, "consistency.f32"), "for f16 and bf16 kernels that are there in f32 too");
  EXPECT_EQ(why(sigmoid, "batch.length"), "no such case was chosen");
  sigmoid.session.plugin().program = true;
  EXPECT_EQ(why(sigmoid, "environment.flags"), "the worker is a program that does not offer it");
  sigmoid.contract.under_ftz = sigmoid.contract.any_rounding = true;
  EXPECT_EQ(why(sigmoid, "environment.under_ftz"),
            "the worker is a program that does not offer it");
  EXPECT_EQ(why(sigmoid, "environment.under_rounding"),
            "the worker is a program that does not offer it");
}

/// A trial that asks for everything.
Trial everything() {
  Trial t;
  t.z = {f32(1)};
  t.fresh = true;
  Stage& s = t.stage;
  s.readable = s.process = s.flags_up = s.flush = true;
  s.z_offset = s.y_offset = s.out_offset = 4;
  s.threads = 4;
  s.repeats = 7;
  s.rounding = Stage::Rounding::up;
  return t;
}

TEST(Possible, IsAllOfAPluginAndOfAProgramWhatItOffers) {
  PluginInfo p;
  EXPECT_TRUE(possible(p, everything()) == everything()) << "no program";
  p.program = true;
  Trial bare;
  bare.z = {f32(1)};
  bare.stage.repeats = 7;
  EXPECT_EQ(to_text(kF32, possible(p, everything())), to_text(kF32, bare));
  Trial at_start = everything();
  at_start.stage.edge = Stage::Edge::start;
  EXPECT_EQ(possible(p, at_start).stage.z_offset, 4u) << "offsets the host makes itself";
  const auto kept = [&](const char* rule) {
    p.offers = {rule};
    return possible(p, everything());
  };
  EXPECT_EQ(kept("determinism.threads").stage.threads, 4u);
  EXPECT_FALSE(kept("determinism.threads").fresh);
  EXPECT_TRUE(kept("determinism.first_call").fresh);
  EXPECT_EQ(kept("determinism.first_call").stage.threads, 1u);
  for (const char* rule :
       {"environment.output", "environment.signal_handler", "environment.thread"})
    EXPECT_TRUE(kept(rule).stage.process) << rule;
  EXPECT_FALSE(kept("environment.flags").stage.process);
  EXPECT_TRUE(kept("environment.flags").stage.flags_up);
  EXPECT_TRUE(kept("environment.under_ftz").stage.flush);
  EXPECT_FALSE(kept("environment.under_ftz").stage.flags_up);
  EXPECT_EQ(kept("environment.under_rounding").stage.rounding, Stage::Rounding::up);
  EXPECT_FALSE(kept("environment.under_rounding").stage.flush);
}

TEST(NotChecked, AreRulesThatAProgramDoesNotOffer) {
  PluginInfo p;
  KernelInfo k;
  k.deterministic = true;
  KernelContract c;
  const auto left = [&] {
    const List list = not_checked(p, k, c);
    return Set(list.begin(), list.end());
  };
  EXPECT_EQ(left(), Set{}) << "no program";
  p.program = true;
  Set all = {"batch.read_outside", "determinism.threads", "determinism.first_call"};
  for (const Rule& r : rules())
    if (r.id.substr(0, 12) == "environment." && r.id.substr(12, 5) != "under") all.emplace(r.id);
  EXPECT_EQ(left(), all);
  c.under_ftz = true;
  all.insert("environment.under_ftz");
  EXPECT_EQ(left(), all);
  c.any_rounding = true;
  all.insert("environment.under_rounding");
  EXPECT_EQ(left(), all);
  p.offers = {"batch.read_outside", "environment.x87"};
  all.erase("batch.read_outside");
  all.erase("environment.x87");
  EXPECT_EQ(left(), all);
  k.deterministic = false;
  all.erase("determinism.threads");
  all.erase("determinism.first_call");
  EXPECT_EQ(left(), all);
}

}  // namespace
}  // namespace ulpaudit
