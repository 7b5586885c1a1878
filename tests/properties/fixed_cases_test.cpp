// The trials that every kernel is run in hold each length, offset, fill and mode that they promise.
// SPDX-License-Identifier: Apache-2.0
#include "properties/fixed_cases.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fake_session.hpp"

namespace ulpaudit {
namespace {

using test::Fake;
constexpr Dtype kF32 = Dtype::f32;

template <class F>
std::vector<Trial> those(const std::vector<Trial>& all, F&& wanted) {
  std::vector<Trial> out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out), wanted);
  return out;
}
std::set<std::size_t> lengths_of(const std::vector<Trial>& trials) {
  std::set<std::size_t> out;
  for (const Trial& t : trials) out.insert(t.z.size());
  return out;
}
bool plain(const Trial& t) { return t.stage == Stage() && !t.fresh && !t.unguarded; }

Lengths up_to(std::uint64_t longest, int in_each = 2, bool huge = false) {
  Lengths l;
  l.longest = longest;
  l.in_each_octave = in_each;
  l.past_31_bits = huge;
  return l;
}

TEST(FixedCases, EveryShortLengthAndTheBordersOfPowersOfTwo) {
  Fake k("bce_with_logits");
  const auto all = fixed_cases(k.subject, 1, {});
  const auto many = those(all, plain);
  const auto at_start = those(all, [](const Trial& t) {
    Stage s;
    s.edge = Stage::Edge::start;
    return t.stage == s && !t.fresh;
  });
  for (const auto& trials : {many, at_start}) {
    const std::set<std::size_t> lengths = lengths_of(trials);
    for (std::size_t n = 1; n <= 49; ++n) EXPECT_EQ(lengths.count(n), 1u) << n;
    for (const std::size_t n : {63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 1023, 1025, 4099})
      EXPECT_EQ(lengths.count(n), 1u) << n;
  }
  EXPECT_EQ(lengths_of(many).count(0), 1u) << "the empty batch";
  // One value in all elements, at each length.
  const auto uniform = those(many, [](const Trial& t) {
    return t.z.size() > 8 && std::set<Bits>(t.z.begin(), t.z.end()).size() == 1 &&
           std::set<Bits>(t.y.begin(), t.y.end()).size() == 1;
  });
  for (std::size_t n = 9; n <= 49; ++n) EXPECT_EQ(lengths_of(uniform).count(n), 1u) << n;
  for (const Trial& t : all) ASSERT_EQ(t.y.size(), t.z.size());
  // Many values: a small pool, in another order each time.
  std::set<Bits> pool;
  for (const Trial& t : all) pool.insert(t.z.begin(), t.z.end());
  EXPECT_GT(pool.size(), 60u);
  EXPECT_LE(pool.size(), 160u);
  for (const Bits z : {Bits{0}, format(kF32).infinity(), format(kF32).min_normal()})
    EXPECT_EQ(pool.count(z), 1u) << z;
}

TEST(FixedCases, EveryOffsetOfEachBuffer) {
  for (const char* op : {"sigmoid", "bce_with_logits"})
    for (const Dtype d : {Dtype::f16, kF32, Dtype::f64}) {
      Fake k(op, d);
      const auto size = static_cast<std::uint32_t>(format(d).bytes());
      const auto all = fixed_cases(k.subject, 1, {});
      std::set<std::uint32_t> z, y, out, together;
      for (const Trial& t : all) {
        const Stage& s = t.stage;
        if (s.z_offset == 0 && s.y_offset == 0 && s.out_offset == 0) continue;
        EXPECT_TRUE(s.z_offset == s.out_offset || t.z.size() > 64) << "vectors and a tail";
        EXPECT_EQ(s.edge, Stage::Edge::start);
        for (const std::uint32_t offset : {s.z_offset, s.y_offset, s.out_offset})
          EXPECT_EQ(offset % size, 0u) << "aligned to the element";
        if (s.y_offset == 0 && s.out_offset == 0) z.insert(s.z_offset);
        if (s.z_offset == 0 && s.out_offset == 0) y.insert(s.y_offset);
        if (s.z_offset == 0 && s.y_offset == 0) out.insert(s.out_offset);
        if (s.z_offset == s.y_offset && s.z_offset == s.out_offset) together.insert(s.z_offset);
      }
      std::set<std::uint32_t> line;
      for (std::uint32_t offset = size; offset < 64; offset += size) line.insert(offset);
      EXPECT_EQ(z, line) << op << name(d);
      EXPECT_EQ(out, line) << op << name(d);
      EXPECT_EQ(y, k.subject.two_arguments() ? line : std::set<std::uint32_t>()) << op << name(d);
      EXPECT_EQ(together,
                (std::set<std::uint32_t>{size, 2 * size, 3 * size, 5 * size, 7 * size, 15 * size}));
    }
}

TEST(FixedCases, ReadableMemoryAtBothEnds) {
  Fake k("sigmoid");
  const auto all = fixed_cases(k.subject, 1, {});
  for (const auto edge : {Stage::Edge::start, Stage::Edge::end})
    EXPECT_EQ(lengths_of(those(
                  all, [&](const Trial& t) { return t.stage.readable && t.stage.edge == edge; })),
              (std::set<std::size_t>{1, 2, 3, 5, 8, 13, 16, 17, 37, 64, 100}));
}

TEST(FixedCases, ProcessesFlagsFillsAndThreads) {
  Fake k("bce_with_logits");
  const auto all = fixed_cases(k.subject, 1, {});
  const auto process = those(all, [](const Trial& t) { return t.stage.process && !t.fresh; });
  EXPECT_EQ(lengths_of(process), (std::set<std::size_t>{1, 37, 300}));
  EXPECT_GE(std::count_if(process.begin(), process.end(),
                          [](const Trial& t) {
                            return std::all_of(t.z.begin(), t.z.end(),
                                               [](Bits z) { return is_finite(kF32, z); }) &&
                                   std::all_of(t.y.begin(), t.y.end(),
                                               [](Bits y) { return is_finite(kF32, y); });
                          }),
            3)
      << "with finite inputs alone, for flags";
  EXPECT_EQ(lengths_of(those(all, [](const Trial& t) { return t.stage.flags_up; })),
            (std::set<std::size_t>{1, 37, 300}));
  std::set<int> fills;
  std::set<std::size_t> lengths;
  for (const Trial& t : all)
    if (t.stage.stack_fill != 0 || t.stage.out_fill != Stage().out_fill) {
      EXPECT_EQ(t.stage.stack_fill, 0xff - t.stage.out_fill);
      fills.insert(t.stage.out_fill);
      lengths.insert(t.z.size());
    }
  EXPECT_EQ(lengths, (std::set<std::size_t>{1, 37, 200})) << "less than a vector, and many";
  EXPECT_EQ(fills, (std::set<int>{0x00, 0x3f, 0x5a, 0xff}));
  // First, since it is: the first call of a process, from several threads, and what it leaves.
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(all[i].fresh);
    EXPECT_EQ(all[i].stage.threads, 4u);
    EXPECT_EQ(all[i].z.size(), 64u);
  }
  EXPECT_TRUE(all[3].fresh && all[3].stage.process);
  const auto threads = those(all, [](const Trial& t) { return t.stage.threads > 1 && !t.fresh; });
  ASSERT_EQ(threads.size(), 1u);
  EXPECT_EQ(threads[0].stage.repeats, 40u);
}

TEST(FixedCases, WhatTheContractSpeaksOf) {
  const auto count = [](Fake& k, auto wanted) {
    return those(fixed_cases(k.subject, 1, {}), wanted).size();
  };
  const auto in_place = [](const Trial& t) { return t.stage.in_place; };
  const auto in_place_y = [](const Trial& t) { return t.stage.in_place_y; };
  const auto flush = [](const Trial& t) { return t.stage.flush; };
  const auto turned = [](const Trial& t) { return t.stage.rounding != Stage::Rounding::nearest; };
  Fake k("bce_with_logits"), unary("sigmoid");
  EXPECT_EQ(count(k, in_place) + count(k, in_place_y) + count(k, flush) + count(k, turned), 0u);
  k.contract.in_place = unary.contract.in_place = {"z"};
  EXPECT_EQ(count(k, in_place), 6u);
  EXPECT_EQ(count(k, in_place_y), 0u);
  k.contract.in_place = unary.contract.in_place = {"y"};
  EXPECT_EQ(count(k, in_place), 0u);
  EXPECT_EQ(count(k, in_place_y), 6u);
  EXPECT_EQ(count(unary, in_place_y), 0u) << "there is no y";
  k.contract.in_place = {};
  k.session.plugin().kernels[0].in_place = true;
  EXPECT_EQ(lengths_of(those(fixed_cases(k.subject, 1, {}), in_place)),
            (std::set<std::size_t>{1, 5, 16, 37, 200, 5000}));
  k.contract.under_ftz = true;
  EXPECT_EQ(lengths_of(those(fixed_cases(k.subject, 1, {}), flush)),
            (std::set<std::size_t>{1, 37, 200}));
  EXPECT_EQ(count(k, turned), 0u);
  k.contract.any_rounding = true;
  EXPECT_EQ(count(k, turned), 9u);
  for (const auto mode : {Stage::Rounding::up, Stage::Rounding::down, Stage::Rounding::zero})
    EXPECT_EQ(lengths_of(those(fixed_cases(k.subject, 1, {}),
                               [&](const Trial& t) { return t.stage.rounding == mode; })),
              (std::set<std::size_t>{1, 37, 200}));
}

TEST(FixedCases, LongBatchesOfEveryScale) {
  Fake k("sigmoid");
  const auto tiles = [&](const Lengths& scale) {
    std::vector<std::uint64_t> out;
    for (const Trial& t : fixed_cases(k.subject, 3, scale))
      if (t.stage.tile != 0) {
        EXPECT_EQ(t.z.size(), 61u) << "prime to all vector widths";
        out.push_back(t.stage.tile);
      }
    return out;
  };
  const auto some = tiles(up_to(std::uint64_t{1} << 22, 3));
  ASSERT_EQ(some.size(), 9u * 5);
  for (std::size_t octave = 0; octave < 9; ++octave) {
    const std::uint64_t first = std::uint64_t{1} << (13 + octave);
    EXPECT_EQ(some[5 * octave], first - 1);
    EXPECT_EQ(some[5 * octave + 1], first);
    EXPECT_GE(some[5 * octave + 2], first + 3) << "near the power of two";
    EXPECT_LT(some[5 * octave + 2], first + 32);
    EXPECT_EQ(some[5 * octave + 2] % 2, 1u);
    for (std::size_t i = 3; i < 5; ++i) {
      EXPECT_GE(some[5 * octave + i], first + first / 8);
      EXPECT_LT(some[5 * octave + i], 2 * first);
    }
  }
  const auto most = tiles(up_to(std::uint64_t{1} << 24, 1));
  EXPECT_EQ(std::count(most.begin(), most.end(), std::uint64_t{1} << 22), 0)
      << "no more exact ones";
  EXPECT_GT(most.back(), std::uint64_t{1} << 24) << "which no float counts";
  EXPECT_TRUE(tiles(up_to(std::uint64_t{1} << 13)).empty());
  EXPECT_EQ(tiles(up_to((std::uint64_t{1} << 13) + 1, 1)).size(), 3u);
  EXPECT_EQ(tiles(up_to(0, 1, true)), std::vector<std::uint64_t>{(std::uint64_t{1} << 29) + 17})
      << "past 2^31 bytes";
  Fake half("sigmoid", Dtype::f16), wide("sigmoid", Dtype::f64);
  EXPECT_EQ(fixed_cases(half.subject, 3, up_to(0, 1, true)).back().stage.tile,
            (std::uint64_t{1} << 31) + 17)
      << "in 16 bits past 2^31 elements";
  EXPECT_EQ(fixed_cases(wide.subject, 3, up_to(0, 1, true)).back().stage.tile,
            (std::uint64_t{1} << 28) + 17);
}

TEST(FixedCases, LongBatchesLeaveEveryTail) {
  Fake k("sigmoid");
  std::set<std::uint64_t> tails;
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    for (const Trial& t : fixed_cases(k.subject, seed, up_to(std::uint64_t{1} << 22, 1)))
      if (t.stage.tile != 0) tails.insert(t.stage.tile & ((std::uint64_t{1} << 13) - 1));
  std::set<std::uint64_t> odd = {0, (std::uint64_t{1} << 13) - 1};
  for (std::uint64_t n = 3; n < 31; n += 2) odd.insert(n);
  EXPECT_EQ(tails, odd) << "the power of two, the number below it, odd ones behind it";
}

TEST(FixedCases, TheSeedDecides) {
  Fake k("sigmoid");
  const auto one = fixed_cases(k.subject, 1, {}), again = fixed_cases(k.subject, 1, {}),
             other = fixed_cases(k.subject, 2, {});
  EXPECT_TRUE(one == again);
  EXPECT_FALSE(one == other);
}

TEST(ChanceCases, AreTheSameCallInAFreshProcess) {
  Fake k("sigmoid");
  const auto all = chance_cases(k.subject, 1);
  ASSERT_EQ(all.size(), 8u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(all[i].fresh);
    EXPECT_EQ(all[i].stage.threads, 1u);
    EXPECT_EQ(all[i].stage.repeats, i < 6 ? 40u : 2500u);
    EXPECT_EQ(all[i].z.size(), i < 7 ? 1u : 37u);
  }
}

}  // namespace
}  // namespace ulpaudit
