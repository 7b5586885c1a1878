// The truth of one batch of inputs: by the fast judge where it covers the op and dtype and decides,
// else by the final judge; shared by all implementations that are run on the batch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "inputs/plan.hpp"
#include "score/accumulator.hpp"
#include "truth/fast_judge.hpp"

namespace ulpaudit {

/// Has the fast judge a formula for this op and label? (Its bounds are proven for [0, 1].)
inline bool judged_fast(OpId op, Dtype d, Bits y) {
  return fast_judge_covers(op) && !is_nan(d, y) && in_domain(op, d, y);
}

/// One thread's; reused from batch to batch.
class BatchTruth {
 public:
  /// Inputs z (packed, n of them, with room to read 64 bytes behind) with one label. `keep`:
  /// several implementations will ask, so values are computed once and kept.
  void start(OpId op, Dtype d, Bits y, const void* z, std::size_t n, bool keep);

  bool fast() const { return fast_; }
  std::size_t size() const { return n_; }
  /// Values of inputs first .. first+count-1, which lie in one block of kBlock from the start.
  FastValues values(std::size_t first);
  /// The truth of input i, decided by whom it takes.
  Truth truth(std::size_t i, JudgedCount& judged);
  /// Where t lies between the same two numbers for inputs first .. last (ascending, t monotone
  /// between them), within 2^-22 ulp of the rounded one: that one. Then every result equal to it
  /// has an error of 0 quanta and is correctly rounded.
  std::optional<Bits> constant_between(std::size_t first, std::size_t last);
  /// Where t is within 2^-22 ulp of |z| 2^k, a normal number, at inputs first .. last (ascending,
  /// of one sign): k. Then every result equal to it has an error of 0 quanta and is correctly
  /// rounded.
  std::optional<int> scaled_between(std::size_t first, std::size_t last) const;
  /// Input 0: the fast judge's interval and decision against the final judge's.
  bool agrees_with_final_judge();
  /// The same of an interval that a fast judge has for z.
  static bool agrees(OpId op, Dtype d, Bits z, Bits y, double hi, double lo, double delta);
  /// What double leaves open in the formats narrower than f64, the gradient's crossing above all,
  /// decided in double-double; false where that leaves it open too.
  static bool decide_in_double_double(OpId op, Dtype d, Bits z, Bits y, Truth& t);

 private:
  void compute_block(std::size_t block, std::size_t slot);
  void compute(const void* z, std::size_t n, const FastValues& out);
  bool decide_alone(std::size_t i, Truth& t);
  std::optional<Truth> far_out(Bits z);

  OpId op_{};
  Dtype d_ = Dtype::f32;
  Bits y_ = 0;
  const char* z_ = nullptr;
  std::size_t n_ = 0;
  bool fast_ = false, keep_ = false;
  std::size_t in_slot_ = 0;  // the block in slot 0 where nothing is kept
  std::vector<bool> done_;   // per block where kept
  std::vector<double> zd_, part_, hi_, lo_, delta_;
  /// f64, |z| >= 746: the kind of the op's limit there, and the truth at ±746.
  struct FarOut {
    TruthKind limit;
    Truth begin;
  };
  std::optional<FarOut> far_[2];  // z < 0, z > 0; once asked for
  std::vector<Truth> truths_;     // of the final judge, where it judges all
};

}  // namespace ulpaudit
