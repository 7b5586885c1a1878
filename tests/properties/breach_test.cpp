// What is kept of a broken rule, and how the trial that shows it is made simpler.
// SPDX-License-Identifier: Apache-2.0
#include "properties/breach.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fake_session.hpp"

namespace ulpaudit {
namespace {

using test::Fake;
constexpr Dtype kF32 = Dtype::f32;

Bits f32(double v) { return encode(kF32, v); }

Violation violation(const std::string& rule, std::size_t element = 0) {
  Violation v;
  v.rule = rule;
  v.message = "as it is";
  v.element = element;
  return v;
}

/// A judge that finds the rule wherever the trial is so.
Judge finding(const std::string& rule, std::function<bool(const Trial&)> broken) {
  return [rule, broken = std::move(broken)](const Trial& t) {
    std::vector<Violation> out;
    if (broken(t)) out.push_back(violation(rule));
    return out;
  };
}

Breach shrunk(const std::string& rule, const Trial& t, std::function<bool(const Trial&)> broken,
              std::size_t element = 0) {
  Fake k("sigmoid");
  Breach b;
  b.add(kF32, t, violation(rule, element));
  shrink(k.subject, finding(rule, std::move(broken)), b);
  return b;
}

Trial of(std::size_t n) {
  Trial t;
  for (std::size_t i = 0; i < n; ++i) t.z.push_back(f32(1.5 + static_cast<double>(i)));
  return t;
}
bool holds(const Trial& t, Bits z) { return std::find(t.z.begin(), t.z.end(), z) != t.z.end(); }

TEST(Breach, KeepsTheFirstTrialAndTheRange) {
  Breach b;
  Trial first = of(3), second = of(2);
  Violation v = violation("batch.length", 1);
  b.add(kF32, first, v);
  EXPECT_EQ(b.count, 1u);
  EXPECT_FALSE(b.range) << "of no element";
  v.got = f32(0);
  v.message = "later";
  b.add(kF32, second, v);
  EXPECT_EQ(b.count, 2u);
  EXPECT_TRUE(b.trial == first);
  EXPECT_EQ(b.violation.message, "as it is");
  EXPECT_EQ(b.range, (std::pair{f32(2.5), f32(2.5)}));
  Trial wide;
  for (const double z : {7.0, -9.0}) {
    wide.z = {0, f32(z)};
    b.add(kF32, wide, v);
  }
  EXPECT_EQ(b.range, (std::pair{f32(-9), f32(7)})) << "in the order of numbers";
  v.element = 2;
  b.add(kF32, wide, v);
  EXPECT_EQ(b.range, (std::pair{f32(-9), f32(7)})) << "no element of the trial";
  // Of batches that ended the worker, all their elements.
  Breach end;
  end.add(kF32, of(3), violation("plugin.crash"));
  EXPECT_EQ(end.range, (std::pair{f32(1.5), f32(3.5)}));
  EXPECT_TRUE(ends_worker("plugin.crash"));
  EXPECT_FALSE(ends_worker("batch.plugin."));
}

TEST(Shrink, LeavesTheElementThatBreaksTheRule) {
  const Bits bad = f32(17.5);
  const Breach b =
      shrunk("batch.neighbours", of(40), [&](const Trial& t) { return holds(t, bad); });
  EXPECT_EQ(b.trial.z, std::vector<Bits>{bad});
  const Breach pair = shrunk("batch.neighbours", of(40),
                             [&](const Trial& t) { return holds(t, bad) && holds(t, f32(3.5)); });
  EXPECT_EQ(pair.trial.z.size(), 2u);
  const Breach end = shrunk("plugin.crash", of(40), [&](const Trial& t) { return holds(t, bad); });
  EXPECT_EQ(end.trial.z, std::vector<Bits>{bad});
}

TEST(Shrink, LeavesTheLengthThatEndsTheWorker) {
  const Breach b = shrunk("plugin.crash", of(100), [](const Trial& t) { return t.z.size() > 24; });
  EXPECT_EQ(b.trial.z.size(), 25u);
}

TEST(Shrink, EndsByOneInputNeedNoStage) {
  Trial t = of(8);
  t.fresh = true;
  t.stage.edge = Stage::Edge::start;
  t.stage.z_offset = 4;
  const Breach b = shrunk("plugin.exit", t, [](const Trial& x) { return holds(x, f32(8.5)); });
  Trial one;
  one.z = {f32(8.5)};
  EXPECT_TRUE(b.trial == one) << to_text(kF32, b.trial);
  // In halves: labels go with their logits.
  Fake k("bce_with_logits");
  Breach two;
  t.y = std::vector<Bits>(8, 0);
  t.y[7] = f32(1);
  two.add(kF32, t, violation("plugin.exit"));
  shrink(k.subject,
         finding("plugin.exit",
                 [](const Trial& x) {
                   return x.z.size() == x.y.size() && holds(x, f32(8.5)) && x.y.back() == f32(1);
                 }),
         two);
  EXPECT_EQ(two.trial.z, std::vector<Bits>{f32(8.5)});
  EXPECT_EQ(two.trial.y, std::vector<Bits>{f32(1)});
}

TEST(Shrink, ResultsOfAProcessAreANumberOfCalls) {
  // The 300th call of a process differs, whatever its inputs.
  Trial t = of(37);
  t.stage.repeats = 2500;
  t.fresh = true;
  const auto bomb = [](const Trial& x) { return x.fresh && x.stage.repeats >= 300; };
  const Breach b = shrunk("determinism.repeat", t, bomb, 5);
  EXPECT_EQ(b.trial.z.size(), 1u);
  EXPECT_EQ(b.trial.stage.repeats, 300u);
  EXPECT_TRUE(b.trial.fresh);
  // Where it takes the whole batch, the batch stays.
  const Breach whole = shrunk("determinism.repeat", of(3), [](const Trial& x) {
    return x.z.size() == 3 && x.fresh && x.stage.repeats == 4096;
  });
  EXPECT_EQ(whole.trial.stage.repeats, 4096u);
  EXPECT_EQ(whole.trial.z.size(), 3u);
}

TEST(Shrink, TriesWithLessAdoFirst) {
  Trial t = of(2);
  t.fresh = true;
  t.stage.threads = 4;
  t.stage.repeats = 40;
  int costly = 0;
  const Breach quiet = shrunk("batch.position", t, [&](const Trial& x) {
    costly += x.fresh || x.stage.threads > 1 || x.stage.repeats > 1 ? 1 : 0;
    return true;
  });
  EXPECT_EQ(costly, 0);
  EXPECT_EQ(to_text(kF32, quiet.trial).find("threads"), std::string::npos);
  const Breach later = shrunk("batch.position", t, [](const Trial& x) {
    return x.stage.threads == 4 && x.stage.repeats == 40;
  });
  EXPECT_FALSE(later.trial.fresh);
}

TEST(Shrink, RacesMustShowAgain) {
  // It shows in every second call: a simpler trial would be taken by chance.
  for (const char* rule : {"determinism.threads", "determinism.first_call"}) {
    int call = 0;
    Trial t = of(6);
    t.stage.threads = 2;
    const Breach b = shrunk(rule, t, [&](const Trial&) { return ++call % 2 == 1; });
    EXPECT_TRUE(b.trial == t) << rule;
  }
  int call = 0;
  const Breach b = shrunk("batch.length", of(6), [&](const Trial&) { return ++call % 2 == 1; });
  EXPECT_EQ(b.trial.z.size(), 1u) << "other rules are not asked for again";
}

TEST(Shrink, AHangKeepsWhatWasSeenFirst) {
  Fake k("sigmoid");
  Breach b;
  b.add(kF32, of(4), violation("plugin.hang"));
  b.violation.message = "no end after 5 s";
  shrink(k.subject, finding("plugin.hang", [](const Trial& t) { return holds(t, f32(2.5)); }), b);
  EXPECT_EQ(b.trial.z, std::vector<Bits>{f32(2.5)});
  EXPECT_EQ(b.violation.message, "no end after 5 s");
  Breach other;
  other.add(kF32, of(4), violation("plugin.crash"));
  other.violation.message = "at first";
  shrink(k.subject, finding("plugin.crash", [](const Trial& t) { return holds(t, f32(2.5)); }),
         other);
  EXPECT_EQ(other.violation.message, "as it is");
}

TEST(Shrink, OfVeryLongBatchesMakesThreeTrials) {
  Trial t = of(61);
  t.stage.tile = (std::uint64_t{1} << 25) + 1;
  int trials = 0;
  shrunk("batch.length", t, [&](const Trial&) {
    ++trials;
    return false;
  });
  EXPECT_EQ(trials, 3);
  trials = 0;
  t.stage.tile -= 1;
  shrunk("batch.length", t, [&](const Trial&) {
    ++trials;
    return false;
  });
  EXPECT_GT(trials, 100);
  EXPECT_LE(trials, 1500);
}

TEST(Shrink, SpendsItsOwnPatience) {
  Fake k("sigmoid");
  std::vector<std::int64_t> deadlines;
  for (const char* rule : {"plugin.crash", "plugin.hang"}) {
    Breach b;
    b.add(kF32, of(4), violation(rule));
    shrink(
        k.subject,
        [&](const Trial& t) {
          k.subject.run(t);
          deadlines.push_back(k.session.deadline().count());
          return std::vector<Violation>();
        },
        b);
  }
  EXPECT_EQ(deadlines.front(), 3 * 500) << "the first call of a process has three times as much";
  EXPECT_EQ(std::count(deadlines.begin(), deadlines.end(), 500) > 0, true);
  EXPECT_EQ(deadlines.back(), 120) << "a hang was waited for long enough once";
  // Ends are found as long as there is time for them.
  Fake crashing("sigmoid");
  crashing.session.behaviour = [](test::Call&) {
    return Outcome{Outcome::Kind::crashed, "it crashed"};
  };
  const Subject::Limit limit(crashing.subject, {0, std::chrono::milliseconds(1)},
                             Subject::Cost::own);
  Breach b;
  b.add(kF32, of(4), violation("batch.length"));
  shrink(
      crashing.subject,
      [&](const Trial& t) {
        crashing.subject.run(t);
        return std::vector<Violation>();
      },
      b);
  EXPECT_TRUE(crashing.subject.spent()) << "the subject's own patience is as it was";
}

}  // namespace
}  // namespace ulpaudit
