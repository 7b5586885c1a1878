// The yardstick of the benchmarks: σ by MPFR at 128 bits without intervals, timed in the same run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>
#include <mpfr.h>

#include <chrono>

namespace ulpaudit {

inline void mpfr_sigmoid(double z) {
  thread_local struct Temporary {
    mpfr_t v;
    Temporary() { mpfr_init2(v, 128); }
  } t;
  mpfr_set_d(t.v, -z, MPFR_RNDN);
  mpfr_exp(t.v, t.v, MPFR_RNDN);
  mpfr_add_ui(t.v, t.v, 1, MPFR_RNDN);
  mpfr_ui_div(t.v, 1, t.v, MPFR_RNDN);
  benchmark::DoNotOptimize(t.v);
}

/// Nanoseconds a point on one core, measured once in this run.
inline double mpfr_nanoseconds() {
  static const double ns = [] {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 20000; ++i) mpfr_sigmoid(-20 + 40 * i / 20000.0);
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start)
               .count() /
           20000;
  }();
  return ns;
}

}  // namespace ulpaudit
