// What the gate decided about a report, as plain data.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// One thing that is not as the contract or the baseline says, or is new.
struct Change {
  bool fails = false;  ///< else it is told only
  /// "contract", "expected_failure_passed", "accuracy", "correctly_rounded", "category",
  /// "monotone", "property", "digest", "evidence", "vanished", "throughput", "repetitions", "new",
  /// "better"
  std::string kind;
  std::string implementation, op, dtype, region;
  std::string message;        ///< one sentence
  std::string before, after;  ///< values, where there are two
  std::optional<Witness> witness, witness_before;
  std::string replay;
};

struct GateReport {
  bool passed = true;
  std::string report_class;    ///< ISA, libm, compiler and flags of the report
  std::string baseline_class;  ///< empty: there was no baseline
  bool accuracy_compared = false, throughput_compared = false;
  std::vector<std::string> notes;  ///< what was not compared, and why
  std::vector<Change> changes;     ///< those that fail first
};

}  // namespace ulpaudit
