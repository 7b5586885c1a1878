// Input plans.
// SPDX-License-Identifier: Apache-2.0
#include "inputs/plan.hpp"
#include "fp/storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ulpaudit {
namespace {

std::uint64_t mul_div(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b / c);
}

struct Line {
  std::uint64_t first, last;  ///< ordinals
};

Line line_of(Dtype d, const InputChoice& c) {
  if (!c.lo && !c.hi) return {0, format(d).mask()};
  const Bits inf = format(d).infinity();
  return {ordinal(d, c.lo.value_or(negate(d, inf))), ordinal(d, c.hi.value_or(inf))};
}

/// Binades of both signs, subnormal ones by their leading bit, cut to the line.
std::vector<Stratum> binades(Dtype d, const Line& line) {
  const Format& f = format(d);
  std::vector<std::pair<Bits, Bits>> magnitudes = {{0, 0}};  // [first, last]
  for (int bit = 0; bit < f.p - 1; ++bit)
    magnitudes.emplace_back(Bits{1} << bit, (Bits{2} << bit) - 1);
  for (Bits b = f.min_normal(); b < f.infinity(); b += f.min_normal())
    magnitudes.emplace_back(b, b + f.min_normal() - 1);
  std::vector<Stratum> out;
  const auto add = [&](std::uint64_t first, std::uint64_t last) {
    first = std::max(first, line.first);
    last = std::min(last, line.last);
    if (first <= last) out.push_back({first, last - first + 1, 0, 0});
  };
  for (auto m = magnitudes.rbegin(); m != magnitudes.rend(); ++m)
    add(ordinal(d, negate(d, m->second)), ordinal(d, negate(d, m->first)));
  for (const auto& m : magnitudes) add(ordinal(d, m.first), ordinal(d, m.second));
  return out;
}

/// Binades in which exp(-|z|) is neither 1 nor 0 in the dtype get this many times the points.
constexpr std::uint64_t kBusyWeight = 16;

bool busy(Dtype d, const Stratum& s) {
  const double size = decode(d, magnitude(d, from_ordinal(d, s.first)));
  if (!(size > 0)) return false;
  const int e = exponent_of(size);
  return e >= -(format(d).p + 2) &&
         size < 0.6931471805599453 * 2 * (1 - format(d).min_ulp_exponent());
}

/// Shares `points` among strata by weight, at least `least` each where the stratum has so many.
template <class Weight>
Segment share_points(Segment::Kind kind, std::vector<Stratum> strata, Bits y, std::uint64_t seed,
                     std::uint64_t points, std::uint64_t least, Weight weight) {
  Segment s;
  s.kind = kind;
  s.y = y;
  s.seed = seed;
  s.strata = std::move(strata);
  std::uint64_t total = 0;
  for (const Stratum& x : s.strata) total += weight(x);
  for (Stratum& x : s.strata) {
    x.points = std::min(x.size, std::max(least, mul_div(points, weight(x), total)));
    x.before = s.count;
    s.count += x.points;
  }
  return s;
}

/// 2^-4 <= |z| < 2^6.
bool typical(Dtype d, const Stratum& s) {
  const double size = decode(d, magnitude(d, from_ordinal(d, s.first)));
  return size >= 0.0625 && size < 64;
}

Segment stratified(Dtype d, const InputChoice& c, Bits y, const Line& line, std::uint64_t seed) {
  return share_points(
      Segment::Kind::strata, binades(d, line), y, seed, c.points, 1,
      [d](const Stratum& x) { return busy(d, x) ? kBusyWeight : std::uint64_t{1}; });
}

/// A binade that is searched gets this many points at least.
constexpr std::uint64_t kLeastSearched = 64;
/// Binades of typical logits against others in which exp(-|z|) varies.
constexpr std::uint64_t kTypicalWeight = 4;
/// One point in so many goes to the binades in which the op is constant.
constexpr std::uint64_t kConstantShare = 64;

/// A segment that searches the binades in which t does not round to one number, and one that
/// samples the others.
void add_search(OpId op, Dtype d, const InputChoice& c, Bits y, const Line& line,
                std::uint64_t seed, std::vector<Segment>& out) {
  std::vector<Stratum> constant, varied;
  for (const Stratum& x : binades(d, line)) {
    const auto at = [&](std::uint64_t offset) { return from_ordinal(d, x.first + offset); };
    const bool same = rounds_alike(op, d, y, at(0), at(x.size / 2)) &&
                      rounds_alike(op, d, y, at(0), at(x.size - 1));
    (same ? constant : varied).push_back(x);
  }
  const auto even = [](const Stratum&) { return std::uint64_t{1}; };
  const std::uint64_t rest = c.points / kConstantShare;
  if (!constant.empty())
    out.push_back(share_points(Segment::Kind::strata, std::move(constant), y, seed, rest, 1, even));
  if (varied.empty()) return;
  // Half of the points evenly, half to where exp(-|z|) varies, typical logits above all.
  const auto interest = [d](const Stratum& x) {
    return busy(d, x) ? (typical(d, x) ? kTypicalWeight : std::uint64_t{1}) : std::uint64_t{0};
  };
  std::uint64_t total = 0;
  for (const Stratum& x : varied) total += interest(x);
  const std::uint64_t count = varied.size();
  out.push_back(share_points(
      Segment::Kind::search, std::move(varied), y, seed, c.points - rest, kLeastSearched,
      [&](const Stratum& x) { return total == 0 ? 1 : total + count * interest(x); }));
}

/// Numbers that so many bits give, with their neighbours: two signs, 18 binades and 2^10.
constexpr std::uint64_t points_of_table(int bits) {
  return 3 * 2 * ((std::uint64_t{18} << (bits - 1)) + 1);
}

/// The table's bits that a sampled sweep has points for; of 16-bit formats every number is run by
/// default.
int bits_of_table(Dtype d, const InputChoice& c) {
  int bits = format(d).width == 16 ? 0 : kTableBits;
  while (bits > 0 && points_of_table(bits) > c.points) --bits;
  return bits;
}

/// Landmarks and numbers of few bits with their neighbours, NaNs of both signs, in order.
Segment edges(OpId op, Dtype d, const InputChoice& c, Bits y, const Line& line) {
  Segment s;
  s.kind = Segment::Kind::list;
  s.y = y;
  std::vector<std::uint64_t> at;
  for (Bits z : landmarks(op, d, y))
    for (int k = -c.edge_ulps; k <= c.edge_ulps; ++k) at.push_back(ordinal(d, step(d, z, k)));
  if (const int bits = bits_of_table(d, c); bits != 0)
    for (const Bits z : table_points(d, bits))
      for (int k = -1; k <= 1; ++k) at.push_back(ordinal(d, step(d, z, k)));
  const Format& f = format(d);
  for (Bits nan : {f.quiet_nan(), f.infinity() + 1, f.sign_bit() - 1})
    at.insert(at.end(), {ordinal(d, nan), ordinal(d, negate(d, nan))});
  std::sort(at.begin(), at.end());
  at.erase(std::unique(at.begin(), at.end()), at.end());
  for (std::uint64_t o : at)
    if (o >= line.first && o <= line.last) s.list.push_back(from_ordinal(d, o));
  s.count = s.list.size();
  return s;
}

/// Zeros, ones, the ends of the line and NaNs, with one label that is NaN.
Segment beside_nan(Dtype d, Bits y) {
  const Format& f = format(d);
  std::vector<std::uint64_t> at;
  for (const Bits z : {Bits{0}, Bits{1}, encode(d, 1.0), f.max_finite(), f.infinity(),
                       f.infinity() + 1, f.quiet_nan(), f.sign_bit() - 1})
    at.insert(at.end(), {ordinal(d, z), ordinal(d, negate(d, z))});
  std::sort(at.begin(), at.end());
  Segment s;
  s.kind = Segment::Kind::list;
  s.y = y;
  for (const std::uint64_t o : at) s.list.push_back(from_ordinal(d, o));
  s.count = s.list.size();
  return s;
}

/// first, first + step, … : n of them, by vectors of a fixed size, as GCC makes none at -O2.
template <class T>
void count_from(T* out, std::uint64_t first, std::uint64_t n, T step) {
  constexpr std::uint64_t kPart = 16 / sizeof(T);
  typedef T Part __attribute__((vector_size(16)));  // GCC takes no `using` of T here
  Part next, stride;
  for (std::uint64_t k = 0; k < kPart; ++k) {
    next[k] = static_cast<T>(first + k * step);
    stride[k] = static_cast<T>(kPart * step);
  }
  std::uint64_t i = 0;
  for (; i + kPart <= n; i += kPart, next += stride) std::memcpy(out + i, &next, sizeof next);
  for (; i < n; ++i) out[i] = static_cast<T>(first + i * step);
}

template <class T>
void fill_run(Dtype d, std::uint64_t first, std::uint64_t n, void* z) {
  T* out = static_cast<T*>(z);
  const std::uint64_t sign = format(d).sign_bit();
  // Encodings fall to -0, then rise.
  const std::uint64_t negative = first < sign ? std::min(n, sign - first) : 0;
  count_from(out, from_ordinal(d, first), negative, static_cast<T>(-1));
  count_from(out + negative, from_ordinal(d, first + negative), n - negative, T{1});
}

/// Rows first … of each z kLabelRow times.
void fill_rows(Dtype d, std::uint64_t first, std::uint64_t rows, void* z) {
  char* to = static_cast<char*>(z);
  std::vector<std::uint16_t> line(rows);
  fill_run<std::uint16_t>(d, first, rows, line.data());
  for (const std::uint16_t v : line) {
    typedef std::uint16_t Row __attribute__((vector_size(2 * kLabelRow)));
    const Row row = v - Row{};
    std::memcpy(to, &row, sizeof row);
    to += sizeof row;
  }
}

template <class T>
void fill_each(const InputPlan& plan, const Segment& s, std::uint64_t first, std::uint64_t n,
               void* z) {
  T* out = static_cast<T*>(z);
  for (std::uint64_t i = 0; i < n; ++i) out[i] = static_cast<T>(plan.input(s, first + i));
}

/// Labels `from` … of a sorted list, in rows with all z of the line: one chunk.
Segment rows_of(const std::vector<Bits>& labels, std::size_t from, const Line& line) {
  Segment s;
  s.kind = Segment::Kind::rows;
  s.labels.assign(labels.begin() + static_cast<std::ptrdiff_t>(from),
                  labels.begin() + static_cast<std::ptrdiff_t>(from + kLabelRow));
  s.y = s.labels.front();
  s.first = line.first;
  s.count = (line.last - line.first + 1) * kLabelRow;
  return s;
}

/// Takes the labels that are in rows out of the list: most of those in [0, 1], once each.
std::vector<Segment> take_rows(OpId op, Dtype d, const Line& line, std::vector<Bits>& labels) {
  std::vector<Segment> out;
  std::sort(labels.begin(), labels.end(),
            [d](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); });
  std::vector<Bits> rest, numbers;
  for (const Bits y : labels)
    (is_nan(d, y) || !in_domain(op, d, y) || (!numbers.empty() && numbers.back() == y) ? rest
                                                                                       : numbers)
        .push_back(y);
  std::size_t taken = 0;
  for (; taken + kLabelRow <= numbers.size(); taken += kLabelRow)
    out.push_back(rows_of(numbers, taken, line));
  rest.insert(rest.end(), numbers.begin() + static_cast<std::ptrdiff_t>(taken), numbers.end());
  labels = std::move(rest);
  return out;
}

/// Parts of a segment: of fixed size, or the binades of a search.
void add_chunks(const Segment& s, std::size_t index, std::vector<Chunk>& out) {
  if (s.kind == Segment::Kind::search) {
    for (const Stratum& x : s.strata) out.push_back({index, x.before, x.points});
    return;
  }
  for (std::uint64_t first = 0; first < s.count; first += kChunkInputs)
    out.push_back({index, first, std::min(kChunkInputs, s.count - first)});
}

}  // namespace

std::vector<Bits> table_points(Dtype d, int bits) {
  std::vector<Bits> sizes;
  const int spare = format(d).mantissa_bits() - (bits - 1);
  for (int e = -8; e < 10; ++e) {
    const Bits first = encode(d, exp2i(e)), next = encode(d, exp2i(e + 1));
    const Bits step = spare > 0 ? Bits{1} << spare : Bits{1};
    for (Bits b = first; b < next; b += step) sizes.push_back(b);
  }
  sizes.push_back(encode(d, exp2i(10)));
  std::vector<Bits> out;
  for (auto b = sizes.rbegin(); b != sizes.rend(); ++b) out.push_back(negate(d, *b));
  out.insert(out.end(), sizes.begin(), sizes.end());
  return out;
}

/// Steele, Lea & Flood (2014).
std::uint64_t random_word(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t x = seed + (i + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t stratified_point(std::uint64_t first, std::uint64_t size, std::uint64_t n,
                               std::uint64_t j, std::uint64_t word) {
  const std::uint64_t from = mul_div(j, size, n), to = mul_div(j + 1, size, n);
  return first + from + word % (to - from);
}

const Stratum& stratum_of(const Segment& s, std::uint64_t i) {
  const auto next =
      std::upper_bound(s.strata.begin(), s.strata.end(), i,
                       [](std::uint64_t v, const Stratum& x) { return v < x.before; });
  return *(next - 1);
}

Bits InputPlan::input(const Segment& s, std::uint64_t i) const {
  if (s.kind == Segment::Kind::rows) return from_ordinal(dtype, s.first + i / kLabelRow);
  if (s.kind == Segment::Kind::run) return from_ordinal(dtype, s.first + i);
  if (s.kind == Segment::Kind::list) return s.list[i];
  const Stratum& x = stratum_of(s, i);
  return from_ordinal(
      dtype, stratified_point(x.first, x.size, x.points, i - x.before, random_word(s.seed, i)));
}

void InputPlan::fill(const Segment& s, std::uint64_t first, std::uint64_t n, void* z) const {
  if (s.kind == Segment::Kind::rows)
    return fill_rows(dtype, s.first + first / kLabelRow, n / kLabelRow, z);
  const bool run = s.kind == Segment::Kind::run;
  with_storage(dtype, [&](auto zero) {
    using T = decltype(zero);
    return run ? fill_run<T>(dtype, s.first + first, n, z) : fill_each<T>(*this, s, first, n, z);
  });
}

InputPlan make_plan(OpId op, Dtype d, const InputChoice& c) {
  InputPlan plan;
  plan.op = op;
  plan.dtype = d;
  plan.exhaustive = c.exhaustive;
  plan.seed = c.seed;
  plan.lo = c.lo;
  plan.hi = c.hi;
  plan.labels = c.labels;
  const Line line = line_of(d, c);
  std::vector<Bits> labels = c.labels;
  if (c.rows && c.exhaustive && format(d).width == 16 && info(op).arity == 2)
    plan.segments = take_rows(op, d, line, labels);
  for (Bits y : labels) {
    if (c.exhaustive) {
      Segment s;
      s.y = y;
      s.first = line.first;
      s.count = line.last - line.first + 1;
      plan.segments.push_back(std::move(s));
      continue;
    }
    const std::uint64_t seed = random_word(
        c.seed, random_word(y, static_cast<std::uint64_t>(op) * 8 + static_cast<std::uint64_t>(d)));
    plan.segments.push_back(edges(op, d, c, y, line));
    if (c.search)
      add_search(op, d, c, y, line, seed, plan.segments);
    else
      plan.segments.push_back(stratified(d, c, y, line, seed));
  }
  if (c.nan_labels && info(op).arity == 2) {
    const Format& f = format(d);
    for (const Bits y : {f.quiet_nan(), f.infinity() + 1, f.sign_bit() - 1, f.mask()})
      plan.segments.push_back(beside_nan(d, y));
  }
  for (std::size_t i = 0; i < plan.segments.size(); ++i) {
    plan.points += plan.segments[i].count;
    add_chunks(plan.segments[i], i, plan.chunks);
  }
  return plan;
}

std::string plan_hash(const InputPlan& plan) {
  std::uint64_t h = 0;
  const auto add = [&h](std::uint64_t v) { h = random_word(h ^ v, 0); };
  add(static_cast<std::uint64_t>(plan.op));
  add(static_cast<std::uint64_t>(plan.dtype));
  add(plan.exhaustive ? 1 : 0);
  add(plan.seed);
  for (const std::optional<Bits>& side : {plan.lo, plan.hi}) {
    add(side ? 1 : 0);
    add(side.value_or(0));
  }
  for (const Segment& s : plan.segments) {
    for (std::uint64_t v : {static_cast<std::uint64_t>(s.kind), s.y, s.first, s.count, s.seed})
      add(v);
    for (const Stratum& x : s.strata)
      for (std::uint64_t v : {x.first, x.size, x.points}) add(v);
    for (Bits z : s.list) add(z);
    for (Bits y : s.labels) add(y);
  }
  for (const Chunk& c : plan.chunks) add(c.count);
  return fmt::format("{:016x}", h);
}

}  // namespace ulpaudit
