// Times of the chosen kernels.
#include "audit/time_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/interrupt.hpp"
#include "cli/progress.hpp"

namespace ulpaudit {
namespace {

/// The kernels that the options choose; with `reference`, the first of naive of the same ops.
std::vector<TimedKernel> kernels_of(const Catalog& catalog, const Options& o) {
  std::vector<TimedKernel> out;
  for (const OpId op : chosen_ops(o))
    for (const Dtype d : chosen_dtypes(o)) {
      const auto can = [&](const Offer& offer) {
        return offer.op == op && offer.about.unavailable.empty() &&
               std::find(offer.dtypes.begin(), offer.dtypes.end(), d) != offer.dtypes.end();
      };
      const auto add = [&](const Offer& offer) {
        out.push_back({offer.about.name, offer.about.path, offer.kernel, op, d,
                       std::find(offer.about.tags.begin(), offer.about.tags.end(), "on_device") !=
                           offer.about.tags.end()});
      };
      const std::size_t before = out.size();
      bool reference = false;
      for (const Offer& offer : catalog.offers) {
        if (!can(offer) || !matches(o.impls, offer.about.name)) continue;
        add(offer);
        reference |= offer.about.plugin == kReference;
      }
      if (out.size() == before || reference) continue;
      const auto naive = std::find_if(
          catalog.offers.begin(), catalog.offers.end(),
          [&](const Offer& offer) { return offer.about.plugin == kReference && can(offer); });
      if (naive != catalog.offers.end()) add(*naive);
    }
  return out;
}

}  // namespace

bool append_benchmarks(const Catalog& catalog, const Options& o, BenchChoice choice,
                       Report& report) {
  const std::vector<TimedKernel> kernels = kernels_of(catalog, o);
  if (kernels.empty()) return false;
  Progress progress(o.show_progress(), "timings");
  choice.seed = o.seed;
  choice.stop = &g_interrupted;
  choice.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
  report.benchmarks = run_benchmarks(kernels, choice, o.session());
  if (report.benchmarks.empty() && !g_interrupted) return false;
  for (const Benchmark& b : report.benchmarks) {
    if (b.failure.empty()) continue;
    Finding f;
    f.rule = "plugin.bench";
    f.phase = "bench";
    f.implementation = b.implementation;
    f.op = b.op;
    f.dtype = b.dtype;
    f.region = "all";
    f.message = fmt::format("could not be timed ({}, {}): {}", b.inputs, b.level, b.failure);
    f.count = 1;
    f.replay = fmt::format("./run bench {} --dtype {} --inputs {} --level {}",
                           choosing(report, b.implementation), b.dtype, b.inputs, b.level);
    report.findings.push_back(f);
  }
  return true;
}

}  // namespace ulpaudit
