// Generators reach what kernels trip over; shrinking ends and only makes simpler; trials keep their
// text.
#include "properties/generators.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/Random.h>
#include <rapidcheck/gtest.h>

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
