// Questions about ops, answered from the list; region borders and landmarks.
// SPDX-License-Identifier: Apache-2.0
#include "ops/op.hpp"

#include <algorithm>
#include <array>
#include <boost/multiprecision/mpfr.hpp>

#include "fp/mpfr_encode.hpp"
#include "ops/category.hpp"
#include "ops/list.hpp"

namespace ulpaudit {
namespace {

using Fifty = boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<50>,
                                            boost::multiprecision::et_off>;

constexpr std::array<std::string_view, kRegionCount> kRegionNames = {
    "special", "underflow", "subnormal",  "crossing", "left_tail",
    "tail",    "core",      "right_tail", "large",    "saturated"};

constexpr std::array<std::string_view, kCategoryCount> kCategoryNames = {
    "new_nan",          "lost_nan", "wrong_infinity", "finite_for_infinite", "wrong_sign",
    "nonzero_for_zero", "flushed",  "vanished",       "out_of_range"};

/// Region of a finite z. Double decides for the formats up to f32: a border is moved by its
/// relative error of 2^-50 only if t lies that close to a power of two, and borders only sort
/// results.
Region region_at(OpId op, Dtype d, Bits z, Bits y) {
  return AllOps::visit(op, [&](auto o) {
    const double zd = decode(d, z), yd = decode(d, y);
    if (d != Dtype::f64) return o.template region<double>(d, zd, yd);
    return o.template region<Fifty>(d, Fifty(zd), Fifty(yd));
  });
}

/// Splits [lo, hi], on which t is monotone, into spans of one region each.
void split(OpId op, Dtype d, Bits y, std::uint64_t lo, Region at_lo, std::uint64_t hi, Region at_hi,
           std::vector<RegionSpan>& out) {
  if (at_lo == at_hi) {
    out.push_back({lo, hi, at_lo});
    return;
  }
  if (hi - lo == 1) {
    out.push_back({lo, lo, at_lo});
    out.push_back({hi, hi, at_hi});
    return;
  }
  const std::uint64_t mid = lo + (hi - lo) / 2;
  const Region at_mid = region_at(op, d, from_ordinal(d, mid), y);
  split(op, d, y, lo, at_lo, mid, at_mid, out);
  if (mid + 1 == hi) {
    out.push_back({hi, hi, at_hi});
    return;
  }
  const Region next = region_at(op, d, from_ordinal(d, mid + 1), y);
  split(op, d, y, mid + 1, next, hi, at_hi, out);
}

void push_sorted_unique(Dtype d, std::vector<Bits>& v) {
  std::sort(v.begin(), v.end(), [d](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); });
  v.erase(std::unique(v.begin(), v.end()), v.end());
}

std::vector<double> turning_points(OpId op, double y) {
  return AllOps::visit(op, [&](auto o) { return o.turning_points(y); });
}

}  // namespace

std::string_view name(Region r) { return kRegionNames[static_cast<std::size_t>(r)]; }

std::string_view name(Category c) {
  return c == Category::none ? "none" : kCategoryNames[static_cast<std::size_t>(c)];
}

std::optional<Region> region_from_name(std::string_view text) {
  for (int i = 0; i < kRegionCount; ++i)
    if (kRegionNames[static_cast<std::size_t>(i)] == text) return static_cast<Region>(i);
  return std::nullopt;
}

int op_count() { return AllOps::size; }
OpId op_at(int i) { return static_cast<OpId>(i); }

const OpInfo& info(OpId op) {
  return *AllOps::visit(op, [](auto o) { return &decltype(o)::info; });
}

std::optional<OpId> op_from_name(std::string_view text) {
  for (int i = 0; i < op_count(); ++i)
    if (info(op_at(i)).name == text) return op_at(i);
  return std::nullopt;
}

bool in_domain(OpId op, Dtype d, Bits y) {
  if (info(op).arity == 1 || is_nan(d, y)) return true;
  const double v = decode(d, y);
  return v >= 0 && v <= 1;
}

std::vector<RegionSpan> region_spans(OpId op, Dtype d, Bits y) {
  const Format& f = format(d);
  const std::uint64_t first = ordinal(d, f.max_finite() | f.sign_bit());
  const std::uint64_t last = ordinal(d, f.max_finite());
  if (is_nan(d, y)) return {{first - 1, last + 1, Region::special}};
  // Pieces on which t and |t| are monotone and the rules by z are constant.
  std::vector<std::uint64_t> cuts = {first, ordinal(d, f.sign_bit()), ordinal(d, 0)};
  for (double at : {-1.0, 1.0}) {
    const std::uint64_t o = ordinal(d, encode(d, at));
    cuts.insert(cuts.end(), {o - 1, o, o + 1});
  }
  for (double at : turning_points(op, decode(d, y))) {
    const std::uint64_t o = ordinal(d, encode(d, at));
    for (std::uint64_t c : {o - 1, o, o + 1})
      if (c > first && c < last) cuts.push_back(c);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<RegionSpan> raw = {{first - 1, first - 1, Region::special}};
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const std::uint64_t lo = cuts[i];
    const std::uint64_t hi = i + 1 < cuts.size() ? cuts[i + 1] - 1 : last;
    const Region at_lo = region_at(op, d, from_ordinal(d, lo), y);
    const Region at_hi = region_at(op, d, from_ordinal(d, hi), y);
    if (lo == hi)
      raw.push_back({lo, lo, at_lo});
    else
      split(op, d, y, lo, at_lo, hi, at_hi, raw);
  }
  raw.push_back({last + 1, last + 1, Region::special});
  std::vector<RegionSpan> spans;
  for (const RegionSpan& s : raw) {
    if (!spans.empty() && spans.back().region == s.region)
      spans.back().last = s.last;
    else
      spans.push_back(s);
  }
  return spans;
}

const std::vector<Region>& regions_of(OpId op) {
  static const std::vector<std::vector<Region>> all = [] {
    std::vector<std::vector<Region>> v;
    for (int i = 0; i < op_count(); ++i)
      v.push_back(AllOps::visit(op_at(i), [](auto o) { return o.regions(); }));
    return v;
  }();
  return all[static_cast<std::size_t>(op)];
}

int trend(OpId op, double z, double y) {
  return AllOps::visit(op, [&](auto o) { return o.trend(z, y); });
}

bool rounds_alike(OpId op, Dtype d, Bits y, Bits a, Bits b) {
  const auto rounded = [&](Bits z) {
    const Fifty t = AllOps::visit(op, [&](auto o) {
      return o.template value<Fifty>(Fifty(decode(d, z)), Fifty(decode(d, y)));
    });
    return encode(d, t.backend().data());
  };
  return rounded(a) == rounded(b);
}

std::vector<Bits> landmarks(OpId op, Dtype d, Bits y) {
  const Format& f = format(d);
  std::vector<Bits> out;
  const auto both_signs = [&](Bits b) {
    out.push_back(b);
    out.push_back(negate(d, b));
  };
  for (Bits b : {Bits{0}, Bits{1}, f.min_normal(), f.max_finite(), f.infinity()}) both_signs(b);
  both_signs(encode(d, 1.0));
  // Where exp(|z|) overflows, exp(-|z|) becomes subnormal and vanishes, 1+exp(-|z|) becomes 1.
  const double ln2 = 0.6931471805599453;
  for (int e : {f.emax + 1, -f.emin, -f.min_ulp_exponent(), f.p, f.p + 1})
    both_signs(encode(d, ln2 * e));
  for (double at : turning_points(op, decode(d, y))) out.push_back(encode(d, at));
  for (const RegionSpan& s : region_spans(op, d, y)) {
    out.push_back(from_ordinal(d, s.first));
    out.push_back(from_ordinal(d, s.last));
  }
  push_sorted_unique(d, out);
  return out;
}

std::vector<Bits> default_labels(OpId op, Dtype d) {
  if (info(op).arity == 1) return {0};
  const Format& f = format(d);
  std::vector<Bits> labels = {f.sign_bit(), 0, 1, encode(d, exp2i(-(f.p + 1)))};
  for (double v : {0.1, 0.25, 0.5, 0.75, 0.9}) labels.push_back(encode(d, v));
  labels.push_back(encode(d, 1.0) - 1);
  labels.push_back(encode(d, 1.0));
  push_sorted_unique(d, labels);
  return labels;
}

std::vector<Bits> all_labels(OpId op, Dtype d) {
  if (info(op).arity == 1) return {0};
  std::vector<Bits> labels;
  const Bits one = encode(d, 1.0);
  labels.reserve(one + 2);
  labels.push_back(format(d).sign_bit());
  for (Bits b = 0; b <= one; ++b) labels.push_back(b);
  return labels;
}

}  // namespace ulpaudit
