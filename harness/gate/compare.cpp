// Comparing a report with a baseline.
// SPDX-License-Identifier: Apache-2.0
#include "gate/compare.hpp"
#include "record/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace ulpaudit {
namespace {

/// Maxima are compared as the accumulator does (docs/ulp.md).
constexpr double kSameUlp = 0x1p-20;
constexpr double kByChance = 0.01;
constexpr std::size_t kLeastRepetitions = 8;
/// Counts of instructions repeat but for the batch's own start.
constexpr double kMoreInstructions = 0.02;

std::string ulp_text(const std::optional<double>& v) {
  return v ? fmt::format("{:.7g}", *v) : "none";
}

bool same_row(const BaselineRow& a, const Result& b) {
  return a.implementation == b.implementation && a.dtype == b.dtype && a.region == b.region;
}

double quantile(std::vector<double> v, double q) {
  const auto at = v.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(v.size() - 1));
  std::nth_element(v.begin(), at, v.end());
  return *at;
}

class Comparison {
 public:
  Comparison(const Report& report, const GateChoice& choice) : report_(report), choice_(choice) {
    out_.report_class = class_of(report.context);
  }

  GateReport run(const Baseline* baseline) {
    contracts();
    incomplete(baseline);
    if (baseline == nullptr) {
      out_.notes.emplace_back("no baseline: contracts alone judge");
    } else {
      out_.baseline_class = baseline->class_name;
      presence(*baseline);
      out_.accuracy_compared = baseline->class_name == out_.report_class;
      if (out_.accuracy_compared) {
        for (const BaselineRow& row : baseline->rows) accuracy(row);
        properties(*baseline);
        unknown_rows(*baseline);
      } else {
        out_.notes.push_back(fmt::format(
            "the baseline is of class {}, the report of {}: accuracy is judged by contracts alone",
            baseline->class_name, out_.report_class));
      }
      throughput(*baseline);
    }
    std::stable_partition(out_.changes.begin(), out_.changes.end(),
                          [](const Change& c) { return c.fails; });
    out_.passed = std::none_of(out_.changes.begin(), out_.changes.end(),
                               [](const Change& c) { return c.fails; });
    return std::move(out_);
  }

 private:
  Change& add(bool fails, const char* kind, const std::string& implementation,
              const std::string& op, const std::string& dtype, const std::string& region,
              std::string message) {
    Change c;
    c.fails = fails;
    c.kind = kind;
    c.implementation = implementation;
    c.op = op;
    c.dtype = dtype;
    c.region = region;
    c.message = std::move(message);
    return out_.changes.emplace_back(std::move(c));
  }
  Change& add(bool fails, const char* kind, const BaselineRow& row, std::string message) {
    return add(fails, kind, row.implementation, row.op, row.dtype, row.region, std::move(message));
  }
  std::string sweep_of(const BaselineRow& row) const {
    return Replay(report_, row.implementation, row.dtype)
        .sweep(row.evidence == "exhaustive" ? "--exhaustive" : "");
  }
  std::string eval_of(const BaselineRow& row, const Witness& w) const {
    return Replay(report_, row.implementation, row.dtype).eval(row.op, w);
  }

  void contracts() {
    for (const Finding& f : report_.findings) {
      const bool passed = f.rule == "contract.expected_failure_passed";
      if (!passed && (f.severity != Severity::error || !f.expected_failure.empty())) continue;
      Change& c = add(true, passed ? "expected_failure_passed" : "contract", f.implementation, f.op,
                      f.dtype, f.region, passed ? f.message : f.rule + ": " + f.message);
      c.witness = f.witness;
      c.replay = f.replay;
    }
    for (const Result& r : report_.results)
      if (r.judged.disagreements != 0)
        add(true, "contract", r.implementation, r.op, r.dtype, r.region,
            "the judges disagreed: no figure of this row can be trusted");
  }

  /// What could not be finished is weaker evidence, unless it was so when the baseline was
  /// accepted.
  void incomplete(const Baseline* baseline) {
    for (const Verdict& v : report_.verdicts) {
      if (v.unfinished.empty()) continue;
      const bool before =
          baseline != nullptr && std::binary_search(baseline->incomplete.begin(),
                                                    baseline->incomplete.end(), v.implementation);
      std::string what;
      for (const std::string& u : v.unfinished) what += (what.empty() ? "" : "; ") + u;
      Change& c = add(!before, "evidence", v.implementation, "", "", "", "incomplete: " + what);
      c.before = baseline == nullptr ? "" : before ? "incomplete" : "finished";
      c.after = baseline == nullptr ? "" : "incomplete";
    }
  }

  /// What the baseline has and the report lacks.
  void presence(const Baseline& baseline) {
    std::string before;  // rows of one implementation stand together
    for (const BaselineRow& row : baseline.rows) {
      if (row.region != "all") continue;
      if (find_total(report_, row.implementation, row.dtype) != nullptr) continue;
      const auto listed =
          std::find_if(report_.implementations.begin(), report_.implementations.end(),
                       [&](const Implementation& i) { return i.name == row.implementation; });
      const bool offers = listed != report_.implementations.end() &&
                          std::find(listed->dtypes.begin(), listed->dtypes.end(), row.dtype) !=
                              listed->dtypes.end();
      const bool not_asked_for =
          listed == report_.implementations.end() || (listed->unavailable.empty() && offers);
      if (not_asked_for && choice_.missing_allowed) continue;
      const std::string why = listed == report_.implementations.end()
                                  ? "the report does not have the implementation"
                              : !listed->unavailable.empty() ? "unavailable: " + listed->unavailable
                              : std::find(listed->dtypes.begin(), listed->dtypes.end(),
                                          row.dtype) == listed->dtypes.end()
                                  ? "the implementation no longer offers this dtype"
                                  : "it was not run";
      add(true, "vanished", row, why).replay = std::string(kReplayProgram) + "list";
    }
  }

  void accuracy(const BaselineRow& row) {
    const auto at = std::find_if(report_.results.begin(), report_.results.end(),
                                 [&](const Result& r) { return same_row(row, r); });
    if (at == report_.results.end()) return;
    const Result& now = *at;
    const bool total = row.region == "all";
    const bool same_inputs = now.inputs.plan == row.plan;
    const bool was = row.evidence == "exhaustive", is = now.evidence == "exhaustive";
    if (!same_inputs || was != is) {
      if (total) {
        const bool weaker = (was && !is) || (was == is && now.points < row.points);
        Change& c = add(weaker, "evidence", row,
                        weaker ? "the evidence is weaker than the baseline's"
                               : "other inputs than the baseline's: figures are not compared");
        c.before = fmt::format("{}, {} points", row.evidence, row.points);
        c.after = fmt::format("{}, {} points", now.evidence, now.points);
        c.replay = sweep_of(row);
      }
      if (!same_inputs) return;
    }
    maximum(row, now);
    if (now.raw.correctly_rounded < row.correctly_rounded) {
      Change& c = add(true, "correctly_rounded", row, "fewer results are correctly rounded");
      c.before = fmt::format("{}", row.correctly_rounded);
      c.after = fmt::format("{}", now.raw.correctly_rounded);
      c.witness = now.max;
      c.replay = sweep_of(row);
    }
    categories(row, now);
    if (now.monotone.violations > row.monotone_violations) {
      Change& c = add(true, "monotone", row, "more neighbours are out of order");
      c.before = fmt::format("{}", row.monotone_violations);
      c.after = fmt::format("{}", now.monotone.violations);
      c.witness = now.monotone.lower;
      c.replay = sweep_of(row);
    }
    if (total && now.digest != row.digest) {
      Change& c = add(true, "digest", row, "the kernel's results are not the same bits");
      c.before = row.digest;
      c.after = now.digest;
      c.replay = sweep_of(row);
    }
  }

  void maximum(const BaselineRow& row, const Result& now) {
    const double before = row.max_ulp.value_or(0), after = now.statistics.max_ulp.value_or(0);
    if (before == after || std::abs(after - before) <= kSameUlp) return;  // both may be infinite
    const bool worse = after > before;
    Change& c = add(worse, worse ? "accuracy" : "better", row,
                    worse ? "the largest error is larger" : "the largest error is smaller");
    c.before = ulp_text(row.max_ulp) + " ulp";
    c.after = ulp_text(now.statistics.max_ulp) + " ulp";
    c.witness = now.max;
    c.witness_before = row.max;
    if (now.max) c.replay = eval_of(row, *now.max);
  }

  void categories(const BaselineRow& row, const Result& now) {
    for (const CategoryRow& x : now.categories) {
      const auto at = row.categories.find(x.category);
      const std::uint64_t before = at == row.categories.end() ? 0 : at->second;
      if (x.count <= before) continue;
      Change& c = add(true, "category", row, fmt::format("more results are {}", x.category));
      c.before = fmt::format("{}", before);
      c.after = fmt::format("{}", x.count);
      c.witness = x.first;
      c.replay = eval_of(row, x.first);
    }
  }

  void properties(const Baseline& baseline) {
    if (baseline.properties && !report_.properties) {
      if (!choice_.missing_allowed)
        add(true, "evidence", "", "", "", "",
            "the baseline's properties were checked, the report's were not");
      return;
    }
    for (const Finding& f : report_.findings) {
      if (f.phase != "check") continue;
      const KnownBreach key = {f.implementation, f.dtype, f.rule};
      if (std::binary_search(baseline.breaches.begin(), baseline.breaches.end(), key)) continue;
      if (!known(baseline, f.implementation)) continue;                           // told as new
      if (f.severity == Severity::error && f.expected_failure.empty()) continue;  // a contract's
      Change& c = add(true, "property", f.implementation, f.op, f.dtype, f.region,
                      f.rule + ": " + f.message);
      c.before = "kept";
      c.after = "broken";
      c.witness = f.witness;
      c.replay = f.replay;
    }
  }

  static bool known(const Baseline& baseline, const std::string& implementation) {
    return std::any_of(baseline.rows.begin(), baseline.rows.end(), [&](const BaselineRow& row) {
      return row.implementation == implementation;
    });
  }

  void unknown_rows(const Baseline& baseline) {
    for (const Result& r : report_.results) {
      if (r.region != "all") continue;
      const bool there = std::any_of(baseline.rows.begin(), baseline.rows.end(),
                                     [&](const BaselineRow& row) { return same_row(row, r); });
      if (!there)
        add(false, "new", r.implementation, r.op, r.dtype, r.region,
            "not in the baseline: judged by its contract alone; --update takes it in");
    }
  }

  /// A kernel's time is compared as a ratio to that of a reference, each in its own run.
  void throughput(const Baseline& baseline) {
    if (baseline.benchmarks.empty()) return;
    if (baseline.cpu != report_.run.cpu) {
      out_.notes.push_back(
          fmt::format("times are not compared: the baseline's are of '{}', the report's of '{}'",
                      baseline.cpu, report_.run.cpu));
      return;
    }
    const Baseline now = make_baseline(report_);
    const Machine machine = machine_of(baseline.benchmarks, now.benchmarks);
    out_.throughput_compared = true;
    for (const Benchmark& b : baseline.benchmarks) {
      if (is_reference(b)) continue;
      const auto at =
          std::find_if(now.benchmarks.begin(), now.benchmarks.end(), [&](const Benchmark& x) {
            return x.implementation == b.implementation && x.dtype == b.dtype;
          });
      if (at == now.benchmarks.end()) {
        if (!choice_.missing_allowed)
          add(true, "repetitions", b.implementation, b.op, b.dtype, "all",
              "the baseline has times, the report has none");
        continue;
      }
      times(b, *at, machine);
    }
  }

  static bool is_reference(const Benchmark& b) {
    return b.implementation == "memcpy" || b.implementation.rfind("naive/", 0) == 0;
  }

  static double least(const Benchmark& b) { return *std::min_element(b.ns.begin(), b.ns.end()); }

  /// How many times as long the references took as in the baseline's run: the median over naive in
  /// every op and dtype, and memcpy. One alone may have run beside something else all along.
  struct Machine {
    double best = 0,
           median = 0;  ///< of their best times and of their medians; 0: none in both runs
  };
  static Machine machine_of(const std::vector<Benchmark>& old_run,
                            const std::vector<Benchmark>& now_run) {
    std::vector<double> best, median;
    for (const Benchmark& old : old_run)
      for (const Benchmark& now : now_run) {
        if (!is_reference(old) || old.implementation != now.implementation || old.op != now.op ||
            old.dtype != now.dtype || old.elements != now.elements || old.ns.empty() ||
            now.ns.empty() || least(old) <= 0 || old.median <= 0)
          continue;
        best.push_back(least(now) / least(old));
        median.push_back(now.median / old.median);
      }
    if (best.empty()) return {};
    return {quantile(best, 0.5), quantile(median, 0.5)};
  }

  void times(const Benchmark& old, const Benchmark& now, const Machine& machine) {
    const auto fail = [&](const char* kind, const std::string& message) -> Change& {
      Change& c = add(true, kind, now.implementation, now.op, now.dtype, "all", message);
      c.replay =
          Replay(report_, now.implementation, now.dtype).bench("--level L1 --inputs typical");
      return c;
    };
    if (std::min(old.ns.size(), now.ns.size()) < kLeastRepetitions) {
      Change& c =
          fail("repetitions", fmt::format("too few repetitions to judge; at least {} are needed "
                                          "(bench --repetitions)",
                                          kLeastRepetitions));
      c.before = fmt::format("{}", old.ns.size());
      c.after = fmt::format("{}", now.ns.size());
      return;
    }
    if (old.instructions && now.instructions && old.counted_by == now.counted_by &&
        *now.instructions > *old.instructions * (1 + kMoreInstructions)) {
      Change& c = fail("throughput", "more instructions for each element");
      c.before = fmt::format("{:.2f}", *old.instructions);
      c.after = fmt::format("{:.2f}", *now.instructions);
    }
    if (machine.best <= 0 || machine.median <= 0) {
      fail("repetitions", "no time of naive or memcpy in both runs to compare with");
      return;
    }
    std::vector<double> before = old.ns;
    for (double& x : before) x *= machine.median;
    const double by = now.median / (old.median * machine.median) - 1;
    // A busy machine makes some repetitions slow, and a slow kernel all of them: so the best time
    // must be worse too, and both by more than the run was unsteady, that is, its medians lie above
    // its best times. What shares a core slows scalar code, the references, by another factor than
    // vectors: a kernel whose own best time is much better is not slower.
    const double unsteady = std::max(now.median / least(now), machine.median / machine.best) - 1;
    const double needed = choice_.slower + std::max(unsteady, 0.0);
    if (by <= needed || least(now) <= least(old) * machine.best * (1 + needed) ||
        least(now) < least(old) * (1 - choice_.slower) ||
        larger_by_chance(before, now.ns) > kByChance)
      return;
    Change& c =
        fail("throughput", fmt::format("slower by {:.0f} %, against naive and memcpy of the "
                                       "same run (Mann-Whitney p < {})",
                                       100 * by, kByChance));
    c.before = fmt::format("{:.3f} ns, the best {:.3f}", old.median, least(old));
    c.after = fmt::format("{:.3f} ns, the best {:.3f}; naive and memcpy took {:.2f} times as long",
                          now.median, least(now), machine.median);
  }

  const Report& report_;
  const GateChoice& choice_;
  GateReport out_;
};

std::string place(const std::optional<Witness>& w) {
  if (!w) return "";
  return fmt::format(" at {}{}", w->z.bits, w->y ? ", " + w->y->bits : "");
}

}  // namespace

double larger_by_chance(const std::vector<double>& a, const std::vector<double>& b) {
  struct Value {
    double v;
    bool of_b;
  };
  std::vector<Value> all;
  for (double v : a) all.push_back({v, false});
  for (double v : b) all.push_back({v, true});
  std::sort(all.begin(), all.end(), [](const Value& x, const Value& y) { return x.v < y.v; });
  const double m = static_cast<double>(a.size()), n = static_cast<double>(b.size()), N = m + n;
  double rank_sum = 0, ties = 0;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t j = i;
    while (j < all.size() && all[j].v == all[i].v) ++j;
    const double t = static_cast<double>(j - i);
    const double rank = (static_cast<double>(i + j) + 1) / 2;  // ranks from 1, their mean in a tie
    for (std::size_t k = i; k < j; ++k)
      if (all[k].of_b) rank_sum += rank;
    ties += t * t * t - t;
    i = j;
  }
  const double u = rank_sum - n * (n + 1) / 2;
  const double variance = m * n / 12 * ((N + 1) - ties / (N * (N - 1)));
  if (!(variance > 0)) return 1;
  const double z = (u - m * n / 2 - 0.5) / std::sqrt(variance);
  return boost::math::cdf(boost::math::complement(boost::math::normal(), z));
}

GateReport compare(const Report& report, const Baseline* baseline, const GateChoice& choice) {
  return Comparison(report, choice).run(baseline);
}

std::string in_one_line(const Change& c) {
  std::string out = c.kind;
  for (const std::string& part : {c.implementation, c.dtype, c.region})
    if (!part.empty()) out += " " + part;
  out += ": " + c.message;
  if (!c.before.empty() || !c.after.empty())
    out +=
        fmt::format("; {}{} → {}{}", c.before, place(c.witness_before), c.after, place(c.witness));
  else
    out += place(c.witness);
  return out;
}

}  // namespace ulpaudit
