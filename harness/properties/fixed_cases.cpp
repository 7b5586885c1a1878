// The trials that every kernel is run in: lengths of every scale, alignments, fills, threads, …
// SPDX-License-Identifier: Apache-2.0
#include "properties/fixed_cases.hpp"

#include <rapidcheck/Random.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "inputs/plan.hpp"

namespace ulpaudit {
namespace {

/// n inputs from a small pool in an order of its own for each n, so that each value comes at many
/// places beside many others, and few single elements have to be run.
class Pool {
 public:
  Pool(Subject& subject, std::uint64_t seed) : subject_(subject), seed_(seed) {
    const Alphabet& a = subject.letters();
    const rc::Gen<Trial> gen = batches(a, 1);
    rc::Random random(seed);
    constexpr int kSize = 96;
    for (int i = 0; i < kSize; ++i) add(gen(random.split(), 100).value());
    for (Bits z : a.landmarks)
      if (members_.size() < 160) add_plain(z);
  }
  Trial take(std::size_t n, bool finite = false) {
    Trial t;
    const auto plain = [&](const std::pair<Bits, Bits>& m) {
      return is_finite(subject_.dtype(), m.first) && is_finite(subject_.dtype(), m.second);
    };
    finite = finite && std::any_of(members_.begin(), members_.end(), plain);
    while (t.z.size() < n) {
      const auto& [z, y] = members_[random_word(seed_, word_++) % members_.size()];
      if (finite && !plain({z, y})) continue;
      t.z.push_back(z);
      if (subject_.two_arguments()) t.y.push_back(y);
    }
    return t;
  }
  /// By logits that are numbers.
  Trial sorted(std::size_t n, bool rising) {
    const Trial t = take(n, true);
    const Dtype d = subject_.dtype();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto at = [&](std::size_t i) { return ordinal(d, t.z[i]); };
      return rising ? at(a) < at(b) : at(a) > at(b);
    });
    Trial out;
    for (const std::size_t i : order) {
      out.z.push_back(t.z[i]);
      if (!t.y.empty()) out.y.push_back(t.y[i]);
    }
    return out;
  }
  Trial uniform(std::size_t n) {
    Trial t = take(1);
    t.z.assign(n, t.z[0]);
    if (!t.y.empty()) t.y.assign(n, t.y[0]);
    return t;
  }

 private:
  void add(const Trial& t) { members_.emplace_back(t.z[0], t.y.empty() ? 0 : t.y[0]); }
  void add_plain(Bits z) {
    const auto& labels = subject_.letters().labels;
    members_.emplace_back(z, labels[members_.size() % labels.size()]);
  }
  Subject& subject_;
  std::uint64_t seed_, word_ = 0;
  std::vector<std::pair<Bits, Bits>> members_;
};

constexpr std::size_t kWidest = 16;  ///< elements of the widest vector of f32 (AVX-512)
constexpr std::uint32_t kCacheLine = 64;
constexpr std::uint64_t kShortestLong = std::uint64_t{1} << 13;
constexpr std::uint64_t kExactPowers = std::uint64_t{1} << 21;
constexpr std::uint64_t kEndOfFloats = std::uint64_t{1} << 24;  ///< f32 has no odd number beyond

/// Lengths of each octave from 2^13 on: while they are short the power of two and the number below
/// it, an odd one a little beyond it, and others anywhere; then the one past 2^31 bytes, in 16 bits
/// past 2^31 elements.
std::vector<std::uint64_t> lengths_by_scale(const Lengths& scale, std::uint64_t seed,
                                            std::uint64_t size) {
  std::vector<std::uint64_t> out;
  std::uint64_t word = 0;
  const auto beyond = [&](std::uint64_t power) {
    return power + 3 + 2 * (random_word(seed, word++) % 14);
  };
  for (std::uint64_t octave = kShortestLong; octave < scale.longest; octave *= 2) {
    if (octave <= kExactPowers) out.insert(out.end(), {octave - 1, octave});
    out.push_back(beyond(octave));
    for (int i = 1; i < scale.in_each_octave; ++i)
      out.push_back(octave + octave / 8 + random_word(seed, word++) % (octave - octave / 8));
  }
  if (scale.longest >= kEndOfFloats) out.push_back(beyond(scale.longest));
  if (scale.past_31_bits) out.push_back((std::uint64_t{1} << 31) / (size == 2 ? 1 : size) + 17);
  return out;
}

}  // namespace

std::vector<Trial> fixed_cases(Subject& subject, std::uint64_t seed, const Lengths& scale) {
  Pool pool(subject, seed);
  const auto size = static_cast<std::uint32_t>(format(subject.dtype()).bytes());
  std::vector<Trial> out;
  const auto add = [&](Trial t, auto change) {
    change(t.stage);
    out.push_back(std::move(t));
  };
  const auto plain = [](Stage&) {};
  const auto at_start = [](Stage& s) { s.edge = Stage::Edge::start; };
  // First, since it is: the first call of a process, from several threads.
  for (int i = 0; i < 3; ++i) {
    Trial t = pool.take(64);
    t.fresh = true;
    add(std::move(t), [](Stage& s) { s.threads = 4; });
  }
  // What the first call of a process leaves behind in it.
  {
    Trial t = pool.take(64);
    t.fresh = true;
    add(std::move(t), [](Stage& s) { s.process = true; });
  }
  // Lengths, one value and many, against both ends of the memory.
  add({}, plain);
  std::vector<std::size_t> lengths;
  for (std::size_t n = 1; n <= 3 * kWidest + 1; ++n) lengths.push_back(n);
  lengths.insert(lengths.end(), {63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 1023, 1025, 4099});
  for (std::size_t n : lengths) {
    add(pool.take(n), plain);
    add(pool.take(n), at_start);
    add(pool.uniform(n), plain);
  }
  // What only writes back what it read outside shows where that can be read.
  for (std::size_t n : {1u, 2u, 3u, 5u, 8u, 13u, 16u, 17u, 37u, 64u, 100u})
    for (auto edge : {Stage::Edge::start, Stage::Edge::end})
      add(pool.take(n), [&](Stage& x) {
        x.edge = edge;
        x.readable = true;
      });
  // Rising and falling: what searches a table may take another way.
  for (std::size_t n : {5u, 37u, 200u})
    for (const bool rising : {true, false}) add(pool.sorted(n, rising), plain);
  // Right after the plug-in's other kernels.
  if (subject.has_others())
    for (std::uint32_t repeats : {1u, 3u}) {
      Trial t = pool.take(37);
      t.others = true;
      add(std::move(t), [&](Stage& s) { s.repeats = repeats; });
    }
  // What changes in the process; flags.
  for (std::size_t n : {1u, 37u, 300u}) {
    add(pool.take(n), [](Stage& s) { s.process = true; });
    add(pool.take(n, true), [](Stage& s) { s.process = true; });
    add(pool.take(n), [](Stage& s) { s.flags_up = true; });
  }
  for (int i = 0; i < 40; ++i) add(pool.take(1, true), plain);
  // Alignment to the element alone, of all buffers and of each.
  for (std::uint32_t k : {1u, 2u, 3u, 5u, 7u, 15u})
    for (std::size_t n : {5u, 37u, 200u})
      add(pool.take(n), [&](Stage& s) {
        at_start(s);
        s.z_offset = s.out_offset = s.y_offset = k * size;
      });
  // Every distance that two buffers can have within a cache line.
  for (int which = 0; which < (subject.two_arguments() ? 3 : 2); ++which)
    for (std::uint32_t offset = size; offset < kCacheLine; offset += size)
      add(pool.take(67), [&](Stage& s) {
        at_start(s);
        (which == 0 ? s.z_offset : which == 1 ? s.out_offset : s.y_offset) = offset;
      });
  const std::set<std::string>& promised = subject.contract().in_place;
  for (std::size_t n : {1u, 5u, 16u, 37u, 200u, 5000u}) {
    if (subject.about().in_place || promised.count("z") != 0)
      add(pool.take(n), [](Stage& s) { s.in_place = true; });
    if (subject.two_arguments() && promised.count("y") != 0)
      add(pool.take(n), [](Stage& s) { s.in_place_y = true; });
  }
  // What lay in memory before.
  for (std::uint8_t fill : {0x00, 0x3f, 0x5a, 0xff})
    for (std::size_t n : {1u, 37u, 200u})
      add(pool.take(n), [&](Stage& s) {
        s.out_fill = fill;
        s.stack_fill = static_cast<std::uint8_t>(0xff - fill);
      });
  // The caller's floating-point environment, where the contract speaks of it.
  if (subject.contract().under_ftz)
    for (std::size_t n : {1u, 37u, 200u}) add(pool.take(n), [](Stage& s) { s.flush = true; });
  if (subject.contract().any_rounding)
    for (auto mode : {Stage::Rounding::up, Stage::Rounding::down, Stage::Rounding::zero})
      for (std::size_t n : {1u, 37u, 200u}) add(pool.take(n), [&](Stage& s) { s.rounding = mode; });
  // Many calls, from several threads (from one: chance_cases).
  add(pool.take(500), [](Stage& s) {
    s.threads = 4;
    s.repeats = 40;
  });
  // Long batches: the inputs over and over; 61 is prime to all vector widths.
  for (const std::uint64_t n : lengths_by_scale(scale, seed, size))
    add(pool.take(61), [&](Stage& s) { s.tile = n; });
  return out;
}

std::vector<Trial> chance_cases(Subject& subject, std::uint64_t seed) {
  Pool pool(subject, seed ^ 1);
  std::vector<Trial> out;
  const auto add = [&](std::size_t n, std::uint32_t repeats) {
    Trial t = pool.take(n);
    t.fresh = true;
    t.stage.repeats = repeats;
    out.push_back(std::move(t));
  };
  for (int i = 0; i < 6; ++i) add(1, 40);
  add(1, 2500);
  add(37, 2500);
  return out;
}

}  // namespace ulpaudit
