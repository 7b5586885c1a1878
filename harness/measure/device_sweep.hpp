// Sweeps of kernels that take a CUDA device's arrays, judged there: one device for all threads.
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "measure/batch_truth.hpp"
#include "measure/device_judge.hpp"
#include "measure/engine.hpp"
#include "plugin/session_pool.hpp"

namespace ulpaudit {

class DeviceSweep {
 public:
  /// The device is got ready beside the first worker. `sessions`: no one else's during the sweep.
  explicit DeviceSweep(SessionPool& sessions)
      : sessions_(sessions),
        making_(std::async(std::launch::async, [] { return std::make_unique<DeviceJudge>(); })) {}

  /// Chunks of one segment, by number.
  struct Part {
    const InputPlan& plan;
    const Segment& segment;
    const std::vector<RegionSpan>& spans;
    std::vector<std::size_t> chunks;
  };

  /// Can the segment's chunks be counted on a device, whoever the target is?
  static bool covers(const InputPlan& plan, const Segment& segment);
  /// And this target's?
  bool takes(const Target& target);

  /// Counts what the target returns; gives the chunks that were not counted, for the host.
  std::vector<std::size_t> run(const Part& part, const Target& target, Accumulator& into,
                               BatchTruth& truth);
  /// The device's values of these inputs against the final judge: how many disagree.
  std::uint64_t disagreements(const Part& part, const std::vector<Bits>& z);
  /// Name of the device; empty where it counted nothing.
  std::string used() const { return counted_ ? judge_->name() : ""; }

 private:
  DeviceJudge& judge();
  Session& awake(const Target& target);

  std::mutex mutex_;
  SessionPool& sessions_;
  std::future<std::unique_ptr<DeviceJudge>> making_;
  std::unique_ptr<DeviceJudge> judge_;
  bool counted_ = false;
  bool broken_ = false;           ///< the device: all goes to the host
  std::set<std::string> failed_;  ///< targets that failed on it
  std::set<std::string> awake_;   ///< plug-ins whose worker has run
};

}  // namespace ulpaudit
