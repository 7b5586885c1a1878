// The report as plain data. One run fills one Report; report.json is its text form.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ops/op.hpp"
#include "record/loss.hpp"
#include "record/search.hpp"
#include "record/tally.hpp"

namespace ulpaudit {

inline constexpr int kSchemaMajor = 1;
inline constexpr int kSchemaMinor = 1;

/// A number of a dtype in the three forms of every report.
struct Number {
  std::string bits, hex, decimal;
};
Number number(Dtype d, Bits b);

/// An input with what was computed and what is true there.
struct Witness {
  Number z;
  std::optional<Number> y;
  Number got;
  Number expected;                   ///< the correctly rounded result
  std::string true_value;            ///< 25 digits
  std::optional<double> error_ulps;  ///< signed; absent for categories without one
};

struct CategoryRow {
  std::string category;
  std::uint64_t count = 0;
  Witness first;
  Number last;  ///< highest z
};

/// Derived from a Tally (and, for the weighted figures, from the curve). Shares are in [0, 1].
struct Statistics {
  std::optional<double> max_ulp, max_signed, min_signed, mean, bias, rms;
  std::optional<double> p50, p90, p99, p999;  ///< upper borders of histogram bins; inf: a category
  double correctly_rounded = 0, faithful = 0;
  std::uint64_t allclose_failures = 0;  ///< rtol 1e-5, atol 1e-8, as numpy.allclose
  struct Weighted {
    double mean = 0, rms = 0, correctly_rounded = 0;
    std::optional<double> bias{};  ///< absent in reports of schema 1.0
  };
  std::optional<Weighted> typical_logits;  ///< z ~ normal, standard deviation 4; region "all" only
};

/// One stretch of the ordered line: the largest errors in it, signed. Inputs first..last.
struct CurvePoint {
  Number first, last;  ///< without hex floats
  std::uint64_t points = 0;
  double max_signed = 0, min_signed = 0, mean = 0;
  std::uint64_t categories = 0;
};

struct Judged {
  std::uint64_t fast = 0, final_judge = 0, cross_checked = 0, disagreements = 0;
};

struct Monotone {
  std::uint64_t pairs = 0, violations = 0;
  std::optional<Witness> lower, upper;  ///< the first pair that breaks it
  std::optional<Number> last;           ///< z of the last such pair's lower member
};

/// A stretch of a region along which results move against the op: the first and the last of the
/// inputs that were tried there, in order, and how many steps between neighbours there were.
struct Reversal {
  Witness first, last;
  std::uint64_t steps = 0, against = 0;  ///< against: strictly, against the op
  bool rises = false;                    ///< the op, along the stretch
};

/// A worst-case search: every binade in which the op varies, those with the largest errors first.
struct SearchSummary {
  struct Binade {
    Number first, last;
    std::uint64_t points = 0;
    double max_ulp = 0;  ///< to 2^-20 ulp
    Number at;
    std::optional<Number> y;
  };
  std::uint64_t binades = 0, least_points = 0, most_points = 0;  ///< points of one binade
  std::vector<Binade> worst;                                     ///< ten at most
};

/// The inputs asked for, of all shards together.
struct InputsAsked {
  bool exhaustive = false;
  std::uint64_t points = 0, seed = 0;
  std::string plan;  ///< hash of all that the inputs follow from
  bool operator==(const InputsAsked&) const = default;
};

/// implementation × op × dtype × region.
struct Result {
  std::string implementation, op, dtype, region;  ///< region "all" for the total
  std::string evidence;                           ///< "exhaustive" or "sampled"
  std::string range;           ///< "LO:HI" where not the whole line was asked for
  std::vector<Number> labels;  ///< of two-argument ops, the first 32
  std::uint64_t label_count = 0;
  std::uint64_t points = 0;
  std::uint64_t lost_points = 0;  ///< given to the kernel, which crashed or hung
  Statistics statistics;
  std::optional<Witness> max, max_signed, min_signed;
  std::vector<CategoryRow> categories;  ///< only those that occurred
  std::optional<CategoryRow> wrong_zero;
  std::vector<std::pair<double, std::uint64_t>> histogram;  ///< upper border in ulps, count
  std::optional<Reversal> reversed;                         ///< of single regions only
  // Of region "all" only:
  std::string digest;  ///< 16 hex digits
  Judged judged;
  Monotone monotone;
  std::optional<SearchSummary> search;
  std::vector<CurvePoint> curve;
  std::vector<Witness> special_values;
  // What merging needs.
  Tally raw;
  Curve raw_curve;  ///< this and the next: of region "all" only
  SearchedBinades raw_search;
  InputsAsked inputs;
  std::vector<Loss> losses;
};

enum class Severity : std::uint8_t { error, note };

/// Numbers from first to last on the ordered line.
struct NumberRange {
  Number first, last;
};

struct Finding {
  std::string rule;             ///< "value.vanished"
  std::string phase = "sweep";  ///< "load", "sweep" (over inputs) or "check" (of properties)
  Severity severity = Severity::error;
  std::string implementation, op, dtype, region;
  std::string message;               ///< one sentence: got and expected
  std::uint64_t count = 0;           ///< inputs, or cases; of a budget that was broken: at least
  std::optional<NumberRange> range;  ///< all their z lie in it
  std::optional<Witness> witness;
  // Of a property, the simplest case that was found:
  std::uint64_t witness_length = 0;  ///< elements of its batch; 0: no batch
  std::uint64_t position = 0;        ///< of the witness in the batch
  std::string setting;               ///< "17 elements, z 4 bytes off"
  /// Of `monotone`: the upper input of the pair whose lower one is the witness.
  std::optional<Witness> neighbour;
  /// Of a value: the simplest input found that breaks the rule too.
  std::optional<Witness> simplest;
  std::string expected_failure;  ///< the contract's reason, where it is one
  std::string replay;            ///< command that shows it
  /// How often the replay line was run, each time in a process of its own, and in how many of these
  /// runs the fault showed. 0 of 0: it was not run.
  std::uint64_t replay_shown = 0, replay_runs = 0;
  /// Findings with the same number, from 1 on, have one cause and are printed as one block, the
  /// worst of them first. 0: a finding of its own.
  std::uint64_t cause = 0;
};

/// How far `check` got with one rule.
struct RuleCoverage {
  std::string rule;
  std::string status;               ///< "checked", "stopped" or "not_applicable"
  std::uint64_t cases = 0, of = 0;  ///< cases run, and cases asked for
  std::string why;                  ///< of the last two: the reason
};

/// What `check` did with an implementation in one dtype, rule by rule, in the order of rules().
struct Coverage {
  std::string implementation, op, dtype;
  std::vector<RuleCoverage> rules;
};

struct Implementation {
  std::string name, plugin, kernel, op, formula, version, build, requirement;
  std::vector<std::string> dtypes, tags;
  std::string path;              ///< of the plug-in file
  std::string given_path;        ///< as --plugin gave it; empty: found by itself
  std::string given_contract{};  ///< FILE of --contract; empty: the plug-in's own
  std::string build_id;          ///< hash of the plug-in file
  std::string unavailable;       ///< reason, empty where it can run
};

/// Times of an implementation, or of a plain copy (implementation "memcpy", op ""), on batches of
/// one size. Ratios are of medians of the same run.
struct Benchmark {
  std::string implementation, op, dtype;
  std::string inputs;          ///< "typical", "uniform", "subnormal" or "bits"
  std::string level;           ///< where the arrays lie: "L1", "L2", "DRAM" or "device"
  std::uint64_t elements = 0;  ///< of one call
  std::string failure;         ///< why there is no time; empty: there is
  std::vector<double> ns;      ///< per element, one for each repetition, in the run's order
  double median = 0, low = 0, high = 0;  ///< of ns; low and high: quartiles
  bool noisy = false;                    ///< the quartiles lie far apart
  double gigabytes_per_second = 0;       ///< read and written, by the median
  std::optional<double> to_copy;         ///< time over that of memcpy of as many bytes of z
  std::optional<double> to_naive;        ///< time over that of naive's first kernel of the op
  std::optional<double> instructions;    ///< per element, where they are counted
  std::string counted_by;                ///< "perf", by the machine, or "callgrind"
};

/// One training run, network × data × path × implementation × dtype, beside the reference: the same
/// training in f64 with exact kernels.
struct Training {
  struct CurvePoint {
    std::uint64_t step = 0;
    double loss = 0, reference = 0;  ///< mean of the mini-batch, as the run computed it
  };
  struct Layer {  ///< norms of the gradient
    std::string name;
    double first = 0, last = 0, reference_first = 0, reference_last = 0;
  };
  struct Lost {  ///< over all steps
    std::uint64_t results = 0;
    std::uint64_t zero = 0;    ///< exactly 0 where the true value does not round to 0
    std::uint64_t digits = 0;  ///< more than half of the digits wrong, zeros included
    std::optional<double> zero_from, digits_from;  ///< the smallest |z| at which it happened
  };
  struct Quality {  ///< of the final weights on data kept apart, judged by exact kernels in f64
    double loss = 0, accuracy = 0, f1 = 0, brier = 0, calibration_error = 0;
  };
  std::string network, data, path;
  std::string
      implementation;  ///< a plug-in; "exact kernels": correctly rounded kernels of the dtype
  std::string dtype;
  std::vector<std::string> kernels;  ///< that were called
  std::vector<std::string> missing;  ///< ops that the plug-in has not: taken from the reference
  std::uint64_t depth = 0, steps = 0, batch = 0, seed = 0;
  double learning_rate = 0;
  double loss_scale = 0;            ///< that the run ended with; 0: the loss is not scaled
  std::uint64_t skipped_steps = 0;  ///< whose scaled gradients overflowed
  std::string failure;              ///< of a kernel: there are no figures
  std::string outcome;              ///< "as_reference", "drifts", "stalls", "nan", "failed"
  std::string verdict;              ///< the outcome in words: "drifts by +3.1 %"
  std::optional<std::uint64_t> outcome_step;
  std::string where;                       ///< the first NaN or infinity arose
  std::optional<double> drift;             ///< of the final loss, relative to the reference's
  std::optional<double> drift_of_exact;    ///< the same of exact kernels of this dtype and path
  std::optional<double> weights_distance;  ///< from the reference's, relative
  std::vector<CurvePoint> curve;           ///< 50 points at most
  std::vector<Layer> layers;
  Lost losses, gradients, derivatives;  ///< derivatives: sigma' in hidden layers and gates
  std::optional<Quality> quality, reference;
  std::uint64_t decisions = 0, differing_decisions = 0;  ///< sigma(z) > 0.5 against z > 0
  std::optional<std::uint64_t> steps_to_target, reference_steps_to_target;
  std::string replay;
};

struct TextbookAnswer {
  std::string id;  ///< "T6"
  std::string claim;
  std::string verdict;  ///< "holds", "holds with a limit", "wrong"
  std::string answer;   ///< one or two sentences with the measured values
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::string replay;
};

struct Verdict {
  std::string implementation;
  /// "fail": a rule or the contract is broken; "incomplete": something that was asked for could not
  /// be finished; "no contract": measured, and only the universal rules judged it; "pass": all that
  /// was asked for was checked and holds; "unavailable".
  std::string status;
  std::uint64_t errors = 0, expected_failures = 0, notes = 0;
  std::vector<std::string> unfinished{};  ///< what could not be finished, a sentence each
  std::string scope{};  ///< what the run did not ask for: "accuracy only; …"; empty: nothing
};

/// Part `index` of `count` parts of a run.
struct Shard {
  std::uint64_t index = 0, count = 1;
};

/// The contract that a plug-in was judged by, as TOML.
struct ContractText {
  std::string plugin, text;
  bool operator==(const ContractText&) const = default;
};

/// What determines the figures.
struct Context {
  std::string version, commit, compiler, flags, libm, mpfr, rounding, ftz_daz, isa, profile;
  std::uint64_t seed = 0;
  Shard shard;
};

/// What varies from run to run.
struct Volatile {
  std::string started, host, cpu;
  std::vector<std::string> argv;
  double wall_seconds = 0, points_per_second = 0;
  int threads = 0;
  bool ended_early = false;
  std::string ended_by{};  ///< "time limit" or "signal", where it ended early
  std::string gpu{};       ///< that judged results beside the CPU; empty: none did
};

struct Report {
  Context context;
  Volatile run;
  std::vector<Implementation> implementations;
  std::vector<ContractText> contracts;
  std::vector<Result> results;
  std::vector<Finding> findings;
  std::vector<Coverage> coverage;  ///< of `check`
  std::vector<Benchmark> benchmarks;
  std::vector<Training> training;
  std::vector<TextbookAnswer> textbook;
  std::vector<Verdict> verdicts;
  bool properties = false;  ///< the rules of `check` were checked
};

/// Statistics of a tally; `curve` gives the weighted figures where it is not null.
Statistics derive(Dtype d, const Tally& t, const Curve* curve);

/// Nothing where no binade was searched.
std::optional<SearchSummary> summarise(Dtype d, const SearchedBinades& search, bool labels);

/// At most `most` stretches for a plot: neighbours with the same envelope become one, then groups.
std::vector<CurvePoint> plot_curve(Dtype d, const Curve& curve, std::size_t most);

/// The order of results: as implementations are listed, then dtype, then region.
const Result* find_total(const Report& r, const std::string& implementation,
                         const std::string& dtype);

}  // namespace ulpaudit
