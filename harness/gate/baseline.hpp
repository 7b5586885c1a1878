// The last accepted measurement: what the gate compares a report with. One JSON file, a line per
// row.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// The file is no baseline, was cut or changed by hand, or is of another version.
class BadBaseline : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// implementation × op × dtype × region, as a Result has it.
struct BaselineRow {
  std::string implementation, op, dtype, region, evidence;
  std::string plan;  ///< hash of the inputs
  std::uint64_t points = 0, correctly_rounded = 0, monotone_violations = 0;
  std::optional<double> max_ulp;
  std::optional<Witness> max;
  std::map<std::string, std::uint64_t> categories;
  std::string digest;  ///< of region "all" only
};

/// A rule that `check` found broken; permitted, since it was so when the baseline was accepted.
struct KnownBreach {
  std::string implementation, dtype, rule;
  auto operator<=>(const KnownBreach&) const = default;
};

/// Why the baseline was replaced, and what changed then.
struct Update {
  std::string date, commit, reason;
  std::vector<std::string> changes;
};

struct Baseline {
  std::string class_name, cpu, commit, profile;
  std::uint64_t seed = 0;
  bool properties = false;              ///< the rules of `check` were checked
  std::vector<Update> updates;          ///< the last first, twenty at most
  std::vector<std::string> incomplete;  ///< implementations whose verdict was so, in order
  std::vector<BaselineRow> rows;
  std::vector<KnownBreach> breaches;
  std::vector<Benchmark> benchmarks;  ///< typical inputs in L1, and memcpy
};

/// ISA, libm, compiler and flags as a file's name: "x86-64-avx2_glibc-2.36_gnu-12.2.0_1a2b3c4d".
/// Results of the same kernel are the same bits within a class.
std::string class_of(const Context& context);

Baseline make_baseline(const Report& report);

/// Ends with a checksum over all else.
std::string to_json(const Baseline& baseline);
/// The text of a baseline with its checksum made right; as it is, where it has none.
std::string with_checksum(const std::string& text);
/// Throws BadBaseline.
Baseline baseline_from_json(const std::string& text);

}  // namespace ulpaudit
