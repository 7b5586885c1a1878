// Asks kernels at chosen inputs, and finds where along the line of inputs a condition on their
// results holds. The truth's own thresholds are found here too, by the final judge.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sweep/batch_runner.hpp"
#include "sweep/engine.hpp"

namespace ulpaudit {

/// An implementation of one op, in the dtypes that the jobs have it in.
struct Form {
  std::string name;     ///< plugin/kernel
  std::string formula;  ///< as the plug-in states it, without spaces
  OpId op{};
  std::array<const Target*, kDtypes.size()> targets{};  ///< by dtype; null where not at hand

  bool has(Dtype d) const { return targets[static_cast<std::size_t>(d)] != nullptr; }
};

/// Consecutive inputs, by ordinal, both ends included.
struct Stretch {
  std::uint64_t first, last;
  /// The condition was seen to come and go near that end, so that it is one end of several.
  bool frayed_first = false, frayed_last = false;
  bool operator==(const Stretch&) const = default;
};
/// Every finite number; and the infinities too.
Stretch finite_line(Dtype d);
Stretch whole_line(Dtype d);

using Stretches = std::vector<Stretch>;

/// What is looked for among the results of one form with one label.
struct Search {
  /// Judges the result `got` at z.
  using Condition = std::function<bool(Bits z, Bits got)>;
  Dtype dtype{};
  Stretch within{};
  Condition holds;
  Bits y = 0;
  std::uint64_t grid = std::uint64_t{1} << 14;  ///< inputs asked first, in f32 and f64
};

/// Where digits are counted as lost: |got - t| >= |t| / 2.
inline constexpr double kAllLost = 0.5;

/// Inputs of one sign, the outer end of which is the one far from 0.
struct Tail {
  Stretch within;
  int side;
};

class Probe {
 public:
  /// The jobs outlive the probe.
  Probe(const std::vector<Job>& jobs, SessionPool& sessions);

  /// Implementations of the op, in the order of the jobs; none where it is not at hand.
  std::vector<Form> forms(std::string_view op) const;

  /// Results, in the order of the inputs (at most kBatchCapacity). Nothing where the form has not
  /// this dtype or its kernel left one of them without a result; it is not asked again then.
  std::optional<std::vector<Bits>> ask(const Form& form, Dtype d, const std::vector<Bits>& z,
                                       Bits y = 0);
  std::optional<Bits> ask(const Form& form, Dtype d, Bits z, Bits y = 0);

  /// The stretches on which the condition holds, in order. Exact where `within` has no more than
  /// 2^16 inputs. Else evenly spaced inputs are asked, then ever closer ones about each end of a
  /// stretch: at its ends the condition changes from one input to the next, but what lies between
  /// equal neighbours of the grid is taken to be like them, and of more than kMostStretches the
  /// outer ones are kept.
  std::optional<Stretches> where(const Form& form, const Search& search);
  /// Among the finite inputs, by the result alone.
  std::optional<Stretches> where_result(const Form& form, Dtype d,
                                        const std::function<bool(Bits got)>& holds, Bits y = 0);

  /// As `where`, with evenly spaced inputs first however few there are.
  std::optional<Stretches> where_by_grid(const Form& form, const Search& search);

  /// The input from which on, to the tail's outer end, the condition holds, if there is one.
  struct Onset {
    bool answered = false;
    std::optional<Bits> z;
    bool frayed = false;  ///< as in Stretch
  };
  Onset zero_from(const Form& form, Dtype d, const Tail& tail, Bits y = 0);
  Onset lost_from(const Form& form, Dtype d, const Tail& tail, Bits y = 0);

  static constexpr std::size_t kMostStretches = 8;

 private:
  std::optional<std::vector<char>> mask(const Form& form, const Search& search,
                                        const std::vector<std::uint64_t>& ordinals);
  Onset onset(const Form& form, const Search& search, int side);
  struct End {
    std::uint64_t at;
    bool frayed;
  };
  std::optional<End> end_of(const Form& form, const Search& search, std::uint64_t inside,
                            std::uint64_t outside);

  const std::vector<Job>& jobs_;
  SessionPool& sessions_;
  std::set<std::pair<std::string, Dtype>> silent_;  ///< targets that did not answer

  /// The last large batch: several conditions are looked for among the same results.
  struct Asked {
    std::pair<std::string, Dtype> target;
    Bits y = 0;
    std::vector<Bits> z, out;
  };
  Asked last_;
};

/// Sum of the stretches' sizes.
std::uint64_t count(const Stretches& stretches);

/// The last ordinal for which `holds` is true, where it is true at first, false at last, and
/// changes once.
std::uint64_t last_before(Stretch within, const std::function<bool(std::uint64_t)>& holds);

/// t as a double, within 2^-50 relative (exactly where t is a number of the dtype); NaN and the
/// infinities as themselves.
double true_value(OpId op, Dtype d, Bits z, Bits y = 0);

/// |got - t| / |t|; infinity where one of them is NaN or infinite.
double relative_error(OpId op, Dtype d, Bits z, Bits y, Bits got);

/// The inputs with z <= -1 (side < 0) or z >= 1 for which the correctly rounded result is a normal
/// number, where |t| falls towards that side.
Tail normal_tail(OpId op, Dtype d, Bits y, int side);

}  // namespace ulpaudit
