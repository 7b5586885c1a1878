// Times of the chosen kernels.
// SPDX-License-Identifier: Apache-2.0
#include "audit/time_kernels.hpp"
#include "record/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ulpaudit {
namespace {

/// The kernels that the options choose; with `reference`, the first of naive of the same ops.
std::vector<TimedKernel> kernels_of(const Catalog& catalog, const Request& request) {
  std::vector<TimedKernel> out;
  for (const OpId op : chosen_ops(request))
    for (const Dtype d : chosen_dtypes(request)) {
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
        if (!can(offer) || !matches(request.impls, offer.about.name)) continue;
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

bool append_benchmarks(const Catalog& catalog, const Request& request, BenchChoice choice,
                       Report& report) {
  const std::vector<TimedKernel> kernels = kernels_of(catalog, request);
  if (kernels.empty()) return false;
  choice.seed = request.seed;
  choice.stop = request.stop;
  choice.progress = request.begin_progress("timings");
  report.benchmarks = run_benchmarks(kernels, choice, request.session());
  if (report.benchmarks.empty() && !request.stopped()) return false;
  for (const Benchmark& b : report.benchmarks) {
    if (b.failure.empty()) continue;
    Finding f = make_finding("plugin.bench", "bench", b.implementation, b.op, b.dtype);
    f.message = fmt::format("could not be timed ({}, {}): {}", b.inputs, b.level, b.failure);
    f.replay = Replay(report, b.implementation, b.dtype)
                   .bench(fmt::format("--inputs {} --level {}", b.inputs, b.level));
    report.findings.push_back(f);
  }
  return true;
}

}  // namespace ulpaudit
