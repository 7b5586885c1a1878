// Sweeps judged on a CUDA device.
#include "measure/device_sweep.hpp"

#include <algorithm>
#include <cstring>

#include "measure/trend_spans.hpp"
#include "plugin/loader.hpp"
#include "truth/score.hpp"

namespace ulpaudit {
namespace {

/// Lanes of a stretch: a block of threads each, many more than a device runs at once.
constexpr std::uint64_t kMostLanes = std::uint64_t{1} << 16;

DeviceTask task_of(const DeviceSweep::Part& part) {
  const Bits y = part.segment.y;
  return {part.plan.op, static_cast<std::uint32_t>(y),
          TrendSpans(part.plan.op, part.plan.dtype, y).on_device()};
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

}  // namespace

bool DeviceSweep::covers(const InputPlan& plan, const Segment& segment) {
  return plan.dtype == Dtype::f32 && segment.kind == Segment::Kind::run &&
         fast_judge_covers(plan.op) && !is_nan(plan.dtype, segment.y);
}

bool DeviceSweep::takes(const Target& target) {
  if (!target.device_arrays) return false;
  const std::lock_guard lock(mutex_);
  return !broken_ && failed_.count(target.name) == 0;
}

DeviceJudge& DeviceSweep::judge() {
  if (!judge_) judge_ = making_.get();
  return *judge_;
}

/// The target's worker, which has met its device: while ours is still being got ready.
Session& DeviceSweep::awake(const Target& target) {
  Session& session = sessions_.of(target.plugin_path);
  if (awake_.insert(target.plugin_path).second) {
    std::memset(session.z(), 0, sizeof(float));
    std::memset(session.y(), 0, sizeof(float));
    session.run(target.kernel, Dtype::f32, 1, true);  // what fails here fails below too
  }
  return session;
}

std::vector<std::size_t> DeviceSweep::run(const Part& part, const Target& target, Accumulator& into,
                                          BatchTruth& truth) {
  const Bits y = part.segment.y;
  std::vector<DeviceStretch> stretches = stretches_of(part);
  std::vector<bool> refused(part.chunks.size());
  DeviceBatch batch;
  {
    const std::lock_guard lock(mutex_);
    if (broken_ || failed_.count(target.name) != 0) return part.chunks;
    try {
      Session& session = awake(target);
      const std::uint64_t n = judge().fill(runs_of(part), static_cast<std::uint32_t>(y));
      const Outcome o = session.run_on_device(target.kernel, part.plan.dtype, n,
                                              info(part.plan.op).arity == 2, judge().arrays());
      if (o.kind != Outcome::Kind::ok) throw LoadError(o.message);
      do {
        batch = judge().count(task_of(part), stretches);
        for (std::uint32_t k : batch.refused) refused[k] = true;
        std::erase_if(stretches, [&](const DeviceStretch& s) { return refused[s.chunk]; });
      } while (!batch.refused.empty());
      counted_ = true;
    } catch (const LoadError&) {
      // The host runs it again, finds what fails, and says so.
      failed_.insert(target.name);
      return part.chunks;
    } catch (const std::runtime_error&) {
      broken_ = true;
      return part.chunks;
    }
  }
  for (std::size_t i = 0; i < stretches.size(); ++i)
    into.add_stretch(stretches[i], y, batch.counts[i]);
  for (std::size_t r = 0; r < batch.histograms.size(); ++r) {
    const std::vector<std::uint64_t>& bins = batch.histograms[r];
    if (std::any_of(bins.begin(), bins.end(), [](std::uint64_t n) { return n != 0; }))
      into.add_histogram(static_cast<Region>(r), bins);
  }
  for (const SlowLane& lane : batch.slow)
    add_slow_lane(stretches[lane.stretch], lane, part.plan, y, truth, into);
  std::vector<std::size_t> left;
  for (std::size_t k = 0; k < refused.size(); ++k)
    if (refused[k]) left.push_back(part.chunks[k]);
  return left;
}

std::uint64_t DeviceSweep::disagreements(const Part& part, const std::vector<Bits>& z) {
  const std::vector<std::uint32_t> narrow(z.begin(), z.end());
  DeviceValues values;
  {
    const std::lock_guard lock(mutex_);
    if (broken_) return 0;
    try {
      values = judge().values(task_of(part), narrow);
    } catch (const std::runtime_error&) {
      broken_ = true;
      return 0;
    }
  }
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < z.size(); ++i)
    if (!BatchTruth::agrees(part.plan.op, part.plan.dtype, z[i], part.segment.y, values.hi[i],
                            values.lo[i], values.delta[i]))
      ++count;
  return count;
}

}  // namespace ulpaudit
