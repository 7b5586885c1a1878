// Patterns in `out`, and what is left of them.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/poison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace ulpaudit {
namespace {

constexpr std::uint64_t kBlock = 4096;  ///< bytes; a multiple of every width
/// A kernel that leaves more is told by these.
constexpr std::size_t kMostPlaces = 4096;

// Whether one of the elements of a whole block is `pattern`: vectors of so many bytes. The
// compiler's own at -O2 take twice as long, and the search is a twentieth of a sweep's time.
#define BLOCK_HAS(name, bytes, ...)                                \
  template <class T>                                               \
  __VA_ARGS__ bool name(const unsigned char* block, T pattern) {   \
    typedef T Vector __attribute__((vector_size(bytes)));          \
    Vector a, b, found_a = {}, found_b = {};                       \
    const Vector all = Vector{} + pattern;                         \
    for (std::size_t i = 0; i < kBlock; i += 2 * sizeof(Vector)) { \
      std::memcpy(&a, block + i, sizeof a);                        \
      std::memcpy(&b, block + i + sizeof a, sizeof b);             \
      found_a |= reinterpret_cast<Vector>(a == all);               \
      found_b |= reinterpret_cast<Vector>(b == all);               \
    }                                                              \
    found_a |= found_b;                                            \
    T any = 0;                                                     \
    for (std::size_t i = 0; i < sizeof(Vector) / sizeof(T); ++i)   \
      any = static_cast<T>(any | found_a[i]);                      \
    return any != 0;                                               \
  }
BLOCK_HAS(block_has_16, 16)
#if defined(__x86_64__)
BLOCK_HAS(block_has_32, 32, __attribute__((target("avx2"))))
template <class T>
bool block_has(const unsigned char* block, T pattern) {
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  return wide ? block_has_32<T>(block, pattern) : block_has_16<T>(block, pattern);
}
#else
template <class T>
bool block_has(const unsigned char* block, T pattern) {
  return block_has_16<T>(block, pattern);
}
#endif

template <class T>
void find_places(const unsigned char* out, std::uint64_t n, T pattern,
                 std::vector<std::uint64_t>& places) {
  constexpr std::uint64_t kPart = kBlock / sizeof(T);
  for (std::uint64_t at = 0; at < n && places.size() < kMostPlaces; at += kPart) {
    const std::uint64_t part = std::min(kPart, n - at);
    if (part == kPart && !block_has<T>(out + at * sizeof(T), pattern)) continue;
    for (std::uint64_t i = at; i < at + part && places.size() < kMostPlaces; ++i)
      if (std::memcmp(out + i * sizeof(T), &pattern, sizeof(T)) == 0) places.push_back(i);
  }
}

Bits element(const void* out, std::uint64_t i, std::uint64_t width) {
  Bits bits = 0;
  std::memcpy(&bits, static_cast<const unsigned char*>(out) + i * width, width);
  return bits;
}

}  // namespace

Bits next_poison(Dtype d) {
  static std::atomic<std::uint64_t> calls{0};
  const Format& f = format(d);
  const Bits quiet = std::uint64_t{1} << (f.p - 2);  // payloads are 1 … quiet - 1
  // An odd step apart modulo a power of two; 0 would be an infinity.
  const std::uint64_t k = calls.fetch_add(1, std::memory_order_relaxed);
  Bits payload = ((k / 2 + 1) * 0x9e3779b97f4a7c15u) & (quiet - 1);
  if (payload == 0) payload = quiet / 2 + 1;
  return f.infinity() | payload | (k % 2 != 0 ? f.sign_bit() : 0);
}

Bits poison_of_bytes(std::uint8_t byte, std::uint64_t width) {
  return (Bits{byte} * 0x0101010101010101u) & (~Bits{0} >> (64 - 8 * width));
}

void fill_with(void* out, std::uint64_t n, std::uint64_t width, Bits pattern) {
  std::array<unsigned char, kBlock> block;
  auto* to = static_cast<unsigned char*>(out);
  const std::uint64_t bytes = n * width;
  const std::uint64_t head = std::min(bytes, kBlock);
  for (std::uint64_t at = 0; at < head; at += width) std::memcpy(&block[at], &pattern, width);
  for (std::uint64_t at = 0; at < bytes; at += kBlock)
    std::memcpy(to + at, block.data(), std::min(kBlock, bytes - at));
}

Untouched::Untouched(const void* out, std::uint64_t n, std::uint64_t width, Bits pattern)
    : n_(n), width_(width), pattern_(pattern) {
  const auto* at = static_cast<const unsigned char*>(out);
  if (width == 2)
    find_places<std::uint16_t>(at, n, static_cast<std::uint16_t>(pattern), places_);
  else if (width == 4)
    find_places<std::uint32_t>(at, n, static_cast<std::uint32_t>(pattern), places_);
  else
    find_places<std::uint64_t>(at, n, pattern, places_);
}

Untouched::Answer Untouched::settle(const void* out, Bits other, bool both) const {
  Answer a;
  std::uint64_t last = 0;
  for (const std::uint64_t i : places_) {
    const Bits then = element(out, i, width_);
    if (both ? then != other : then == pattern_) continue;
    if (a.count++ == 0) a.first = i;
    last = i;
  }
  // Behind the last place that was kept, what the second call left lying is counted.
  if (a.count == 0 || places_.size() < kMostPlaces) return a;
  for (std::uint64_t i = last + 1; i < n_; ++i) a.count += element(out, i, width_) == other;
  return a;
}

void add_not_written(Outcome& o, const Untouched::Answer& unwritten, std::uint64_t n,
                     std::uint64_t element) {
  const std::string more =
      unwritten.count > 1
          ? fmt::format(", nor {} other{}", unwritten.count - 1, unwritten.count > 2 ? "s" : "")
          : "";
  o.facts.push_back({"batch.not_written",
                     fmt::format("element {} of {} is not written{}", unwritten.first, n, more),
                     element});
}

}  // namespace ulpaudit
