// Each way in which a call can misbehave is told under the rule that fits.
// SPDX-License-Identifier: Apache-2.0
#include "properties/manners.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fake_session.hpp"
#include "plugin/environment.hpp"

namespace ulpaudit {
namespace {

using List = std::vector<std::string>;
using test::Call;
using test::Fake;
using Kind = Outcome::Kind;
constexpr Dtype kF32 = Dtype::f32;

Bits f32(double v) { return encode(kF32, v); }

/// Five elements, of which the fourth is 3.
Trial five() {
  Trial t;
  for (const double z : {0.5, -1.0, 2.0, 3.0, -4.0}) t.z.push_back(f32(z));
  return t;
}
template <class F>
Trial five_with(F&& change) {
  Trial t = five();
  change(t);
  return t;
}

List ids(const std::vector<Violation>& violations) {
  List out;
  for (const Violation& v : violations) out.push_back(v.rule);
  return out;
}

/// What is found of a trial, where the calls for which `when` holds have the fourth element wrong.
std::vector<Violation> found(Fake& k, const Trial& t, std::function<bool(const Call&)> when) {
  k.session.behaviour = [when = std::move(when)](Call& c) {
    if (c.out.size() > 3 && when(c)) c.out[3] += 1;
    return Outcome();
  };
  return judge_manners(k.subject, t);
}
List rules_of(const Trial& t, std::function<bool(const Call&)> when) {
  Fake k("sigmoid");
  return ids(found(k, t, std::move(when)));
}
bool always(const Call&) { return true; }

TEST(Manners, OfARightKernelAreGood) {
  Fake k("bce_with_logits");
  Trial t = five();
  t.y = std::vector<Bits>(5, f32(0.25));
  EXPECT_EQ(ids(judge_manners(k.subject, t)), List{});
  EXPECT_EQ(ids(judge_manners(k.subject, Trial())), List{});
  t.z[1] = format(kF32).quiet_nan();
  EXPECT_EQ(ids(judge_manners(k.subject, t)), List{});
}

TEST(Manners, AnyNanEqualsAnyNan) {
  Fake k("sigmoid");
  Trial t = five();
  t.z[3] = format(kF32).quiet_nan();
  EXPECT_EQ(ids(found(k, t, always)), List{}) << "another payload in the batch than alone";
}

TEST(Manners, LengthPositionAndNeighbours) {
  const Trial t = five_with([](Trial& x) { x.stage.edge = Stage::Edge::start; });
  EXPECT_EQ(rules_of(t, always), List{"batch.position"}) << "the others are right in equal places";
  Fake k("sigmoid");
  k.session.behaviour = [](Call& c) {
    if (c.z.size() > 1)
      for (Bits& b : c.out) b += 1;
    return Outcome();
  };
  const auto all = judge_manners(k.subject, t);
  EXPECT_EQ(ids(all), List{"batch.length"});
  EXPECT_EQ(all[0].element, 0u) << "the first that differs";
  EXPECT_EQ(all[0].got, final_judge(k.op, kF32, t.z[0], 0).rounded + 1);
  EXPECT_TRUE(all[0].promised);
  EXPECT_FALSE(all[0].ended);
  EXPECT_NE(all[0].message.find("as element 0 of 5"), std::string::npos) << all[0].message;
  const auto beside = [](const Call& c) { return c.z.size() == 5 && c.z[2] != c.z[3]; };
  EXPECT_EQ(rules_of(t, beside), List{"batch.neighbours"});
  // With labels: the same ones in every element.
  Fake loss("bce_with_logits");
  loss.session.behaviour = k.session.behaviour;
  Trial labelled = t;
  for (const double y : {0.0, 0.25, 0.5, 0.75, 1.0}) labelled.y.push_back(f32(y));
  EXPECT_EQ(ids(judge_manners(loss.subject, labelled)), List{"batch.length"});
  // Kernels that do not say so are not blamed, only observed.
  k.session.plugin().kernels[0].elementwise = false;
  EXPECT_FALSE(judge_manners(k.subject, t).at(0).promised);
}

TEST(Manners, Alignment) {
  const auto off = [](const Call& c) {
    return c.staged && (c.stage.edge == Stage::Edge::end || c.stage.z_offset != 0 ||
                        c.stage.y_offset != 0 || c.stage.out_offset != 0);
  };
  EXPECT_EQ(rules_of(five(), off), List{"batch.alignment"})
      << "they begin where their length puts them";
  for (std::uint32_t Stage::*offset : {&Stage::z_offset, &Stage::y_offset, &Stage::out_offset})
    EXPECT_EQ(rules_of(five_with([&](Trial& t) {
                         t.stage.edge = Stage::Edge::start;
                         t.stage.*offset = 4;
                       }),
                       off),
              List{"batch.alignment"});
  EXPECT_EQ(rules_of(five_with([](Trial& t) { t.stage.edge = Stage::Edge::start; }), off), List{});
  // A program has no guarded buffers: where they end says nothing of their alignment.
  Fake program("sigmoid");
  program.session.plugin().program = true;
  EXPECT_EQ(
      ids(found(program, five(), [](const Call& c) { return c.stage.edge == Stage::Edge::end; })),
      List{"batch.position"});
}

TEST(Manners, MemoryBefore) {
  const auto filled = [](const Call& c) { return c.stage.out_fill == 0xa5 && c.z.size() == 5; };
  Fake k("sigmoid");
  const auto v = found(k, five(), filled);
  EXPECT_EQ(ids(v), List{"determinism.memory"});
  EXPECT_NE(v.at(0).message.find("depends on what lay in `out` before"), std::string::npos);
  EXPECT_EQ(v[0].element, 3u);
  const auto stack = [](const Call& c) { return c.stage.stack_fill != 0; };
  EXPECT_EQ(rules_of(five_with([](Trial& t) { t.stage.stack_fill = 0x3f; }), stack),
            List{"determinism.memory"});
  k.session.plugin().kernels[0].deterministic = false;
  EXPECT_FALSE(judge_manners(k.subject, five()).at(0).promised);
}

TEST(Manners, Repetition) {
  int call = 0;
  EXPECT_EQ(rules_of(five(), [&](const Call& c) { return c.z.size() == 5 && ++call % 2 == 1; }),
            List{"determinism.repeat"})
      << "another filling gave something else, and so did the same one";
  Fake k("sigmoid");
  call = 0;
  k.session.behaviour = [&](Call& c) {  // the same twice, then something else
    if (c.z.size() == 5) c.out[3] += static_cast<Bits>(1 + call++ / 2);
    return Outcome();
  };
  EXPECT_EQ(ids(judge_manners(k.subject, five())), List{"determinism.repeat"});
  // The host compares repeated calls with each other: nothing is compared here.
  EXPECT_EQ(rules_of(five_with([](Trial& t) { t.stage.repeats = 2; }), always), List{});
}

TEST(Manners, ThreadsAndFirstCalls) {
  const auto threads = [](const Call& c) { return c.stage.threads > 1; };
  EXPECT_EQ(rules_of(five_with([](Trial& t) { t.stage.threads = 2; }), threads),
            List{"determinism.threads"});
  EXPECT_EQ(rules_of(five_with([](Trial& t) {
                       t.stage.threads = 2;
                       t.fresh = true;
                     }),
                     threads),
            List{"determinism.first_call"});
  const auto first = [](const Call& c) { return c.number == 1 && c.z.size() == 5; };
  EXPECT_EQ(rules_of(five_with([](Trial& t) {
                       t.fresh = true;
                       t.stage.in_place = true;
                     }),
                     first),
            List{"determinism.first_call"})
      << "not in place it is wrong too, and later it is right";
  const Trial race = five_with([](Trial& t) {
    t.fresh = true;
    t.stage.edge = Stage::Edge::start;
  });
  Fake k("sigmoid");
  k.session.behaviour = [](Call& c) {
    Outcome o;
    if (c.number == 1 && c.z.size() == 5) o.facts = {{"determinism.threads", "two results", 2}};
    return o;
  };
  const auto v = judge_manners(k.subject, race);
  EXPECT_EQ(ids(v), List{"determinism.first_call"}) << "a race in the first call alone is its own";
  EXPECT_EQ(v.at(0).element, 2u);
}

TEST(Manners, InPlace) {
  Fake k("bce_with_logits");
  Trial t = five();
  t.y = std::vector<Bits>(5, f32(0.25));
  const auto in_place = [](const Call& c) { return c.stage.in_place || c.stage.in_place_y; };
  for (bool Stage::*where : {&Stage::in_place, &Stage::in_place_y}) {
    Trial moved = t;
    moved.stage.*where = true;
    const auto v = found(k, moved, in_place);
    EXPECT_EQ(ids(v), List{"batch.in_place"});
    EXPECT_NE(v.at(0).message.find(where == &Stage::in_place ? " in place," : " in place of y,"),
              std::string::npos)
        << v[0].message;
  }
}

TEST(Manners, TheCallersEnvironmentWhereItIsPromised) {
  const Trial up = five_with([](Trial& t) { t.stage.rounding = Stage::Rounding::up; });
  const Trial flush = five_with([](Trial& t) { t.stage.flush = true; });
  Fake k("sigmoid");
  EXPECT_EQ(ids(found(k, up, always)), List{});
  EXPECT_EQ(ids(found(k, flush, always)), List{});
  k.contract.any_rounding = true;
  EXPECT_EQ(ids(found(k, up, always)), List{"environment.under_rounding"});
  EXPECT_EQ(ids(found(k, flush, always)), List{});
  k.contract.under_ftz = true;
  EXPECT_EQ(ids(found(k, flush, always)), List{"environment.under_ftz"});
}

TEST(Manners, EveryElementIsWritten) {
  const auto fill_of = [](const Call& c) { return Bits{c.stage.out_fill} * 0x01010101u; };
  Fake k("sigmoid");
  k.session.behaviour = [&](Call& c) {
    if (c.out.size() > 2) c.out[2] = c.out[4] = fill_of(c);
    return Outcome();
  };
  const auto v = judge_manners(k.subject, five());
  EXPECT_EQ(ids(v), List{"batch.not_written"});
  EXPECT_EQ(v.at(0).element, 2u);
  EXPECT_NE(v[0].message.find("element 2 of 5 is not written"), std::string::npos) << v[0].message;
  // In place there is nothing to tell it by.
  EXPECT_NE(ids(judge_manners(k.subject, five_with([](Trial& t) { t.stage.in_place = true; }))),
            List{"batch.not_written"});
  // A result that looks like the filling is a result.
  Fake same("sigmoid");
  same.session.element = [](Bits, Bits) { return Bits{0xa5a5a5a5u}; };
  EXPECT_EQ(ids(judge_manners(same.subject, five())), List{});
  // What the session found itself stands alone.
  Fake told("sigmoid");
  told.session.behaviour = [](Call& c) {
    Outcome o;
    if (c.z.size() == 5)
      o.facts = {{"environment.x87", "changed"}, {"batch.not_written", "element 1", 1}};
    return o;
  };
  EXPECT_EQ(ids(judge_manners(told.subject, five())), List{"batch.not_written"});
}

TEST(Manners, HowACallEnds) {
  const auto ends = [](Kind kind, const Trial& t, std::function<bool(const Call&)> when = always) {
    Fake k("sigmoid");
    k.session.behaviour = [&](Call& c) { return when(c) ? Outcome{kind, "it ended"} : Outcome(); };
    const auto v = judge_manners(k.subject, t);
    EXPECT_EQ(v.size(), 1u);
    EXPECT_TRUE(v.at(0).ended);
    EXPECT_NE(v[0].message.find("it ended"), std::string::npos);
    EXPECT_FALSE(v[0].got);
    return v[0].rule;
  };
  EXPECT_EQ(ends(Kind::crashed, five()), "plugin.crash");
  EXPECT_EQ(ends(Kind::exited, five()), "plugin.exit");
  EXPECT_EQ(ends(Kind::hung, five()), "plugin.hang");
  EXPECT_EQ(ends(Kind::failed, five()), "plugin.status");
  EXPECT_EQ(ends(Kind::protocol, five()), "plugin.protocol");
  EXPECT_EQ(ends(Kind::crashed, Trial()), "batch.empty");
  EXPECT_EQ(ends(Kind::hung, Trial()), "plugin.hang");
  const auto off = [](const Call& c) { return c.stage.edge == Stage::Edge::end; };
  EXPECT_EQ(ends(Kind::crashed, five(), off), "batch.alignment");
  EXPECT_EQ(ends(Kind::exited, five(), off), "plugin.exit") << "alignment crashes";
  // A fact about the buffers says why it crashed.
  Fake k("sigmoid");
  k.session.behaviour = [](Call&) {
    Outcome o{Kind::crashed, "it ended"};
    o.facts = {{"batch.read_outside", "4 bytes behind z", 4}};
    return o;
  };
  const auto v = judge_manners(k.subject, five());
  EXPECT_EQ(ids(v), List{"batch.read_outside"});
  EXPECT_TRUE(v.at(0).ended);
  EXPECT_EQ(v[0].element, 4u);
  k.session.behaviour = [](Call&) {
    Outcome o{Kind::crashed, "it ended"};
    o.facts = {{"environment.output", "it printed", 99}};
    return o;
  };
  const auto both = judge_manners(k.subject, five());
  EXPECT_EQ(ids(both), (List{"environment.output", "plugin.crash"}));
  EXPECT_EQ(both.at(0).element, 4u) << "no element behind the last";
}

TEST(Manners, SpuriousFlags) {
  const auto raising = [](const Trial& t, unsigned flags, bool clean = true) {
    Fake k("sigmoid");
    k.contract.clean_flags = clean;
    k.session.behaviour = [flags](Call& c) {
      Outcome o;
      if (c.z.size() > 1) o.raised = flags;
      return o;
    };
    return judge_manners(k.subject, t);
  };
  for (const auto& [flag, name] :
       {std::pair(kInvalid, "invalid"), std::pair(kDivideByZero, "divide by zero"),
        std::pair(kOverflow, "overflow")}) {
    const auto v = raising(five(), flag);
    ASSERT_EQ(ids(v), List{"environment.flags"}) << name;
    EXPECT_EQ(v[0].message,
              std::string("raises ") + name + " though every input and result is finite");
    EXPECT_TRUE(v[0].promised);
    EXPECT_FALSE(raising(five(), flag, false).at(0).promised);
  }
  EXPECT_NE(raising(five(), kInvalid | kOverflow).at(0).message.find("invalid, overflow"),
            std::string::npos);
  EXPECT_EQ(ids(raising(five(), 0)), List{});
  EXPECT_EQ(ids(raising(five_with([](Trial& t) { t.stage.flags_up = true; }), kInvalid)), List{});
  EXPECT_EQ(ids(raising(five_with([](Trial& t) { t.fresh = true; }), kInvalid)), List{});
  for (const Bits z : {format(kF32).infinity(), format(kF32).quiet_nan()})
    EXPECT_EQ(ids(raising(five_with([&](Trial& t) { t.z[1] = z; }), kInvalid)), List{});
  // Nor where a result is infinite: a rule about values tells that.
  Fake endless("sigmoid");
  endless.session.element = [&](Bits z, Bits) {
    return z == f32(3) ? format(kF32).infinity() : endless.right(z);
  };
  endless.session.behaviour = [](Call& c) {
    Outcome o;
    if (c.z.size() > 1) o.raised = kOverflow;
    return o;
  };
  EXPECT_EQ(ids(judge_manners(endless.subject, five())), List{});
  // Nor where the true value is infinite, or a label is not finite.
  Fake loss("bce_with_logits");
  loss.session.behaviour = [](Call& c) {
    Outcome o;
    if (c.z.size() > 1) o.raised = kInvalid;
    return o;
  };
  Trial t = five();
  t.y = std::vector<Bits>(5, f32(0.25));
  EXPECT_EQ(ids(judge_manners(loss.subject, t)), List{"environment.flags"});
  t.y[4] = format(kF32).quiet_nan();
  EXPECT_EQ(ids(judge_manners(loss.subject, t)), List{});
}

TEST(Manners, ThreadsThatTheContractPermitsAreObserved) {
  Fake k("sigmoid");
  k.session.behaviour = [](Call&) {
    Outcome o;
    o.facts = {{"environment.thread", "one thread more"}};
    return o;
  };
  EXPECT_TRUE(judge_manners(k.subject, five()).at(0).promised);
  k.contract.keeps_threads = true;
  EXPECT_FALSE(judge_manners(k.subject, five()).at(0).promised);
}

}  // namespace
}  // namespace ulpaudit
