// Faults of batches: what depends on position, length, alignment, neighbours, or touches memory
// that is not the kernel's. Blocks of 8 elements, then a tail, as vector code has them.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "frame.hpp"

namespace {

constexpr std::uint64_t kBlock = 8;

std::uint64_t place(const void* p, std::uint64_t to) {
  return reinterpret_cast<std::uintptr_t>(p) % to;
}

/// Touches element i (which may be -1) of a buffer, whatever it holds.
void touch(const Call& c, const void* buffer, std::int64_t i) {
  const auto* p = static_cast<const volatile char*>(buffer);
  (void)p[i * bytes(c.dtype)];
}

/// Writes back what stands there, from element `first` on.
void rewrite(const Call& c, std::uint64_t first, std::uint64_t count) {
  auto* p = static_cast<volatile char*>(c.out_data) + first * static_cast<unsigned>(bytes(c.dtype));
  for (std::uint64_t k = 0; k < count * static_cast<unsigned>(bytes(c.dtype)); ++k) p[k] = p[k];
}

void aligned_load(const void* p) {
#if defined(__x86_64__)
  __asm__ volatile("movaps (%0), %%xmm0" : : "r"(p) : "xmm0", "memory");
#else
  if (place(p, 16) != 0) __builtin_trap();
#endif
}

/// NaN, infinite or large; asked so that NaN raises no flag.
bool extreme(const Call& c, std::uint64_t i) {
  if (!is_finite(c.dtype, c.z(i))) return true;
  const double x = c.z_number(i);
  return x > 80 || x < -80;
}

/// Does any of the elements [first, last) make it true?
template <class Test>
bool any(std::uint64_t first, std::uint64_t last, Test test) {
  for (std::uint64_t i = first; i < last; ++i)
    if (test(i)) return true;
  return false;
}

/// Four numbers or more, each larger than the one before.
bool rises(const Call& c) {
  for (std::uint64_t i = 0; i < c.n; ++i)
    if (is_nan(c.dtype, c.z(i)) || (i > 0 && c.z_number(i) <= c.z_number(i - 1))) return false;
  return c.n >= 4;
}

/// Element i by an index in a float.
Bits by_float(const Call& c, std::uint64_t i) {
  const auto at = static_cast<std::uint64_t>(static_cast<float>(i));
  return c.right(at < c.n ? at : i);
}

Bits in_block(const Call& c, std::uint64_t first, std::uint64_t i) {
  const std::uint64_t lane = i - first;
  const auto nan = [&](std::uint64_t k) { return is_nan(c.dtype, c.z(k)); };
  const auto far = [&](std::uint64_t k) { return extreme(c, k); };
  if (fault("nan_lost_in_body") && nan(i))
    return corpus::right(c.op, c.dtype, rounded(c.dtype, -88), 0);
  if (fault("body_differs")) return nudged(c.dtype, c.right(i));
  if (fault("lane_constant_wrong") && lane == 5) return nudged(c.dtype, c.right(i));
  if (fault("lanes_swapped") && (lane == 2 || lane == 3)) return c.right(first + 5 - lane);
  if (fault("nan_poisons_block") && any(first, first + kBlock, nan)) return quiet_nan(c.dtype);
  if (fault("extreme_block_differs") && any(first, first + kBlock, far) && !far(i))
    return nudged(c.dtype, c.right(i));
  if (fault("index_in_a_float")) return by_float(c, i);
  if (fault("label_of_first_lane")) return corpus::right(c.op, c.dtype, c.z(i), c.y(first));
  return c.right(i);
}

Bits in_tail(const Call& c, std::uint64_t i) {
  if (fault("tail_differs")) return nudged(c.dtype, c.right(i));
  return c.right(i);
}

Bits of_whole_batch(const Call& c, Bits result) {
  const bool changed =
      (fault("long_batch_differs") && c.n >= 32) || (fault("huge_batch_differs") && c.n > 65536) ||
      (fault("middle_lengths_differ") && c.n >= 131077 && c.n <= (1u << 20)) ||
      (fault("very_long_differs") && c.n > (1u << 21)) ||
      (fault("sixteen_bits_of_length_differ") && c.n == 65536) ||
      (fault("odd_near_a_million_differs") && c.n % 2 == 1 && c.n > (1u << 20) - 64 &&
       c.n < (1u << 20) + 64) ||
      (fault("sorted_differs") && rises(c)) ||
      (fault("labels_unaligned_differ") && place(c.y_data, 16) != 0) ||
      (fault("near_buffers_differ") && place(c.out_data, 64) == (place(c.z_data, 64) + 8) % 64) ||
      (fault("unaligned_differs") && (place(c.z_data, 32) != 0 || place(c.out_data, 32) != 0));
  return changed ? nudged(c.dtype, result) : result;
}

bool leaves_out(const Call& c, std::uint64_t i, std::uint64_t body) {
  return fault("writes_nothing") || (fault("stale_tail") && i >= body) ||
         (fault("last_left_out") && i + 1 == c.n && c.n % kBlock == kBlock - 1) ||
         (fault("nan_not_stored") && is_nan(c.dtype, c.z(i))) ||
         (fault("long_unwritten") && c.n > 1000) ||
         (fault("odd_last_left_out") && i + 1 == c.n && c.n % 2 == 1) ||
         (fault("beyond_a_million_left_out") && i >= (1u << 20)) ||
         (fault("index_of_16_bits") && i > 65535) ||
         (fault("bytes_in_int") && i >= INT32_MAX / static_cast<unsigned>(bytes(c.dtype)));
}

void touch_outside_before(const Call& c) {
  if (fault("reads_before")) touch(c, c.z_data, -1);
  if (fault("reads_one_past")) touch(c, c.z_data, static_cast<std::int64_t>(c.n));
  if (fault("reads_far_past")) touch(c, c.z_data, static_cast<std::int64_t>(c.n) + 1500);
  if (fault("reads_label_past")) touch(c, c.y_data, static_cast<std::int64_t>(c.n));
  if (fault("reads_vector_past") && c.n % kBlock != 0)
    touch(c, c.z_data, static_cast<std::int64_t>(c.n - c.n % kBlock + kBlock) - 1);
  if (fault("aligned_loads")) aligned_load(c.z_data);
}

void touch_outside_after(const Call& c) {
  if (fault("writes_one_past")) c.put(c.n, 0);
  if (fault("writes_far_past")) c.put(c.n + 1500, 0);
  if (fault("rewrites_past") && c.n % kBlock != 0) rewrite(c, c.n, kBlock - c.n % kBlock);
  if (fault("writes_before"))
    std::memset(static_cast<char*>(c.out_data) - bytes(c.dtype), 0,
                static_cast<std::size_t>(bytes(c.dtype)));
}

void spoil_buffers(const Call& c) {
  for (std::uint64_t i = 0; i < c.n; ++i) {
    // The exponentials, to be read back in a second pass that needs z again.
    if (fault("two_passes")) c.put(i, rounded(c.dtype, 0.25));
    if (fault("two_passes_over_labels")) c.put(i, rounded(c.dtype, 0.25));
    if (fault("input_clamped") && !is_nan(c.dtype, c.z(i)) && c.z_number(i) > 80)
      store(c.dtype, const_cast<void*>(c.z_data), i, rounded(c.dtype, 80));
  }
}

std::int32_t compute(const Call& c, char*, std::size_t) {
  if (fault("empty_touched") && c.n == 0) c.put(0, rounded(c.dtype, 0.5));
  if (c.n == 0) return ULPAUDIT_OK;
  touch_outside_before(c);
  spoil_buffers(c);
  const std::uint64_t body = c.n - c.n % kBlock;
  Bits block[kBlock];
  for (std::uint64_t first = 0; first < c.n; first += kBlock) {
    const std::uint64_t count = first < body ? kBlock : c.n - body;
    // Results of the whole block first: in place, a store must not change what lanes read.
    for (std::uint64_t k = 0; k < count; ++k)
      block[k] =
          of_whole_batch(c, first < body ? in_block(c, first, first + k) : in_tail(c, first + k));
    bool left_out[kBlock];
    for (std::uint64_t k = 0; k < count; ++k) left_out[k] = leaves_out(c, first + k, body);
    for (std::uint64_t k = 0; k < count; ++k)
      if (!left_out[k]) c.put(first + k, block[k]);
  }
  touch_outside_after(c);
  return ULPAUDIT_OK;
}

}  // namespace
