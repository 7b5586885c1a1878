// Verdicts by universal rules and contracts.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "contract/rules.hpp"
#include "record/replay.hpp"
#include "verdict/accuracy_rules.hpp"
#include "verdict/causes.hpp"
#include "verdict/occurs.hpp"
#include "verdict/unfinished.hpp"

namespace ulpaudit {
namespace {

/// As much as the final loss may differ from the reference's to be called equal
/// (training/training.hpp), so much may it differ from that of exact kernels.
constexpr double kSameDrift = 0.01;

class Judge {
 public:
  Judge(const Contracts& contracts, bool properties, Report& report)
      : contracts_(contracts), properties_(properties), report_(report) {}

  void run() {
    for (Finding& f : report_.findings) expect(f, regions_of_finding(report_, f));
    const std::size_t results = report_.results.size();
    for (std::size_t i = 0; i < results; ++i) judge(report_.results[i]);
    for (const Training& t : report_.training) judge(t);
    for (const Benchmark& b : report_.benchmarks) {
      if (is_typical(b)) judge(b);
      judge_slow(b);
    }
    for (const Implementation& i : report_.implementations)
      if (i.unavailable.empty()) expected_but_absent(i);
  }

  void verdicts() {
    report_.verdicts.clear();
    for (const Implementation& i : report_.implementations) verdict(i);
  }

 private:
  const Contract& contract_of_plugin(const std::string& implementation) const {
    static const Contract nothing;
    const auto found = contracts_.find(implementation.substr(0, implementation.find('/')));
    return found == contracts_.end() ? nothing : found->second;
  }
  static std::string kernel_of(const std::string& implementation) {
    return implementation.substr(implementation.find('/') + 1);
  }
  const KernelContract& contract_of(const std::string& implementation) const {
    return contract_of_plugin(implementation).of(kernel_of(implementation));
  }
  bool has_contract(const std::string& implementation) const {
    return contract_of_plugin(implementation).kernels.count(kernel_of(implementation)) != 0;
  }

  void add(Broken b) {
    Finding& f = b.finding;
    if (b.unless_told && told(f)) return;
    expect(f, b.where);
    if (f.witness && f.replay.empty())
      f.replay = Replay(report_, f.implementation, f.dtype).eval(f.op, *f.witness);
    report_.findings.push_back(std::move(f));
  }

  /// Is a broken budget of this region, or of all, an error already?
  bool told(const Finding& f) const {
    return std::any_of(report_.findings.begin(), report_.findings.end(), [&](const Finding& x) {
      return x.rule == "accuracy.max_ulp" && x.severity == Severity::error &&
             x.expected_failure.empty() && x.implementation == f.implementation &&
             x.dtype == f.dtype && (x.region == "all" || x.region == f.region);
    });
  }

  /// The admission that covers the finding in a region; null where there is none.
  const ExpectedFailure* covering(const Finding& f, const std::string& region) const {
    for (const ExpectedFailure& e : contract_of(f.implementation).expected_failures)
      if (e.covers(f.rule, f.dtype, region)) return &e;
    return nullptr;
  }

  /// Marks an error that the contract expects: by one admission for all regions, or by admissions
  /// for every region where it occurs.
  void expect(Finding& f, const Regions& where) {
    if (f.severity != Severity::error) return;
    std::vector<const ExpectedFailure*> by;
    if (const ExpectedFailure* e = covering(f, f.region.empty() ? "all" : f.region)) {
      by.push_back(e);
    } else {
      for (const std::string& region : where) {
        const ExpectedFailure* one = covering(f, region);
        if (one == nullptr) return;
        if (std::find(by.begin(), by.end(), one) == by.end()) by.push_back(one);
      }
    }
    for (const ExpectedFailure* e : by) {
      if (f.expected_failure.find(e->reason) == std::string::npos)
        f.expected_failure += (f.expected_failure.empty() ? "" : "; ") + e->reason;
      met_.insert(e);
    }
  }

  void judge(const Result& r) {
    for (Broken& b : judge_result(report_, r, contract_of(r.implementation))) add(std::move(b));
  }

  /// By each kernel of the run that promises it: their common result is all that a run shows.
  void judge(const Training& t) {
    if (t.outcome == "as_reference" || t.outcome == "failed" || as_exact_kernels(t)) return;
    for (const std::string& kernel : t.kernels) {
      if (!contract_of(kernel).same_training) continue;
      Finding f = make_finding("training.same_as_reference", "train", kernel, "", t.dtype);
      for (const Implementation& i : report_.implementations)
        if (i.name == kernel) f.op = i.op;
      f.message = fmt::format("{} on {} ({}): {}, promised to train as with exact kernels",
                              t.network, t.data, t.path, t.verdict);
      f.replay = t.replay;
      expect(f, {});
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

  static bool is_typical(const Benchmark& b) {
    return b.inputs == "typical" && b.level == "L1" && b.failure.empty();
  }

  /// Inputs that slow a kernel down, against its own time on typical ones.
  void judge_slow(const Benchmark& b) {
    if (b.level != "L1" || !b.failure.empty()) return;
    const SpeedPromise& promise = contract_of(b.implementation).throughput;
    const auto inputs = promise.slow_inputs.find(b.inputs);
    if (inputs == promise.slow_inputs.end()) return;
    const auto most = inputs->second.find(b.dtype);
    if (most == inputs->second.end()) return;
    const auto own =
        std::find_if(report_.benchmarks.begin(), report_.benchmarks.end(), [&](const Benchmark& x) {
          return is_typical(x) && x.implementation == b.implementation && x.dtype == b.dtype;
        });
    compare(b, own == report_.benchmarks.end() ? nullptr : &*own, most->second,
            "its own on typical inputs", fmt::format("--inputs typical --inputs {}", b.inputs), "");
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
    compare(b, other == report_.benchmarks.end() ? nullptr : &*other, most->second, promise.against,
            "--inputs typical",
            promise.against == "memcpy" ? "" : " --impl " + quoted(promise.against));
  }

  /// `other` null: it was not measured.
  void compare(const Benchmark& b, const Benchmark* other, double most, const std::string& against,
               const std::string& inputs, const std::string& more) {
    Finding f = make_finding("throughput.ratio", "bench", b.implementation, b.op, b.dtype);
    f.replay = Replay(report_, b.implementation, b.dtype).bench("--level L1 " + inputs + more);
    const std::string what = b.inputs == "typical" ? "" : fmt::format(" on inputs '{}'", b.inputs);
    if (other == nullptr) {
      f.severity = Severity::note;
      f.message =
          fmt::format("promised{} at most {:g} times the time of {}, which was not measured", what,
                      most, against);
    } else {
      if (b.median <= most * other->median) return;
      f.message = fmt::format(
          "{:.3g} ns an element{}, {:.3g} times the time of {}; promised at "
          "most {:g}",
          b.median, what, b.median / other->median, against, most);
      if (b.low <= most * other->high) {
        f.severity = Severity::note;
        f.message += ", within the spread of the times";
      }
    }
    expect(f, {});
    report_.findings.push_back(std::move(f));
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
        if (r != nullptr && every_input(*r, contract_of(i.name)))
          exhaustive = r;
        else
          all_exhaustive = false;
      }
      if (exhaustive == nullptr || !all_exhaustive) continue;
      Finding f = make_finding("contract.expected_failure_passed", "sweep", i.name, exhaustive->op,
                               exhaustive->dtype);
      f.severity = Severity::note;
      f.message =
          fmt::format("the contract expects {} ('{}'), which did not occur", e.rule, e.reason);
      report_.findings.push_back(std::move(f));
    }
  }

  void verdict(const Implementation& i) {
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
    if (i.unavailable.empty()) {
      v.unfinished = unfinished_of(report_, i);
      v.scope = scope_of(report_, i);
      if (!has_contract(i.name)) v.status = "no contract";
      if (!v.unfinished.empty()) v.status = "incomplete";
    }
    if (v.errors != 0) v.status = "fail";
    report_.verdicts.push_back(v);
  }

  const Contracts& contracts_;
  const bool properties_;
  Report& report_;
  std::set<const ExpectedFailure*> met_;
};

}  // namespace

void judge_report(const Contracts& contracts, bool properties, Report& report) {
  Judge(contracts, properties, report).run();
  group_by_cause(report);
  give_verdicts(contracts, report);
}

void give_verdicts(const Contracts& contracts, Report& report) {
  Judge(contracts, report.properties, report).verdicts();
}

bool has_errors(const Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& f) {
    return f.severity == Severity::error && f.expected_failure.empty();
  });
}

}  // namespace ulpaudit
