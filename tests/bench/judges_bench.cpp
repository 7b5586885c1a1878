// SPDX-License-Identifier: Apache-2.0
// Points a second of both judges, beside MPFR at 128 bits without intervals, in one run:
//   cmake --build --preset release --target judges_bench && build/release/tests/judges_bench
// `x_mpfr` is the ratio to MPFR's points a second; run it alone on the machine.
#include <benchmark/benchmark.h>

#include <vector>

#include "mpfr_reference.hpp"
#include "truth/fast_judge.hpp"
#include "truth/fast_judge_f64.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kPoints = 1024;

/// z from -20 to 20 as packed encodings.
template <class T>
std::vector<T> logits(Dtype d) {
  std::vector<T> z(kPoints + 16);
  for (std::size_t i = 0; i < kPoints; ++i)
    z[i] = static_cast<T>(encode(d, -20 + 40 * static_cast<double>(i) / kPoints));
  return z;
}

void report(benchmark::State& state, std::size_t points) {
  const auto n = static_cast<std::int64_t>(points) * state.iterations();
  state.SetItemsProcessed(n);
  state.counters["x_mpfr"] = benchmark::Counter(static_cast<double>(n) * mpfr_nanoseconds() * 1e-9,
                                                benchmark::Counter::kIsRate);
}

void Mpfr128(benchmark::State& state) {
  for (auto _ : state) mpfr_sigmoid(1.5);
  report(state, 1);
}
BENCHMARK(Mpfr128);

void FinalJudge(benchmark::State& state) {
  const OpId op = op_at(static_cast<int>(state.range(0)));
  const Bits z = encode(Dtype::f32, 1.5), y = encode(Dtype::f32, 0.25);
  for (auto _ : state) benchmark::DoNotOptimize(final_judge(op, Dtype::f32, z, y));
  report(state, 1);
}
BENCHMARK(FinalJudge)->DenseRange(0, 3);

void FastF32(benchmark::State& state) {
  const OpId op = op_at(static_cast<int>(state.range(0)));
  const auto z = logits<std::uint32_t>(Dtype::f32);
  std::vector<double> zd(kPoints + 16), part(zd), hi(zd), lo(zd), delta(zd);
  for (auto _ : state) {
    fast_z_part(op, Dtype::f32, z.data(), kPoints, zd.data(), part.data());
    fast_combine(op, 0.25, zd.data(), part.data(), kPoints, {hi.data(), lo.data(), delta.data()});
    benchmark::ClobberMemory();
  }
  report(state, kPoints);
}
BENCHMARK(FastF32)->DenseRange(0, 3);

void FastF64(benchmark::State& state) {
  const OpId op = op_at(static_cast<int>(state.range(0)));
  std::vector<double> z(kPoints + 16), hi(z), lo(z), delta(z);
  for (std::size_t i = 0; i < kPoints; ++i) z[i] = -20 + 40 * static_cast<double>(i) / kPoints;
  for (auto _ : state) {
    fast_values_f64(op, 0.25, z.data(), kPoints, {hi.data(), lo.data(), delta.data()});
    benchmark::ClobberMemory();
  }
  report(state, kPoints);
}
BENCHMARK(FastF64)->DenseRange(0, 3);

}  // namespace
}  // namespace ulpaudit

BENCHMARK_MAIN();
