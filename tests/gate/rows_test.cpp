// A report against a baseline, row by row: what fails, what is only told, and what is let pass.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "fp/text.hpp"
#include "gate/compare.hpp"
#include "verdict/causes.hpp"
#include "verdict/occurs.hpp"
#include "verdict/unfinished.hpp"

namespace ulpaudit {
namespace {

using List = std::vector<std::string>;
constexpr Dtype kF32 = Dtype::f32;

Number num(const std::string& text) { return number(kF32, parse_number(kF32, text)); }
Witness witness(const std::string& z, const std::string& got, std::optional<double> ulps) {
  Witness w;
  w.z = num(z);
  w.got = num(got);
  w.expected = num("0.5");
  w.error_ulps = ulps;
  return w;
}

Result row(const std::string& region = "all") {
  Result r;
  r.implementation = "mine/sigmoid";
  r.op = "sigmoid";
  r.dtype = "f32";
  r.region = region;
  r.evidence = "sampled";
  r.points = 1000;
  r.raw.correctly_rounded = 900;
  r.monotone.violations = 5;
  r.inputs.plan = "a plan";
  r.digest = region == "all" ? "0123" : "";
  r.statistics.max_ulp = 2;
  r.max = witness("1", "0.25", 2.0);
  CategoryRow c;
  c.category = "flushed";
  c.count = 7;
  c.first = witness("-100", "0", std::nullopt);
  r.categories = {c};
  return r;
}

Report report_of(std::vector<Result> rows) {
  Report r;
  Implementation i;
  i.name = "mine/sigmoid";
  i.op = "sigmoid";
  i.dtypes = {"f32"};
  r.implementations = {i};
  r.results = std::move(rows);
  return r;
}

/// "kind" of each change, with "!" before those that fail.
List kinds(const GateReport& g) {
  List out;
  for (const Change& c : g.changes) out.push_back((c.fails ? "!" : "") + c.kind);
  return out;
}
template <class F>
GateReport against(F&& change, const GateChoice& choice = {}) {
  const Baseline before = make_baseline(report_of({row(), row("core")}));
  Report now = report_of({row(), row("core")});
  change(now);
  return compare(now, &before, choice);
}
template <class F>
List changed(F&& change) {
  return kinds(against(change));
}

TEST(Rows, WithoutAChangePass) {
  const GateReport g = against([](Report&) {});
  EXPECT_TRUE(g.passed);
  EXPECT_TRUE(g.changes.empty());
  EXPECT_TRUE(g.notes.empty());
  EXPECT_TRUE(g.accuracy_compared);
  EXPECT_FALSE(g.throughput_compared) << "the baseline has no times";
}

TEST(Rows, WithoutABaselineContractsAloneJudge) {
  const GateReport g = compare(report_of({row()}), nullptr, {});
  EXPECT_TRUE(g.passed);
  EXPECT_EQ(g.notes, List{"no baseline: contracts alone judge"});
  EXPECT_FALSE(g.accuracy_compared);
}

TEST(Rows, LargestErrors) {
  const auto largest = [](double ulps) {
    return changed([=](Report& r) { r.results[1].statistics.max_ulp = ulps; });
  };
  EXPECT_EQ(largest(2 + 0x1p-20), List{}) << "maxima are equal to 2^-20 ulp";
  EXPECT_EQ(largest(2 + 0x1.8p-20), List{"!accuracy"});
  EXPECT_EQ(largest(2 - 0x1p-20), List{});
  EXPECT_EQ(largest(1.5), List{"better"});
  EXPECT_EQ(largest(std::numeric_limits<double>::infinity()), List{"!accuracy"});
  const GateReport g = against([](Report& r) {
    r.results[1].statistics.max_ulp = 3;
    r.results[1].max = witness("4", "0.25", 3.0);
  });
  ASSERT_EQ(g.changes.size(), 1u);
  EXPECT_FALSE(g.passed);
  EXPECT_EQ(g.changes[0].before, "2 ulp");
  EXPECT_EQ(g.changes[0].after, "3 ulp");
  EXPECT_EQ(g.changes[0].region, "core");
  EXPECT_EQ(g.changes[0].witness->z.decimal, "4");
  EXPECT_EQ(g.changes[0].witness_before->z.decimal, "1");
  EXPECT_NE(g.changes[0].replay.find("./run eval"), std::string::npos);
  EXPECT_NE(g.changes[0].replay.find(num("4").bits), std::string::npos);
  EXPECT_EQ(in_one_line(g.changes[0]),
            "accuracy mine/sigmoid f32 core: the largest error is larger; 2 ulp at 0x3f800000 → 3 "
            "ulp at 0x40800000");
  // Both may be infinite.
  Report endless = report_of({row()});
  endless.results[0].statistics.max_ulp = std::numeric_limits<double>::infinity();
  const Baseline before = make_baseline(endless);
  EXPECT_TRUE(compare(endless, &before, {}).changes.empty());
}

TEST(Rows, CountsMayOnlyImprove) {
  EXPECT_EQ(changed([](Report& r) { r.results[0].raw.correctly_rounded = 899; }),
            List{"!correctly_rounded"});
  EXPECT_EQ(changed([](Report& r) { r.results[0].raw.correctly_rounded = 901; }), List{});
  EXPECT_EQ(changed([](Report& r) { r.results[0].monotone.violations = 6; }), List{"!monotone"});
  EXPECT_EQ(changed([](Report& r) { r.results[0].monotone.violations = 4; }), List{});
  EXPECT_EQ(changed([](Report& r) { r.results[0].categories[0].count = 8; }), List{"!category"});
  EXPECT_EQ(changed([](Report& r) { r.results[0].categories[0].count = 6; }), List{});
  EXPECT_EQ(changed([](Report& r) { r.results[0].categories[0].category = "new_nan"; }),
            List{"!category"});
  EXPECT_EQ(changed([](Report& r) { r.results[0].digest = "4567"; }), List{"!digest"});
  EXPECT_EQ(changed([](Report& r) { r.results[1].digest = "4567"; }), List{})
      << "of all regions together";
}

TEST(Rows, OtherInputsAreNotCompared) {
  const auto inputs = [](const char* plan, const char* evidence, std::uint64_t points,
                         const char* evidence_before = "sampled") {
    Report old = report_of({row(), row("core")});
    for (Result& r : old.results) r.evidence = evidence_before;
    const Baseline before = make_baseline(old);
    Report now = old;
    for (Result& r : now.results) {
      r.inputs.plan = plan;
      r.evidence = evidence;
      r.points = points;
      r.raw.correctly_rounded = 0;
    }
    return kinds(compare(now, &before, {}));
  };
  EXPECT_EQ(inputs("another", "sampled", 1000), List{"evidence"});
  EXPECT_EQ(inputs("another", "sampled", 999), List{"!evidence"}) << "fewer points";
  EXPECT_EQ(inputs("another", "exhaustive", 10), List{"evidence"}) << "every input";
  EXPECT_EQ(inputs("another", "sampled", 5000, "exhaustive"), List{"!evidence"});
  EXPECT_EQ(inputs("a plan", "exhaustive", 1000),
            (List{"!correctly_rounded", "!correctly_rounded", "evidence"}))
      << "the same inputs have the same figures; what fails comes first";
}

TEST(Rows, WhatVanishedFailsUnlessItWasNotAskedFor) {
  const auto without = [](auto change, bool allowed = false) {
    GateChoice choice;
    choice.missing_allowed = allowed;
    return against(
        [&](Report& r) {
          r.results.clear();
          change(r);
        },
        choice);
  };
  const auto because = [](const GateReport& g, const char* words) {
    ASSERT_EQ(kinds(g), List{"!vanished"}) << words;
    EXPECT_EQ(g.changes[0].message, words);
    EXPECT_EQ(g.changes[0].replay, "./run list");
  };
  because(without([](Report&) {}), "it was not run");
  because(without([](Report& r) { r.implementations.clear(); }),
          "the report does not have the implementation");
  because(without([](Report& r) { r.implementations[0].dtypes = {"f16"}; }),
          "the implementation no longer offers this dtype");
  because(without([](Report& r) { r.implementations[0].unavailable = "no AVX-512"; }),
          "unavailable: no AVX-512");
  EXPECT_TRUE(without([](Report&) {}, true).passed);
  EXPECT_TRUE(without([](Report& r) { r.implementations.clear(); }, true).passed);
  EXPECT_FALSE(without([](Report& r) { r.implementations[0].dtypes = {"f16"}; }, true).passed);
  EXPECT_FALSE(without([](Report& r) { r.implementations[0].unavailable = "no"; }, true).passed);
}

TEST(Rows, WhatIsNewIsTold) {
  EXPECT_EQ(changed([](Report& r) {
              r.results.push_back(row());
              r.results.back().dtype = "f16";
            }),
            List{"new"});
  EXPECT_EQ(changed([](Report& r) { r.results.push_back(row("left_tail")); }), List{});
}

TEST(Rows, OfAnotherClassAreJudgedByContractsAlone) {
  const GateReport g = against([](Report& r) {
    r.context.isa = "another";
    r.results[0].digest = "4567";
  });
  EXPECT_TRUE(g.passed);
  EXPECT_FALSE(g.accuracy_compared);
  EXPECT_EQ(g.notes.size(), 1u);
  EXPECT_NE(g.report_class, g.baseline_class);
  EXPECT_FALSE(against([](Report& r) {
                 r.context.isa = "another";
                 r.results.clear();
               }).passed)
      << "presence does not depend on the class";
}

Finding finding(const char* rule, const char* phase) {
  Finding f;
  f.rule = rule;
  f.phase = phase;
  f.implementation = "mine/sigmoid";
  f.dtype = "f32";
  f.message = "a message";
  return f;
}

TEST(Findings, ErrorsAreTheContracts) {
  const auto with = [](const Finding& f) { return changed([&](Report& r) { r.findings = {f}; }); };
  Finding f = finding("accuracy.max_ulp", "sweep");
  EXPECT_EQ(with(f), List{"!contract"});
  f.expected_failure = "known";
  EXPECT_EQ(with(f), List{});
  f.expected_failure.clear();
  f.severity = Severity::note;
  EXPECT_EQ(with(f), List{});
  f.rule = "contract.expected_failure_passed";
  EXPECT_EQ(with(f), List{"!expected_failure_passed"});
  EXPECT_EQ(changed([](Report& r) { r.results[1].judged.disagreements = 1; }), List{"!contract"});
}

TEST(Findings, OfCheckAreComparedWithTheBaselines) {
  Report old = report_of({row()});
  old.properties = true;
  Finding known = finding("batch.length", "check");
  known.severity = Severity::note;
  old.findings = {known, known};
  const Baseline before = make_baseline(old);
  EXPECT_EQ(before.breaches.size(), 1u) << "each once";
  const auto with = [&](auto change, bool allowed = false) {
    Report now = old;
    change(now);
    GateChoice choice;
    choice.missing_allowed = allowed;
    return kinds(compare(now, &before, choice));
  };
  EXPECT_EQ(with([](Report&) {}), List{});
  const auto another = [](auto change) {
    return [change](Report& r) {
      Finding f = finding("batch.position", "check");
      f.severity = Severity::note;
      change(f);
      r.findings.push_back(f);
    };
  };
  EXPECT_EQ(with(another([](Finding&) {})), List{"!property"});
  EXPECT_EQ(with(another([](Finding& f) { f.phase = "sweep"; })), List{});
  EXPECT_EQ(with(another([](Finding& f) { f.implementation = "mine/new"; })), List{});
  EXPECT_EQ(with(another([](Finding& f) { f.severity = Severity::error; })), List{"!contract"})
      << "told once";
  EXPECT_EQ(with(another([](Finding& f) {
              f.severity = Severity::error;
              f.expected_failure = "known";
            })),
            List{"!property"});
  EXPECT_EQ(with([](Report& r) { r.properties = false; }), List{"!evidence"});
  EXPECT_EQ(with([](Report& r) { r.properties = false; }, true), List{});
  Report not_checked = report_of({row()});
  const Baseline none = make_baseline(not_checked);
  EXPECT_EQ(kinds(compare(old, &none, {})), (List{"!property", "!property"}));
}

TEST(Findings, OneLineSaysWhatItKnows) {
  Change c;
  c.kind = "contract";
  c.implementation = "mine/sigmoid";
  c.message = "broken";
  EXPECT_EQ(in_one_line(c), "contract mine/sigmoid: broken");
  c.witness = witness("1", "0.25", 1);
  EXPECT_EQ(in_one_line(c), "contract mine/sigmoid: broken at 0x3f800000");
  c.witness->y = num("0.5");
  EXPECT_EQ(in_one_line(c), "contract mine/sigmoid: broken at 0x3f800000, 0x3f000000");
  c.after = "3";
  EXPECT_EQ(in_one_line(c), "contract mine/sigmoid: broken;  → 3 at 0x3f800000, 0x3f000000");
}

TEST(Causes, GroupWhatOneMistakeBreaks) {
  Report r;
  Implementation a, b;
  a.name = "mine/sigmoid";
  b.name = "mine/other";
  r.implementations = {a, b};
  const auto of = [](const char* rule, const char* who, std::optional<double> ulps,
                     const char* phase = "check") {
    Finding f = finding(rule, phase);
    f.implementation = who;
    f.witness = witness("1", "0.25", ulps);
    return f;
  };
  Finding expected = of("accuracy.max_ulp", "mine/sigmoid", 9.0);
  expected.expected_failure = "known";
  Finding note = of("batch.length", "mine/sigmoid", std::nullopt);
  note.severity = Severity::note;
  Finding bare = of("value.exact", "mine/sigmoid", 1.0);
  bare.witness.reset();
  r.findings = {note,
                expected,
                of("accuracy.max_ulp", "mine/other", 2.0),
                bare,
                of("symmetry", "mine/sigmoid", -5.0),
                of("value.wrong_sign", "mine/sigmoid", 3.0),
                of("value.vanished", "mine/sigmoid", std::nullopt),
                of("monotone", "mine/sigmoid", std::nullopt),
                of("batch.length", "mine/sigmoid", std::nullopt),
                of("batch.not_written", "mine/sigmoid", std::nullopt),
                of("batch.read_outside", "mine/sigmoid", std::nullopt),
                of("determinism.repeat", "mine/sigmoid", std::nullopt),
                of("plugin.crash", "mine/sigmoid", std::nullopt),
                of("plugin.load", "mine/sigmoid", std::nullopt, "load"),
                of("environment.x87", "mine/sigmoid", std::nullopt, "load"),
                of("environment.x87", "mine/sigmoid", std::nullopt)};
  group_by_cause(r);
  List order;
  std::vector<std::uint64_t> causes;
  for (const Finding& f : r.findings) {
    order.push_back(f.rule + (f.severity == Severity::note ? " note" : ""));
    causes.push_back(f.cause);
  }
  EXPECT_EQ(order,
            (List{"plugin.load", "batch.not_written", "plugin.crash", "determinism.repeat",
                  "batch.read_outside", "value.vanished", "symmetry", "value.wrong_sign",
                  "value.exact", "monotone", "batch.length", "environment.x87", "environment.x87",
                  "accuracy.max_ulp", "accuracy.max_ulp", "batch.length note"}));
  EXPECT_EQ(causes, (std::vector<std::uint64_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(r.findings[13].implementation, "mine/other") << "errors before what is expected";
  // Made again, the same.
  group_by_cause(r);
  EXPECT_EQ(r.findings[5].cause, 1u);
  EXPECT_EQ(r.findings[10].cause, 0u);
  Report two;
  two.findings = {of("symmetry", "a/a", 1.0), of("value.exact", "a/a", 2.0),
                  of("symmetry", "b/b", 1.0), of("value.exact", "b/b", 2.0)};
  group_by_cause(two);
  EXPECT_EQ(two.findings[3].cause, 2u);
}

TEST(Occurs, InTheRegionsOfItsInputs) {
  Result total = row();
  EXPECT_EQ(regions_between(total, num("-1e30"), num("1e30")),
            (Regions{"core", "left_tail", "right_tail", "saturated", "subnormal", "underflow"}));
  EXPECT_EQ(regions_between(total, num("5"), num("inf")).count("special"), 1u);
  EXPECT_EQ(regions_between(total, num("2"), num("nan")),
            (Regions{"right_tail", "saturated", "special"}));
  EXPECT_EQ(regions_between(total, num("3"), num("2")), Regions{"right_tail"});
  EXPECT_EQ(regions_between(total, num("-0.99999994"), num("0.99999994")), Regions{"core"});
  EXPECT_EQ(regions_between(total, num("-1"), num("1")),
            (Regions{"core", "left_tail", "right_tail"}));
  total.op = "no op";
  EXPECT_TRUE(regions_between(total, num("1"), num("2")).empty());
  Result damaged = row();
  Number bad = num("1");
  bad.bits = "0xzz";
  EXPECT_TRUE(regions_between(damaged, bad, num("2")).empty());

  Witness w = witness("-3", "0", 1);
  EXPECT_EQ(region_at("sigmoid", "f32", w), Regions{"left_tail"});
  EXPECT_TRUE(region_at("sigmoid", "f99", w).empty());
  EXPECT_TRUE(region_at("none", "f32", w).empty());
  w.z.bits = "?";
  EXPECT_TRUE(region_at("sigmoid", "f32", w).empty());
  w = witness("1", "0", 1);
  w.y = num("nan");
  EXPECT_EQ(region_at("bce_with_logits", "f32", w), Regions{"special"});

  Result labelled = row();
  labelled.op = "bce_with_logits";
  labelled.labels = {num("0"), num("nan")};
  labelled.label_count = 2;
  EXPECT_EQ(regions_between(labelled, num("50"), num("60")).count("special"), 1u);
  labelled.label_count = 3;
  EXPECT_TRUE(regions_between(labelled, num("50"), num("60")).empty()) << "not all labels";

  Report report = report_of({row()});
  Finding f = finding("value.exact", "check");
  f.op = "sigmoid";
  f.region = "core";
  EXPECT_EQ(regions_of_finding(report, f), Regions{"core"});
  f.region = "all";
  f.witness = witness("-3", "0", 1);
  EXPECT_EQ(regions_of_finding(report, f), Regions{"left_tail"});
  f.rule = "batch.length";
  EXPECT_TRUE(regions_of_finding(report, f).empty());
  f.rule = "accuracy.max_ulp";
  EXPECT_EQ(regions_of_finding(report, f), Regions{"left_tail"});
  f.phase = "sweep";
  EXPECT_TRUE(regions_of_finding(report, f).empty()) << "without a range";
  f.range = NumberRange{num("-3"), num("0")};
  EXPECT_EQ(regions_of_finding(report, f), (Regions{"core", "left_tail"}));
  f.implementation = "mine/other";
  EXPECT_TRUE(regions_of_finding(report, f).empty());
}

TEST(Unfinished, NamesAFewRules) {
  Report r = report_of({row()});
  Coverage c;
  c.implementation = "mine/sigmoid";
  c.dtype = "f32";
  const auto stopped = [&](int n) {
    c.rules.clear();
    for (int i = 0; i < n; ++i)
      c.rules.push_back({"rule." + std::to_string(i), "stopped", 1, 2, i == 0 ? "why" : ""});
    c.rules.push_back({"rule.fine", "checked", 2, 2, ""});
    r.coverage = {c};
    return unfinished_of(r, r.implementations[0]);
  };
  EXPECT_EQ(stopped(0), List{});
  EXPECT_EQ(stopped(1), List{"f32: 1 rule was stopped: rule.0 after 1 of 2 cases (why)"});
  EXPECT_EQ(stopped(2), List{"f32: 2 rules were stopped: rule.0 after 1 of 2 cases (why), rule.1 "
                             "after 1 of 2 cases"});
  EXPECT_EQ(stopped(4).at(0).find("more"), std::string::npos);
  EXPECT_NE(stopped(4).at(0).find("rule.3"), std::string::npos);
  EXPECT_NE(stopped(6).at(0).find("rule.3 after 1 of 2 cases, and 2 more"), std::string::npos)
      << stopped(6)[0];
  EXPECT_EQ(stopped(6).at(0).find("rule.4"), std::string::npos);
  // What was stopped is told once.
  Finding f = finding("check.stopped", "check");
  r.findings = {f};
  EXPECT_EQ(stopped(1).size(), 1u);
  EXPECT_EQ(stopped(0), List{"f32: a message"});
  r.findings[0].implementation = "mine/other";
  EXPECT_EQ(stopped(0), List{});
  r.coverage[0].implementation = "mine/other";
  EXPECT_EQ(unfinished_of(r, r.implementations[0]), List{});
}

TEST(Unfinished, SomethingOfEachKernelThatWasAskedFor) {
  Report r = report_of({row()});
  Implementation other;
  other.name = "mine/other";
  const List nothing = {"it was asked for, and nothing of it was measured"};
  EXPECT_EQ(unfinished_of(r, other), nothing);
  r.coverage.resize(1);
  r.coverage[0].implementation = "mine/other";
  EXPECT_EQ(unfinished_of(r, other), List{});
  r.coverage.clear();
  r.benchmarks.resize(1);
  r.benchmarks[0].implementation = "mine/other";
  EXPECT_EQ(unfinished_of(r, other), List{});
  r.benchmarks.clear();
  r.training.resize(1);
  r.training[0].kernels = {"mine/other"};
  EXPECT_EQ(unfinished_of(r, other), List{});
  r.training.clear();
  r.context.shard = {1, 3};
  EXPECT_EQ(unfinished_of(r, other), List{}) << "another part may have it";
  r.context.shard = {1, 1};
  EXPECT_EQ(unfinished_of(r, other), nothing);
  r.results.clear();
  EXPECT_EQ(unfinished_of(r, other), List{}) << "nothing was measured at all";
}

TEST(Scope, SaysWhatTheRunDidNotAskFor) {
  Report r = report_of({row()});
  const Implementation& i = r.implementations[0];
  const auto starts = [&](const char* words) {
    const std::string s = scope_of(r, i);
    EXPECT_EQ(s.rfind(words, 0), 0u) << s;
    EXPECT_NE(s.find("./run check --impl 'mine/sigmoid' checks"), std::string::npos) << s;
  };
  starts("accuracy only; ");
  r.benchmarks.resize(1);
  starts("accuracy only; ");
  r.results.clear();
  starts("times only; ");
  r.benchmarks.clear();
  EXPECT_EQ(scope_of(r, i), "");
  r.training.resize(1);
  starts("training only; ");
  r.properties = true;
  EXPECT_EQ(scope_of(r, i), "");
}

}  // namespace
}  // namespace ulpaudit
