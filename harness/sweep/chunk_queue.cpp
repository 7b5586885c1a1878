// The queue of this process.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/chunk_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sweep/device_sweep.hpp"

namespace ulpaudit {

LocalQueue::LocalQueue(std::vector<Job>& jobs, const std::vector<WorkItem>& items,
                       EndBudgets& budgets, const EngineOptions& options)
    : jobs_(jobs), items_(items), budgets_(budgets), options_(options), done_(items.size()) {
  for (std::size_t i = 0; i < items_.size(); ++i) total_ += evaluations(i);
  if (options_.checkpoint.path.empty()) return;
  resume();
  save();  // a path that cannot be written to is found out before the work
}

std::uint64_t LocalQueue::evaluations(std::size_t item) const {
  const Job& job = jobs_[items_[item].job];
  return job.plan.chunks[items_[item].chunk].count * job.targets.size();
}

std::vector<std::size_t> LocalQueue::next(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> items;
  while (next_ < items_.size() && done_[next_] != 0) ++next_;
  if (halted_ || next_ >= items_.size() || out_of_time()) return items;
  const auto segment = [&](std::size_t i) {
    return std::pair(items_[i].job, jobs_[items_[i].job].plan.chunks[items_[i].chunk].segment);
  };
  // So few that every thread gets some.
  const std::size_t left = items_.size() - next_;
  most =
      std::min(most, std::max<std::size_t>(
                         1, left / (4 * static_cast<std::size_t>(std::max(1, options_.threads)))));
  for (; next_ < items_.size() && items.size() < most; ++next_) {
    if (done_[next_] != 0) continue;
    if (!items.empty() && segment(next_) != segment(items[0])) break;
    items.push_back(next_);
    const Job& job = jobs_[items_[next_].job];
    if (!job.for_device() ||
        !DeviceSweep::covers(job.plan, job.plan.segments[segment(next_).second]))
      most = 1;
  }
  return items;
}

void LocalQueue::give_up() {
  const std::lock_guard lock(mutex_);
  out_of_time();
}

bool LocalQueue::out_of_time() {
  const bool stopped = options_.stop != nullptr && options_.stop->load();
  const bool late = std::chrono::steady_clock::now() > options_.deadline;
  if (!stopped && !late) return false;
  (stopped ? outcome_.interrupted : outcome_.ended_early) = true;
  halted_ = true;
  return true;
}

void LocalQueue::finish(const std::vector<std::size_t>& items,
                        const std::vector<Accumulator>& counts) {
  const std::lock_guard lock(mutex_);
  Job& job = jobs_[items_[items.at(0)].job];
  for (std::size_t t = 0; t < counts.size(); ++t) job.results[t].merge(job.plan.dtype, counts[t]);
  for (std::size_t item : items) {
    done_[item] = 1;
    outcome_.evaluations += evaluations(item);
  }
  if (options_.progress) options_.progress(outcome_.evaluations, total_);
  if (!options_.checkpoint.path.empty() &&
      std::chrono::steady_clock::now() - saved_ >= options_.checkpoint.every)
    save();
}

void LocalQueue::close() {
  const std::lock_guard lock(mutex_);
  if (!options_.checkpoint.path.empty()) save();
}

void LocalQueue::resume() {
  const CheckpointOptions& o = options_.checkpoint;
  std::error_code error;
  if (!o.resume) {
    if (std::filesystem::exists(o.path, error))
      throw BadCheckpoint(
          fmt::format("checkpoint '{}' exists already: --resume goes on with it; "
                      "to start anew, remove it",
                      o.path));
    return;
  }
  Progressed p;
  p.done = done_;
  for (const Job& job : jobs_) {
    p.results.emplace_back(job.targets.size());
    p.time_left.emplace_back(job.targets.size());
  }
  if (!read_checkpoint(o, p)) return;
  done_ = p.done;
  for (std::size_t i = 0; i < done_.size(); ++i)
    if (done_[i] != 0) outcome_.evaluations += evaluations(i);
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    jobs_[j].results = std::move(p.results[j]);
    for (std::size_t t = 0; t < jobs_[j].targets.size(); ++t)
      budgets_[j][t].restore(EndBudget::Time(p.time_left[j][t]));
  }
}

void LocalQueue::save() {
  Progressed p;
  p.done = done_;
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    p.results.push_back(jobs_[j].results);
    p.time_left.emplace_back();
    for (std::size_t t = 0; t < jobs_[j].targets.size(); ++t)
      p.time_left.back().push_back(budgets_[j][t].left().count());
  }
  write_checkpoint(options_.checkpoint, p);
  saved_ = std::chrono::steady_clock::now();
}

}  // namespace ulpaudit
