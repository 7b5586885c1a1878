// Runs one kernel over inputs that lie in memory, survives its worker's end, and hands on what came
// back, piece by piece.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plugin/session_pool.hpp"
#include "score/accumulator.hpp"
#include "score/packed.hpp"
#include "sweep/end_budget.hpp"
#include "sweep/target.hpp"

namespace ulpaudit {

/// Inputs of one batch: packed encodings of z, one label for all or an array of them.
struct Batch {
  OpId op;
  Dtype dtype;
  Bits y = 0;
  const void* z = nullptr;
  std::uint64_t n = 0;
  const void* labels = nullptr;  ///< packed, one an input; where given, instead of y
};

/// What a loss calls an end of a batch; empty: it came back.
std::string loss_kind(const Outcome& o);

/// Inputs offset … offset+count-1 ended the worker once, but came back in another way (", when …").
Loss not_again(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
               const char* way);

class BatchRunner {
 public:
  /// offset, count and packed results of a stretch that came back.
  using Consume = std::function<void(std::uint64_t offset, std::uint64_t count, const void* out)>;

  BatchRunner(SessionPool& sessions, const Target& target, EndBudget& budget)
      : sessions_(sessions), target_(target), budget_(budget) {}

  /// A plug-in that cannot be opened any more loses the batch. Where one ends its worker, hangs,
  /// fails or leaves results unwritten, the input that does it is searched for (or the shortest
  /// stretch, where no single one does), and the batch goes on behind it, while there is time for
  /// that. What did not come back goes to `losses`, as does what a call did to its environment.
  void run(const Batch& batch, const Consume& consume, Accumulator& losses);
  /// A batch that may have an array of labels, n <= kBatchCapacity, once: how it ended. Where it
  /// did not come back, nothing is handed on.
  Outcome run_once(const Batch& batch, const Consume& consume, Accumulator& losses);

 private:
  struct Located {
    std::uint64_t first, count;
    bool again;    ///< it ended so again, at all
    bool in_time;  ///< the search came to its end
    Outcome outcome;
  };
  Session& session(bool patient);
  Outcome call(const Batch& b, std::uint64_t offset, std::uint64_t count, bool patient);
  Outcome timed(const Batch& b, std::uint64_t offset, std::uint64_t count);
  void run_stretch(const Batch& b, std::uint64_t offset, std::uint64_t count,
                   const Consume& consume, Accumulator& losses);
  void go_on(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
             const Consume& consume, Accumulator& losses);
  Located locate(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o);
  std::uint64_t end_of_run(const Batch& b, std::uint64_t first, std::uint64_t end,
                           const std::string& kind);
  void give_up(const Batch& b, std::uint64_t offset, std::uint64_t count, Accumulator& losses);
  void tell_facts(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
                  Accumulator& losses);

  SessionPool& sessions_;
  std::unique_ptr<Session> quick_;  ///< with little patience
  const Target& target_;
  EndBudget& budget_;
  const void* out_ = nullptr;  ///< of the last call
};

}  // namespace ulpaudit
