// Scans of blocks, vectorised.
// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "score/scan_block.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "fp/storage.hpp"
#include "inputs/plan.hpp"
#include "score/error_sums-inl.h"
#include "score/key_sums.hpp"
#include "score/packed.hpp"
#include "score/scan_block.hpp"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using VU = hn::Vec<U64>;

/// The lower half of a, times that of b.
HWY_INLINE VU TimesHalf(VU a, VU b) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(U64(), (hn::GetLane(a) & 0xffffffffu) * (hn::GetLane(b) & 0xffffffffu));
#else
  const hn::Repartition<std::uint32_t, U64> half;
  return hn::MulEven(hn::BitCast(half, a), hn::BitCast(half, b));
#endif
}

/// a·b mod 2^64.
HWY_INLINE VU Times(VU a, VU b) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(U64(), hn::GetLane(a) * hn::GetLane(b));
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  // vpmullq, for which Highway 1.0.3 has no name.
  using Words = std::uint64_t __attribute__((vector_size(sizeof a.raw)));
  return VU{(decltype(a.raw))((Words)a.raw * (Words)b.raw)};
#else
  const VU cross =
      hn::Add(TimesHalf(hn::ShiftRight<32>(a), b), TimesHalf(a, hn::ShiftRight<32>(b)));
  return hn::Add(TimesHalf(a, b), hn::ShiftLeft<32>(cross));
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

/// digest_key() | 1 of inputs, the label's offset added.
HWY_INLINE VU Key(VU x) {
  const U64 d;
  x = Times(hn::Xor(x, hn::ShiftRight<30>(x)), hn::Set(d, kDigestFirst));
  x = Times(hn::Xor(x, hn::ShiftRight<27>(x)), hn::Set(d, kDigestSecond));
  return hn::Or(hn::Xor(x, hn::ShiftRight<31>(x)), hn::Set(d, 1));
}

/// The sum of the keys of n inputs: every key has the same factor where the results are equal.
template <class T>
std::uint64_t Keys(const T* z, Bits y, std::size_t n) {
  const U64 d;
  VU sum = hn::Zero(d);
  const VU label = hn::Set(d, digest_offset(y));
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d))
    sum = hn::Add(sum, Key(hn::Add(LoadWide(z + i), label)));
  std::uint64_t total = SumModulo(sum);
  for (; i < n; ++i) total += digest_key(z[i], y) | 1;
  return total;
}
std::uint64_t Keys16(const std::uint16_t* z, Bits y, std::size_t n) { return Keys(z, y, n); }
std::uint64_t Keys32(const std::uint32_t* z, Bits y, std::size_t n) { return Keys(z, y, n); }
std::uint64_t Keys64(const std::uint64_t* z, Bits y, std::size_t n) { return Keys(z, y, n); }

/// Are all out[i] = (z[i] & mask) + step?
template <class T>
bool Moved(const T* z, const T* out, std::size_t n, T mask, T step) {
  const hn::ScalableTag<T> d;
  auto difference = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto want = hn::Add(hn::And(hn::LoadU(d, z + i), hn::Set(d, mask)), hn::Set(d, step));
    difference = hn::Or(difference, hn::Xor(want, hn::LoadU(d, out + i)));
  }
  bool all = hn::AllTrue(d, hn::Eq(difference, hn::Zero(d)));
  for (; i < n; ++i) all &= static_cast<T>((z[i] & mask) + step) == out[i];
  return all;
}
bool Moved16(const std::uint16_t* z, const std::uint16_t* out, std::size_t n, std::uint16_t mask,
             std::uint16_t step) {
  return Moved(z, out, n, mask, step);
}
bool Moved32(const std::uint32_t* z, const std::uint32_t* out, std::size_t n, std::uint32_t mask,
             std::uint32_t step) {
  return Moved(z, out, n, mask, step);
}
bool Moved64(const std::uint64_t* z, const std::uint64_t* out, std::size_t n, std::uint64_t mask,
             std::uint64_t step) {
  return Moved(z, out, n, mask, step);
}

/// The sum of digest_term() over whole vectors of cases, up to input `end`: of key·got and, apart,
/// of the keys, times kDigestStep. `offset` gives digest_offset() of the labels from input i on.
template <class T, class Offset>
HWY_INLINE std::uint64_t DigestVectors(const T* z, const Offset& offset, const T* got,
                                       std::size_t end) {
  const U64 d;
  VU sum = hn::Zero(d), high = sum, keys = sum;
  for (std::size_t i = 0; i < end; i += hn::Lanes(d)) {
    const VU x = Key(hn::Add(LoadWide(z + i), offset(i)));
    VU g = LoadWide(got + i);
    keys = hn::Add(keys, x);
    if (sizeof(T) == 8) {
      sum = hn::Add(sum, Times(x, hn::Xor(g, hn::ShiftRight<32>(g))));
    } else {  // x·g by the halves of x: g has 32 bits
      sum = hn::Add(sum, TimesHalf(x, g));
      high = hn::Add(high, TimesHalf(hn::ShiftRight<32>(x), g));
    }
  }
  sum = hn::Add(sum, hn::ShiftLeft<32>(high));
  return SumModulo(sum) + kDigestStep * SumModulo(keys);
}

template <class T>
std::uint64_t Digest(const T* z, Bits y, const T* got, std::size_t n) {
  const VU label = hn::Set(U64(), digest_offset(y));
  std::size_t i = n - n % hn::Lanes(U64());
  std::uint64_t total = DigestVectors(
      z, [&](std::size_t) HWY_ATTR { return label; }, got, i);
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

std::uint64_t DigestRows(const std::uint16_t* z, const std::uint64_t* offsets,
                         const std::uint16_t* got, std::size_t n) {
  static_assert(hn::MaxLanes(U64()) <= kLabelRow);
  const auto offset = [&](std::size_t i)
                          HWY_ATTR { return hn::LoadU(U64(), offsets + i % kLabelRow); };
  return DigestVectors(z, offset, got, n);
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

/// Encodings as integers in the order of their numbers, both zeros as 0.
template <class V>
HWY_INLINE V InOrder(V v) {
  const hn::DFromV<V> d;
  const V negative = hn::BroadcastSignBit(v);
  const V all_but_sign = hn::Set(d, std::numeric_limits<hn::TFromV<V>>::max());
  return hn::Sub(hn::Xor(v, hn::And(negative, all_but_sign)), negative);
}

template <class S>
PairCount Pairs(const S* got, std::size_t n, S infinity, int direction, std::size_t step) {
  const hn::ScalableTag<S> d;
  constexpr S kSize = std::numeric_limits<S>::max();
  const auto number = [&](S v) { return (v & kSize) <= infinity; };
  const auto in_order = [](S v) { return v < 0 ? static_cast<S>(-(v & kSize)) : v; };
  const auto falls_at = [&](std::size_t i) {
    const S a = in_order(got[i]), b = in_order(got[i + step]);
    return number(got[i]) && number(got[i + step]) && (direction > 0 ? b < a : a < b);
  };
  PairCount c;
  c.step = step;
  if (n <= step) return c;
  c.pairs = n - step;
  std::size_t last = 0;  // behind the vector of the last violation
  const auto most = hn::Set(d, infinity);
  for (std::size_t i = 0; i + step < n; i += hn::Lanes(d)) {
    const auto a = InOrder(hn::LoadU(d, got + i)), b = InOrder(hn::LoadU(d, got + i + step));
    auto nan = hn::Gt(hn::Max(hn::Abs(a), hn::Abs(b)), most);
    auto against = direction > 0 ? hn::Lt(b, a) : hn::Lt(a, b);
    if (i + hn::Lanes(d) + step > n) {
      const auto pairs = hn::FirstN(d, n - step - i);
      nan = hn::And(nan, pairs);
      against = hn::And(against, pairs);
    }
    if (hn::AllFalse(d, hn::Or(nan, against))) continue;
    c.pairs -= hn::CountTrue(d, nan);
    const std::size_t falls = hn::CountTrue(d, hn::AndNot(nan, against));
    c.violations += falls;
    if (falls == 0) continue;
    if (last == 0) c.first = i;
    last = std::min(n - step, i + hn::Lanes(d));
  }
  if (c.violations == 0) return c;
  while (!falls_at(c.first)) ++c.first;
  c.last = last - 1;
  while (!falls_at(c.last)) --c.last;
  return c;
}
PairCount Pairs16(const std::int16_t* got, std::size_t n, std::int16_t infinity, int direction,
                  std::size_t step) {
  return Pairs(got, n, infinity, direction, step);
}
PairCount Pairs32(const std::int32_t* got, std::size_t n, std::int32_t infinity, int direction,
                  std::size_t step) {
  return Pairs(got, n, infinity, direction, step);
}
PairCount Pairs64(const std::int64_t* got, std::size_t n, std::int64_t infinity, int direction,
                  std::size_t step) {
  return Pairs(got, n, infinity, direction, step);
}

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ulpaudit {
namespace {
HWY_EXPORT(Pairs16);
HWY_EXPORT(Pairs32);
HWY_EXPORT(Pairs64);
HWY_EXPORT(Find);
HWY_EXPORT(Digest16);
HWY_EXPORT(Digest32);
HWY_EXPORT(Digest64);
HWY_EXPORT(DigestRows);
HWY_EXPORT(Moved16);
HWY_EXPORT(Moved32);
HWY_EXPORT(Moved64);
HWY_EXPORT(Keys16);
HWY_EXPORT(Keys32);
HWY_EXPORT(Keys64);
}  // namespace

/// f(kernel, T{}), where T is the integer of d's width and `kernel` the one of three for it.
template <class K16, class K32, class K64, class F>
static auto by_width(Dtype d, K16 k16, K32 k32, K64 k64, F f) {
  return with_storage(d, [&](auto zero) {
    if constexpr (sizeof zero == 2) {
      return f(k16, zero);
    } else if constexpr (sizeof zero == 4) {
      return f(k32, zero);
    } else {
      static_assert(sizeof zero == 8, "vectors of this width are not written");
      return f(k64, zero);
    }
  });
}

bool all_equal(Dtype d, const void* out, std::size_t n, Bits want) {
  const auto size = static_cast<std::size_t>(format(d).bytes());
  const char* p = static_cast<const char*>(out);
  // Each equals its neighbour, and the first is the wanted one.
  return n == 0 || (load(d, p, 0) == want && std::memcmp(p, p + size, (n - 1) * size) == 0);
}

bool all_scaled(Dtype d, const void* z, const void* out, std::size_t n, int shift) {
  const Format& f = format(d);
  const std::uint64_t mask = f.sign_bit() - 1;
  const auto step = static_cast<std::uint64_t>(static_cast<std::int64_t>(shift))
                    << f.mantissa_bits();
  return by_width(d, HWY_DYNAMIC_DISPATCH(Moved16), HWY_DYNAMIC_DISPATCH(Moved32),
                  HWY_DYNAMIC_DISPATCH(Moved64), [&](auto moved, auto zero) {
                    using T = decltype(zero);
                    return moved(static_cast<const T*>(z), static_cast<const T*>(out), n,
                                 static_cast<T>(mask), static_cast<T>(step));
                  });
}

bool all_nan(Dtype d, const void* out, std::size_t n) {
  return with_storage(d, [&](auto zero) {
    using T = decltype(zero);
    const T* p = static_cast<const T*>(out);
    const T infinity = static_cast<T>(format(d).infinity());
    const T size = static_cast<T>(format(d).sign_bit() - 1);
    bool all = true;
    for (std::size_t i = 0; i < n; ++i) all &= (p[i] & size) > infinity;
    return all;
  });
}

std::uint64_t digest_of(Dtype d, const void* z, Bits y, const void* got, std::size_t n) {
  return by_width(d, HWY_DYNAMIC_DISPATCH(Digest16), HWY_DYNAMIC_DISPATCH(Digest32),
                  HWY_DYNAMIC_DISPATCH(Digest64), [&](auto digest, auto zero) {
                    using T = decltype(zero);
                    return digest(static_cast<const T*>(z), y, static_cast<const T*>(got), n);
                  });
}

std::uint64_t digest_of_rows(const void* z, const std::vector<Bits>& labels, const void* got,
                             std::size_t n) {
  std::array<std::uint64_t, kLabelRow> offsets{};
  std::transform(labels.begin(), labels.end(), offsets.begin(), digest_offset);
  return HWY_DYNAMIC_DISPATCH(DigestRows)(static_cast<const std::uint16_t*>(z), offsets.data(),
                                          static_cast<const std::uint16_t*>(got), n);
}

std::uint64_t digest_of_constant(Dtype d, const void* z, Bits y, Bits got, std::size_t n) {
  const std::uint64_t factor = (got ^ (got >> 32)) + kDigestStep;
  if (d == Dtype::f32 && y == 0 && n == kKeyRun && kKeySums != nullptr) {
    // Inputs in order, without gaps.
    const Bits first = load(d, z, 0), last = load(d, z, n - 1);
    const bool whole =
        first / kKeyRun == last / kKeyRun && (first > last ? first - last : last - first) == n - 1;
    if (whole) return factor * kKeySums[first / kKeyRun];
  }
  return factor * by_width(d, HWY_DYNAMIC_DISPATCH(Keys16), HWY_DYNAMIC_DISPATCH(Keys32),
                           HWY_DYNAMIC_DISPATCH(Keys64), [&](auto keys, auto zero) {
                             return keys(static_cast<const decltype(zero)*>(z), y, n);
                           });
}

std::size_t find_value(const double* v, std::size_t n, double value) {
  return HWY_DYNAMIC_DISPATCH(Find)(v, n, value);
}

PairCount count_pairs(Dtype d, const void* got, std::size_t n, int direction, std::size_t step) {
  return by_width(d, HWY_DYNAMIC_DISPATCH(Pairs16), HWY_DYNAMIC_DISPATCH(Pairs32),
                  HWY_DYNAMIC_DISPATCH(Pairs64), [&](auto pairs, auto zero) {
                    using T = std::make_signed_t<decltype(zero)>;
                    return pairs(static_cast<const T*>(got), n,
                                 static_cast<T>(format(d).infinity()), direction, step);
                  });
}

}  // namespace ulpaudit
#endif  // HWY_ONCE
