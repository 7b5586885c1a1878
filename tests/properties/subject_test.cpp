// The kernel under test: what is remembered of single elements, and how a check goes on behind
// inputs, lengths and calls that end the worker.
// SPDX-License-Identifier: Apache-2.0
#include "properties/subject.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "each_dtype.hpp"
#include "fake_session.hpp"

namespace ulpaudit {
namespace {

using test::Call;
using test::Fake;
using Kind = Outcome::Kind;
constexpr Dtype kF32 = Dtype::f32;

Bits f32(double v) { return encode(kF32, v); }

Outcome crash() { return {Kind::crashed, "it crashed"}; }

/// A kernel that crashes where any element is one of these.
void crash_at(Fake& k, std::function<bool(Bits z)> bad) {
  k.session.behaviour = [bad = std::move(bad)](Call& c) {
    return std::any_of(c.z.begin(), c.z.end(), bad) ? crash() : Outcome();
  };
}

Trial of(std::vector<Bits> z) {
  Trial t;
  t.z = std::move(z);
  return t;
}

ULPAUDIT_EACH_DTYPE(Subjects);

TEST_P(Subjects, RunTrialsAsTheyAre) {
  for (const char* op : {"sigmoid", "bce_with_logits"}) {
    Fake k(op, d);
    Trial t = of({encode(d, 1.0), encode(d, -2.0), format(d).quiet_nan()});
    if (k.subject.two_arguments()) t.y = {0, encode(d, 0.5), encode(d, 1.0)};
    t.stage.out_fill = 7;
    const Answer a = k.subject.run(t);
    ASSERT_EQ(k.session.calls.size(), 1u);
    EXPECT_EQ(k.session.calls[0].z, t.z);
    EXPECT_EQ(k.session.calls[0].y, t.y);
    EXPECT_TRUE(k.session.calls[0].stage == t.stage);
    EXPECT_TRUE(k.session.calls[0].staged);
    ASSERT_EQ(a.out.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(a.out[i], final_judge(k.op, d, t.z[i], t.y.empty() ? 0 : t.y[i]).rounded);
    t.unguarded = true;
    k.subject.run(t);
    EXPECT_FALSE(k.session.calls[1].staged);
    EXPECT_EQ(k.session.restarts, 0u);
    t.fresh = true;
    k.subject.run(t);
    EXPECT_EQ(k.session.restarts, 1u);
  }
}

TEST_P(Subjects, TellWhetherASingleElementIsWritten) {
  // A result that looks like the filling is asked for once more, with another filling.
  Fake k("sigmoid", d);
  const Bits filled = 0xa5a5a5a5a5a5a5a5u & format(d).mask();
  k.session.element = [&](Bits, Bits) { return filled; };
  EXPECT_EQ(k.subject.single(1, 0), filled) << "it is the result";
  ASSERT_EQ(k.session.calls.size(), 2u);
  EXPECT_EQ(k.session.calls[1].stage.out_fill, 0x5a);
  EXPECT_EQ(k.session.calls[0].stage.edge, Stage::Edge::start);
  Fake silent("sigmoid", d);
  silent.session.behaviour = [&](Call& c) {
    c.out[0] = (c.stage.out_fill * 0x0101010101010101u) & format(d).mask();
    return Outcome();
  };
  EXPECT_FALSE(silent.subject.single(1, 0)) << "it is not written";
}

TEST_P(Subjects, RunLinesOfNeighbours) {
  for (const char* op : {"sigmoid", "bce_with_logits"}) {
    Fake k(op, d);
    const Bits first = encode(d, 1.0), y = k.subject.two_arguments() ? encode(d, 0.5) : 0;
    const Subject::Line line = k.subject.line(first, 10, y);
    EXPECT_TRUE(line.missing.empty());
    ASSERT_EQ(line.packed.size(), 10 * static_cast<std::size_t>(format(d).bytes()));
    for (std::size_t i = 0; i < 10; ++i) {
      Bits got = 0;
      const auto size = static_cast<std::size_t>(format(d).bytes());
      std::memcpy(&got, line.packed.data() + i * size, size);
      EXPECT_EQ(got, final_judge(k.op, d, first + i, y).rounded);
    }
    ASSERT_EQ(k.session.calls.size(), 1u);
    EXPECT_FALSE(k.session.calls[0].staged);
    EXPECT_EQ(k.session.calls[0].y, std::vector<Bits>(k.subject.two_arguments() ? 10 : 0, y));
  }
}

TEST(Subject, RemembersSingleElementsUnlessUnstable) {
  Fake k("bce_with_logits");
  k.subject.single(f32(1), 0);
  k.subject.single(f32(1), 0);
  EXPECT_EQ(k.session.calls.size(), 1u);
  k.subject.single(f32(1), f32(0.5));
  EXPECT_EQ(k.session.calls.size(), 2u) << "another label is another input";
  k.subject.call_unstable();
  k.subject.single(f32(1), 0);
  k.subject.single(f32(1), 0);
  EXPECT_EQ(k.session.calls.size(), 4u);
}

TEST(Subject, GoesOnBehindWhatEndsTheWorker) {
  Fake k("sigmoid");
  crash_at(k, [](Bits z) { return z == f32(3); });
  const Answer a = k.subject.run(of({f32(1), f32(3)}));
  EXPECT_EQ(a.outcome.kind, Kind::crashed);
  EXPECT_TRUE(a.out.empty());
  EXPECT_EQ(k.subject.ends(), 1);
  EXPECT_FALSE(k.subject.single(f32(3), 0));
  EXPECT_EQ(k.subject.ends(), 2);
  k.subject.avoid(f32(3), 0);
  EXPECT_TRUE(k.subject.avoided(f32(3), 0));
  EXPECT_FALSE(k.subject.avoided(f32(3), 1));
  EXPECT_FALSE(k.subject.avoided(f32(2), 0));
  EXPECT_FALSE(k.subject.single(f32(3), 0));
  EXPECT_EQ(k.subject.ends(), 2) << "it is not run again";
  // Batches are run without it: its neighbour stands in its place.
  EXPECT_EQ(k.subject.avoiding(of({f32(1), f32(3), f32(2), f32(3)}))->z,
            (std::vector<Bits>{f32(1), f32(1), f32(2), f32(2)}));
  EXPECT_EQ(k.subject.avoiding(of({f32(3), f32(2)}))->z, (std::vector<Bits>{f32(2), f32(2)}));
  EXPECT_FALSE(k.subject.avoiding(of({f32(3), f32(3)})));
  EXPECT_TRUE(k.subject.avoiding(of({}))) << "nothing is in an empty batch";
}

TEST(Subject, LabelsStayWithTheirLogits) {
  Fake k("bce_with_logits");
  k.subject.avoid(f32(3), f32(0.5));
  Trial t = of({f32(1), f32(3), f32(3)});
  t.y = {f32(0.25), f32(0.5), f32(1)};
  const auto left = k.subject.avoiding(t);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->z, (std::vector<Bits>{f32(1), f32(1), f32(3)}));
  EXPECT_EQ(left->y, (std::vector<Bits>{f32(0.25), f32(0.25), f32(1)}));
}

TEST(Subject, AvoidsWhatLiesBetweenTwoThatEndTheWorker) {
  Fake k("sigmoid");
  crash_at(k, [](Bits z) { return decode(kF32, z) > 2; });
  k.subject.avoid(f32(3), 0);
  EXPECT_FALSE(k.subject.avoided(f32(5), 0));
  k.subject.avoid(f32(9), 0);
  for (const double z : {3.0, 5.0, 9.0}) EXPECT_TRUE(k.subject.avoided(f32(z), 0)) << z;
  EXPECT_FALSE(k.subject.avoided(f32(3) - 1, 0));
  EXPECT_FALSE(k.subject.avoided(f32(9) + 1, 0));
  EXPECT_FALSE(k.subject.avoided(f32(5), 1)) << "of one label alone";
  ASSERT_EQ(k.session.calls.size(), 1u) << "their middle was looked at";
  EXPECT_FALSE(k.session.calls[0].staged);

  // Where the middle comes back, nothing is known of what lies between.
  Fake two("sigmoid");
  crash_at(two, [](Bits z) { return z == f32(3) || z == f32(9); });
  two.subject.avoid(f32(9), 0);
  two.subject.avoid(f32(3), 0);
  EXPECT_FALSE(two.subject.avoided(f32(5), 0));
  EXPECT_EQ(two.session.calls.size(), 1u);
  two.subject.avoid(f32(3) + 1, 0);
  EXPECT_EQ(two.session.calls.size(), 1u) << "between neighbours there is nothing";
  two.subject.avoid(f32(3) + 1, 0);
  EXPECT_EQ(two.subject.endings().inputs.size(), 3u);
  // The nearest one counts, on either side.
  two.subject.avoid(f32(8), 0);
  ASSERT_EQ(two.session.calls.size(), 2u);
  EXPECT_GT(two.session.calls[1].z[0], f32(8));
}

TEST(Subject, LeavesOutLengthsThatEndTheWorker) {
  Fake k("bce_with_logits");
  k.subject.avoid_length(4);
  k.subject.avoid_length(9);  // known already
  Trial t = of({1, 2, 3, 4, 5});
  t.y = {0, 0, 0, 0, 0};
  EXPECT_EQ(k.subject.avoiding(t)->z, (std::vector<Bits>{1, 2, 3}));
  EXPECT_EQ(k.subject.avoiding(t)->y.size(), 3u);
  Trial three = of({1, 2, 3});
  three.y = {0, 0, 0};
  EXPECT_TRUE(*k.subject.avoiding(three) == three);
  Trial tiled = three;
  tiled.stage.tile = 1000;
  EXPECT_EQ(k.subject.avoiding(tiled)->stage.tile, 3u);
  tiled.z.push_back(4);
  tiled.y.push_back(0);
  const auto left = k.subject.avoiding(tiled);
  EXPECT_EQ(left->stage.tile, 0u) << "the elements alone are more";
  EXPECT_EQ(left->z.size(), 3u);
  k.subject.avoid_length(1);
  EXPECT_FALSE(k.subject.avoiding(three));
  EXPECT_TRUE(k.subject.avoiding(of({})));
}

TEST(Subject, MakesFewerCallsInAProcessThanSpoilIt) {
  Fake k("sigmoid");
  k.subject.limit_calls(4);  // the 4th gives something else
  std::uint64_t most = 0;
  for (int i = 0; i < 10; ++i) {
    Trial t = of({f32(i)});
    t.unguarded = i % 2 == 0;
    k.subject.run(t);
  }
  for (int i = 0; i < 7; ++i) k.subject.line(f32(i), 2, 0);
  for (const Call& c : k.session.calls) most = std::max(most, c.number);
  EXPECT_EQ(most, 3u);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(k.session.calls[i].number, i % 3 + 1) << i;
  // Repetitions are calls too.
  const std::uint64_t before = k.session.restarts;
  Trial t = of({f32(1)});
  t.stage.repeats = 3;
  k.subject.run(t);
  k.subject.run(t);
  EXPECT_GE(k.session.restarts, before + 1);
}

TEST(Subject, GivesTheFirstCallOfAProcessMoreTime) {
  Fake k("sigmoid");
  std::vector<std::int64_t> deadlines;
  k.session.behaviour = [&](Call&) {
    deadlines.push_back(k.session.deadline().count());
    return Outcome();
  };
  const Subject::Limit limit(k.subject, {5, std::chrono::milliseconds(100)}, Subject::Cost::own);
  k.subject.run(of({f32(1)}));
  k.subject.run(of({f32(1)}));
  Trial fresh = of({f32(1)});
  fresh.fresh = true;
  k.subject.run(fresh);
  k.subject.line(f32(1), 2, 0);
  EXPECT_EQ(deadlines, (std::vector<std::int64_t>{300, 100, 300, 100}));
  EXPECT_FALSE(k.subject.spent());
}

TEST(Subject, GivesSlowKernelsTimeByTheirElements) {
  Fake k("sigmoid");
  std::vector<std::int64_t> deadlines;
  k.session.behaviour = [&](Call& c) {
    deadlines.push_back(k.session.deadline().count());
    std::this_thread::sleep_for(std::chrono::milliseconds(c.z.size() >= 1000 ? 20 : 5));
    return Outcome();
  };
  const Subject::Limit limit(k.subject, {5, std::chrono::milliseconds(100)}, Subject::Cost::own);
  k.subject.run(of({f32(1)}));
  EXPECT_EQ(k.subject.seconds_of_a_call(), 0) << "the first call of a process tells nothing";
  k.subject.run(of({f32(1)}));
  EXPECT_GE(k.subject.seconds_of_a_call(), 0.005);
  EXPECT_EQ(k.subject.nanoseconds(), 0) << "short batches tell nothing of elements";
  k.subject.run(of(std::vector<Bits>(2000, f32(1))));
  EXPECT_EQ(deadlines.back(), 100);
  EXPECT_GE(k.subject.nanoseconds(), 1e4);
  EXPECT_LT(k.subject.nanoseconds(), 1e6);
  // Ten times as long as the slowest: 4000 elements in 40 ms or more.
  k.subject.run(of(std::vector<Bits>(4000, f32(1))));
  EXPECT_GE(deadlines.back(), 100 + 10 * 40);
  EXPECT_NEAR(static_cast<double>(deadlines.back()), 100 + 10 * 4000e-6 * k.subject.nanoseconds(),
              0.5 * static_cast<double>(deadlines.back()));
  // Calls of all threads, and those repeated, count as well.
  Trial t = of(std::vector<Bits>(1000, f32(1)));
  t.stage.repeats = 8;
  k.subject.run(t);
  EXPECT_GE(deadlines.back(), 100 + 10 * 80);
}

TEST(Subject, EndsCostPatienceAndALimitIsGivenBack) {
  Fake k("sigmoid");
  crash_at(k, [](Bits) { return true; });
  {
    const Subject::Limit limit(k.subject, {0.001, std::chrono::milliseconds(100)},
                               Subject::Cost::own);
    EXPECT_FALSE(k.subject.spent());
    k.subject.run(of({f32(1)}));
    EXPECT_TRUE(k.subject.spent());
    EXPECT_EQ(k.subject.ends(), 1);
    // Nothing is run that might end it.
    const Subject::Line line = k.subject.line(f32(1), 4, 0);
    EXPECT_EQ(line.missing, std::vector<bool>(4, true));
    EXPECT_EQ(k.subject.ends(), 1);
  }
  EXPECT_FALSE(k.subject.spent());
}

TEST(Subject, RestartsAfterARefusedCall) {
  Fake k("sigmoid");
  k.session.behaviour = [](Call&) { return Outcome{Kind::failed, "status 3"}; };
  k.subject.run(of({f32(1)}));
  EXPECT_EQ(k.session.restarts, 1u) << "what it allocated would spoil the next calls";
  k.session.behaviour = [](Call&) { return crash(); };
  k.subject.run(of({f32(1)}));
  EXPECT_EQ(k.session.restarts, 1u) << "its process has ended";
}

TEST(Subject, FindsTheElementsOfALineThatEndTheWorker) {
  Fake k("sigmoid");
  const Bits first = f32(1), bad = first + 11;
  crash_at(k, [&](Bits z) { return z == bad; });
  const Subject::Line line = k.subject.line(first, 32, 0);
  ASSERT_EQ(line.missing.size(), 32u);
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_EQ(line.missing[i], first + i == bad) << i;
    if (first + i == bad) continue;
    Bits got = 0;
    std::memcpy(&got, line.packed.data() + 4 * i, 4);
    EXPECT_EQ(got, final_judge(k.op, kF32, first + i, 0).rounded) << i;
  }
  EXPECT_TRUE(k.subject.avoided(bad, 0));
  EXPECT_EQ(k.subject.ends(), 6) << "by halves: 32, 16, 8, 4, 2, 1";
  const std::size_t calls = k.session.calls.size();
  k.subject.line(first, 32, 0);
  EXPECT_EQ(k.subject.ends(), 6) << "from then on it is left out";
  EXPECT_EQ(k.session.calls.size(), calls + 5);
  // Left of 0 encodings rise where numbers fall.
  k.subject.avoid(f32(-1) + 3, 0);
  EXPECT_EQ(k.subject.line(f32(-1), 8, 0).missing,
            (std::vector<bool>{false, false, false, true, false, false, false, false}));
}

TEST(Subject, LosesLinesThatAreNotWritten) {
  Fake k("sigmoid");
  k.session.behaviour = [](Call& c) {
    Outcome o;
    if (c.z.size() > 1) o.facts = {{"batch.not_written", "not written"}};
    return o;
  };
  EXPECT_EQ(k.subject.line(f32(1), 4, 0).missing, std::vector<bool>(4, true));
  EXPECT_EQ(k.session.calls.size(), 1u);
  EXPECT_EQ(k.subject.ends(), 0);
  EXPECT_TRUE(k.subject.line(f32(1), 1, 0).missing.empty());
}

TEST(Subject, WaitsForAHangOnce) {
  Fake k("sigmoid");
  std::vector<std::int64_t> deadlines;
  k.session.behaviour = [&](Call& c) {
    deadlines.push_back(k.session.deadline().count());
    return c.z[0] <= f32(1) && c.z.back() >= f32(1) ? Outcome{Kind::hung, "hung"} : Outcome();
  };
  const Subject::Limit limit(k.subject, {50, std::chrono::milliseconds(1000)}, Subject::Cost::own);
  k.subject.line(f32(1), 2, 0);
  // 3000: the first of a process; then the halves, each with little, and three times as much behind
  // an end.
  EXPECT_EQ(deadlines, (std::vector<std::int64_t>{3000, 300, 300}));
  deadlines.clear();
  k.subject.line(f32(2), 2, 0);
  EXPECT_EQ(deadlines, std::vector<std::int64_t>{1000}) << "others have the old one";
}

TEST(Subject, WithoutGuardsRunsInTheBuffersOfSweeps) {
  Fake k("sigmoid");
  k.subject.drop_guards();
  Trial plain = of({f32(1)});
  plain.stage.edge = Stage::Edge::start;
  plain.stage.out_fill = 1;
  k.subject.run(plain);
  EXPECT_FALSE(k.session.calls.back().staged);
  // What asks for more of the stage has it, where reading does no harm.
  Trial offset = of({f32(1)});
  offset.stage.edge = Stage::Edge::start;
  offset.stage.z_offset = 4;
  k.subject.run(offset);
  EXPECT_TRUE(k.session.calls.back().staged);
  EXPECT_TRUE(k.session.calls.back().stage.readable);
  EXPECT_EQ(k.session.calls.back().stage.z_offset, 4u);
  k.subject.run(of({}));
  EXPECT_TRUE(k.session.calls.back().staged) << "an empty batch has buffers of its own";
  EXPECT_FALSE(k.session.calls.back().stage.readable);
}

TEST(Subject, TellsOfEndingsToAnother) {
  Fake k("sigmoid"), other("sigmoid");
  k.subject.avoid(f32(3), 0);
  k.subject.avoid_length(7);
  k.subject.call_unstable();
  other.subject.know(k.subject.endings());
  EXPECT_TRUE(other.subject.avoided(f32(3), 0));
  EXPECT_TRUE(other.subject.unstable());
  EXPECT_EQ(other.subject.avoiding(of(std::vector<Bits>(9, f32(1))))->z.size(), 6u);
}

}  // namespace
}  // namespace ulpaudit
