// The sweep engine.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/engine.hpp"

#include <mpfr.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "score/batch_counter.hpp"
#include "score/label_rows.hpp"
#include "sweep/batch_runner.hpp"
#include "sweep/binade_search.hpp"
#include "sweep/chunk_queue.hpp"
#include "sweep/device_sweep.hpp"

namespace ulpaudit {
namespace {

/// Inputs that are handed to a kernel at once: few for the final judge, so that all threads have
/// work.
constexpr std::uint64_t kBatchInputs = std::uint64_t{1} << 18;
static_assert(kBatchInputs < kBatchCapacity);  // room for the input before the batch

/// Rows that are handed to a kernel at once: few, so that they stay in the cache.
constexpr std::uint64_t kRows = (std::uint64_t{1} << 16) / kLabelRow;

/// Points of a chunk that the final judge checks behind the fast judge's back: 64 of a full one;
/// of rows, of which there are thousands, twice as many as there are labels.
std::uint64_t cross_checks(const Segment& s, std::uint64_t inputs) {
  if (s.kind == Segment::Kind::rows) return std::min<std::uint64_t>(inputs, 2 * kLabelRow);
  return std::min(inputs, std::max<std::uint64_t>(4, inputs >> 14));
}

/// Ordinals as packed encodings.
void pack(Dtype d, const std::vector<std::uint64_t>& ordinals, char* z) {
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  for (std::uint64_t o : ordinals) {
    const Bits b = from_ordinal(d, o);
    std::memcpy(z, &b, bytes);  // little endian, as all of the boundary
    z += bytes;
  }
}

/// Did a worker end, or a batch stay unwritten?
bool ended(const Accumulator& a) {
  return std::any_of(a.losses.begin(), a.losses.end(),
                     [](const Loss& l) { return l.kind.rfind("environment.", 0) != 0; });
}

/// What all threads share.
struct Shared {
  Shared(std::vector<Job>& j, const EngineOptions& o) : jobs(j), options(o) {}
  std::vector<Job>& jobs;
  const EngineOptions& options;
  std::vector<WorkItem> items;
  std::vector<std::vector<std::vector<RegionSpan>>> spans;  // job, segment
  EndBudgets budgets;
  std::atomic<bool> halt{false};
  std::mutex mutex;  // guards the failure
  std::exception_ptr failure;
  std::shared_ptr<DeviceSweep> device;  ///< where there is one, and a kernel for it
  SessionPool device_sessions{options.session};

  /// By signal, time or failure.
  bool ends() const {
    return halt.load() || (options.stop != nullptr && options.stop->load()) ||
           std::chrono::steady_clock::now() > options.deadline;
  }

  /// Runs `work` to its end, or until it throws: then all threads end.
  template <class F>
  void guard(F work) {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      halt = true;
    }
  }
};

class Lane {
 public:
  Lane(Shared& shared, ChunkQueue& queue)
      : shared_(shared), queue_(queue), sessions_(shared.options.session) {}

  void run() {
    const std::size_t most = shared_.device ? DeviceJudge::kMostChunks : 1;
    while (!shared_.halt.load()) {
      const std::vector<std::size_t> items = queue_.next(most);
      if (items.empty()) return;
      // Where the run is to end, what came of some of the chunks is of no use.
      if (const std::vector<Accumulator>* counts = run_chunks(items))
        queue_.finish(items, *counts);
      else
        queue_.give_up();
    }
  }

 private:
  /// Chunks of one segment; null where the run is to end before all are done.
  const std::vector<Accumulator>* run_chunks(const std::vector<std::size_t>& numbers) {
    const WorkItem& first = shared_.items.at(numbers.at(0));
    const Job& job = shared_.jobs[first.job];
    const InputPlan& plan = job.plan;
    const std::size_t number = plan.chunks[first.chunk].segment;
    const Segment& segment = plan.segments[number];
    std::vector<Accumulator>& local = fresh_counts(job.targets.size());
    z_.resize((kBatchInputs + 1) * 8 + 64);
    DeviceSweep::Part part = {plan, segment, shared_.spans[first.job][number]};
    for (std::size_t i : numbers) part.chunks.push_back(shared_.items.at(i).chunk);
    const bool covered = shared_.device && DeviceSweep::covers(plan, segment);
    if (covered) {
      for (std::size_t c : part.chunks) {
        part.sample.emplace_back();
        for (std::uint64_t i : sample_of(plan, segment, plan.chunks[c]))
          part.sample.back().push_back(plan.input(segment, i));
      }
      part.disagreements.resize(part.chunks.size());
    }
    std::vector<std::size_t> for_host;
    for (std::size_t t = 0; t < job.targets.size(); ++t) {
      if (!covered || !shared_.device->takes(job.targets[t])) {
        for_host.push_back(t);
        continue;
      }
      const DeviceSweep::Counted counted =
          shared_.device->run(part, job.targets[t], local[t], truth_);
      local[t].judged.cross_checked += counted.checks.cross_checked;
      local[t].judged.disagreements += counted.checks.disagreements;
      for (std::size_t c : counted.left) run_on_host({first.job, c}, {t}, local);
      if (numbers.size() > 1 && shared_.ends()) return nullptr;
    }
    for (std::size_t c : part.chunks) {
      if (for_host.empty()) break;
      run_on_host({first.job, c}, for_host, local);
      if (numbers.size() > 1 && shared_.ends()) return nullptr;
    }
    return &local;
  }

  void run_on_host(const WorkItem& item, const std::vector<std::size_t>& targets,
                   std::vector<Accumulator>& local) {
    const Job& job = shared_.jobs[item.job];
    const InputPlan& plan = job.plan;
    const Chunk& chunk = plan.chunks[item.chunk];
    const Segment& segment = plan.segments[chunk.segment];
    const JudgedCount checks = cross_check(plan, segment, chunk);
    if (segment.kind == Segment::Kind::search) {
      for (std::size_t t : targets) search(item, t, local[t]);
    } else if (segment.kind == Segment::Kind::rows) {
      sweep_rows(item, targets, local);
    } else {
      sweep(item, segment, shared_.spans[item.job][chunk.segment], {chunk.first, chunk.count},
            targets, local);
    }
    for (std::size_t t : targets) {
      local[t].judged.cross_checked += checks.cross_checked;
      local[t].judged.disagreements += checks.disagreements;
    }
  }

  struct Inputs {
    std::uint64_t first, count;
  };
  /// These inputs of a segment, through these targets.
  void sweep(const WorkItem& item, const Segment& segment, const std::vector<RegionSpan>& spans,
             const Inputs& inputs, const std::vector<std::size_t>& targets,
             std::vector<Accumulator>& local) {
    Job& job = shared_.jobs[item.job];
    const InputPlan& plan = job.plan;
    for (std::uint64_t done = 0; done < inputs.count; done += kBatchInputs) {
      const std::uint64_t n = std::min(kBatchInputs, inputs.count - done);
      // The input before the batch is run again, for monotonicity across the border alone.
      const std::uint64_t lead = inputs.first + done > 0 ? 1 : 0;
      fill(plan, segment, inputs.first + done - lead, n + lead);
      truth_.start(plan.op, plan.dtype, segment.y, z_.data(), n + lead, targets.size() > 1);
      for (std::size_t t : targets) {
        BatchRunner runner(sessions_, job.targets[t], shared_.budgets[item.job][t]);
        BatchCounter counter(plan, segment.y, spans, z_.data(), lead, truth_, scratch_, local[t]);
        runner.run({plan.op, plan.dtype, segment.y, z_.data(), n + lead}, std::ref(counter),
                   local[t]);
      }
    }
  }

  /// The rows of a chunk; where a target does not return them, label by label, as others are run
  /// that end their worker.
  void sweep_rows(const WorkItem& item, const std::vector<std::size_t>& targets,
                  std::vector<Accumulator>& local) {
    const Job& job = shared_.jobs[item.job];
    const InputPlan& plan = job.plan;
    const Segment& segment = plan.segments[plan.chunks[item.chunk].segment];
    const std::vector<std::uint16_t>& labels = labels_of(segment);
    std::vector<std::optional<Loss>> lost(local.size());
    fill(plan, segment, 0, segment.count);
    for (std::uint64_t row = 0; row * kLabelRow < segment.count; row += kRows) {
      const std::uint64_t lead = row > 0 ? 1 : 0, first = row - lead;
      const std::uint64_t rows = std::min(kRows + lead, segment.count / kLabelRow - first);
      const char* z = z_.data() + first * kLabelRow * sizeof(std::uint16_t);
      const Batch batch = {plan.op, plan.dtype, 0, z, rows * kLabelRow, labels.data()};
      for (std::size_t t : targets) {
        if (lost[t]) continue;
        BatchRunner runner(sessions_, job.targets[t], shared_.budgets[item.job][t]);
        RowCounter counter(rows_, {first, rows, lead != 0, z, labels.data()}, scratch_, local[t]);
        const Outcome o = runner.run_once(
            batch, [&](std::uint64_t, std::uint64_t, const void* out) { counter(out); }, local[t]);
        if (o.kind != Outcome::Kind::ok)
          lost[t] = not_again(batch, 0, batch.n, o, "when its labels were run one by one");
      }
    }
    for (std::size_t t : targets) {
      if (!lost[t]) continue;
      local[t].restart();
      for (std::size_t j = 0; j < kLabelRow; ++j) {
        Segment line;
        line.y = segment.labels[j];
        line.first = segment.first;
        sweep(item, line, rows_.spans(j), {0, segment.count / kLabelRow}, {t}, local);
      }
      if (local[t].lost_points == 0 && !ended(local[t]))
        local[t].add_loss(plan.dtype, *std::move(lost[t]));
    }
  }

  /// Of the lanes of a batch of rows.
  const std::vector<std::uint16_t>& labels_of(const Segment& rows) {
    labels_.resize((kRows + 1) * kLabelRow);
    std::copy(rows.labels.begin(), rows.labels.end(), labels_.begin());
    // Each copy doubles what is there, which is whole rows.
    for (std::size_t n = kLabelRow; n < labels_.size(); n *= 2)
      std::copy_n(labels_.begin(), std::min(n, labels_.size() - n),
                  labels_.begin() + static_cast<std::ptrdiff_t>(n));
    return labels_;
  }

  /// The binade that the chunk is, searched for the target's largest error.
  void search(const WorkItem& item, std::size_t target, Accumulator& into) {
    Job& job = shared_.jobs[item.job];
    const InputPlan& plan = job.plan;
    const Chunk& chunk = plan.chunks[item.chunk];
    const Segment& segment = plan.segments[chunk.segment];
    const Stratum& binade = stratum_of(segment, chunk.first);
    BinadeSearch search(binade, random_word(segment.seed, chunk.first), chunk.count, kBatchInputs);
    std::vector<double> errors;
    while (!shared_.halt.load()) {
      const std::vector<std::uint64_t>& inputs = search.next();
      if (inputs.empty()) break;
      pack(plan.dtype, inputs, z_.data());
      filled_ = {};
      truth_.start(plan.op, plan.dtype, segment.y, z_.data(), inputs.size(), false);
      errors.assign(inputs.size(), std::numeric_limits<double>::quiet_NaN());
      BatchRunner runner(sessions_, job.targets[target], shared_.budgets[item.job][target]);
      BatchCounter counter(plan, segment.y, shared_.spans[item.job][chunk.segment], z_.data(), 0,
                           truth_, scratch_, into);
      counter.keep_errors(errors);
      runner.run({plan.op, plan.dtype, segment.y, z_.data(), inputs.size()}, std::ref(counter),
                 into);
      search.learn(errors);
    }
    Extreme max;
    for (const Tally& t : into.regions) max.merge(plan.dtype, t.max_abs);
    into.search[binade.first] = {binade.first + binade.size - 1, chunk.count, max};
  }

  std::vector<Accumulator>& fresh_counts(std::size_t targets) {
    counts_.resize(targets);
    for (Accumulator& a : counts_) a.restart();
    return counts_;
  }

  /// Inputs into z_, unless they are there: the labels of a 16-bit op take turns on one line.
  void fill(const InputPlan& plan, const Segment& segment, std::uint64_t first, std::uint64_t n) {
    const bool rows = segment.kind == Segment::Kind::rows;
    const bool run = segment.kind == Segment::Kind::run || rows;
    const Filled wanted = {plan.dtype, segment.first, first, run ? n : 0, rows};
    if (run && wanted == filled_) return;
    plan.fill(segment, first, n, z_.data());
    filled_ = wanted;
  }

  /// Numbers of inputs.
  static std::vector<std::uint64_t> sample_of(const InputPlan& plan, const Segment& segment,
                                              const Chunk& chunk) {
    std::vector<std::uint64_t> sample;
    for (std::uint64_t k = 0; k < cross_checks(segment, chunk.count); ++k)
      sample.push_back(chunk.first +
                       random_word(plan.seed ^ segment.y, chunk.first + k) % chunk.count);
    return sample;
  }
  /// A sample that depends on the chunk alone goes through both judges.
  JudgedCount cross_check(const InputPlan& plan, const Segment& segment, const Chunk& chunk) {
    JudgedCount c;
    if (!judged_fast(plan.op, plan.dtype, segment.y)) return c;
    if (segment.kind == Segment::Kind::rows) rows_.start(plan, segment);
    for (std::uint64_t i : sample_of(plan, segment, chunk)) {
      ++c.cross_checked;
      if (!judges_agree(plan, segment, i)) ++c.disagreements;
    }
    return c;
  }
  bool judges_agree(const InputPlan& plan, const Segment& segment, std::uint64_t input) {
    const Bits z = plan.input(segment, input);
    if (segment.kind == Segment::Kind::rows) {
      const FastValues v = rows_.values(input / kLabelRow);
      const std::size_t j = input % kLabelRow;
      return BatchTruth::agrees(plan.op, plan.dtype, z, InputPlan::label(segment, input), v.hi[j],
                                v.lo[j], v.delta[j]);
    }
    Bits padded[9] = {z};  // little endian: the first element is z
    truth_.start(plan.op, plan.dtype, segment.y, padded, 1, false);
    return truth_.agrees_with_final_judge();
  }

  Shared& shared_;
  ChunkQueue& queue_;
  SessionPool sessions_;
  /// n inputs of a run or of rows from an ordinal on, without the first ones; n = 0: others.
  struct Filled {
    Dtype d = Dtype::f32;
    std::uint64_t ordinal = 0, first = 0, n = 0;
    bool rows = false;
    bool operator==(const Filled&) const = default;
  };

  std::vector<Accumulator> counts_;
  std::vector<char> z_;
  std::vector<std::uint16_t> labels_;
  Filled filled_;  ///< what z_ holds
  BatchTruth truth_;
  LabelRows rows_;  ///< of the chunk, where it is of rows
  BlockScratch scratch_;
};

void prepare(Shared& shared) {
  std::size_t number = 0;
  for (std::size_t j = 0; j < shared.jobs.size(); ++j) {
    Job& job = shared.jobs[j];
    job.results.assign(job.targets.size(), {});
    shared.budgets.push_back(std::make_unique<EndBudget[]>(job.targets.size()));
    for (std::size_t t = 0; t < job.targets.size(); ++t)
      shared.budgets.back()[t].limit(shared.options.search_for_ends,
                                     shared.options.go_on_behind_ends);
    std::vector<std::vector<RegionSpan>> spans;
    for (const Segment& s : job.plan.segments)
      spans.push_back(s.kind == Segment::Kind::rows
                          ? std::vector<RegionSpan>()  // LabelRows has them
                          : region_spans(job.plan.op, job.plan.dtype, s.y));
    shared.spans.push_back(std::move(spans));
    for (std::size_t c = 0; c < job.plan.chunks.size(); ++c) {
      if (number++ % shared.options.shards != shared.options.shard) continue;
      shared.items.push_back({j, c});
    }
  }
}

bool wants_device(const std::vector<Job>& jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const Job& j) {
    const auto& segments = j.plan.segments;
    return j.for_device() && std::any_of(segments.begin(), segments.end(), [&](const Segment& s) {
             return DeviceSweep::covers(j.plan, s);
           });
  });
}

void run_lanes(Shared& shared, ChunkQueue& queue) {
  const auto lane = [&] {
    shared.guard([&] { Lane(shared, queue).run(); });
    mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);  // MPFR keeps caches per thread and never frees them
  };
  std::vector<std::thread> threads;
  if (shared.options.serve)
    threads.emplace_back([&] { shared.guard([&] { shared.options.serve(queue); }); });
  for (int i = 1; i < shared.options.threads; ++i) threads.emplace_back(lane);
  lane();
  for (std::thread& t : threads) t.join();
  if (shared.failure) std::rethrow_exception(shared.failure);
}

}  // namespace

EngineOutcome run_jobs(std::vector<Job>& jobs, const EngineOptions& options) {
  Shared shared(jobs, options);
  prepare(shared);
  if (options.judge_on_device && DeviceJudge::built() && wants_device(jobs))
    shared.device = std::make_shared<DeviceSweep>(
        options.device_sessions != nullptr ? *options.device_sessions : shared.device_sessions);
  if (options.queue != nullptr) {
    run_lanes(shared, *options.queue);
    return {};
  }
  LocalQueue queue(jobs, shared.items, shared.budgets, options);
  run_lanes(shared, queue);
  queue.close();
  EngineOutcome outcome = queue.outcome();
  if (shared.device) {
    outcome.device = shared.device->used();
    outcome.device_trouble = shared.device->trouble();
    outcome.arrays = shared.device;
  }
  return outcome;
}

}  // namespace ulpaudit
