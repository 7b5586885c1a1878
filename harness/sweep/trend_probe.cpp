// The direction of a kernel, region by region.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/trend_probe.hpp"

#include <algorithm>
#include <cmath>

#include "score/witness.hpp"
#include "sweep/batch_runner.hpp"

namespace ulpaudit {
namespace {

constexpr int kProbes = 65;
constexpr std::size_t kLeastSteps = 8;
/// Of two-argument ops: as many labels are tried, spread over those of the job.
constexpr std::size_t kLabels = 16;

/// Inputs of one region with what came out, in order of z.
struct Probe {
  Region region;
  Bits z = 0;
  std::optional<Bits> got{};
};

/// Evenly in z, its ends among them.
void append_span(Dtype d, const RegionSpan& span, std::vector<Probe>& probes) {
  const auto value = [d](std::uint64_t o) {
    const double v = decode(d, from_ordinal(d, o));
    return std::isfinite(v) ? v : std::copysign(decode(d, format(d).max_finite()), v);
  };
  const double lo = value(span.first), hi = value(span.last);
  for (int i = 0; i < kProbes; ++i) {
    const double part = static_cast<double>(i) / (kProbes - 1);
    const Bits z = encode(d, lo * (1 - part) + hi * part);
    const std::uint64_t o = std::clamp(ordinal(d, z), span.first, span.last);
    const Bits at = from_ordinal(d, o);
    if (!is_finite(d, at)) continue;
    if (!probes.empty() && ordinal(d, probes.back().z) >= o) continue;
    probes.push_back({span.region, at});
  }
}

std::vector<Probe> probes_of(const InputPlan& plan, Bits y) {
  const Dtype d = plan.dtype;
  const std::uint64_t least = plan.lo ? ordinal(d, *plan.lo) : 0;
  const std::uint64_t most = plan.hi ? ordinal(d, *plan.hi) : ~std::uint64_t{0};
  std::vector<Probe> probes;
  for (RegionSpan span : region_spans(plan.op, d, y)) {
    span.first = std::max(span.first, least);
    span.last = std::min(span.last, most);
    if (span.region != Region::special && span.first <= span.last) append_span(d, span, probes);
  }
  return probes;
}

/// Runs the kernel over the probes; those that were lost have no result.
void run(const Job& job, const Target& target, Bits y, SessionPool& sessions, EndBudget& ends,
         std::vector<Probe>& probes) {
  const Dtype d = job.plan.dtype;
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  std::vector<char> packed(probes.size() * bytes);
  for (std::size_t i = 0; i < probes.size(); ++i)
    std::copy_n(reinterpret_cast<const char*>(&probes[i].z), bytes, packed.data() + i * bytes);
  Accumulator ignored;  // losses here repeat those of the sweep
  BatchRunner(sessions, target, ends)
      .run(
          {job.plan.op, d, y, packed.data(), probes.size()},
          [&](std::uint64_t offset, std::uint64_t count, const void* out) {
            for (std::uint64_t i = 0; i < count; ++i) probes[offset + i].got = load(d, out, i);
          },
          ignored);
}

/// Where `direction` is that of the op between neighbouring probes of one region.
struct Stretch {
  std::size_t first, last;
  int direction;
};

std::vector<Stretch> stretches_of(OpId op, Dtype d, Bits y, const std::vector<Probe>& probes) {
  std::vector<Stretch> out;
  const double yd = decode(d, y);
  std::vector<int> at(probes.size());
  for (std::size_t i = 0; i < probes.size(); ++i) at[i] = trend(op, decode(d, probes[i].z), yd);
  for (std::size_t i = 0; i + 1 < probes.size(); ++i) {
    if (probes[i].region != probes[i + 1].region || at[i] != at[i + 1] || at[i] == 0) continue;
    if (!out.empty() && out.back().last == i && out.back().direction == at[i])
      out.back().last = i + 1;
    else
      out.push_back({i, i + 1, at[i]});
  }
  return out;
}

std::optional<Reversal> reversal(OpId op, Dtype d, Bits y, const std::vector<Probe>& probes,
                                 const Stretch& s) {
  const auto against = [&](std::size_t i, std::size_t j) {
    const double a = decode(d, *probes[i].got), b = decode(d, *probes[j].got);
    return s.direction > 0 ? b < a : b > a;
  };
  Reversal r;
  r.steps = s.last - s.first;
  r.rises = s.direction > 0;
  if (r.steps < kLeastSteps) return std::nullopt;
  for (std::size_t i = s.first; i <= s.last; ++i)
    if (!probes[i].got || is_nan(d, *probes[i].got)) return std::nullopt;
  for (std::size_t i = s.first; i < s.last; ++i) r.against += against(i, i + 1) ? 1 : 0;
  if (2 * r.against <= r.steps || !against(s.first, s.last)) return std::nullopt;
  r.first = make_witness(op, d, {probes[s.first].z, y, *probes[s.first].got});
  r.last = make_witness(op, d, {probes[s.last].z, y, *probes[s.last].got});
  return r;
}

}  // namespace

std::map<Region, Reversal> reversed_regions(const Job& job, const Target& target,
                                            SessionPool& sessions, EndBudget& ends) {
  const OpId op = job.plan.op;
  const Dtype d = job.plan.dtype;
  std::vector<Bits> labels = {0};
  if (info(op).arity == 2) {
    labels.clear();
    const std::size_t n = job.plan.labels.size(), step = std::max<std::size_t>(1, n / kLabels);
    for (std::size_t i = 0; i < n; i += step) labels.push_back(job.plan.labels[i]);
    if (n != 0 && labels.back() != job.plan.labels.back()) labels.push_back(job.plan.labels.back());
  }
  std::map<Region, Reversal> out;
  for (const Bits y : labels) {
    if (is_nan(d, y)) continue;
    std::vector<Probe> probes = probes_of(job.plan, y);
    if (probes.empty()) continue;
    run(job, target, y, sessions, ends, probes);
    for (const Stretch& s : stretches_of(op, d, y, probes)) {
      const Region region = probes[s.first].region;
      if (out.count(region) != 0) continue;
      if (auto r = reversal(op, d, y, probes, s)) out.emplace(region, std::move(*r));
    }
  }
  return out;
}

}  // namespace ulpaudit
