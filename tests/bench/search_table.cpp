// SPDX-License-Identifier: Apache-2.0
// The largest f64 errors that a worst-case search finds, beside plain random bit patterns and
// stratified samples with ten times its points:
//   cmake --build --preset release --target search_table && build/release/tests/search_table
//   1000000 3
// Arguments: points of the search (default 10^6), number of seeds (default 3).
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <thread>

#include "sweep/engine.hpp"

using namespace ulpaudit;

namespace {

struct Row {
  const char *plugin, *kernel, *op;
  double y;
  const char* region;  ///< the one whose maximum is compared; "all"
};
constexpr Row kRows[] = {
    {"naive", "sigmoid", "sigmoid", 0, "all"},
    {"naive", "sigmoid_exp", "sigmoid", 0, "all"},
    {"stable", "sigmoid", "sigmoid", 0, "all"},
    {"naive", "sigmoid_grad", "sigmoid_grad", 0, "tail"},
    {"stable", "sigmoid_grad", "sigmoid_grad", 0, "all"},
    {"naive", "bce_log", "bce_with_logits", 0.25, "all"},
    {"naive", "bce_max", "bce_with_logits", 0.25, "all"},
    {"naive", "bce_logsigmoid", "bce_with_logits", 0.25, "all"},
    {"stable", "bce", "bce_with_logits", 0.25, "all"},
    {"naive", "bce_grad", "bce_with_logits_grad", 0.25, "all"},
    {"stable", "bce_grad", "bce_with_logits_grad", 0.25, "all"},
};

/// Every finite bit pattern is as likely as any other.
InputPlan plain_random(OpId op, Bits y, std::uint64_t points, std::uint64_t seed) {
  const Dtype d = Dtype::f64;
  InputPlan p;
  p.op = op;
  p.dtype = d;
  p.labels = {y};
  const std::uint64_t first = ordinal(d, negate(d, format(d).max_finite()));
  const std::uint64_t last = ordinal(d, format(d).max_finite());
  Segment s;
  s.kind = Segment::Kind::strata;
  s.y = y;
  s.seed = seed;
  s.count = points;
  s.strata = {{first, last - first + 1, points, 0}};
  for (std::uint64_t at = 0; at < points; at += kChunkInputs)
    p.chunks.push_back({0, at, std::min(kChunkInputs, points - at)});
  p.segments = {std::move(s)};
  p.points = points;
  return p;
}

double largest(const Row& row, InputPlan plan) {
  const std::string path = fmt::format("{}/{}.so", ULPAUDIT_PLUGIN_DIR, row.plugin);
  EngineOptions o;
  o.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  o.session.worker = ULPAUDIT_BIN_DIR "/ulpaudit-worker";
  const PluginInfo about = open_session(path, o.session)->info();
  std::size_t kernel = 0;
  while (about.kernels.at(kernel).name != row.kernel) ++kernel;
  std::vector<Job> jobs(1);
  jobs[0].plan = std::move(plan);
  jobs[0].targets = {{fmt::format("{}/{}", row.plugin, row.kernel), path, kernel}};
  run_jobs(jobs, o);
  double max = 0;
  const auto only = region_from_name(row.region);
  for (int r = 0; r < kRegionCount; ++r) {
    const Extreme& x = jobs[0].results[0].regions[static_cast<std::size_t>(r)].max_abs;
    if (x.set && (!only || static_cast<int>(*only) == r)) max = std::max(max, x.error);
  }
  return max;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t points = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const int seeds = argc > 2 ? std::atoi(argv[2]) : 3;
  fmt::print("{:<22} {:>4} {:>12} {:>12} {:>14}\n", "f64, max ulp", "seed", "search", "random x10",
             "stratified x10");
  for (const Row& row : kRows) {
    const OpId op = op_from_name(row.op).value();
    for (int seed = 1; seed <= seeds; ++seed) {
      InputChoice c;
      c.seed = static_cast<std::uint64_t>(seed);
      c.labels = {encode(Dtype::f64, row.y)};
      c.points = 10 * points;
      const double stratified = largest(row, make_plan(op, Dtype::f64, c));
      const double random = largest(row, plain_random(op, c.labels[0], 10 * points, c.seed));
      c.search = true;
      c.points = points;
      const double search = largest(row, make_plan(op, Dtype::f64, c));
      fmt::print("{:<22} {:>4} {:>12.6g} {:>12.6g} {:>14.6g}{}\n",
                 fmt::format("{}/{}", row.plugin, row.kernel), seed, search, random, stratified,
                 search < random ? "  less than random" : "");
    }
  }
}
