// Sweeps judged on a CUDA device.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/device_sweep.hpp"

#include <algorithm>
#include <cstring>

#include "device/add_stretch.hpp"
#include "plugin/loader.hpp"
#include "score/trend_spans.hpp"
#include "sweep/batch_runner.hpp"
#include "truth/score.hpp"

namespace ulpaudit {
namespace {

/// Lanes of a stretch: a block of threads each, many more than a device runs at once.
constexpr std::uint64_t kMostLanes = std::uint64_t{1} << 16;

DeviceTrend trend_on_device(OpId op, Bits y) {
  constexpr Dtype d = Dtype::f32;
  const auto o = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const TrendSpans spans(op, d, y);
  const Bits infinity = format(d).infinity();
  return {o(ordinal(d, negate(d, infinity))),
          o(ordinal(d, infinity)),
          o(spans.left_end()),
          o(spans.right_from()),
          spans.left(),
          spans.right()};
}

DeviceTask task_of(const DeviceSweep::Part& part) {
  const Bits y = part.segment.y;
  return {part.plan.op, static_cast<std::uint32_t>(y), trend_on_device(part.plan.op, y)};
}

std::vector<DeviceRun> runs_of(const DeviceSweep::Part& part) {
  std::vector<DeviceRun> runs;
  for (std::size_t i : part.chunks) {
    const Chunk& c = part.plan.chunks[i];
    runs.push_back({static_cast<std::uint32_t>(part.segment.first + c.first),
                    static_cast<std::uint32_t>(c.count)});
  }
  return runs;
}

/// Inputs outside of the spans are NaNs.
RegionSpan span_at(const std::vector<RegionSpan>& spans, Dtype d, std::uint64_t o) {
  const auto after =
      std::upper_bound(spans.begin(), spans.end(), o,
                       [](std::uint64_t v, const RegionSpan& s) { return v < s.first; });
  if (after == spans.begin()) return {0, spans.front().first - 1, Region::special};
  const RegionSpan& s = *(after - 1);
  if (o <= s.last) return s;
  return {s.last + 1, format(d).mask(), Region::special};
}

std::vector<DeviceStretch> stretches_of(const DeviceSweep::Part& part) {
  const Dtype d = part.plan.dtype;
  std::vector<DeviceStretch> out;
  for (std::uint32_t k = 0; k < part.chunks.size(); ++k) {
    const Chunk& c = part.plan.chunks[part.chunks[k]];
    const std::uint64_t first = part.segment.first + c.first, end = first + c.count;
    for (std::uint64_t o = first; o < end;) {
      const RegionSpan span = span_at(part.spans, d, o);
      const std::uint64_t last =
          std::min({span.last, curve_span(d, o).last, o + kMostLanes - 1, end - 1});
      out.push_back({DeviceJudge::place_of(k) + (o - first), static_cast<std::uint32_t>(o),
                     static_cast<std::uint32_t>(last - o + 1), k,
                     static_cast<std::uint8_t>(span.region), span.region == Region::special,
                     o > first || c.first > 0});
      o = last + 1;
    }
  }
  return out;
}

void add_slow_lane(const DeviceStretch& s, const SlowLane& lane, const InputPlan& plan, Bits y,
                   BatchTruth& truth, Accumulator& into) {
  const Bits z = from_ordinal(plan.dtype, s.first + lane.lane);
  const Bits padded[9] = {z};  // little endian: the first element is z
  truth.start(plan.op, plan.dtype, y, padded, 1, false);
  const Truth t = truth.truth(0, into.judged);
  into.add(plan.dtype, static_cast<Region>(s.region), {z, y, lane.got},
           score(plan.op, plan.dtype, t, lane.got));
}

/// The chunk that is run by plain batches too: the one with z = -1, or the segment's first.
bool is_probe(const DeviceSweep::Part& part, std::size_t chunk) {
  const Chunk& c = part.plan.chunks[chunk];
  const std::uint64_t first = part.segment.first, one = ordinal(Dtype::f32, 0xbf800000u);
  const auto holds = [&](std::uint64_t from, std::uint64_t n) { return one - from < n; };
  return holds(first, part.segment.count) ? holds(first + c.first, c.count) : c.first == 0;
}

}  // namespace

bool DeviceSweep::covers(const InputPlan& plan, const Segment& segment) {
  return plan.dtype == Dtype::f32 && segment.kind == Segment::Kind::run &&
         judged_fast(plan.op, plan.dtype, segment.y);
}

bool DeviceSweep::takes(const Target& target) {
  if (!target.device_arrays) return false;
  const std::lock_guard lock(mutex_);
  return trouble_.empty() && failed_.count(target.name) == 0;
}

DeviceJudge& DeviceSweep::judge() {
  if (!judge_) judge_ = making_.get();
  return *judge_;
}

/// What came of one batch of a target on the device.
struct DeviceSweep::Batch {
  std::vector<DeviceStretch> stretches;  ///< of chunks that are not refused
  std::vector<bool> refused;
  DeviceBatch counts;
  std::vector<std::size_t> unchecked;  ///< places of chunks whose sample has no verdict yet
  DeviceValues values;                 ///< of their samples, one behind the other
  std::uint64_t digest_of(std::uint32_t chunk) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < stretches.size(); ++i)
      if (stretches[i].chunk == chunk) sum += counts.counts[i].sums.digest;
    return sum;
  }
};

/// Runs the target over n inputs on the device. Its worker's first call is a plain one: the worker
/// meets the device while ours is still being got ready.
Outcome DeviceSweep::call(const Part& part, const Target& target, std::uint64_t n) {
  Session& session = sessions_.of(target.plugin_path);
  const bool two = info(part.plan.op).arity == 2;
  if (awake_.insert(target.plugin_path).second) {
    std::memset(session.z(), 0, sizeof(float));
    std::memset(session.y(), 0, sizeof(float));
    const Outcome o = session.run(target.kernel, part.plan.dtype, 1, two);
    if (o.kind != Outcome::Kind::ok) return o;
  }
  judge().fill(runs_of(part),
               two ? std::optional(static_cast<std::uint32_t>(part.segment.y)) : std::nullopt);
  return session.run_on_device(target.kernel, part.plan.dtype, n, two, judge().arrays());
}

bool DeviceSweep::plain_batches_differ(const Part& part, const Target& target, const Batch& batch) {
  const InputPlan& plan = part.plan;
  for (std::uint32_t k = 0; k < part.chunks.size(); ++k) {
    if (batch.refused[k] || !is_probe(part, part.chunks[k])) continue;
    const Chunk& c = plan.chunks[part.chunks[k]];
    std::vector<std::uint32_t> z(c.count);
    plan.fill(part.segment, c.first, c.count, z.data());
    std::uint64_t digest = 0;
    EndBudget ends;
    Accumulator losses;
    BatchRunner(sessions_, target, ends)
        .run(
            {plan.op, plan.dtype, part.segment.y, z.data(), c.count},
            [&](std::uint64_t offset, std::uint64_t n, const void* out) {
              digest += digest_of(plan.dtype, z.data() + offset, part.segment.y, out, n);
            },
            losses);
    return losses.lost_points != 0 || digest != batch.digest_of(k);
  }
  return false;
}

/// Nothing where the host has to do it.
std::optional<DeviceSweep::Batch> DeviceSweep::count(Part& part, const Target& target,
                                                     Accumulator& losses) {
  Batch b;
  b.stretches = stretches_of(part);
  b.refused.resize(part.chunks.size());
  const Bits first = from_ordinal(part.plan.dtype, part.segment.first);
  const auto tell = [&](std::string kind, std::string message) {
    losses.add_loss(
        part.plan.dtype,
        {std::move(kind), std::move(message), 1, 0, {first, part.segment.y, 0}, 1, first, first});
  };
  const std::lock_guard lock(mutex_);
  if (!trouble_.empty() || failed_.count(target.name) != 0) return std::nullopt;
  try {
    const Outcome o = call(part, target, DeviceJudge::elements(part.chunks.size()));
    for (const Fact& f : o.facts) tell(f.rule, f.text + ", on the device's arrays");
    if (o.kind != Outcome::Kind::ok) {
      failed_.insert(target.name);
      tell(loss_kind(o), o.message + ", on the device's arrays; the host's were tried next");
      return std::nullopt;
    }
    do {
      b.counts = judge().count(task_of(part), b.stretches);
      for (std::uint32_t k : b.counts.refused) b.refused[k] = true;
      std::erase_if(b.stretches, [&](const DeviceStretch& s) { return b.refused[s.chunk]; });
    } while (!b.counts.refused.empty());
    std::vector<std::uint32_t> z;
    for (std::size_t k = 0; k < part.chunks.size(); ++k) {
      if (b.refused[k] || part.disagreements[k]) continue;
      b.unchecked.push_back(k);
      z.insert(z.end(), part.sample[k].begin(), part.sample[k].end());
    }
    b.values = judge().values(task_of(part), z);
    if (plain_batches_differ(part, target, b))
      tell("protocol", "arrays in the device's memory give other results than the host's");
    counted_ = true;
    return b;
  } catch (const LoadError& e) {
    failed_.insert(target.name);
    tell("load", e.what());
  } catch (const std::exception& e) {
    trouble_ = e.what();
  }
  return std::nullopt;
}

DeviceSweep::Counted DeviceSweep::run(Part& part, const Target& target, Accumulator& into,
                                      BatchTruth& truth) {
  const std::optional<Batch> b = count(part, target, into);
  if (!b) return {part.chunks, {}};
  const InputPlan& plan = part.plan;
  const Bits y = part.segment.y;
  for (std::size_t i = 0; i < b->stretches.size(); ++i)
    add_stretch(b->stretches[i], y, b->counts.counts[i], into);
  for (std::size_t r = 0; r < b->counts.histograms.size(); ++r) {
    const std::vector<std::uint64_t>& bins = b->counts.histograms[r];
    if (std::any_of(bins.begin(), bins.end(), [](std::uint64_t n) { return n != 0; }))
      into.add_histogram(static_cast<Region>(r), bins);
  }
  for (const SlowLane& lane : b->counts.slow)
    add_slow_lane(b->stretches[lane.stretch], lane, plan, y, truth, into);
  std::size_t at = 0;
  for (std::size_t k : b->unchecked) {
    std::uint64_t wrong = 0;
    for (Bits z : part.sample[k]) {
      const DeviceValues& v = b->values;
      if (!BatchTruth::agrees(plan.op, plan.dtype, z, y, v.hi[at], v.lo[at], v.delta[at])) ++wrong;
      ++at;
    }
    part.disagreements[k] = wrong;
  }
  Counted counted;
  for (std::size_t k = 0; k < part.chunks.size(); ++k) {
    if (b->refused[k]) {
      counted.left.push_back(part.chunks[k]);
      continue;
    }
    counted.checks.cross_checked += part.sample[k].size();
    counted.checks.disagreements += part.disagreements[k].value_or(0);
  }
  return counted;
}

}  // namespace ulpaudit
