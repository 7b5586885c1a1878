// What implementations promise, as read from the contract beside the kernel (TOML).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/op.hpp"

namespace ulpaudit {

/// The contract cannot be read; the text names source, line and what is accepted.
class BadContract : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ExpectedFailure {
  std::string rule;
  std::set<std::string> dtypes, regions;  ///< empty: all
  std::string reason;
  /// `region` is that of the failure; "all", where it is of no single one, is covered by admissions
  /// for all regions only.
  bool covers(std::string_view rule_id, std::string_view dtype, std::string_view region) const;
};

/// Time per element, on typical inputs in L1, as a multiple of that of another kernel of the same
/// dtype, or of memcpy, in the same run.
struct SpeedPromise {
  std::string against;                    ///< "plugin/kernel" or "memcpy"; empty: nothing
  std::map<std::string, double> at_most;  ///< by dtype
  /// Inputs other than typical ones ("subnormal", "bits"): against the kernel's own time on typical
  /// inputs, by dtype.
  std::map<std::string, std::map<std::string, double>> slow_inputs;
};

/// What a label outside [0, 1] gives; unspecified: nothing is promised, and nothing is checked.
enum class OutsideLabels : std::uint8_t {
  unspecified,
  nan,         ///< NaN
  clamp,       ///< the value at the nearest label in [0, 1]
  extrapolate  ///< the value of the formula
};

/// dtype → region or "all" → the most that is allowed.
using Budgets = std::map<std::string, std::map<std::string, double>>;

/// A name in a contract, and where it stands: whether it is there, only the plug-in can say.
struct Mention {
  enum Kind : std::uint8_t { kernel, dtype, region, rule, buffer } kind;
  std::string name;
  int line = 0, column = 0;
};

struct KernelContract {
  std::string name;
  bool monotone = false;
  bool flush_subnormals = false;
  bool clean_flags = false;                 ///< raises no spurious exception flag
  bool under_ftz = false;                   ///< same bits with FTZ and DAZ on
  bool any_rounding = false;                ///< same bits under every rounding mode
  bool keeps_threads = false;               ///< may leave threads behind
  bool same_training = false;               ///< networks end as with exact kernels
  std::set<std::string> correctly_rounded;  ///< dtypes
  Budgets max_ulp;
  Budgets max_absolute, max_relative;  ///< of |computed - true|, and of it over |true|
  Budgets bias;                    ///< of |mean signed error| in ulps; region "typical": weighted
  bool zero_sign = false;          ///< a zero has the sign of the true value
  bool quiet_nan = false;          ///< a NaN result is quiet
  bool exactly_symmetric = false;  ///< mirrored results without error
  std::set<std::string> in_place;  ///< buffers that `out` may be: "z", "y"
  OutsideLabels outside_labels = OutsideLabels::unspecified;
  /// Nothing is promised of a z outside, by dtype or "all": [first, last].
  std::map<std::string, std::pair<double, double>> domain;
  SpeedPromise throughput;
  std::vector<ExpectedFailure> expected_failures;
  std::vector<Mention> mentions;  ///< in the order of reading, the kernel first

  /// The z of which something is promised: [first, last]; nothing where it is every z.
  std::optional<std::pair<double, double>> domain_of(const std::string& dtype) const;
};

struct Contract {
  std::string source;  ///< names it in errors
  std::map<std::string, KernelContract> kernels;
  /// The kernel's contract; one that promises nothing where it has none.
  const KernelContract& of(const std::string& kernel) const;
};

/// Reads a contract; empty text promises nothing. `source` names it in errors.
Contract parse_contract(const std::string& text, const std::string& source);

/// The numbers of a dtype in a contract's domain, its first and last; nothing where there is none.
std::optional<std::pair<Bits, Bits>> numbers_in(Dtype d, std::pair<double, double> domain);

/// A kernel that a plug-in describes, whether it can run here or not.
struct OfferedKernel {
  std::string name, op;
  std::vector<std::string> dtypes;
};

/// Refuses names of kernels, dtypes, regions and rules that are not there, with their place and the
/// nearest one. Throws BadContract.
void check_contract(const Contract& contract, const std::vector<OfferedKernel>& offered);

}  // namespace ulpaudit
