// Finished training runs in a file, so that a killed `train` goes on where it was.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "audit/request.hpp"
#include "record/report.hpp"
#include "training/training.hpp"

namespace ulpaudit {

class TrainCheckpoint {
 public:
  /// What the rows follow from, as names and values.
  using Identity = std::vector<std::pair<std::string, std::string>>;

  /// With --resume reads the file, where there is one. Throws UsageError for a file of another run,
  /// or one that is damaged.
  TrainCheckpoint(const Request& request, Identity identity);

  /// The row that was finished before; null where none was.
  const Training* known(const TrainingRun& run) const;
  /// Keeps a row; writes the file where that is due. From any thread.
  void add(const Training& row);
  /// Throws UsageError where the file cannot be written.
  void write();

 private:
  void read();
  std::string path_;
  std::string identity_;  ///< a line each
  std::chrono::milliseconds every_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  Report before_, rows_;  ///< training[] alone: as read, and with what was added
};

}  // namespace ulpaudit
