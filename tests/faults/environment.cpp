// Faults of the environment: results are right, and the process is not as it was.
// SPDX-License-Identifier: Apache-2.0
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>

#include "frame.hpp"

#if !defined(__x86_64__)
#error "the faults of the environment are written for MXCSR and the x87 unit"
#endif

namespace {

constexpr unsigned kFlags = 0x3f, kDaz = 0x40, kZeroDivideMask = 0x200, kRoundUp = 0x4000;
constexpr unsigned kRounding = 0x6000, kFtz = 0x8000;

unsigned mxcsr() {
  unsigned v;
  __asm__ volatile("stmxcsr %0" : "=m"(v));
  return v;
}
void set_mxcsr(unsigned v) { __asm__ volatile("ldmxcsr %0" : : "m"(v)); }

/// Precision control of the x87 unit: 24 bits or, as the ABI has it, 64.
void set_x87_precision(bool single) {
  unsigned short v;
  __asm__ volatile("fnstcw %0" : "=m"(v));
  v = static_cast<unsigned short>((v & ~0x300u) | (single ? 0u : 0x300u));
  __asm__ volatile("fldcw %0" : : "m"(v));
}

void ignore_signal(int) {}

void* sleep_for_ever(void*) {
  for (;;) pause();
}
void leave_thread() {
  static bool left = false;
  pthread_t thread;
  if (!left && pthread_create(&thread, nullptr, sleep_for_ever, nullptr) == 0)
    pthread_detach(thread);
  left = true;
}

/// Operations whose value nobody uses, for the flag that they raise.
volatile float unused = 0;
void raise_overflow() {
  const volatile float big = 0x1p127f;
  unused = big * big;
}
void raise_invalid() {
  const volatile float infinite = __builtin_inff();
  unused = infinite - infinite;
}
void raise_divide_by_zero() {
  const volatile float zero = 0;
  unused = 1 / zero;
}

/// As a branch of a select that is computed for every lane and not used.
void unused_branch(const Call& c, std::uint64_t i) {
  const double x = c.z_number(i);
  const bool finite = is_finite(c.dtype, c.z(i));
  if (fault("overflow_raised") && finite && x < -89) raise_overflow();
  if (fault("invalid_raised") && finite && x > 1e9) raise_invalid();
  if (fault("divide_by_zero_raised") && finite && x > 17) raise_divide_by_zero();
}

__attribute__((constructor)) void at_load() {
  if (fault("ftz_set_at_load")) set_mxcsr(mxcsr() | kFtz | kDaz);
  if (fault("segv_handler_at_load")) signal(SIGSEGV, ignore_signal);
  if (fault("banner_at_load")) {
    std::puts("fast kernels 1.0, using AVX2");
    std::fflush(stdout);
  }
}

/// What an earlier call left behind must not change results: each plug-in has one fault.
void before_call() {
  if (fault("rounding_mode_left_when_long")) set_mxcsr(mxcsr() & ~kRounding);
  if (fault("rounding_mode_left")) set_mxcsr(mxcsr() & ~kRounding);
  if (fault("x87_precision_left")) set_x87_precision(false);
  if (fault("mmx_left")) __asm__ volatile("emms");
  if (fault("daz_left_by_one_of_two")) set_mxcsr(mxcsr() & ~(kDaz | kFtz));
}

void after_call(const Call& c) {
  if (fault("rounding_mode_left")) set_mxcsr(mxcsr() | kRoundUp);
  if (fault("ftz_set_in_call")) set_mxcsr(mxcsr() | kFtz);
  if (fault("daz_left_by_one_of_two") && c.op == Op::sigmoid) set_mxcsr(mxcsr() | kDaz | kFtz);
  if (fault("prints_controls")) {
    std::puts("\x1b[31msigmoid\x07");
    std::fflush(stdout);
  }
  if (fault("daz_set_in_call")) set_mxcsr(mxcsr() | kDaz);
  if (fault("traps_unmasked")) set_mxcsr(mxcsr() & ~kZeroDivideMask);
  if (fault("x87_precision_left")) set_x87_precision(true);
  if (fault("mmx_left")) __asm__ volatile("movd %0, %%mm0" : : "r"(1));
  if (fault("flags_cleared")) set_mxcsr(mxcsr() & ~kFlags);
  if (fault("prints")) {
    std::puts("sigmoid: done");
    std::fflush(stdout);
  }
  if (fault("fpe_handler_left")) signal(SIGFPE, ignore_signal);
  if (fault("thread_left")) leave_thread();
  if (fault("locale_changed")) std::setlocale(LC_NUMERIC, "C.UTF-8");
  if (fault("folder_changed") && ::chdir("/") != 0) return;
  if (fault("umask_changed")) ::umask(0);
}

std::int32_t compute(const Call& c, char*, std::size_t) {
  before_call();
  for (std::uint64_t i = 0; i < c.n; ++i) {
    unused_branch(c, i);
    c.put(i, c.right(i));
  }
  if (fault("rounding_mode_left_when_long") && c.n > 100) set_mxcsr(mxcsr() | kRoundUp);
  after_call(c);
  return ULPAUDIT_OK;
}

}  // namespace
