// Faults that end or stop the process: at one input (z = 1), at a signalling NaN, or at load.
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "frame.hpp"

namespace {

void crash() {
  volatile std::uintptr_t nowhere = 8;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

void hang() {
  for (volatile bool for_ever = true; for_ever;) {
  }
}

/// 16 GiB in 64 blocks, each touched; with no limit in force, a failure all the same.
std::int32_t allocate_all(char* message, std::size_t size) {
  for (int i = 0; i < 64; ++i) {
    char* block = static_cast<char*>(std::malloc(std::size_t{256} << 20));
    if (block == nullptr) {
      std::snprintf(message, size, "out of memory after %d blocks", i);
      return ULPAUDIT_FAILED;
    }
    static_cast<volatile char*>(block)[0] = 1;
  }
  std::snprintf(message, size, "no limit was in force");
  return ULPAUDIT_FAILED;
}

int descend(int depth);
int (*volatile next)(int) = descend;
int descend(int depth) {
  volatile char frame[4096];
  frame[depth & 4095] = 1;
  return next(depth + 1) + frame[0];
}

/// What happens where z = 1.
std::int32_t at_one(char* message, std::size_t size) {
  if (fault("crashes")) crash();
  if (fault("hangs")) hang();
  if (fault("allocates_all")) return allocate_all(message, size);
  if (fault("exits")) std::exit(0);
  if (fault("exits_at_once")) ::_exit(0);
  if (fault("aborts")) std::abort();
  if (fault("overflows_stack")) (void)next(0);
  if (fault("illegal_instruction")) __builtin_trap();
  if (fault("throws")) throw std::runtime_error("loose cannon");
  if (fault("refuses")) {
    std::snprintf(message, size, "the logit is one");
    return ULPAUDIT_FAILED;
  }
  return ULPAUDIT_OK;
}

/// Adds 0 with the invalid-operation trap on, and turns it off again.
void trap_signalling_nan(Bits z) {
#if defined(__x86_64__)
  unsigned before;
  __asm__ volatile("stmxcsr %0" : "=m"(before));
  const unsigned trapping = before & ~0xbfu;  // the invalid mask, and all flags
  __asm__ volatile(
      "ldmxcsr %0\n\t"
      "movd %2, %%xmm0\n\t"
      "addss %%xmm0, %%xmm0\n\t"
      "ldmxcsr %1"
      :
      : "m"(trapping), "m"(before), "r"(static_cast<std::uint32_t>(z))
      : "xmm0");
#else
  if ((z & 0x7fc00000) == 0x7f800000 && (z & 0x003fffff) != 0) __builtin_trap();
#endif
}

__attribute__((constructor)) void at_load() {
  if (fault("constructor_crashes")) crash();
  if (fault("constructor_hangs")) hang();
  if (fault("constructor_exits")) std::exit(0);
  if (fault("constructor_aborts")) std::abort();
  if (fault("constructor_throws")) throw std::runtime_error("no such device");
}

std::int32_t compute(const Call& c, char* message, std::size_t size) {
  for (std::uint64_t i = 0; i < c.n; ++i) {
    if (fault("signalling_nan_traps")) trap_signalling_nan(c.z(i));
    if (c.z(i) == rounded(c.dtype, 1))
      if (const std::int32_t status = at_one(message, size); status != ULPAUDIT_OK) return status;
    c.put(i, c.right(i));
  }
  return ULPAUDIT_OK;
}

}  // namespace
