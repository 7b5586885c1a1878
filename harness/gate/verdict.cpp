// Verdicts by universal rules and contracts.
#include "gate/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "contract/rules.hpp"

namespace ulpaudit {
namespace {

/// As much as the final loss may differ from the reference's to be called equal
/// (training/training.hpp), so much may it differ from that of exact kernels.
constexpr double kSameDrift = 0.01;

std::string input_text(const Witness& w) {
  return w.y ? fmt::format("z = {}, y = {}", w.z.decimal, w.y->decimal)
             : fmt::format("z = {}", w.z.decimal);
}

std::string category_text(const std::string& c) {
  if (c == "new_nan") return "NaN where the true value is a number";
  if (c == "lost_nan") return "a number where the input is NaN";
  if (c == "wrong_infinity") return "an infinity where the true value is finite";
  if (c == "finite_for_infinite") return "finite where the true value is infinite";
  if (c == "wrong_sign") return "the wrong sign";
  if (c == "nonzero_for_zero") return "not 0 where the true value is 0";
  if (c == "flushed") return "0 where the correctly rounded result is subnormal";
  if (c == "vanished") return "0 where the correctly rounded result is a normal number";
  return "outside the range of the op";
}

NumberRange range_of(const CategoryRow& c) { return {c.first.z, c.last}; }

/// How many inputs have an error beyond `ulps`, as far as the histogram tells: at least one.
std::uint64_t beyond(const Result& r, double ulps) {
  const std::vector<std::uint64_t>& h = r.raw.histogram;  // its last bin is of categories
  std::uint64_t n = 0;
  for (std::size_t i = 1; i + 1 < h.size(); ++i)
    if (histogram_upper(static_cast<int>(i) - 1) >= ulps) n += h[i];
  return std::max<std::uint64_t>(n, 1);
}

/// From the first to the last bin of the curve that `counts`; nothing where there is no curve.
template <class Counts>
std::optional<NumberRange> stretch(const Result& r, Counts counts) {
  const Dtype d = *dtype_from_name(r.dtype);
  // Bins at the ends of the line hold NaN patterns too.
  const std::uint64_t highest = ordinal(d, format(d).infinity());
  const std::uint64_t lowest = ordinal(d, negate(d, format(d).infinity()));
  const auto at = [&](std::uint64_t o) {
    return number(d, from_ordinal(d, std::clamp(o, lowest, highest)));
  };
  std::optional<NumberRange> out;
  for (const auto& [name, bin] : r.raw_curve) {
    if (bin.points == 0 || !counts(bin)) continue;
    const BinSpan span = curve_span(d, std::uint64_t{name} << curve_shift(d));
    const Number last = at(span.last);
    if (out)
      out->last = last;
    else
      out = NumberRange{at(span.first), last};
  }
  return out;
}

/// Every pattern of z and, for two-argument ops, every label in [0, 1].
bool every_input(const Result& r) {
  if (r.evidence != "exhaustive" || !r.range.empty()) return false;
  const OpId op = *op_from_name(r.op);
  const Dtype d = *dtype_from_name(r.dtype);
  return info(op).arity == 1 || r.label_count >= encode(d, 1.0) + 1;
}

class Judge {
 public:
  Judge(const Contracts& contracts, bool properties, Report& report)
      : contracts_(contracts), properties_(properties), report_(report) {}

  void run() {
    for (Finding& f : report_.findings) expect(f);
    const std::size_t results = report_.results.size();
    for (std::size_t i = 0; i < results; ++i) judge(report_.results[i]);
    for (const Training& t : report_.training) judge(t);
    for (const Benchmark& b : report_.benchmarks)
      if (is_typical(b)) judge(b);
    for (const Implementation& i : report_.implementations)
      if (i.unavailable.empty()) expected_but_absent(i);
    verdicts();
  }

 private:
  const KernelContract& contract_of(const std::string& implementation) const {
    static const Contract nothing;
    const std::size_t slash = implementation.find('/');
    const auto found = contracts_.find(implementation.substr(0, slash));
    return (found == contracts_.end() ? nothing : found->second)
        .of(implementation.substr(slash + 1));
  }

  /// One finding; an expected failure becomes a note with its reason.
  void add(const Result& r, const std::string& rule, Severity severity, std::string message,
           std::uint64_t count, const std::optional<Witness>& witness,
           std::optional<NumberRange> range = std::nullopt) {
    Finding f;
    f.rule = rule;
    f.severity = severity;
    f.implementation = r.implementation;
    f.op = r.op;
    f.dtype = r.dtype;
    f.region = r.region;
    f.message = std::move(message);
    f.count = count;
    f.witness = witness;
    f.range = std::move(range);
    expect(f);
    if (witness) {
      f.replay = fmt::format("./run eval {} --op {} --dtype {} -- {}{}",
                             choosing(report_, r.implementation), r.op, r.dtype, witness->z.bits,
                             witness->y ? " " + witness->y->bits : "");
    }
    report_.findings.push_back(std::move(f));
  }

  /// Marks an error that the contract expects.
  void expect(Finding& f) {
    if (f.severity != Severity::error) return;
    for (const ExpectedFailure& e : contract_of(f.implementation).expected_failures)
      if (e.covers(f.rule, f.dtype, f.region)) {
        f.expected_failure = e.reason;
        met_.insert(&e);
      }
  }

  void judge(const Result& r) {
    const KernelContract& k = contract_of(r.implementation);
    if (r.region != "all") {
      judge_categories(r, k);
      budget(r, k, r.region);
      return;
    }
    budget(r, k, "all");
    if (k.correctly_rounded.count(r.dtype) != 0 && r.raw.correctly_rounded != r.points)
      add(r, "accuracy.correctly_rounded", Severity::error,
          fmt::format("{} of {} results are not correctly rounded, as promised",
                      r.points - r.raw.correctly_rounded, r.points),
          r.points - r.raw.correctly_rounded, r.max,
          stretch(r, [](const CurveBin& b) { return b.correctly_rounded != b.points; }));
    if (r.monotone.violations != 0)
      add(r, "monotone", k.monotone ? Severity::error : Severity::note,
          fmt::format("not monotone{}: at {} the result is {}, at {} it is {}",
                      k.monotone ? ", as promised" : "", input_text(*r.monotone.lower),
                      r.monotone.lower->got.decimal, input_text(*r.monotone.upper),
                      r.monotone.upper->got.decimal),
          r.monotone.violations, r.monotone.lower,
          NumberRange{r.monotone.lower->z, *r.monotone.last});
    if (r.wrong_zero)
      add(r, "value.wrong_zero", Severity::note,
          fmt::format("zero of the wrong sign at {}", input_text(r.wrong_zero->first)),
          r.wrong_zero->count, r.wrong_zero->first, range_of(*r.wrong_zero));
  }

  void judge_categories(const Result& r, const KernelContract& k) {
    for (const CategoryRow& c : r.categories) {
      const bool permitted = c.category == "flushed" && k.flush_subnormals;
      add(r, "value." + c.category, permitted ? Severity::note : Severity::error,
          fmt::format("{}: at {} got {}, expected {}", category_text(c.category),
                      input_text(c.first), c.first.got.decimal, c.first.expected.decimal),
          c.count, c.first, range_of(c));
    }
  }

  /// By each kernel of the run that promises it: their common result is all that a run shows.
  void judge(const Training& t) {
    if (t.outcome == "as_reference" || t.outcome == "failed" || as_exact_kernels(t)) return;
    for (const std::string& kernel : t.kernels) {
      if (!contract_of(kernel).same_training) continue;
      Finding f = finding_of("training.same_as_reference", "train", kernel, "", t.dtype);
      for (const Implementation& i : report_.implementations)
        if (i.name == kernel) f.op = i.op;
      f.message = fmt::format("{} on {} ({}): {}, promised to train as with exact kernels",
                              t.network, t.data, t.path, t.verdict);
      f.replay = t.replay;
      expect(f);
      report_.findings.push_back(std::move(f));
    }
  }

  /// The same outcome as exact kernels of the dtype along the path; a drift within kSameDrift.
  bool as_exact_kernels(const Training& t) const {
    for (const Training& e : report_.training)
      if (e.implementation == "exact kernels" && e.network == t.network && e.data == t.data &&
          e.path == t.path && e.dtype == t.dtype && e.depth == t.depth)
        return e.outcome == t.outcome &&
               (t.outcome != "drifts" ||
                (t.drift && e.drift && std::fabs(*t.drift - *e.drift) <= kSameDrift));
    return false;
  }

  /// One finding about a kernel in no region.
  static Finding finding_of(const std::string& rule, const std::string& phase,
                            const std::string& implementation, const std::string& op,
                            const std::string& dtype) {
    Finding f;
    f.rule = rule;
    f.phase = phase;
    f.implementation = implementation;
    f.op = op;
    f.dtype = dtype;
    f.region = "all";
    f.count = 1;
    return f;
  }

  static bool is_typical(const Benchmark& b) {
    return b.inputs == "typical" && b.level == "L1" && b.failure.empty();
  }

  /// Broken where even the fast quarter of the times is too slow for the slow quarter of the
  /// other's: a busy machine breaks no promise.
  void judge(const Benchmark& b) {
    const SpeedPromise& promise = contract_of(b.implementation).throughput;
    const auto most = promise.at_most.find(b.dtype);
    if (most == promise.at_most.end()) return;
    const auto other =
        std::find_if(report_.benchmarks.begin(), report_.benchmarks.end(), [&](const Benchmark& x) {
          return is_typical(x) && x.implementation == promise.against && x.dtype == b.dtype;
        });
    Finding f = finding_of("throughput.ratio", "bench", b.implementation, b.op, b.dtype);
    f.replay = fmt::format("./run bench {} --dtype {} --level L1 --inputs typical",
                           choosing(report_, b.implementation), b.dtype);
    if (other == report_.benchmarks.end()) {
      f.severity = Severity::note;
      f.message = fmt::format("promised at most {:g} times the time of {}, which was not measured",
                              most->second, promise.against);
    } else {
      if (b.median <= most->second * other->median) return;
      f.replay += promise.against == "memcpy" ? "" : fmt::format(" --impl '{}'", promise.against);
      f.message =
          fmt::format("{:.3g} ns an element, {:.3g} times the time of {}; promised at most {:g}",
                      b.median, b.median / other->median, promise.against, most->second);
      if (b.low <= most->second * other->high) {
        f.severity = Severity::note;
        f.message += ", within the spread of the times";
      }
    }
    expect(f);
    report_.findings.push_back(std::move(f));
  }

  void budget(const Result& r, const KernelContract& k, const std::string& region) {
    const auto dtype = k.max_ulp.find(r.dtype);
    if (dtype == k.max_ulp.end() || !r.statistics.max_ulp) return;
    const auto limit = dtype->second.find(region);
    if (limit == dtype->second.end() || *r.statistics.max_ulp <= limit->second) return;
    const double most = limit->second;
    add(r, "accuracy.max_ulp", Severity::error,
        fmt::format("{:.6g} ulp at {}, promised at most {:.6g}", *r.statistics.max_ulp,
                    input_text(*r.max), most),
        beyond(r, most), r.max, stretch(r, [most](const CurveBin& b) {
          return b.max_signed > most || b.min_signed < -most;
        }));
  }

  /// An expected failure that did not occur though every input was run keeps the contract untrue.
  void expected_but_absent(const Implementation& i) {
    for (const ExpectedFailure& e : contract_of(i.name).expected_failures) {
      if (met_.count(&e) != 0) continue;
      const Rule* rule = find_rule(e.rule);
      if (!properties_ && rule != nullptr && rule->property) continue;
      const Result* exhaustive = nullptr;
      bool all_exhaustive = true;
      for (const std::string& dtype : i.dtypes) {
        if (!e.dtypes.empty() && e.dtypes.count(dtype) == 0) continue;
        const Result* r = find_total(report_, i.name, dtype);
        if (r != nullptr && every_input(*r))
          exhaustive = r;
        else
          all_exhaustive = false;
      }
      if (exhaustive == nullptr || !all_exhaustive) continue;
      add(*exhaustive, "contract.expected_failure_passed", Severity::note,
          fmt::format("the contract expects {} ('{}'), which did not occur", e.rule, e.reason), 1,
          std::nullopt);
    }
  }

  void verdicts() {
    for (const Implementation& i : report_.implementations) {
      Verdict v{i.name, i.unavailable.empty() ? "pass" : "unavailable", 0, 0, 0};
      for (const Finding& f : report_.findings) {
        if (f.implementation != i.name) continue;
        if (f.severity == Severity::note)
          ++v.notes;
        else if (f.expected_failure.empty())
          ++v.errors;
        else
          ++v.expected_failures;
      }
      if (v.errors != 0) v.status = "fail";
      report_.verdicts.push_back(v);
    }
  }

  const Contracts& contracts_;
  const bool properties_;
  Report& report_;
  std::set<const ExpectedFailure*> met_;
};

}  // namespace

void judge_report(const Contracts& contracts, bool properties, Report& report) {
  Judge(contracts, properties, report).run();
}

bool has_errors(const Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& f) {
    return f.severity == Severity::error && f.expected_failure.empty();
  });
}

}  // namespace ulpaudit
