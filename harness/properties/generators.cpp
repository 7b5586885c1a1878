// Generators and shrinks.
// SPDX-License-Identifier: Apache-2.0
#include "properties/generators.hpp"

#include <rapidcheck/gen/Container.h>
#include <rapidcheck/gen/Create.h>
#include <rapidcheck/gen/Numeric.h>
#include <rapidcheck/gen/Select.h>
#include <rapidcheck/gen/Transform.h>
#include <rapidcheck/gen/Tuple.h>

#include <algorithm>

namespace ulpaudit {
namespace {

Bits mantissa_mask(Dtype d) { return (Bits{1} << format(d).mantissa_bits()) - 1; }

int set_bits(Dtype d, Bits b) {
  int n = 0;
  for (Bits m = b & mantissa_mask(d); m != 0; m &= m - 1) ++n;
  return n;
}

/// Any bit pattern of the dtype, not shrunk: shrinking is `simpler`'s.
rc::Gen<Bits> pattern(Dtype d) {
  return rc::gen::noShrink(
      rc::gen::map(rc::gen::arbitrary<std::pair<std::uint32_t, std::uint32_t>>(),
                   [d](const std::pair<std::uint32_t, std::uint32_t>& w) {
                     return ((Bits{w.first} << 32) | w.second) & format(d).mask();
                   }));
}

/// One of `from` within `near` numbers of it.
rc::Gen<Bits> beside(Dtype d, std::vector<Bits> from, int near) {
  return rc::gen::noShrink(rc::gen::map(
      rc::gen::pair(rc::gen::elementOf(std::move(from)), rc::gen::inRange(-near, near + 1)),
      [d](const std::pair<Bits, int>& p) { return step(d, p.first, p.second); }));
}

/// With the sign of another pattern.
rc::Gen<Bits> signed_pattern(Dtype d, Bits (*shape)(Dtype, Bits)) {
  return rc::gen::map(pattern(d), [d, shape](Bits b) {
    return shape(d, magnitude(d, b)) | (b & format(d).sign_bit());
  });
}
Bits subnormal_of(Dtype d, Bits b) { return b & mantissa_mask(d); }
Bits nan_of(Dtype d, Bits b) {
  const Bits payload = b & mantissa_mask(d);
  return format(d).infinity() | (payload != 0 ? payload : 1);
}
Bits binade_border_of(Dtype d, Bits b) {
  const Bits power = b & ~mantissa_mask(d) & ~format(d).sign_bit();
  return std::min(power, format(d).infinity() - format(d).min_normal());
}

bool is_landmark(const Alphabet& a, Bits b) {
  return std::find(a.landmarks.begin(), a.landmarks.end(), b) != a.landmarks.end();
}

}  // namespace

Alphabet alphabet(OpId op, Dtype d, const Admitted& admitted) {
  const bool chosen = info(op).arity == 2 && !admitted.labels.empty();
  Alphabet a{op, d, {}, chosen ? admitted.labels : default_labels(op, d), admitted};
  for (Bits y : a.labels) {
    const std::vector<Bits> more = landmarks(op, d, y);
    a.landmarks.insert(a.landmarks.end(), more.begin(), more.end());
  }
  std::sort(a.landmarks.begin(), a.landmarks.end());
  a.landmarks.erase(std::unique(a.landmarks.begin(), a.landmarks.end()), a.landmarks.end());
  a.landmarks.erase(std::remove_if(a.landmarks.begin(), a.landmarks.end(),
                                   [&](Bits z) { return !admitted.z(d, z); }),
                    a.landmarks.end());
  if (!admitted.range) return a;
  const auto [first, last] = *admitted.range;
  for (const std::uint64_t o : {first, first + (last - first) / 2, last})
    a.landmarks.push_back(from_ordinal(d, o));
  return a;
}

rc::Gen<Bits> logits(const Alphabet& a) {
  const Dtype d = a.d;
  const Format& f = format(d);
  std::vector<Bits> typical;
  for (double v : {-90.0, -20.0, -8.0, -3.0, -1.0, -0.3, 0.01, 0.5, 1.0, 2.0, 5.0, 17.0, 40.0})
    typical.push_back(encode(d, v));
  const std::vector<Bits> specials = {0,
                                      f.sign_bit(),
                                      f.infinity(),
                                      negate(d, f.infinity()),
                                      f.quiet_nan(),
                                      f.infinity() + 1,
                                      f.max_finite(),
                                      negate(d, f.max_finite()),
                                      1,
                                      f.min_normal()};
  auto any = rc::gen::weightedOneOf<Bits>({{4, beside(d, typical, 1000)},
                                           {3, beside(d, a.landmarks, 8)},
                                           {2, rc::gen::noShrink(rc::gen::elementOf(specials))},
                                           {1, signed_pattern(d, nan_of)},
                                           {1, signed_pattern(d, subnormal_of)},
                                           {1, signed_pattern(d, binade_border_of)},
                                           {3, pattern(d)}});
  if (!a.admitted.range) return any;
  return rc::gen::noShrink(rc::gen::map(std::move(any), [d, admitted = a.admitted](Bits b) {
    if (admitted.z(d, b)) return b;
    const auto [first, last] = *admitted.range;
    return from_ordinal(d, first + b % (last - first + 1));
  }));
}

rc::Gen<Bits> labels(const Alphabet& a) {
  if (info(a.op).arity == 1) return rc::gen::just(Bits{0});
  if (!a.admitted.labels.empty()) return rc::gen::noShrink(rc::gen::elementOf(a.labels));
  const Dtype d = a.d;
  const Bits one = encode(d, 1.0);
  return rc::gen::weightedOneOf<Bits>(
      {{8, rc::gen::noShrink(rc::gen::elementOf(a.labels))},
       {4, rc::gen::map(pattern(d), [one](Bits b) { return b % (one + 1); })},
       {1, signed_pattern(d, nan_of)}});
}

rc::Gen<Trial> batches(const Alphabet& a, std::size_t most) {
  const auto element = rc::gen::pair(logits(a), labels(a));
  const auto count = rc::gen::inRange<std::size_t>(1, most + 1);
  const bool two = info(a.op).arity == 2;
  return rc::gen::noShrink(rc::gen::map(
      rc::gen::mapcat(count,
                      [element](std::size_t n) {
                        return rc::gen::container<std::vector<std::pair<Bits, Bits>>>(n, element);
                      }),
      [two](const std::vector<std::pair<Bits, Bits>>& elements) {
        Trial t;
        for (const auto& [z, y] : elements) {
          t.z.push_back(z);
          if (two) t.y.push_back(y);
        }
        return t;
      }));
}

std::vector<Bits> simpler(const Alphabet& a, Bits b) {
  const Dtype d = a.d;
  const int bits = set_bits(d, b);
  std::vector<Bits> out;
  const auto add = [&](Bits c) {
    if (c != b && a.admitted.z(d, c) && std::find(out.begin(), out.end(), c) == out.end())
      out.push_back(c);
  };
  // NaN stays NaN: its last payload bit is kept.
  const auto keeps = [&](Bits c) { return is_nan(d, c) == is_nan(d, b); };
  const int width = format(d).mantissa_bits();
  for (int low = width; low > 0; low = low * 3 / 4) {
    const Bits cut = b & ~((Bits{1} << low) - 1);
    if (set_bits(d, cut) < bits && keeps(cut)) add(cut);
  }
  for (Bits m = b & mantissa_mask(d); m != 0; m &= m - 1) {
    const Bits without = b & ~(m & (~m + 1));
    if (keeps(without)) add(without);
  }
  if (!is_landmark(a, b))
    for (Bits c : a.landmarks)
      if (set_bits(d, c) <= bits && keeps(c)) add(c);
  return out;
}

std::vector<Trial> simpler(const Alphabet& a, const Trial& t) {
  std::vector<Trial> out;
  const std::size_t n = t.z.size();
  if (n == 0) return out;
  const auto keep = [&](std::size_t first, std::size_t last, bool inside) {
    Trial c = t;
    c.z.clear();
    c.y.clear();
    for (std::size_t i = 0; i < n; ++i) {
      if ((i >= first && i < last) != inside) continue;
      c.z.push_back(t.z[i]);
      if (!t.y.empty()) c.y.push_back(t.y[i]);
    }
    if (!c.z.empty()) out.push_back(std::move(c));
  };
  for (std::size_t size = n / 2; size >= 1 && n > 1; size /= 2) {
    if (n / size > 64 && size < n / 64) break;  // long batches shrink in long pieces first
    for (std::size_t first = 0; first < n; first += size) {
      if (size == n / 2) keep(first, std::min(n, first + size), true);
      keep(first, std::min(n, first + size), false);
    }
  }
  const auto with = [&](auto change) {
    Trial c = t;
    change(c);
    if (!(c == t)) out.push_back(std::move(c));
  };
  with([](Trial& c) { c.stage.z_offset = 0; });
  with([](Trial& c) { c.stage.y_offset = 0; });
  with([](Trial& c) { c.stage.out_offset = 0; });
  with([](Trial& c) { c.stage.in_place = c.stage.in_place_y = false; });
  with([](Trial& c) { c.stage.readable = false; });
  with([](Trial& c) { c.stage.out_fill = Stage().out_fill; });
  with([](Trial& c) { c.stage.stack_fill = Stage().stack_fill; });
  with([](Trial& c) { c.stage.flags_up = false; });
  with([](Trial& c) { c.stage.process = false; });
  with([](Trial& c) { c.stage.edge = Stage::Edge::end; });
  with([](Trial& c) { c.fresh = false; });
  with([](Trial& c) { c.others = false; });
  with([](Trial& c) { c.stage.threads = 1 + c.stage.threads / 2 * (c.stage.threads > 2 ? 1 : 0); });
  with([](Trial& c) { c.stage.repeats = 1; });
  for (std::uint32_t less = t.stage.repeats / 2; less > 0; less /= 2)
    with([&](Trial& c) { c.stage.repeats -= less; });
  with([](Trial& c) { c.stage.tile = 0; });
  for (std::uint64_t less = t.stage.tile / 2; less > 0; less /= 2)
    with([&](Trial& c) { c.stage.tile -= less; });
  // All elements at once, where that is simpler; then one by one.
  std::size_t total = 0;
  for (Bits z : t.z) total += static_cast<std::size_t>(set_bits(a.d, z));
  if (total > n * static_cast<std::size_t>(set_bits(a.d, t.z[0])))
    with([](Trial& c) { std::fill(c.z.begin(), c.z.end(), c.z[0]); });
  for (std::size_t i = 0; i < std::min<std::size_t>(n, 64); ++i) {
    for (Bits z : simpler(a, t.z[i])) with([&](Trial& c) { c.z[i] = z; });
    if (t.y.empty()) continue;
    for (Bits y : a.labels)
      if (set_bits(a.d, y) < set_bits(a.d, t.y[i])) with([&](Trial& c) { c.y[i] = y; });
  }
  return out;
}

}  // namespace ulpaudit
