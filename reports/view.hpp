// Look-ups in a report that several renderers need: groups, sums of counts, common phrases.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/report.hpp"
#include "reports/text_table.hpp"

namespace ulpaudit {

/// What a finding means for the verdict, the gravest first.
enum class Gravity { error, expected_failure, note };
Gravity gravity(const Finding& f);
std::vector<const Finding*> findings_of(const Report& report, Gravity g);

/// Findings that are told together: errors of one cause, the worst first; others of one
/// implementation, rule and reason.
struct FindingGroup {
  const Finding* first = nullptr;
  std::vector<const Finding*> others;  ///< of the same cause
  std::vector<std::string> dtypes;
  std::size_t findings = 0;

  /// "naive/sigmoid value.vanished f32 core ×12: got 0, expected …"
  std::string text() const;
};
std::vector<FindingGroup> groups_of(const std::vector<const Finding*>& findings);

/// What else the cause does, a line for each rule: "value.vanished: f32 core 1,234 inputs, …".
std::vector<std::string> also_text(const FindingGroup& group);

/// "1,234 inputs, z from -104 to -87.5": of a finding that counts more than one; else "".
std::string extent(const Finding& f);

/// What a verdict says besides its counts, a line each: what was not finished, what was not asked
/// for, how far the rules of `check` got.
std::vector<std::string> remarks_of(const Report& report, const Verdict& v);
/// How a terminal shows its status.
Style verdict_style(const Verdict& v);
/// "accuracy only": the first words of a verdict's scope.
std::string short_scope(const Verdict& v);
/// "checked 41 rules; 2 stopped: batch.length, …; 5 not applicable", over all dtypes; "" where
/// nothing is known of them.
std::string coverage_text(const Report& report, const std::string& implementation);
/// Of a kernel without a contract.
extern const char kNoContract[];
/// "This run was ended by a signal: it is not complete."; "" where it was not.
std::string ended_text(const Volatile& run);

/// The times of one implementation in one dtype; null where there is none.
struct SpeedRow {
  const Benchmark* l1 = nullptr;  ///< typical inputs, as the next two
  const Benchmark* l2 = nullptr;
  const Benchmark* dram = nullptr;
  const Benchmark* slowest = nullptr;  ///< of the other inputs
  const Benchmark* any = nullptr;      ///< one of these, for the name
  const Result* accuracy = nullptr;
  bool noisy = false;
};
/// In the order of the record, memcpy last.
std::vector<SpeedRow> speed_rows(const Report& report);

/// "0.351", "12.3", "1,234": nanoseconds.
std::string nanoseconds_text(const Benchmark* b);
/// "1.25×": a ratio.
std::string ratio_text(const std::optional<double>& ratio);
/// "typical inputs in L1 …": what the columns of a table of speed_rows mean.
extern const char kSpeedNote[];

/// Has the implementation a finding of this gravity in this dtype?
bool has_finding(const Report& report, const Result& r, Gravity g);

/// In the order in which they come up in the results.
std::vector<std::string> ops_of(const Report& report);
/// Dtypes of an op: f16, bf16, f32, f64, then others.
std::vector<std::string> dtypes_of(const Report& report, const std::string& op);
/// By dtype, in the order of dtypes_of; then in the order of the report.
std::vector<const Result*> totals_of(const Report& report, const std::string& op);
/// The rows of one total, itself first.
std::vector<const Result*> regions_of(const Report& report, const Result& total);

std::vector<const Implementation*> unavailable_in(const Report& report);
/// Sum over all totals.
Judged judged_in(const Report& report);

/// "exhaustive", "sampled in -1:1"
std::string evidence_text(const Result& r);
/// Largest error; "≥" before a figure that is a lower bound only.
std::string max_text(const Result& r);
/// A mean of errors; "≥" before it where errors above the cap of the record's sums entered as the
/// cap.
std::string mean_text(const Result& r, const std::optional<double>& mean);
/// "vanished 1,998,749, flushed 12": what the figures in ulps do not tell. Empty if nothing.
std::string besides(const Result& r);
/// "'./my tool' --x": words as a shell reads them.
std::string shell_line(const std::vector<std::string>& words);

/// What is said of the run alone, in order: names and values.
std::vector<std::pair<std::string, std::string>> run_facts(const Volatile& v);

}  // namespace ulpaudit
