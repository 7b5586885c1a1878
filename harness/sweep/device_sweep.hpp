// Sweeps of kernels that take a CUDA device's arrays, judged there: one device for all threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "device/device_judge.hpp"
#include "plugin/session_pool.hpp"
#include "score/batch_truth.hpp"
#include "sweep/target.hpp"

namespace ulpaudit {

class DeviceSweep {
 public:
  /// The device is got ready beside the first worker. `sessions`: no one else's during the sweep;
  /// its workers have the device's arrays open, so it ends before this does.
  explicit DeviceSweep(SessionPool& sessions)
      : sessions_(sessions),
        making_(std::async(std::launch::async, [] { return std::make_unique<DeviceJudge>(); })) {}

  /// Chunks of one segment.
  struct Part {
    const InputPlan& plan;
    const Segment& segment;
    const std::vector<RegionSpan>& spans;
    std::vector<std::size_t> chunks{};        ///< numbers
    std::vector<std::vector<Bits>> sample{};  ///< of each chunk, for the final judge too
    /// How much of the sample the device's values disagree on, once known.
    std::vector<std::optional<std::uint64_t>> disagreements{};
  };
  struct Counted {
    std::vector<std::size_t> left;  ///< chunks of which nothing was counted: the host's
    JudgedCount checks;             ///< of the others
  };

  /// Can the segment's chunks be counted on a device, whoever the target is?
  static bool covers(const InputPlan& plan, const Segment& segment);
  /// And this target's?
  bool takes(const Target& target);

  /// Counts what the target returns. How a worker ends that does not come back goes to the losses.
  Counted run(Part& part, const Target& target, Accumulator& into, BatchTruth& truth);
  /// Name of the device; empty where it counted nothing.
  std::string used() const { return counted_ ? judge_->name() : ""; }
  /// Why it counts no more; empty while it does.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Batch;
  std::optional<Batch> count(Part& part, const Target& target, Accumulator& losses);
  Outcome call(const Part& part, const Target& target, std::uint64_t n);
  bool plain_batches_differ(const Part& part, const Target& target, const Batch& batch);
  DeviceJudge& judge();

  std::mutex mutex_;
  SessionPool& sessions_;
  std::future<std::unique_ptr<DeviceJudge>> making_;
  std::unique_ptr<DeviceJudge> judge_;
  bool counted_ = false;
  std::string trouble_;           ///< of the device: all goes to the host
  std::set<std::string> failed_;  ///< targets that failed on it
  std::set<std::string> awake_;   ///< plug-ins whose worker has run
};

}  // namespace ulpaudit
