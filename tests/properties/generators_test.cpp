// Generators reach what kernels trip over; shrinking ends and only makes simpler; trials keep their
// text.
// SPDX-License-Identifier: Apache-2.0
#include "properties/generators.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/Random.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "each_dtype.hpp"
#include "names.hpp"

namespace ulpaudit {
namespace {

ULPAUDIT_EACH_DTYPE(Generators);
constexpr int kSize = 100;

int set_bits(Dtype d, Bits b) {
  int n = 0;
  for (Bits m = b & ((Bits{1} << format(d).mantissa_bits()) - 1); m != 0; m &= m - 1) ++n;
  return n;
}

TEST_P(Generators, ReachEveryKindOfNumber) {
  for (const char* op : {"sigmoid", "bce_with_logits"}) {
    const Alphabet a = alphabet(test::op(op), d);
    rc::Random random(11);
    const auto z = logits(a), y = labels(a);
    std::set<std::string> seen;
    std::set<Bits> nans;
    for (int i = 0; i < 3000; ++i) {
      const Bits b = z(random.split(), kSize).value();
      ASSERT_EQ(b & ~format(d).mask(), 0u);
      if (is_nan(d, b)) nans.insert(b);
      if (is_infinite(d, b)) seen.insert(is_negative(d, b) ? "-inf" : "inf");
      if (is_zero(d, b)) seen.insert(is_negative(d, b) ? "-0" : "0");
      if (is_subnormal(d, b)) seen.insert("subnormal");
      if (is_finite(d, b) && !is_zero(d, b) && set_bits(d, b) == 0) seen.insert("power of two");
      if (std::find(a.landmarks.begin(), a.landmarks.end(), b) != a.landmarks.end())
        seen.insert("landmark");
      const Bits l = y(random.split(), kSize).value();
      ASSERT_TRUE(in_domain(a.op, d, l)) << l;
      if (is_nan(d, l)) seen.insert("NaN label");
    }
    EXPECT_GT(nans.size(), 4u) << "payloads of both kinds and signs";
    for (const char* kind : {"-inf", "inf", "-0", "0", "subnormal", "power of two", "landmark"})
      EXPECT_EQ(seen.count(kind), 1u) << kind;
    EXPECT_EQ(seen.count("NaN label"), info(a.op).arity == 2 ? 1u : 0u);
  }
}

/// Within 8 numbers of a landmark, on both sides.
TEST(Logits, ReachBothSidesOfLandmarks) {
  constexpr Dtype kF32 = Dtype::f32;
  const Alphabet a = alphabet(test::op("sigmoid"), kF32);
  std::set<std::uint64_t> at;
  for (const Bits z : a.landmarks) at.insert(ordinal(kF32, z));
  rc::Random random(2);
  const auto z = logits(a);
  std::map<std::int64_t, int> offsets;  // from the nearest landmark
  for (int i = 0; i < 20000; ++i) {
    const Bits b = z(random.split(), kSize).value();
    if (is_nan(kF32, b)) continue;
    const std::uint64_t o = ordinal(kF32, b);
    const auto above = at.lower_bound(o);
    std::int64_t off = 1 << 30;
    if (above != at.end()) off = static_cast<std::int64_t>(o - *above);
    if (above != at.begin() && static_cast<std::int64_t>(o - *std::prev(above)) < -off)
      off = static_cast<std::int64_t>(o - *std::prev(above));
    ++offsets[off];
  }
  for (std::int64_t off = -8; off <= 8; ++off) EXPECT_GT(offsets[off], 40) << off;
  EXPECT_LT(offsets[9], 20);
  EXPECT_LT(offsets[-9], 20);
}

TEST_P(Generators, SimplerPatternsAreSimpler) {
  const Alphabet a = alphabet(test::op("sigmoid"), d);
  rc::Random random(5);
  const auto z = logits(a);
  for (int i = 0; i < 500; ++i) {
    const Bits b = z(random.split(), kSize).value();
    for (Bits s : simpler(a, b)) {
      ASSERT_NE(s, b);
      ASSERT_LE(set_bits(d, s), set_bits(d, b));
      ASSERT_EQ(is_nan(d, s), is_nan(d, b));
    }
  }
}

/// Whatever fails stays failing: the walk ends at a pattern without simpler ones.
TEST_P(Generators, ShrinkingEnds) {
  const Alphabet a = alphabet(test::op("bce_with_logits"), d);
  rc::Random random(9);
  const auto gen = batches(a, 40);
  for (int i = 0; i < 20; ++i) {
    Trial t = gen(random.split(), kSize).value();
    t.stage.repeats = 900;
    t.stage.threads = 4;
    t.stage.z_offset = 8;
    t.stage.tile = 70000;
    int steps = 0;
    for (auto next = simpler(a, t); !next.empty(); next = simpler(a, t)) {
      t = next.front();
      ASSERT_LT(++steps, 5000) << to_text(d, t);
    }
    EXPECT_EQ(t.z.size(), 1u);
    EXPECT_EQ(t.y.size(), 1u);
    EXPECT_EQ(to_text(d, t).find("repeats"), std::string::npos);
  }
}

TEST_P(Generators, TheAlphabetHoldsLandmarksOfAllLabels) {
  const OpId op = test::op("bce_with_logits");
  const Alphabet a = alphabet(op, d);
  EXPECT_EQ(a.labels, default_labels(op, d));
  EXPECT_TRUE(std::is_sorted(a.landmarks.begin(), a.landmarks.end()));
  EXPECT_EQ(std::adjacent_find(a.landmarks.begin(), a.landmarks.end()), a.landmarks.end());
  for (const Bits y : a.labels)
    for (const Bits z : landmarks(op, d, y))
      EXPECT_TRUE(std::binary_search(a.landmarks.begin(), a.landmarks.end(), z)) << z;
  EXPECT_EQ(alphabet(test::op("sigmoid"), d).labels, std::vector<Bits>{0});
}

TEST_P(Generators, GiveChosenInputsAlone) {
  const OpId op = test::op("bce_with_logits");
  Admitted chosen;
  chosen.range = {ordinal(d, encode(d, -2.0)), ordinal(d, encode(d, 3.0))};
  chosen.labels = {encode(d, 0.25), encode(d, 0.75)};
  EXPECT_TRUE(chosen.z(d, encode(d, -2.0)));
  EXPECT_TRUE(chosen.z(d, encode(d, 3.0)));
  EXPECT_FALSE(chosen.z(d, encode(d, -2.0) + 1)) << "below";
  EXPECT_FALSE(chosen.z(d, encode(d, 3.0) + 1)) << "above";
  EXPECT_FALSE(chosen.z(d, format(d).quiet_nan()));
  EXPECT_TRUE(Admitted().z(d, format(d).quiet_nan()));
  EXPECT_TRUE(chosen.y(encode(d, 0.75)));
  EXPECT_FALSE(chosen.y(encode(d, 0.5)));
  EXPECT_TRUE(Admitted().y(encode(d, 0.5)));
  const Alphabet a = alphabet(op, d, chosen);
  EXPECT_EQ(a.labels, chosen.labels);
  for (const Bits z : a.landmarks) EXPECT_TRUE(chosen.z(d, z));
  // The ends of the range and its middle are landmarks of it.
  const auto [first, last] = *chosen.range;
  for (const std::uint64_t o : {first, first + (last - first) / 2, last})
    EXPECT_NE(std::find(a.landmarks.begin(), a.landmarks.end(), from_ordinal(d, o)),
              a.landmarks.end());
  rc::Random random(4);
  const auto gen = batches(a, 5);
  std::set<Bits> ys, zs;
  std::set<std::size_t> lengths;
  for (int i = 0; i < 500; ++i) {
    const Trial t = gen(random.split(), kSize).value();
    lengths.insert(t.z.size());
    for (const Bits z : t.z) ASSERT_TRUE(chosen.z(d, z)) << z;
    zs.insert(t.z.begin(), t.z.end());
    ys.insert(t.y.begin(), t.y.end());
    for (const Bits z : t.z)
      for (const Bits s : simpler(a, z)) ASSERT_TRUE(chosen.z(d, s));
  }
  EXPECT_EQ(ys, std::set<Bits>(chosen.labels.begin(), chosen.labels.end()));
  EXPECT_GT(zs.size(), 100u);
  EXPECT_EQ(lengths, (std::set<std::size_t>{1, 2, 3, 4, 5}));
  // A range of one number.
  chosen.range = {first, first};
  const Alphabet single = alphabet(op, d, chosen);
  const auto z = logits(single);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(z(random.split(), kSize).value(), encode(d, -2.0));
}

TEST_P(Generators, LabelsLieInTheDomain) {
  const Alphabet a = alphabet(test::op("bce_with_logits"), d);
  rc::Random random(8);
  const auto y = labels(a);
  std::set<Bits> defaults, others;
  for (int i = 0; i < 2000; ++i) {
    const Bits b = y(random.split(), kSize).value();
    if (is_nan(d, b)) continue;
    ASSERT_LE(decode(d, b), 1);
    ASSERT_GE(decode(d, b), 0);
    const bool known = std::find(a.labels.begin(), a.labels.end(), b) != a.labels.end();
    (known ? defaults : others).insert(b);
  }
  EXPECT_EQ(defaults.size(), a.labels.size());
  EXPECT_GT(others.size(), 200u);
}

/// Each simpler trial differs in one thing, and that thing is plainer.
TEST(SimplerTrials, EachWordOfTheStageIsDropped) {
  constexpr Dtype kF32 = Dtype::f32;
  const Alphabet a = alphabet(test::op("bce_with_logits"), kF32);
  const auto drops = [&](auto change, auto plainer) {
    Trial t;
    t.z = {0};
    t.y = {0};
    Trial want = t;
    change(t);
    plainer(want);
    const auto found = simpler(a, t);
    EXPECT_NE(std::find(found.begin(), found.end(), want), found.end()) << to_text(kF32, t);
    EXPECT_EQ(std::find(found.begin(), found.end(), t), found.end()) << "strictly simpler";
  };
  const auto plain = [](Trial&) {};
  drops([](Trial& t) { t.stage.z_offset = 4; }, plain);
  drops([](Trial& t) { t.stage.y_offset = 4; }, plain);
  drops([](Trial& t) { t.stage.out_offset = 4; }, plain);
  drops([](Trial& t) { t.stage.in_place = true; }, plain);
  drops([](Trial& t) { t.stage.in_place_y = true; }, plain);
  drops([](Trial& t) { t.stage.readable = true; }, plain);
  drops([](Trial& t) { t.stage.out_fill = 1; }, plain);
  drops([](Trial& t) { t.stage.stack_fill = 1; }, plain);
  drops([](Trial& t) { t.stage.flags_up = true; }, plain);
  drops([](Trial& t) { t.stage.process = true; }, plain);
  drops([](Trial& t) { t.stage.edge = Stage::Edge::start; }, plain);
  drops([](Trial& t) { t.fresh = true; }, plain);
  drops([](Trial& t) { t.stage.threads = 2; }, plain);
  drops([](Trial& t) { t.stage.threads = 8; }, [](Trial& t) { t.stage.threads = 5; });
  drops([](Trial& t) { t.stage.repeats = 900; }, plain);
  for (const std::uint32_t fewer : {450u, 675u, 899u})
    drops([](Trial& t) { t.stage.repeats = 900; }, [&](Trial& t) { t.stage.repeats = fewer; });
  drops([](Trial& t) { t.stage.tile = 64; }, plain);
  for (const std::uint64_t fewer : {32u, 48u, 63u})
    drops([](Trial& t) { t.stage.tile = 64; }, [&](Trial& t) { t.stage.tile = fewer; });
  EXPECT_TRUE(simpler(a, Trial()).empty());
}

TEST(SimplerTrials, HavePiecesOfTheElements) {
  constexpr Dtype kF32 = Dtype::f32;
  const Alphabet a = alphabet(test::op("bce_with_logits"), kF32);
  Trial t;
  for (std::uint64_t i = 0; i < 8; ++i) {
    t.z.push_back(encode(kF32, std::ldexp(1.0, static_cast<int>(i))));
    t.y.push_back(i);
  }
  const auto found = simpler(a, t);
  const auto has = [&](std::vector<Bits> y) {
    return std::any_of(found.begin(), found.end(), [&](const Trial& s) { return s.y == y; });
  };
  EXPECT_EQ(found.front().y, (std::vector<Bits>{0, 1, 2, 3})) << "halves come first";
  EXPECT_TRUE(has({4, 5, 6, 7}));
  EXPECT_TRUE(has({2, 3, 4, 5, 6, 7})) << "without a quarter";
  EXPECT_TRUE(has({0, 1, 2, 3, 4, 5}));
  for (std::size_t i = 0; i < 8; ++i) {
    std::vector<Bits> without = t.y;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(has(without)) << i;
  }
  for (const Trial& s : found) {
    ASSERT_EQ(s.z.size(), s.y.size());
    ASSERT_FALSE(s.z.empty());
  }
  // Long batches lose long pieces first.
  Trial longer;
  longer.z.assign(1024, t.z[0]);
  longer.y.assign(1024, 0);
  std::size_t shortest_piece = 1024;
  for (const Trial& s : simpler(a, longer))
    if (s.z.size() < 1024 && s.z.size() > 512)
      shortest_piece = std::min(shortest_piece, 1024 - s.z.size());
  EXPECT_EQ(shortest_piece, 16u);
  // All elements at once, where the first is simple.
  Trial mixed;
  mixed.z = {encode(kF32, 1), encode(kF32, 1.75), encode(kF32, 1.25)};
  mixed.y = {0, 0, 0};
  const auto of_mixed = simpler(a, mixed);
  Trial uniform = mixed;
  uniform.z.assign(3, mixed.z[0]);
  EXPECT_NE(std::find(of_mixed.begin(), of_mixed.end(), uniform), of_mixed.end());
  // A simpler label.
  Trial label;
  label.z = {encode(kF32, 1)};
  label.y = {encode(kF32, 0.3)};
  const auto of_label = simpler(a, label);
  EXPECT_TRUE(std::any_of(of_label.begin(), of_label.end(), [&](const Trial& s) {
    return s.z == label.z && s.y[0] == encode(kF32, 0.5);
  }));
}

TEST_P(Generators, SimplerPatternsComeInSteps) {
  const Alphabet a = alphabet(test::op("sigmoid"), d);
  const Bits all = encode(d, 1.0) | ((Bits{1} << format(d).mantissa_bits()) - 1);
  const auto found = simpler(a, all);
  EXPECT_EQ(found.front(), encode(d, 1.0)) << "without any mantissa bit first";
  for (int i = 0; i < format(d).mantissa_bits(); ++i)
    EXPECT_NE(std::find(found.begin(), found.end(), all & ~(Bits{1} << i)), found.end()) << i;
  EXPECT_NE(std::find(found.begin(), found.end(), Bits{0}), found.end()) << "a landmark";
  // A landmark is not replaced by others.
  for (const Bits s : simpler(a, encode(d, 1.0))) ADD_FAILURE() << s;
}

TEST_P(Generators, ASingleFaultyElementIsLeft) {
  const Alphabet a = alphabet(test::op("sigmoid"), d);
  rc::Random random(3);
  const auto gen = batches(a, 100);
  const auto fails = [&](const Trial& t) {
    return std::any_of(t.z.begin(), t.z.end(), [&](Bits z) { return is_nan(d, z); });
  };
  int tried = 0;
  for (int i = 0; i < 200 && tried < 20; ++i) {
    Trial t = gen(random.split(), kSize).value();
    if (!fails(t)) continue;
    ++tried;
    for (bool again = true; again;) {
      again = false;
      for (const Trial& s : simpler(a, t)) {
        if (!fails(s)) continue;
        t = s;
        again = true;
        break;
      }
    }
    EXPECT_EQ(t.z.size(), 1u) << to_text(d, t);
    EXPECT_EQ(set_bits(d, t.z[0]), 1) << to_text(d, t);
  }
  EXPECT_EQ(tried, 20);
}

TEST_P(Generators, TheTextOfATrialIsTheTrial) {
  const Alphabet a = alphabet(test::op("bce_with_logits_grad"), d);
  rc::Random random(21);
  const auto gen = batches(a, 30);
  for (int i = 0; i < 200; ++i) {
    Trial t = gen(random.split(), kSize).value();
    const std::uint64_t w = random.split().next();
    t.fresh = (w & 1) != 0;
    t.stage.in_place = (w & 2) != 0;
    t.stage.edge = (w & 4) != 0 ? Stage::Edge::start : Stage::Edge::end;
    t.stage.rounding = static_cast<Stage::Rounding>((w >> 3) & 3);
    t.stage.flush = (w & 32) != 0;
    t.stage.out_fill = static_cast<std::uint8_t>(w >> 8);
    t.stage.stack_fill = static_cast<std::uint8_t>(w >> 16);
    t.stage.z_offset = (w >> 24) & 4095;
    t.stage.y_offset = (w >> 36) & 4095;
    t.stage.threads = 1 + ((w >> 48) & 7);
    t.stage.repeats = 1 + ((w >> 51) & 1023);
    const std::string text = to_text(d, t);
    const Trial back = parse_trial(d, text);
    EXPECT_EQ(to_text(d, back), text);
    EXPECT_EQ(back.z, t.z);
    EXPECT_EQ(back.y, t.y);
  }
}

TEST(TrialText, SaysWhatIsWrong) {
  const auto refused = [](const std::string& text, const std::string& words) {
    try {
      parse_trial(Dtype::f32, text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const std::invalid_argument& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  };
  refused("z=0x3f800000 y=0,0,0", "1 logits and 3 labels");
  refused("z=0x3f800000*0x", "no number");
  refused("threads=65", "no number up to 64");
  refused("edge=middle", "unknown 'edge=middle'");
  refused("fill=256", "no number up to 255");
  EXPECT_EQ(parse_trial(Dtype::f32, "z=1*3 y=0.5").y.size(), 3u);
}

}  // namespace
}  // namespace ulpaudit
