// Benchmarks through Google Benchmark with manual time: the worker measures, the library orders.
// SPDX-License-Identifier: Apache-2.0
#include "throughput/bench.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "plugin/loader.hpp"
#include "plugin/session_pool.hpp"
#include "plugin/timed_call.hpp"

namespace ulpaudit {
namespace {

/// Inputs from which a call takes its own: more than a branch predictor remembers.
constexpr std::uint64_t kStock = std::uint64_t{1} << 17;
/// Nanoseconds. A kernel this slow does not feel where its arrays lie.
constexpr double kLongestCall = 2.5e8;
constexpr double kNoisy = 0.1;  ///< quartiles this far apart, as a part of the median

struct Row {
  const TimedKernel* kernel;  ///< of a copy on a device: one that runs there; null: memcpy here
  bool copy;                  ///< a copy, not the kernel
  Workload workload;
  Dtype dtype;
  Benchmark* to;
};

/// The library prints nothing: the rows are collected where they are measured.
class Silent : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

class Bench {
 public:
  Bench(const BenchChoice& choice, const SessionOptions& options)
      : choice_(choice), sessions_(options) {}

  std::vector<Benchmark> run(const std::vector<TimedKernel>& kernels) {
    for (const TimedKernel& k : kernels) add(k);
    if (rows_.empty()) return {};
    for (Row& r : rows_) add_benchmark(r);
    std::vector<std::string> words = {
        "ulpaudit", "--benchmark_enable_random_interleaving=true",
        fmt::format("--benchmark_repetitions={}", choice_.repetitions)};
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    int argc = static_cast<int>(argv.size());
    benchmark::Initialize(&argc, argv.data());
    Silent silent;
    benchmark::RunSpecifiedBenchmarks(&silent);
    benchmark::ClearRegisteredBenchmarks();
    if (choice_.callgrind != nullptr) count_instructions(*choice_.callgrind);
    std::vector<Benchmark> out;
    for (const auto& b : results_)
      if (!b->ns.empty() || !b->failure.empty()) out.push_back(std::move(*b));
    return out;
  }

 private:
  void add_row(const TimedKernel* kernel, bool copy, Workload workload, Level level, Dtype d,
               std::uint64_t elements) {
    auto b = std::make_unique<Benchmark>();
    b->implementation = copy ? "memcpy" : kernel->name;
    if (!copy) b->op = info(kernel->op).name;
    b->dtype = name(d);
    b->inputs = name(workload);
    b->level = name(level);
    b->elements = elements;
    rows_.push_back({kernel, copy, workload, d, b.get()});
    results_.push_back(std::move(b));
  }

  void add(const TimedKernel& k) {
    std::vector<Level> levels;
    for (const Level level : choice_.levels)
      if (k.on_device == (level == Level::device)) levels.push_back(level);
    for (const Workload workload : choice_.workloads)
      for (const Level level : levels) {
        const bool first = workload == choice_.workloads[0] || level == levels[0];
        if (!first && !choice_.all_pairs) continue;
        const std::uint64_t n = elements_of(level, k.dtype, info(k.op).arity + 1);
        add_row(&k, false, workload, level, k.dtype, n);
        if (copies_.insert({k.dtype, k.on_device, n}).second)
          add_row(k.on_device ? &k : nullptr, true, choice_.workloads[0], level, k.dtype, n);
      }
  }

  void add_benchmark(const Row& row) {
    benchmark::RegisterBenchmark(fmt::format("{}/{}/{}/{}", row.to->implementation, row.to->dtype,
                                             row.to->inputs, row.to->elements)
                                     .c_str(),
                                 [this, row](benchmark::State& state) {
                                   for (auto _ : state) state.SetIterationTime(measure(row));
                                 })
        ->UseManualTime()
        ->Iterations(1);
  }

  /// One repetition, in seconds.
  double measure(const Row& row) {
    if (choice_.progress)
      choice_.progress(done_++, rows_.size() * static_cast<std::uint64_t>(choice_.repetitions));
    Benchmark& b = *row.to;
    if (!b.failure.empty() || (choice_.stop != nullptr && *choice_.stop)) return 0;
    const Timing timing = {b.elements, static_cast<std::uint64_t>(choice_.milliseconds * 1e6),
                           row.copy};
    Outcome o;
    try {
      if (row.kernel == nullptr) {
        o = copy_timed(row.dtype, kStock, zeros_.data(), timing);
      } else {
        Session& session = sessions_.of(row.kernel->plugin_path);
        fill(row, session);
        if (b.ns.empty() && (too_large(row, session) || too_slow(row, session))) return 0;
        o = time(row, session, timing);
      }
    } catch (const LoadError& e) {
      o = {Outcome::Kind::load, e.what(), 0};
    }
    if (o.kind == Outcome::Kind::ok && o.calls == 0)
      o = {Outcome::Kind::protocol, "the worker timed no call", 0};
    if (o.kind != Outcome::Kind::ok) {
      b.failure = o.message;
      b.ns.clear();
      return 0;
    }
    const double elements = static_cast<double>(b.elements);
    b.ns.push_back(static_cast<double>(o.nanoseconds) / static_cast<double>(o.calls) / elements);
    if (o.instructions != 0) {
      b.instructions = static_cast<double>(o.instructions) / elements;
      b.counted_by = "perf";
    }
    return static_cast<double>(o.nanoseconds) * 1e-9;
  }

  static Outcome time(const Row& row, Session& session, const Timing& timing) {
    return session.run_timed(row.kernel->kernel, row.dtype, kStock, info(row.kernel->op).arity == 2,
                             timing);
  }

  /// Of the rows that the gate compares. A kernel that cannot run there, or not in time, has none.
  void count_instructions(const Callgrind& callgrind) {
    SessionPool counted(callgrind.options());
    for (const Row& row : rows_) {
      if (row.copy || row.kernel->on_device || row.to->ns.empty() ||
          row.workload != Workload::typical || row.to->level != name(Level::l1))
        continue;
      if (choice_.stop != nullptr && *choice_.stop) return;
      try {
        Session& session = counted.of(row.kernel->plugin_path);
        if (session.info().program) continue;
        fill(row, session);
        callgrind.take_count();  // whatever came before
        if (time(row, session, {row.to->elements, 1}).kind != Outcome::Kind::ok) continue;
      } catch (const LoadError&) {
        continue;
      }
      const auto count = callgrind.take_count();
      if (!count) continue;
      row.to->instructions = static_cast<double>(*count) / static_cast<double>(row.to->elements);
      row.to->counted_by = "callgrind";
    }
  }

  /// A program that does not time itself gets no more than a batch at a time: the row is left out.
  static bool too_large(const Row& row, const Session& session) {
    const PluginInfo& plugin = session.info();
    return plugin.program && !plugin.offers_rule("timing") && row.to->elements > kBatchCapacity;
  }

  /// Would one call take longer than kLongestCall? Then the row is left out.
  bool too_slow(const Row& row, Session& session) {
    if (row.kernel->on_device) return false;  // few elements would tell of a call's start alone
    const std::uint64_t n = std::min<std::uint64_t>(row.to->elements, 1024);
    if (n == row.to->elements || left_out_.count(row.to) != 0) return n != row.to->elements;
    const Outcome o = time(row, session, {n, 1, row.copy});
    if (o.kind != Outcome::Kind::ok || o.calls == 0) return false;  // the next call says why
    const double ns = static_cast<double>(o.nanoseconds) / static_cast<double>(o.calls * n);
    if (ns * static_cast<double>(row.to->elements) <= kLongestCall) return false;
    left_out_.insert(row.to);
    return true;
  }

  /// The session's buffers hold the row's stock of inputs.
  void fill(const Row& row, Session& session) {
    const auto key = std::tuple(row.kernel->op, row.dtype, row.workload);
    Stock& stock = stocks_[key];
    const auto width = static_cast<std::size_t>(format(row.dtype).bytes());
    if (stock.z.empty()) {
      stock.z.resize(kStock * width);
      stock.y.resize(kStock * width);
      std::size_t at = 0;
      for (const TimedInput& x :
           timed_inputs(row.kernel->op, row.dtype, row.workload, choice_.seed, kStock)) {
        std::memcpy(stock.z.data() + at, &x.z, width);
        std::memcpy(stock.y.data() + at, &x.y, width);
        at += width;
      }
    }
    std::memcpy(session.z(), stock.z.data(), stock.z.size());
    std::memcpy(session.y(), stock.y.data(), stock.y.size());
  }

  struct Stock {
    std::vector<char> z, y;
  };
  const BenchChoice& choice_;
  SessionPool sessions_;
  std::vector<Row> rows_;
  std::vector<std::unique_ptr<Benchmark>> results_;
  std::set<std::tuple<Dtype, bool, std::uint64_t>> copies_;
  std::map<std::tuple<OpId, Dtype, Workload>, Stock> stocks_;
  std::set<const Benchmark*> left_out_;
  std::vector<char> zeros_ = std::vector<char>(kStock * 8);
  std::uint64_t done_ = 0;
};

/// The quantile of sorted values, between the two beside it where it falls there.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  const double next = sorted[std::min(i + 1, sorted.size() - 1)];
  return sorted[i] + (at - static_cast<double>(i)) * (next - sorted[i]);
}

std::optional<double> ratio(const Benchmark& b, const Benchmark* reference) {
  if (reference == nullptr || reference->median <= 0) return std::nullopt;
  return b.median / reference->median;
}

}  // namespace

void summarise(std::vector<Benchmark>& rows) {
  for (Benchmark& b : rows) {
    if (b.ns.empty()) continue;
    std::vector<double> sorted = b.ns;
    std::sort(sorted.begin(), sorted.end());
    b.median = quantile(sorted, 0.5);
    b.low = quantile(sorted, 0.25);
    b.high = quantile(sorted, 0.75);
    b.noisy = b.high - b.low > kNoisy * b.median;
    const auto op = op_from_name(b.op);
    const auto d = dtype_from_name(b.dtype);
    if (d && b.median > 0)
      b.gigabytes_per_second = (op ? info(*op).arity + 1 : 2) * format(*d).bytes() / b.median;
  }
  const auto find = [&](const auto& is) -> const Benchmark* {
    const auto at = std::find_if(rows.begin(), rows.end(), is);
    return at == rows.end() ? nullptr : &*at;
  };
  for (Benchmark& b : rows) {
    if (b.ns.empty() || b.implementation == "memcpy") continue;
    b.to_copy = ratio(b, find([&](const Benchmark& x) {
                        return x.implementation == "memcpy" && x.dtype == b.dtype &&
                               x.elements == b.elements &&
                               (x.level == "device") == (b.level == "device");
                      }));
    b.to_naive = ratio(b, find([&](const Benchmark& x) {
                         return x.implementation.rfind("naive/", 0) == 0 && x.op == b.op &&
                                x.dtype == b.dtype && x.inputs == b.inputs && x.level == b.level &&
                                !x.ns.empty();
                       }));
  }
}

std::vector<Benchmark> run_benchmarks(const std::vector<TimedKernel>& kernels,
                                      const BenchChoice& choice, const SessionOptions& options) {
  std::vector<Benchmark> rows = Bench(choice, options).run(kernels);
  summarise(rows);
  return rows;
}

}  // namespace ulpaudit
