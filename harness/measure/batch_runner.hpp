// Runs one kernel over inputs that lie in memory, survives its worker's end, and hands on what came
// back, piece by piece.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "measure/engine.hpp"
#include "measure/packed.hpp"
#include "plugin/session_pool.hpp"

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

/// What a loss calls an end of a batch.
const char* loss_kind(Outcome::Kind k);

/// Inputs offset … offset+count-1 ended the worker once, but came back in another way (", when …").
Loss not_again(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
               const char* way);

class BatchRunner {
 public:
  /// offset, count and packed results of a stretch that came back.
  using Consume = std::function<void(std::uint64_t offset, std::uint64_t count, const void* out)>;

  BatchRunner(SessionPool& sessions, const Target& target, std::atomic<int>& ends_left)
      : sessions_(sessions), target_(target), ends_left_(ends_left) {}

  /// A plug-in that cannot be opened any more loses the batch. One that ends its worker is halved
  /// until the shortest stretch that does so is left, while the target has ends left to spend;
  /// stretches without result go to `losses`.
  void run(const Batch& batch, const Consume& consume, Accumulator& losses);
  /// A batch that may have an array of labels, n <= kBatchCapacity, once: how it ended. Where it
  /// did not come back, nothing is handed on, and one of the target's ends is spent.
  Outcome run_once(const Batch& batch, const Consume& consume);

 private:
  Outcome run_whole(const Batch& b, std::uint64_t offset, std::uint64_t count,
                    const Consume& consume);
  void run_stretch(const Batch& b, std::uint64_t offset, std::uint64_t count,
                   const Consume& consume, Accumulator& losses);
  SessionPool& sessions_;
  Session* session_ = nullptr;
  const Target& target_;
  std::atomic<int>& ends_left_;
};

/// A target whose worker ended this often in one job is not run any further there.
inline constexpr int kEndsAllowed = 60;

}  // namespace ulpaudit
