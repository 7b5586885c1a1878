// Vectorised scoring of blocks. Mirrors truth/score.cpp and decide(); tests compare them lane by
// lane.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "measure/score_block.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "measure/limb_sums-inl.h"
#include "measure/score_block.hpp"
#include "record/tally.hpp"
#include "truth/load_double-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;
using U64 = hn::RebindToUnsigned<D>;

inline V Set(double x) { return hn::Set(D(), x); }
/// v rounded to the nearest integer, ties to even.
inline V ToInteger(V v) { return hn::Round(v); }
/// All ones where the sign bit is set.
inline M IsNegative(V v) {
  return hn::MaskFromVec(
      hn::BitCast(D(), hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<D>(), v))));
}

/// Where t lies among the numbers of the dtype.
struct Placed {
  V inverse;         ///< of ulp(t)
  V units, low;      ///< t in ulps, as an unevaluated sum
  V rounded, other;  ///< the two neighbours of t, `rounded` the nearer, in ulps
  M decided;
};

/// kWide: the dtype is f64.
template <bool kWide>
HWY_INLINE Placed Place(V hi, V lo, V delta, V smallest_binade, V ulp_of_binade) {
  const D d;
  const U64 du;
  const auto sign_bit = hn::Set(du, 0x8000000000000000u);
  // |hi| - 1 bit where t lies on the inner side of hi: the binade below a power of two.
  const auto bits_hi = hn::BitCast(du, hi);
  const auto inner = hn::ShiftRight<63>(hn::Xor(bits_hi, hn::BitCast(du, lo)));
  const auto nonzero_lo = hn::VecFromMask(du, hn::RebindMask(du, hn::Ne(lo, hn::Zero(d))));
  const auto size = hn::Sub(hn::AndNot(sign_bit, bits_hi), hn::And(inner, nonzero_lo));
  const V binade = hn::BitCast(d, hn::And(size, hn::Set(du, 0x7ff0000000000000u)));
  Placed p;
  const V ulp = hn::Mul(hn::Max(binade, smallest_binade), ulp_of_binade);
  p.inverse = hn::BitCast(d, hn::Sub(hn::Set(du, std::uint64_t{2046} << 52), hn::BitCast(du, ulp)));
  // In units of ulp: hi = m + off exactly, |off| <= 1/2.
  const V units = p.units = hn::Mul(hi, p.inverse);
  const V low = p.low = hn::Mul(lo, p.inverse);
  V m = ToInteger(units);
  V off = hn::Sub(units, m);
  const M tie = hn::Eq(hn::Abs(off), Set(0.5));
  if (!hn::AllFalse(d, tie)) {
    const M beyond = hn::And(tie, hn::Gt(hn::Mul(off, low), hn::Zero(d)));
    m = hn::IfThenElse(beyond, hn::Add(m, hn::Add(off, off)), m);
    off = hn::IfThenElse(beyond, hn::Neg(off), off);
  }
  const V v = hn::Add(off, low);
  // Where off = 0, t lies on the side of low; |low| < 2^-28 in the narrower formats, so that the
  // midpoint is far and its side does not matter.
  const V toward = kWide ? hn::IfThenElse(hn::Eq(off, hn::Zero(d)), low, off) : off;
  const V to_midpoint =
      hn::Sub(hn::Sub(Set(0.5), hn::Abs(off)), hn::Xor(low, hn::And(toward, Set(-0.0))));
  const V bound = hn::Mul(delta, p.inverse);
  p.decided = hn::And(hn::Gt(hn::Min(hn::Abs(v), hn::Abs(to_midpoint)), bound),
                      hn::And(hn::Le(bound, Set(0x1p-21)), hn::Ge(delta, hn::Zero(d))));
  p.rounded = m;
  p.other = hn::Add(m, hn::CopySign(Set(1.0), v));
  return p;
}

/// A number of lanes, counted vector by vector.
class LaneCount {
 public:
  HWY_INLINE LaneCount() : count_(hn::Zero(U64())) {}
  HWY_INLINE void Add(M m) {
    count_ = hn::Sub(count_, hn::VecFromMask(U64(), hn::RebindMask(U64(), m)));
  }
  std::uint64_t Total() const { return hn::GetLane(hn::SumOfLanes(U64(), count_)); }

 private:
  hn::Vec<U64> count_;
};

/// Lanes of a kind, and the first of them.
struct RareLanes {
  LaneCount count;
  bool any = false;

  HWY_INLINE RareLanes() {}
  HWY_INLINE void Add(M m, std::size_t i, std::uint16_t& first) {
    count.Add(m);
    if (any) return;
    const auto at = hn::FindFirstTrue(D(), m);
    if (at < 0) return;
    any = true;
    first = static_cast<std::uint16_t>(i + static_cast<std::size_t>(at));
  }
};

/// The error quantised as quantise() does.
HWY_INLINE V Quantise(V e) {
  const V capped = hn::Max(hn::Min(e, Set(kErrorCap)), Set(-kErrorCap));
  const V near = hn::Mul(ToInteger(hn::Mul(capped, Set(0x1p20))), Set(kQuantum));
  return hn::IfThenElse(hn::Lt(hn::Abs(capped), Set(0x1p32)), near, capped);
}

/// Sums and extremes of quantised errors.
struct Errors {
  V sum, sum_abs, squares_high, squares_low, top, bottom;
  LimbVectors large, largest;
  bool any_large = false, any_largest = false;

  HWY_INLINE Errors() {
    sum = sum_abs = squares_high = squares_low = hn::Zero(D());
    top = Set(-std::numeric_limits<double>::infinity());
    bottom = hn::Neg(top);
  }

  HWY_INLINE void Add(V error, M scored) {
    const D d;
    top = hn::Max(top, hn::IfThenElse(scored, error, top));
    bottom = hn::Min(bottom, hn::IfThenElse(scored, error, bottom));
    const V size = hn::Abs(error);
    const M small = hn::And(scored, hn::Lt(size, Set(0x1p20)));
    const V some = hn::IfThenElseZero(small, error), units = hn::Mul(some, Set(0x1p20));
    sum = hn::Add(sum, units);
    sum_abs = hn::Add(sum_abs, hn::Abs(units));
    const V square = ToInteger(hn::Mul(hn::Mul(some, some), Set(0x1p20)));  // <= 2^60
    const V high = hn::Floor(hn::Mul(square, Set(0x1p-30)));
    squares_high = hn::Add(squares_high, high);
    squares_low = hn::Add(squares_low, hn::Sub(square, hn::Mul(high, Set(0x1p30))));
    const M rest = hn::AndNot(small, scored);
    if (!hn::AllFalse(d, rest)) AddLarge(error, rest);
  }

  HWY_INLINE void AddLarge(V error, M rest) {
    const D d;
    const V size = hn::Abs(error), sign = hn::And(error, Set(-0.0));
    const M below = hn::Lt(size, Set(0x1p40));
    const M some = hn::And(rest, below), most = hn::AndNot(below, rest);
    if (!hn::AllFalse(d, some)) {
      any_large = true;
      large.Add<true>(hn::IfThenElseZero(some, hn::Mul(size, Set(0x1p20))), sign);
    }
    if (!hn::AllFalse(d, most)) {
      any_largest = true;
      largest.Add<false>(hn::IfThenElseZero(most, ToInteger(size)), sign);
    }
  }

  void Store(BlockScore& s) const {
    const D d;
    s.sum_signed = Total(sum);
    s.sum_abs = Total(sum_abs);
    s.squares_high = Total(squares_high);
    s.squares_low = Total(squares_low);
    s.max_signed = hn::GetLane(hn::MaxOfLanes(d, top));
    s.min_signed = hn::GetLane(hn::MinOfLanes(d, bottom));
    if (any_large) large.Store(s.large);
    if (any_largest) largest.Store(s.largest);
  }
};

/// Lists the histogram bins of scored lanes; vectors of categories alone are only counted.
HWY_INLINE void ListBins(V error, M scored, M category, std::size_t i, BlockScore& s,
                         BlockScratch& scratch) {
  const D d;
  const U64 du;
  if (hn::AllTrue(d, category)) {
    s.bulk_category += hn::Lanes(d);
    return;
  }
  // histogram_bin(): the clamps stand for its two ends, 2^62 for the bin behind the last.
  V size = hn::Min(hn::Max(hn::Abs(error), Set(0x1.fp-21)), Set(0x1.fp61));
  size = hn::IfThenElse(category, Set(0x1p62), size);
  const auto bin =
      hn::Sub(hn::ShiftRight<49>(hn::BitCast(du, size)), hn::Set(du, ((1023 - 20) << 3) - 1));
  std::uint64_t* out = scratch.bin + s.bins;
  hn::StoreU(bin, du, out);
  if (hn::AllTrue(d, scored)) {
    s.bins += hn::Lanes(d);
    return;
  }
  for (std::size_t k = 0, n = hn::Lanes(d), to = 0; k < n; ++k) {
    const bool keep = scratch.e[i + k] == scratch.e[i + k];
    out[to] = out[k];
    to += keep ? 1 : 0;
    s.bins += keep ? 1 : 0;
  }
}

/// The second pass over a block: a loop of its own, since each is a long chain of steps and a core
/// overlaps the turns of short loops only.
void SumErrors(std::size_t n, BlockScore& s, BlockScratch& scratch) {
  const D d;
  Errors errors;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V error = hn::Load(d, scratch.e + i);
    const M scored = hn::Eq(error, error);
    errors.Add(error, scored);
    ListBins(error, scored, hn::MaskFromVec(hn::Load(d, scratch.category + i)), i, s, scratch);
  }
  errors.Store(s);
}

template <class T>
BlockScore Score(int kind, const Format& f, Range range, const FastValues& values, const T* out,
                 std::size_t n, BlockScratch& scratch) {
  const D d;
  const V smallest = Set(exp2i(f.emin)), ulp_of_binade = Set(exp2i(1 - f.p));
  const V nan = Set(std::numeric_limits<double>::quiet_NaN());
  const V infinity = Set(std::numeric_limits<double>::infinity());
  LaneCount exact_lanes, faithful_lanes, far_lanes;
  RareLanes out_of_range, wrong_sign, wrong_zeros;
  BlockScore s;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V hi = hn::LoadU(d, values.hi + i), lo = hn::LoadU(d, values.lo + i);
    const V got = LoadDouble(out + i, kind);
    const Placed p =
        Place<sizeof(T) == 8>(hi, lo, hn::LoadU(d, values.delta + i), smallest, ulp_of_binade);
    // Exact, but where it over- or underflows, which is far from both neighbours.
    const V got_units = hn::Mul(got, p.inverse);
    const V e = hn::Sub(hn::Sub(got_units, p.units), p.low);
    const M zero = hn::Eq(got, hn::Zero(d));
    // A zero where t rounds to none is a category that has no part in the sums.
    M scored = hn::AndNot(hn::And(zero, hn::Ne(p.rounded, hn::Zero(d))),
                          hn::And(p.decided, hn::Lt(hn::Abs(got), infinity)));
    if (i + hn::Lanes(d) > n) scored = hn::And(scored, hn::FirstN(d, n - i));
    const M other_sign = IsNegative(hn::Xor(got, hi));
    const M outside = hn::Or(hn::Lt(got, Set(range.lo)), hn::Gt(got, Set(range.hi)));
    const M category = hn::And(scored, hn::Or(outside, hn::AndNot(zero, other_sign)));
    const M nearest = hn::And(scored, hn::Eq(got_units, p.rounded));
    const M far =
        hn::Gt(hn::Abs(hn::Sub(got, hi)), hn::Add(Set(1e-8), hn::Mul(Set(1e-5), hn::Abs(hi))));
    exact_lanes.Add(hn::AndNot(category, nearest));
    faithful_lanes.Add(hn::Or(nearest, hn::And(scored, hn::Eq(got_units, p.other))));
    far_lanes.Add(hn::And(scored, far));
    hn::Store(hn::IfThenElse(scored, Quantise(e), nan), d, scratch.e + i);
    hn::Store(got, d, scratch.got + i);
    hn::Store(hn::VecFromMask(d, category), d, scratch.category + i);
    // Signs differ: a category, or a zero.
    if (!hn::AllFalse(d, hn::Or(category, hn::And(scored, other_sign)))) {
      out_of_range.Add(hn::And(scored, outside), i, scratch.out_of_range_lane);
      wrong_sign.Add(hn::AndNot(outside, category), i, scratch.wrong_sign_lane);
      wrong_zeros.Add(hn::And(hn::And(scored, other_sign), zero), i, scratch.wrong_zero_lane);
    }
    if (!hn::AllTrue(d, scored)) {
      for (std::size_t k = i; k < n && k < i + hn::Lanes(d); ++k)
        if (scratch.e[k] != scratch.e[k])
          scratch.slow_lanes[s.slow++] = static_cast<std::uint16_t>(k);
    }
  }
  s.scored = n - s.slow;
  s.correctly_rounded = exact_lanes.Total();
  s.faithful = faithful_lanes.Total();
  s.allclose_failures = far_lanes.Total();
  if (out_of_range.any) s.out_of_range = out_of_range.count.Total();
  if (wrong_sign.any) s.wrong_sign = wrong_sign.count.Total();
  if (wrong_zeros.any) s.wrong_zeros = wrong_zeros.count.Total();
  SumErrors(n, s, scratch);
  return s;
}

BlockScore Score16(int kind, const Format& f, Range r, const FastValues& v,
                   const std::uint16_t* out, std::size_t n, BlockScratch& scratch) {
  return Score(kind, f, r, v, out, n, scratch);
}
BlockScore Score32(const Format& f, Range r, const FastValues& v, const std::uint32_t* out,
                   std::size_t n, BlockScratch& scratch) {
  return Score(0, f, r, v, out, n, scratch);
}

BlockScore Score64(const Format& f, Range r, const FastValues& v, const std::uint64_t* out,
                   std::size_t n, BlockScratch& scratch) {
  return Score(0, f, r, v, out, n, scratch);
}

using VU = hn::Vec<U64>;

/// a·b mod 2^64, from products of halves.
HWY_INLINE VU Times(VU a, VU b) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(U64(), hn::GetLane(a) * hn::GetLane(b));
#else
  using U32 = hn::Repartition<std::uint32_t, U64>;
  const U32 half;
  const auto a_low = hn::BitCast(half, a), b_low = hn::BitCast(half, b);
  const auto a_high = hn::BitCast(half, hn::ShiftRight<32>(a));
  const auto b_high = hn::BitCast(half, hn::ShiftRight<32>(b));
  const VU cross = hn::Add(hn::MulEven(a_high, b_low), hn::MulEven(a_low, b_high));
  return hn::Add(hn::MulEven(a_low, b_low), hn::ShiftLeft<32>(cross));
#endif
}

template <class T>
HWY_INLINE VU LoadWide(const T* p) {
  const U64 d;
  const hn::Rebind<T, U64> narrow;
  const auto v = hn::LoadU(narrow, p);
  if constexpr (sizeof(T) == 8) return v;
  if constexpr (sizeof(T) == 4) return hn::PromoteTo(d, v);
  if constexpr (sizeof(T) == 2)
    return hn::PromoteTo(d, hn::PromoteTo(hn::Rebind<std::uint32_t, U64>(), v));
}

/// The sum of digest_term() over n cases.
template <class T>
std::uint64_t Digest(const T* z, Bits y, const T* got, std::size_t n) {
  const U64 d;
  VU sum = hn::Zero(d);
  const VU label = hn::Set(d, digest_offset(y));
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    VU x = hn::Add(LoadWide(z + i), label);
    x = Times(hn::Xor(x, hn::ShiftRight<30>(x)), hn::Set(d, kDigestFirst));
    x = Times(hn::Xor(x, hn::ShiftRight<27>(x)), hn::Set(d, kDigestSecond));
    x = hn::Or(hn::Xor(x, hn::ShiftRight<31>(x)), hn::Set(d, 1));
    VU g = LoadWide(got + i);
    if (sizeof(T) == 8) g = hn::Xor(g, hn::ShiftRight<32>(g));
    sum = hn::Add(sum, Times(x, hn::Add(g, hn::Set(d, kDigestStep))));
  }
  std::uint64_t total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) total += digest_term(z[i], y, got[i]);
  return total;
}
std::uint64_t Digest16(const std::uint16_t* z, Bits y, const std::uint16_t* got, std::size_t n) {
  return Digest(z, y, got, n);
}
std::uint64_t Digest32(const std::uint32_t* z, Bits y, const std::uint32_t* got, std::size_t n) {
  return Digest(z, y, got, n);
}
std::uint64_t Digest64(const std::uint64_t* z, Bits y, const std::uint64_t* got, std::size_t n) {
  return Digest(z, y, got, n);
}

std::size_t Find(const double* e, std::size_t n, double value) {
  const D d;
  const V wanted = Set(value);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto at = hn::FindFirstTrue(d, hn::Eq(hn::LoadU(d, e + i), wanted));
    if (at >= 0) return std::min(n, i + static_cast<std::size_t>(at));
  }
  return n;
}

PairCount Pairs(const double* got, std::size_t n, int direction) {
  const D d;
  PairCount c;
  LaneCount pairs, falling;
  bool found = false;
  const V sign = Set(direction > 0 ? 1.0 : -1.0);
  for (std::size_t i = 0; i + 1 < n; i += hn::Lanes(d)) {
    const V a = hn::Mul(hn::LoadU(d, got + i), sign), b = hn::Mul(hn::LoadU(d, got + i + 1), sign);
    M numbers = hn::And(hn::Eq(a, a), hn::Eq(b, b));
    if (i + hn::Lanes(d) > n - 1) numbers = hn::And(numbers, hn::FirstN(d, n - 1 - i));
    const M falls = hn::And(numbers, hn::Lt(b, a));
    pairs.Add(numbers);
    falling.Add(falls);
    if (!found && !hn::AllFalse(d, falls)) {
      found = true;
      c.first = i + static_cast<std::size_t>(hn::FindFirstTrue(d, falls));
    }
  }
  c.pairs = pairs.Total();
  c.violations = falling.Total();
  return c;
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ulpaudit {
namespace {
HWY_EXPORT(Score16);
HWY_EXPORT(Score32);
HWY_EXPORT(Score64);
HWY_EXPORT(Pairs);
HWY_EXPORT(Find);
HWY_EXPORT(Digest16);
HWY_EXPORT(Digest32);
HWY_EXPORT(Digest64);
}  // namespace

BlockScore score_block(Dtype d, Range range, const FastValues& v, const void* out, std::size_t n,
                       BlockScratch& scratch) {
  if (d == Dtype::f64)
    return HWY_DYNAMIC_DISPATCH(Score64)(format(d), range, v,
                                         static_cast<const std::uint64_t*>(out), n, scratch);
  if (d == Dtype::f32)
    return HWY_DYNAMIC_DISPATCH(Score32)(format(d), range, v,
                                         static_cast<const std::uint32_t*>(out), n, scratch);
  return HWY_DYNAMIC_DISPATCH(Score16)(d == Dtype::bf16 ? 1 : 0, format(d), range, v,
                                       static_cast<const std::uint16_t*>(out), n, scratch);
}

namespace {
template <class T>
bool all_equal_to(const void* out, std::size_t n, T want) {
  const T* p = static_cast<const T*>(out);
  T difference = 0;
  for (std::size_t i = 0; i < n; ++i) difference |= static_cast<T>(p[i] ^ want);
  return difference == 0;
}

template <class T>
bool all_nan_of(Dtype d, const void* out, std::size_t n) {
  const T* p = static_cast<const T*>(out);
  const T infinity = static_cast<T>(format(d).infinity());
  const T size = static_cast<T>(format(d).sign_bit() - 1);
  bool all = true;
  for (std::size_t i = 0; i < n; ++i) all &= (p[i] & size) > infinity;
  return all;
}
}  // namespace

bool all_equal(Dtype d, const void* out, std::size_t n, Bits want) {
  switch (format(d).width) {
    case 16:
      return all_equal_to(out, n, static_cast<std::uint16_t>(want));
    case 32:
      return all_equal_to(out, n, static_cast<std::uint32_t>(want));
    default:
      return all_equal_to(out, n, want);
  }
}

bool all_nan(Dtype d, const void* out, std::size_t n) {
  const int width = format(d).width;
  return width == 16   ? all_nan_of<std::uint16_t>(d, out, n)
         : width == 32 ? all_nan_of<std::uint32_t>(d, out, n)
                       : all_nan_of<std::uint64_t>(d, out, n);
}

std::uint64_t digest_of(Dtype d, const void* z, Bits y, const void* got, std::size_t n) {
  switch (format(d).width) {
    case 16:
      return HWY_DYNAMIC_DISPATCH(Digest16)(static_cast<const std::uint16_t*>(z), y,
                                            static_cast<const std::uint16_t*>(got), n);
    case 32:
      return HWY_DYNAMIC_DISPATCH(Digest32)(static_cast<const std::uint32_t*>(z), y,
                                            static_cast<const std::uint32_t*>(got), n);
    default:
      return HWY_DYNAMIC_DISPATCH(Digest64)(static_cast<const std::uint64_t*>(z), y,
                                            static_cast<const std::uint64_t*>(got), n);
  }
}

std::size_t find_error(const BlockScratch& scratch, std::size_t n, double error) {
  return HWY_DYNAMIC_DISPATCH(Find)(scratch.e, n, error);
}

PairCount count_pairs(const double* got, std::size_t n, int direction) {
  return HWY_DYNAMIC_DISPATCH(Pairs)(got, n, direction);
}

}  // namespace ulpaudit
#endif  // HWY_ONCE
