// SPDX-License-Identifier: Apache-2.0
// Whole sweeps by the real engine, plug-ins in their workers, beside the figures asked, each
// also as a ratio inside one run:
//   cmake --build --preset release --target sweep_bench && build/release/tests/sweep_bench
//   … --benchmark_filter=Pairs16        one row of the table
//   … --benchmark_filter=whole          all 2^32 floats
// Run it alone on the machine.
#include <benchmark/benchmark.h>
#include <hwy/targets.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "mpfr_reference.hpp"
#include "sweep/batch_runner.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string plugin(const char* name) { return std::string(ULPAUDIT_PLUGIN_DIR "/") + name + ".so"; }

SessionOptions session_options(bool isolate = true) {
  SessionOptions s;
  s.isolate = isolate;
  s.worker = ULPAUDIT_WORKER;
  return s;
}

Target target_of(const std::string& path, const std::string& kernel) {
  const auto session = open_session(path, session_options());
  const auto& kernels = session->info().kernels;
  for (std::size_t i = 0; i < kernels.size(); ++i)
    if (kernels[i].name == kernel && kernels[i].unavailable.empty())
      return {session->info().name + "/" + kernel, path, i};
  throw std::runtime_error(path + ": no kernel " + kernel + " here");
}

Job make_job(const char* op, Dtype d, const InputChoice& choice, const Target& target) {
  Job job;
  job.plan = make_plan(*op_from_name(op), d, choice);
  job.targets.push_back(target);
  return job;
}

InputChoice run_over(Dtype d, double lo, double hi) {
  InputChoice c;
  c.exhaustive = true;
  c.lo = encode(d, lo);
  c.hi = encode(d, hi);
  c.labels = {0};
  return c;
}

/// -2^7 … -2^-25, all that a sigmoid has on one side: 2^28 floats.
InputChoice busy_floats() { return run_over(Dtype::f32, -0x1p7, -0x1p-25); }

struct Sweep {
  double seconds, cpu_seconds;
  std::uint64_t points;
};

double cpu_seconds(int of) {
  rusage u{};
  getrusage(of, &u);
  double sum = 0;
  for (const timeval& t : {u.ru_utime, u.ru_stime})
    sum += static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  return sum;
}

/// Of this process and its workers, which have ended when a sweep has.
double cpu_seconds() { return cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN); }

Sweep sweep(std::vector<Job> jobs, int threads, bool isolate = true) {
  EngineOptions o;
  o.threads = threads;
  o.session = session_options(isolate);
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  const EngineOutcome outcome = run_jobs(jobs, o);
  const double seconds = seconds_since(start);
  for (const Job& job : jobs)
    if (job.results.at(0).judged.disagreements != 0 || job.results[0].lost_points != 0)
      throw std::runtime_error("the sweep itself failed");
  return {seconds, cpu_seconds() - cpu, outcome.evaluations};
}

Sweep sweep(const Job& job, int threads, bool isolate = true) {
  return sweep(std::vector<Job>{job}, threads, isolate);
}

double peak_rss_mib() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_maxrss) / 1024;
}

/// One sweep's figures. `x_mpfr`: points a second and thread over MPFR's. `core_s`: processor time,
/// which tells a slow sweep from a busy machine.
void report(benchmark::State& state, const Sweep& s, int threads) {
  const double points = static_cast<double>(s.points);
  state.SetIterationTime(s.seconds);
  state.SetItemsProcessed(static_cast<std::int64_t>(s.points));
  state.counters["ns_point"] = s.seconds * 1e9 / points;
  state.counters["core_s"] = s.cpu_seconds;
  state.counters["x_mpfr"] = points * mpfr_nanoseconds() * 1e-9 / s.seconds / threads;
  state.counters["peak_rss_MiB"] = peak_rss_mib();
}

/// A whole sweep, once, by wall time.
void once(benchmark::internal::Benchmark* b) {
  b->Iterations(1)->UseManualTime()->Unit(benchmark::kSecond);
}

// --- Exhaustive f32: <= 8 s for all 2^32, aim 4 s; per core >= 400 x MPFR; AVX2 only <= 20 s.

void f32_simd(benchmark::State& state, const InputChoice& choice, const char* kernel) {
  const Job job = make_job("sigmoid", Dtype::f32, choice, target_of(plugin("simd"), kernel));
  for (auto _ : state) report(state, sweep(job, 2), 2);
}

void F32Simd(benchmark::State& state) { f32_simd(state, busy_floats(), "sigmoid"); }
BENCHMARK(F32Simd)->Name("F32Simd/busy")->Apply(once);

void F32SimdWhole(benchmark::State& state) {
  InputChoice all;
  all.exhaustive = true;
  all.labels = {0};
  f32_simd(state, all, "sigmoid");
}
BENCHMARK(F32SimdWhole)->Name("F32Simd/whole")->Apply(once);

void F32SimdAvx2(benchmark::State& state) {
#if HWY_ARCH_X86
  hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
  hwy::GetChosenTarget().DeInit();
  InputChoice all;
  all.exhaustive = true;
  all.labels = {0};
  f32_simd(state, all, "sigmoid@avx2");
  hwy::DisableTargets(0);
  hwy::GetChosenTarget().DeInit();
#else
  state.SkipWithError("no x86");
#endif
}
BENCHMARK(F32SimdAvx2)->Name("F32Simd/whole_avx2_only")->Apply(once);

// --- All pairs of f16 and bf16, a kernel that copies z: <= 4 s, aim 2 s.

void pairs16(benchmark::State& state, const char* op, Dtype d) {
  InputChoice c;
  c.exhaustive = true;
  c.rows = true;
  c.labels = all_labels(*op_from_name(op), d);
  const Job job = make_job(op, d, c, target_of(ULPAUDIT_COPY_Z, op));
  for (auto _ : state) report(state, sweep(job, 2), 2);
}
BENCHMARK_CAPTURE(pairs16, bce_f16, "bce_with_logits", Dtype::f16)
    ->Name("Pairs16/bce_f16")
    ->Apply(once);
BENCHMARK_CAPTURE(pairs16, bce_bf16, "bce_with_logits", Dtype::bf16)
    ->Name("Pairs16/bce_bf16")
    ->Apply(once);
BENCHMARK_CAPTURE(pairs16, grad_f16, "bce_with_logits_grad", Dtype::f16)
    ->Name("Pairs16/grad_f16")
    ->Apply(once);
BENCHMARK_CAPTURE(pairs16, grad_bf16, "bce_with_logits_grad", Dtype::bf16)
    ->Name("Pairs16/grad_bf16")
    ->Apply(once);

// --- f64 sigmoid, a kernel that copies z: >= 120 M points a second on 2 cores, aim 200 M.

/// 2^22 doubles behind each of ±2^k, k = -6 … 4.
void F64Runs(benchmark::State& state) {
  const Target copy = target_of(ULPAUDIT_COPY_Z, "sigmoid");
  std::vector<Job> jobs;
  for (int k = -6; k <= 4; ++k)
    for (double sign : {-1.0, 1.0}) {
      const double a = sign * exp2i(k), b = a + sign * exp2i(k - 52) * ((1 << 22) - 1);
      jobs.push_back(make_job("sigmoid", Dtype::f64,
                              run_over(Dtype::f64, std::min(a, b), std::max(a, b)), copy));
    }
  for (auto _ : state) report(state, sweep(jobs, 2), 2);
}
BENCHMARK(F64Runs)->Name("F64Copy/runs")->Apply(once);

/// The cost of drawing the points included.
void F64Sampled(benchmark::State& state) {
  InputChoice c;
  c.points = std::uint64_t{1} << 25;
  c.labels = {0};
  const Job job = make_job("sigmoid", Dtype::f64, c, target_of(ULPAUDIT_COPY_Z, "sigmoid"));
  for (auto _ : state) report(state, sweep(job, 2), 2);
}
BENCHMARK(F64Sampled)->Name("F64Copy/sampled")->Apply(once);

// --- 2 threads against 1: >= 1.9 x.

void Threads(benchmark::State& state) {
  const Job job =
      make_job("sigmoid", Dtype::f32, busy_floats(), target_of(plugin("simd"), "sigmoid"));
  for (auto _ : state) {
    const Sweep one = sweep(job, 1), two = sweep(job, 2);
    report(state, two, 2);
    state.counters["speedup"] = one.seconds / two.seconds;
  }
}
BENCHMARK(Threads)->Name("Threads/2_against_1")->Apply(once);

// --- The worker's cost against --isolate off: <= 10 %.

void Worker(benchmark::State& state) {
  const Job job =
      make_job("sigmoid", Dtype::f32, busy_floats(), target_of(plugin("simd"), "sigmoid"));
  for (auto _ : state) {
    const Sweep inside = sweep(job, 2, false), outside = sweep(job, 2, true);
    report(state, outside, 2);
    state.counters["over_isolate_off"] = outside.seconds / inside.seconds;
  }
}
BENCHMARK(Worker)->Name("Worker/against_isolate_off")->Apply(once);

// --- A slow kernel: <= 1.3 x its own time + 2 ns a point.

/// Processor seconds of the worker, which runs the kernel alone on the inputs of the job.
double kernel_alone(const Job& job) {
  const InputPlan& plan = job.plan;
  const double before = cpu_seconds(RUSAGE_CHILDREN);
  auto session = open_session(job.targets[0].plugin_path, session_options());
  constexpr std::uint64_t kBatch = std::uint64_t{1} << 18;
  const bool labelled = info(plan.op).arity == 2;
  if (labelled)
    std::fill_n(static_cast<std::uint32_t*>(session->y()), kBatch,
                static_cast<std::uint32_t>(plan.labels.at(0)));
  for (const Chunk& c : plan.chunks)
    for (std::uint64_t at = 0; at < c.count; at += kBatch) {
      const std::uint64_t n = std::min(kBatch, c.count - at);
      plan.fill(plan.segments[c.segment], c.first + at, n, session->z());
      if (session->run(job.targets[0].kernel, plan.dtype, n, labelled).kind != Outcome::Kind::ok)
        throw std::runtime_error("the kernel failed");
    }
  session.reset();
  return cpu_seconds(RUSAGE_CHILDREN) - before;
}

/// One thread; by processor time, which other jobs do not lengthen much.
void slow_kernel(benchmark::State& state, const char* op, const char* kernel,
                 const InputChoice& choice) {
  const Job job = make_job(op, Dtype::f32, choice, target_of(plugin("stable"), kernel));
  for (auto _ : state) {
    const double alone = kernel_alone(job);
    const Sweep s = sweep(job, 1);
    const double allowed = 1.3 * alone + 2e-9 * static_cast<double>(s.points);
    report(state, s, 1);
    state.counters["kernel_ns"] = alone * 1e9 / static_cast<double>(s.points);
    state.counters["over_kernel"] = s.cpu_seconds / alone;
    state.counters["of_allowance"] = s.cpu_seconds / allowed;
  }
}

/// All 2^32 floats, with one label where the op takes one.
InputChoice every_float(double label) {
  InputChoice c;
  c.exhaustive = true;
  c.labels = {encode(Dtype::f32, label)};
  return c;
}

/// 15 binades where the op is busiest.
const InputChoice kBusiest = run_over(Dtype::f32, -0x1p4, -0x1p-11);

BENCHMARK_CAPTURE(slow_kernel, busy_sigmoid, "sigmoid", "sigmoid", kBusiest)
    ->Name("SlowKernel/busy_sigmoid")
    ->Apply(once);
BENCHMARK_CAPTURE(slow_kernel, busy_sigmoid_grad, "sigmoid_grad", "sigmoid_grad", kBusiest)
    ->Name("SlowKernel/busy_sigmoid_grad")
    ->Apply(once);
BENCHMARK_CAPTURE(slow_kernel, sigmoid, "sigmoid", "sigmoid", every_float(0))
    ->Name("SlowKernel/sigmoid")
    ->Apply(once);
BENCHMARK_CAPTURE(slow_kernel, sigmoid_grad, "sigmoid_grad", "sigmoid_grad", every_float(0))
    ->Name("SlowKernel/sigmoid_grad")
    ->Apply(once);
BENCHMARK_CAPTURE(slow_kernel, bce, "bce_with_logits", "bce", every_float(0.3))
    ->Name("SlowKernel/bce")
    ->Apply(once);
BENCHMARK_CAPTURE(slow_kernel, bce_grad, "bce_with_logits_grad", "bce_grad", every_float(0.3))
    ->Name("SlowKernel/bce_grad")
    ->Apply(once);

}  // namespace
}  // namespace ulpaudit

BENCHMARK_MAIN();
