// Trials as text: what is written, what is read, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "properties/trial.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "each_dtype.hpp"

namespace ulpaudit {
namespace {

constexpr Dtype kF32 = Dtype::f32;
Bits f32(double v) { return encode(kF32, v); }

Trial one() {
  Trial t;
  t.z = {f32(1)};
  return t;
}
/// A trial of one element, changed.
template <class F>
Trial with(F&& change) {
  Trial t = one();
  change(t);
  return t;
}

TEST(TrialText, IsWordByWordWhatDiffersFromAPlainCall) {
  const auto word = [](auto change, const std::string& text) {
    const Trial t = with(change);
    EXPECT_EQ(to_text(kF32, t), text.empty() ? "z=0x3f800000" : "z=0x3f800000 " + text);
    EXPECT_TRUE(parse_trial(kF32, to_text(kF32, t)) == t) << text;
  };
  word([](Trial&) {}, "");
  word([](Trial& t) { t.stage.edge = Stage::Edge::start; }, "edge=start");
  word([](Trial& t) { t.stage.z_offset = 1; }, "z_offset=1");
  word([](Trial& t) { t.stage.y_offset = 4095; }, "y_offset=4095");
  word([](Trial& t) { t.stage.out_offset = 4; }, "out_offset=4");
  word([](Trial& t) { t.stage.readable = true; }, "readable");
  word([](Trial& t) { t.stage.in_place = true; }, "in_place");
  word([](Trial& t) { t.stage.out_fill = 0; }, "fill=0x00");
  word([](Trial& t) { t.stage.stack_fill = 255; }, "stack=0xff");
  word([](Trial& t) { t.stage.rounding = Stage::Rounding::up; }, "rounding=up");
  word([](Trial& t) { t.stage.rounding = Stage::Rounding::down; }, "rounding=down");
  word([](Trial& t) { t.stage.rounding = Stage::Rounding::zero; }, "rounding=zero");
  word([](Trial& t) { t.stage.flush = true; }, "flush");
  word([](Trial& t) { t.stage.flags_up = true; }, "flags_up");
  word([](Trial& t) { t.stage.process = true; }, "process");
  word([](Trial& t) { t.stage.threads = 64; }, "threads=64");
  word([](Trial& t) { t.stage.repeats = 100000000; }, "repeats=100000000");
  word([](Trial& t) { t.stage.tile = std::uint64_t{1} << 40; }, "tile=1099511627776");
  word([](Trial& t) { t.fresh = true; }, "fresh");
  word([](Trial& t) { t.unguarded = true; }, "unguarded");
  word(
      [](Trial& t) {
        t.y = {0};
        t.stage.in_place_y = true;
      },
      "y=0x00000000 in_place_y");
  EXPECT_TRUE(parse_trial(kF32, "z=1 edge=end rounding=nearest") == one());
}

TEST(TrialText, EqualElementsAreCountedAndNeighboursNamedByTheirEnds) {
  const auto text = [](std::vector<Bits> z) {
    Trial t;
    t.z = std::move(z);
    const std::string out = to_text(kF32, t);
    EXPECT_EQ(parse_trial(kF32, out).z, t.z) << out;
    return out;
  };
  const Bits a = f32(1), b = f32(2);
  EXPECT_EQ(text({a, a}), "z=0x3f800000*2");
  EXPECT_EQ(text({a, a, b, a}), "z=0x3f800000*2,0x40000000,0x3f800000");
  EXPECT_EQ(text({a, a + 1, a + 2}), "z=0x3f800000,0x3f800001,0x3f800002");
  EXPECT_EQ(text({a, a + 1, a + 2, a + 3}), "z=0x3f800000..0x3f800003");
  EXPECT_EQ(text({b, a, a + 1, a + 2, a + 3, a + 3}),
            "z=0x40000000,0x3f800000..0x3f800003,0x3f800003");
  EXPECT_EQ(text({a + 3, a + 2, a + 1, a}).find(".."), std::string::npos) << "they fall";
  // In the order of numbers: from -2^-149 over both zeros to 2^-149.
  EXPECT_EQ(text({0x80000001, 0x80000000, 0, 1}), "z=0x80000001..0x00000001");
  const Trial read = parse_trial(kF32, "z=-1,2*3,0x3f800000..0x3f800002 y=0.5");
  EXPECT_EQ(read.z, (std::vector<Bits>{f32(-1), b, b, b, a, a + 1, a + 2}));
  EXPECT_EQ(read.y, std::vector<Bits>(7, f32(0.5))) << "one label for all";
  EXPECT_EQ(parse_trial(kF32, "z=1..1").z.size(), 1u);
}

void refused(const std::string& text, const std::string& words) {
  try {
    parse_trial(kF32, text);
    ADD_FAILURE() << text << " was accepted";
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << text << ": " << e.what();
  }
}

TEST(TrialText, RefusesWhatCannotBe) {
  refused("z=1 in_place in_place_y", "in_place and in_place_y at once");
  refused("z=1 in_place_y", "in_place_y without y");
  refused("z=1 unguarded fill=1", "unguarded with words about guarded buffers");
  refused("z=1,2 y=0,0,0", "2 logits and 3 labels");
  refused("z=1 y=0,0", "1 logits and 2 labels");
  refused("z=0x40000000..0x3f800000", "falls");
  refused("z=1*262145", "no number up to 262144");
  refused("z=1*262144,1", "has too many elements");
  refused("z=0x00000000..0x00040000", "has too many elements");
  refused("z=1*262143,0x3f800000..0x3f800001", "has too many elements");
  refused("z_offset=4096", "no number up to 4095");
  refused("threads=65", "no number up to 64");
  refused("repeats=100000001", "no number up to 100000000");
  refused("tile=1099511627777", "no number up to 1099511627776");
  refused("fill=0x100", "no number up to 255");
  refused("fill=", "no number");
  refused("fill=12x", "no number");
  refused("rounding=sideways", "unknown 'rounding=sideways'");
  refused("rounding=", "unknown");
  refused("slow", "unknown 'slow'");
  refused("flush=1", "unknown 'flush=1'");
  EXPECT_EQ(parse_trial(kF32, "z=1*262144").z.size(), 262144u);
  EXPECT_EQ(parse_trial(kF32, "z=0x00000000..0x0003ffff").z.size(), 262144u);
  EXPECT_EQ(parse_trial(kF32, "fill=0xff").stage.out_fill, 255);
  EXPECT_EQ(parse_trial(kF32, "fill=17").stage.out_fill, 17);
  EXPECT_TRUE(parse_trial(kF32, "").z.empty());
}

TEST(TrialWords, SayTheSetting) {
  EXPECT_EQ(in_words(one()), "1 element");
  EXPECT_EQ(in_words(Trial()), "0 elements");
  Trial t = one();
  t.z.resize(17);
  EXPECT_EQ(in_words(t), "17 elements");
  t.stage.tile = 70000;
  EXPECT_EQ(in_words(t), "70000 elements");
  const auto words = [](auto change, const std::string& more) {
    EXPECT_EQ(in_words(with(change)), "1 element" + more);
  };
  words([](Trial& x) { x.stage.z_offset = 4; }, ", z 4 bytes off");
  words([](Trial& x) { x.stage.y_offset = 8; }, ", y 8 bytes off");
  words([](Trial& x) { x.stage.out_offset = 12; }, ", out 12 bytes off");
  words([](Trial& x) { x.stage.in_place = true; }, ", in place");
  words([](Trial& x) { x.stage.in_place_y = true; }, ", in place of y");
  words([](Trial& x) { x.stage.rounding = Stage::Rounding::zero; }, ", rounding zero");
  words([](Trial& x) { x.stage.flush = true; }, ", FTZ and DAZ on");
  words([](Trial& x) { x.stage.threads = 4; }, ", 4 threads");
  words([](Trial& x) { x.stage.repeats = 40; }, ", 40 calls");
  words([](Trial& x) { x.fresh = true; }, ", first call of the process");
}

}  // namespace
}  // namespace ulpaudit
