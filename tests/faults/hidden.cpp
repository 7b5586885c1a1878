// Faults behind faults: what ends the worker, or is admitted by the contract, must not hide the
// other one. Blocks of 8 elements, then a tail.
// SPDX-License-Identifier: Apache-2.0
#include "frame.hpp"

namespace {

constexpr std::uint64_t kBlock = 8;

void crash() {
  volatile std::uintptr_t nowhere = 8;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

void hang() {
  for (volatile bool for_ever = true; for_ever;) {
  }
}

Bits scaled(const Call& c, std::uint64_t i, double by) {
  return rounded(c.dtype, number(c.dtype, c.right(i)) * by);
}

Bits result(const Call& c, std::uint64_t i, bool tail) {
  const double x = c.z_number(i);
  const bool plain = is_finite(c.dtype, c.z(i));
  if (fault("input_changed_and_tail_off") && tail) return scaled(c, i, 1.06);
  if (fault("third_call_crashes_and_tail_off") && tail) return nudged(c.dtype, c.right(i));
  if (fault("reads_past_and_half_missed") && plain && x == 0) return c.right(i) - 1;
  if (fault("crashes_and_wrong_elsewhere") && x > 5 && x < 6) return scaled(c, i, 1 - 0x1p-10);
  if (fault("hangs_and_lane_wrong") && !tail && i % kBlock == 5) return nudged(c.dtype, c.right(i));
  if (fault("core_behind_an_admission") && x > -1 && x < 1) return scaled(c, i, 1 + 0x1p-11);
  if (fault("writes_past_and_nan_lost") && is_nan(c.dtype, c.z(i))) return rounded(c.dtype, 0.5);
  return c.right(i);
}

std::int32_t compute(const Call& c, char*, std::size_t) {
  const std::uint64_t body = c.n - c.n % kBlock;
  static std::uint64_t calls = 0;
  if (fault("third_call_crashes_and_tail_off") && ++calls % 3 == 0) crash();
  if (fault("reads_past_and_half_missed"))
    (void)static_cast<const volatile char*>(c.z_data)[c.n * static_cast<unsigned>(bytes(c.dtype))];
  for (std::uint64_t i = 0; i < c.n; ++i) {
    if (fault("crashes_and_wrong_elsewhere") && c.z_number(i) == 1) crash();
    if (fault("hangs_and_lane_wrong") && c.z_number(i) == 3) hang();
    c.put(i, result(c, i, i >= body));
  }
  if (fault("input_changed_and_tail_off") && c.n != 0)
    store(c.dtype, const_cast<void*>(c.z_data), 0, c.z(0));
  if (fault("writes_past_and_nan_lost")) c.put(c.n, 0);
  return ULPAUDIT_OK;
}

}  // namespace
