// What implementations promise, as read from the contract beside the kernel (TOML).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
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
  bool covers(std::string_view rule_id, std::string_view dtype, std::string_view region) const;
};

/// Time per element, on typical inputs in L1, as a multiple of that of another kernel of the same
/// dtype, or of memcpy, in the same run.
struct SpeedPromise {
  std::string against;                    ///< "plugin/kernel" or "memcpy"; empty: nothing
  std::map<std::string, double> at_most;  ///< by dtype
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
  std::map<std::string, std::map<std::string, double>> max_ulp;  ///< dtype → region or "all"
  SpeedPromise throughput;
  std::vector<ExpectedFailure> expected_failures;
};

struct Contract {
  std::map<std::string, KernelContract> kernels;
  /// The kernel's contract; one that promises nothing where it has none.
  const KernelContract& of(const std::string& kernel) const;
};

/// Reads a contract; empty text promises nothing. `source` names it in errors.
Contract parse_contract(const std::string& text, const std::string& source);

}  // namespace ulpaudit
