// Results by the universal rules and by contracts; verdicts.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/verdict.hpp"

#include <gtest/gtest.h>

#include <array>

#include "fp/text.hpp"
#include "gate/compare.hpp"
#include "verdict/accuracy_rules.hpp"
#include "verdict/draft.hpp"
#include "verdict/occurs.hpp"
#include "verdict/unfinished.hpp"

namespace ulpaudit {
namespace {

constexpr Dtype kDtype = Dtype::f32;

Number num(const std::string& text) { return number(kDtype, parse_number(kDtype, text)); }

Witness witness(const std::string& z, const std::string& got, const std::string& right,
                double ulps) {
  Witness w;
  w.z = num(z);
  w.got = num(got);
  w.expected = num(right);
  w.true_value = w.expected.decimal;
  w.error_ulps = ulps;
  return w;
}

/// One row of mine/sigmoid in f32, with `ulps` at z as its largest error.
Result row(const std::string& region, const std::string& z, double ulps) {
  Result r;
  r.implementation = "mine/sigmoid";
  r.op = "sigmoid";
  r.dtype = "f32";
  r.region = region;
  r.evidence = "sampled";
  r.points = r.raw.points = r.raw.measured = 1000;
  r.raw.histogram.resize(kHistogramBins);
  r.raw.histogram[static_cast<std::size_t>(histogram_bin(ulps))] = 1000;
  r.statistics.max_ulp = ulps;
  r.max = r.max_signed = witness(z, "0.25", "0.125", ulps);
  r.min_signed = witness(z, "0.125", "0.125", 0);
  return r;
}

/// The total and the regions, of which `special` stands for the rest.
Report report_of(std::vector<Result> regions) {
  Report report;
  Implementation i;
  i.name = "mine/sigmoid";
  i.plugin = "mine";
  i.kernel = i.op = "sigmoid";
  i.dtypes = {"f32"};
  report.implementations.push_back(i);
  report.properties = true;
  const Result* worst = &regions.front();
  for (const Result& r : regions)
    if (*r.statistics.max_ulp > *worst->statistics.max_ulp) worst = &r;
  Result total = *worst;
  total.region = "all";
  total.reversed.reset();
  report.results.push_back(total);
  for (Result& r : regions) report.results.push_back(std::move(r));
  return report;
}

Report judged(Report report, const std::string& promises) {
  Contracts contracts;
  if (promises != "none")
    contracts["mine"] =
        parse_contract("contract = 1\n[[kernel]]\nname = \"sigmoid\"\n" + promises, "test");
  judge_report(contracts, report.properties, report);
  return report;
}

std::string admitted(const std::string& rule, const std::string& regions) {
  return "[[kernel.expected_failure]]\nrule = \"" + rule + "\"\nreason = \"known\"\n" +
         (regions.empty() ? "" : "regions = [" + regions + "]\n");
}

/// "rule region", with "!" before an expected one; notes are left out.
std::vector<std::string> errors(const Report& r) {
  std::vector<std::string> out;
  for (const Finding& f : r.findings)
    if (f.severity == Severity::error)
      out.push_back((f.expected_failure.empty() ? "" : "!") + f.rule + " " + f.region);
  return out;
}
using List = std::vector<std::string>;

TEST(HalfLost, IsAnErrorWithoutABudget) {
  const Report r = judged(report_of({row("left_tail", "-50", 1e5), row("core", "0", 1)}), "none");
  EXPECT_EQ(errors(r), List{"accuracy.half_lost left_tail"});
  EXPECT_NE(r.findings.at(0).message.find("100000 ulp at z = -50 (half: 4096)"), std::string::npos)
      << r.findings[0].message;
  EXPECT_EQ(r.findings.at(0).count, 1000u);
  EXPECT_NE(r.findings.at(0).replay.find("./run eval"), std::string::npos);
  EXPECT_EQ(r.verdicts.at(0).status, "fail");
  EXPECT_EQ(errors(judged(report_of({row("left_tail", "-50", 4096)}), "none")), List{});
  EXPECT_EQ(errors(judged(report_of({row("crossing", "0", 1e9)}), "none")), List{})
      << "a gradient has no digits beside its zero";
}

TEST(HalfLost, ABudgetThatCoversItOrAnAdmissionExcusesIt) {
  const auto errors_with = [](const std::string& promises) {
    return errors(judged(report_of({row("left_tail", "-50", 1e5)}), promises));
  };
  EXPECT_EQ(errors_with("max_ulp = { f32 = 1e5 }\n"), List{});
  EXPECT_EQ(errors_with("max_ulp = { f32 = { left_tail = 1e5 } }\n"), List{});
  EXPECT_EQ(errors_with("max_ulp = { f32 = { core = 1e9 } }\n"),
            List{"accuracy.half_lost left_tail"});
  EXPECT_EQ(errors_with("max_ulp = { f32 = 99999 }\n"), List{"accuracy.max_ulp all"})
      << "the broken budget tells it";
  EXPECT_EQ(errors_with("max_ulp = { f32 = 1 }\n" + admitted("accuracy.max_ulp", "")),
            (List{"accuracy.half_lost left_tail", "!accuracy.max_ulp all"}))
      << "an admitted budget does not";
  EXPECT_EQ(errors_with(admitted("accuracy.half_lost", "\"left_tail\"")),
            List{"!accuracy.half_lost left_tail"});
  EXPECT_EQ(errors_with(admitted("accuracy.half_lost", "\"core\"")),
            List{"accuracy.half_lost left_tail"});
}

TEST(HalfLost, CategoriesAreToldByTheirOwnRules) {
  Result r = row("left_tail", "-50", 8e6);
  r.max = r.max_signed = witness("-50", "0", "1e-22", 8e6);  // vanished
  r.raw.histogram.assign(kHistogramBins, 0);
  r.raw.histogram.back() = 1000;
  EXPECT_EQ(errors(judged(report_of({r}), "none")), List{});
  // Others beside it are bad too: no witness, but a sweep that shows them.
  r.raw.histogram[static_cast<std::size_t>(histogram_bin(1e6))] = 3;
  const Report with = judged(report_of({r}), "none");
  EXPECT_EQ(errors(with), List{"accuracy.half_lost left_tail"});
  EXPECT_EQ(with.findings.at(0).count, 3u);
  EXPECT_FALSE(with.findings.at(0).witness);
  EXPECT_NE(with.findings.at(0).replay.find("./run sweep"), std::string::npos);
  EXPECT_EQ(errors(judged(report_of({r}), "max_ulp = { f32 = 9e6 }\n")), List{});
}

TEST(Reversed, IsAnErrorOfItsRegion) {
  Result r = row("core", "0", 1);
  Reversal v;
  v.first = witness("-1", "0.73", "0.27", 1);
  v.last = witness("1", "0.27", "0.73", -1);
  v.steps = 64;
  v.against = 60;
  v.rises = true;
  r.reversed = v;
  const Report bare = judged(report_of({r}), "none");
  EXPECT_EQ(errors(bare), List{"monotone.reversed core"});
  EXPECT_NE(bare.findings.at(0).message.find("falls where the op rises"), std::string::npos);
  ASSERT_TRUE(bare.findings.at(0).neighbour);
  EXPECT_EQ(bare.findings[0].neighbour->z.decimal, "1");
  EXPECT_EQ(errors(judged(report_of({r}), admitted("monotone.reversed", "\"core\""))),
            List{"!monotone.reversed core"});
}

TEST(Admissions, OfARegionDoNotExcuseTheRest) {
  const std::string promises = "max_ulp = { f32 = 2 }\n";
  const auto errors_with = [&](const std::string& regions) {
    return errors(judged(report_of({row("core", "0", 1000), row("underflow", "-120", 5)}),
                         promises + admitted("accuracy.max_ulp", regions)));
  };
  EXPECT_EQ(errors_with("\"underflow\""), List{"accuracy.max_ulp all"});
  EXPECT_EQ(errors_with("\"core\""), List{"accuracy.max_ulp all"});
  EXPECT_EQ(errors_with("\"core\", \"underflow\""), List{"!accuracy.max_ulp all"});
  EXPECT_EQ(errors_with(""), List{"!accuracy.max_ulp all"});
  EXPECT_EQ(errors_with("\"all\""), List{"!accuracy.max_ulp all"});
  // Two admissions, each with its reason.
  EXPECT_EQ(errors(judged(report_of({row("core", "0", 1000), row("underflow", "-120", 5)}),
                          promises + admitted("accuracy.max_ulp", "\"core\"") +
                              admitted("accuracy.max_ulp", "\"underflow\""))),
            List{"!accuracy.max_ulp all"});
}

TEST(Admissions, OfARegionCountRoundingByRegion) {
  Report report = report_of({row("core", "0", 1), row("underflow", "-120", 0)});
  report.results[1].raw.correctly_rounded = 999;
  report.results[2].raw.correctly_rounded = 1000;
  report.results[0].raw.correctly_rounded = 1999;
  report.results[0].points = 2000;
  const std::string promise = "correctly_rounded = [\"f32\"]\n";
  EXPECT_EQ(
      errors(judged(report, promise + admitted("accuracy.correctly_rounded", "\"underflow\""))),
      List{"accuracy.correctly_rounded all"});
  const Report r = judged(report, promise + admitted("accuracy.correctly_rounded", "\"core\""));
  EXPECT_EQ(errors(r), List{"!accuracy.correctly_rounded all"});
  EXPECT_NE(r.findings.at(0).message.find("though the contract promises it"), std::string::npos);
}

TEST(Admissions, OfARegionHoldForTheWholeRangeOfBrokenOrder) {
  Report report = report_of({row("core", "0", 1)});
  Monotone& m = report.results[0].monotone;
  m.violations = 2;
  m.lower = witness("-3", "0.5", "0.25", 1);
  m.upper = witness("-2.9", "0.4", "0.25", 1);
  m.last = num("-2");
  const auto errors_with = [&](const std::string& regions) {
    return errors(judged(report, "monotone = true\n" + admitted("monotone", regions)));
  };
  EXPECT_EQ(errors_with("\"left_tail\""), List{"!monotone all"});
  EXPECT_EQ(errors_with("\"core\""), List{"monotone all"});
  m.last = num("0");  // some are in the core
  EXPECT_EQ(errors_with("\"left_tail\""), List{"monotone all"});
  EXPECT_EQ(errors_with("\"left_tail\", \"core\""), List{"!monotone all"});
  EXPECT_EQ(errors(judged(report, "")), List{}) << "not promised: a note";
}

TEST(Admissions, OfWhatDoesNotOccurAreToldWhereEveryInputWasRun) {
  Report report = report_of({row("core", "0", 1)});
  report.implementations[0].dtypes = {"f16", "f32"};
  for (Result& r : report.results) r.evidence = "exhaustive";
  Report both = report;
  both.results.push_back(both.results[0]);
  both.results.back().dtype = "f16";
  const auto told = [](const Report& r, const std::string& dtypes,
                       const std::string& rule = "value.flushed") {
    const Report out = judged(
        r, "[[kernel.expected_failure]]\nrule = \"" + rule + "\"\nreason = \"known\"\n" + dtypes);
    std::size_t n = 0;
    for (const Finding& f : out.findings)
      n += f.rule == "contract.expected_failure_passed" && f.severity == Severity::note ? 1 : 0;
    return n;
  };
  EXPECT_EQ(told(report, "dtypes = [\"f32\"]\n"), 1u);
  EXPECT_EQ(told(report, "dtypes = [\"f16\"]\n"), 0u) << "it was not run";
  EXPECT_EQ(told(report, ""), 0u) << "f16 was not run";
  EXPECT_EQ(told(both, ""), 1u);
  Report sampled = both;
  sampled.results.back().evidence = "sampled";
  EXPECT_EQ(told(sampled, ""), 0u);
  EXPECT_EQ(told(sampled, "dtypes = [\"f32\"]\n"), 1u);
  // Rules of `check` where it was not asked for.
  EXPECT_EQ(told(both, "", "batch.length"), 1u);
  both.properties = false;
  EXPECT_EQ(told(both, "", "batch.length"), 0u);
  EXPECT_EQ(told(both, ""), 1u);
  both.implementations[0].unavailable = "no AVX-512";
  EXPECT_EQ(told(both, ""), 0u);
  // It does occur.
  Report flushed = report;
  CategoryRow c;
  c.category = "flushed";
  c.count = 1;
  c.first = witness("-100", "0", "1e-44", 1);
  c.last = num("-95");
  flushed.results[1].categories = {c};
  EXPECT_EQ(told(flushed, "dtypes = [\"f32\"]\n"), 0u);
}

TEST(Admissions, OfARegionAndFindingsOfCheck) {
  Finding value;
  value.rule = "value.new_nan";
  value.phase = "check";
  value.implementation = "mine/sigmoid";
  value.op = "sigmoid";
  value.dtype = "f32";
  value.region = "all";
  value.witness = witness("0", "nan", "0.5", 0);
  Finding batch = value;
  batch.rule = "batch.length";
  Report report = report_of({row("core", "0", 1)});
  report.findings = {value, batch};
  EXPECT_EQ(errors(judged(report, admitted("value.new_nan", "\"core\"") +
                                      admitted("batch.length", "\"core\""))),
            (List{"batch.length all", "!value.new_nan all"}));
  EXPECT_EQ(errors(judged(report,
                          admitted("value.new_nan", "\"special\"") + admitted("batch.length", ""))),
            (List{"value.new_nan all", "!batch.length all"}));
}

TEST(ZeroSign, IsAnErrorWherePromised) {
  Report report = report_of({row("underflow", "-120", 0.5), row("core", "0", 0.5)});
  CategoryRow zero;
  zero.category = "wrong_zero";
  zero.count = 3;
  zero.first = witness("-120", "-0", "0", 0);
  zero.last = num("-110");
  report.results[0].wrong_zero = report.results[1].wrong_zero = zero;
  EXPECT_EQ(errors(judged(report, "")), List{});
  EXPECT_EQ(errors(judged(report, "zero_sign = true\n")), List{"value.wrong_zero all"});
  EXPECT_EQ(
      errors(judged(report, "zero_sign = true\n" + admitted("value.wrong_zero", "\"underflow\""))),
      List{"!value.wrong_zero all"});
  EXPECT_EQ(errors(judged(report, "zero_sign = true\n" + admitted("value.wrong_zero", "\"core\""))),
            List{"value.wrong_zero all"});
}

TEST(Bias, IsJudgedByRegionAndOverTypicalLogits) {
  Report report = report_of({row("core", "0", 1), row("left_tail", "-5", 1)});
  report.results[0].statistics.bias = -0.2;
  report.results[1].statistics.bias = -0.3;
  report.results[2].statistics.bias = 0.01;
  report.results[0].statistics.typical_logits = Statistics::Weighted{0.1, 0.1, 1, 0.25};
  EXPECT_EQ(errors(judged(report, "bias = { f32 = 0.3 }\n")), List{});
  EXPECT_EQ(errors(judged(report, "bias = { f32 = 0.1 }\n")), List{"accuracy.bias all"});
  EXPECT_EQ(errors(judged(report, "bias = { f32 = { core = 0.1, left_tail = 0.1 } }\n")),
            List{"accuracy.bias core"});
  EXPECT_EQ(errors(judged(report, "bias = { f32 = { typical = 0.2 } }\n")),
            List{"accuracy.bias typical"});
  EXPECT_EQ(errors(judged(report, "bias = { f32 = { typical = 0.25 } }\n")), List{});
  EXPECT_EQ(
      errors(judged(report, "bias = { f32 = 0.1 }\n" + admitted("accuracy.bias", "\"core\""))),
      List{"!accuracy.bias all"});
}

TEST(PlainErrors, AreJudgedAtTheWitnesses) {
  // 100 ulp at 0.125, where an ulp is 2^-26: 1.49e-6, relative 1.19e-5.
  const Report report = report_of({row("left_tail", "-2", 100)});
  EXPECT_EQ(errors(judged(report, "max_absolute = { f32 = 1.4e-6 }\n")),
            List{"accuracy.absolute all"});
  EXPECT_EQ(errors(judged(report, "max_absolute = { f32 = { left_tail = 1.4e-6 } }\n")),
            List{"accuracy.absolute left_tail"});
  EXPECT_EQ(errors(judged(report, "max_relative = { f32 = 1.1e-5 }\n")),
            List{"accuracy.relative all"});
  EXPECT_TRUE(judged(report, "max_relative = { f32 = 1.2e-5 }\n").findings.empty())
      << "100 ulp are at most 1.19e-5";
  const Report open = judged(report, "max_absolute = { f32 = 2e-6 }\n");
  ASSERT_EQ(open.findings.size(), 1u) << "100 ulp may be 1.2e-5 where the result is 1";
  EXPECT_EQ(open.findings[0].severity, Severity::note);
  EXPECT_NE(open.findings[0].message.find("does not decide it"), std::string::npos);
  EXPECT_TRUE(judged(report, "max_absolute = { f32 = 1.2e-5 }\n").findings.empty());
  // Two regions break it: an admission for one is not enough.
  const Report both = report_of({row("left_tail", "-2", 100), row("core", "0", 99)});
  const std::string promise = "max_absolute = { f32 = 1e-7 }\n";
  EXPECT_EQ(errors(judged(both, promise + admitted("accuracy.absolute", "\"left_tail\""))),
            List{"accuracy.absolute all"});
  EXPECT_EQ(
      errors(judged(both, promise + admitted("accuracy.absolute", "\"left_tail\", \"core\""))),
      List{"!accuracy.absolute all"});
}

TEST(SlowInputs, AreComparedWithTheKernelsOwnTypicalTime) {
  const auto bench = [](const std::string& inputs, double ns) {
    Benchmark b;
    b.implementation = "mine/sigmoid";
    b.op = "sigmoid";
    b.dtype = "f32";
    b.inputs = inputs;
    b.level = "L1";
    b.low = b.median = b.high = ns;
    return b;
  };
  const auto with = [&](std::vector<Benchmark> times) {
    Report report = report_of({row("core", "0", 1)});
    report.benchmarks = std::move(times);
    return judged(report, "throughput = { subnormal = { f32 = 1.25 } }\n");
  };
  EXPECT_TRUE(
      with({bench("typical", 1), bench("subnormal", 1.2), bench("bits", 9)}).findings.empty());
  const Report slow = with({bench("typical", 1), bench("subnormal", 2)});
  EXPECT_EQ(errors(slow), List{"throughput.ratio all"});
  EXPECT_NE(slow.findings.at(0).message.find("2 times the time of its own on typical inputs"),
            std::string::npos)
      << slow.findings[0].message;
  EXPECT_EQ(with({bench("subnormal", 2)}).findings.at(0).severity, Severity::note);
}

TEST(Verdicts, SayWhatAPassIsNot) {
  const Report good = report_of({row("core", "0", 1)});
  const auto status = [](Report r, const std::string& promises = "max_ulp = { f32 = 2 }\n") {
    return judged(std::move(r), promises).verdicts.at(0);
  };
  EXPECT_EQ(status(good).status, "pass");
  EXPECT_EQ(status(good).scope, "");
  EXPECT_EQ(status(good, "none").status, "no contract");
  Report sweep = good;
  sweep.properties = false;
  EXPECT_EQ(status(sweep).scope,
            "accuracy only; ./run check --impl 'mine/sigmoid' checks buffers, lengths and threads");

  const auto incomplete = [&](const char* words, auto change) {
    Report r = good;
    change(r);
    const Verdict v = status(r);
    EXPECT_EQ(v.status, "incomplete") << words;
    ASSERT_FALSE(v.unfinished.empty()) << words;
    EXPECT_NE(v.unfinished[0].find(words), std::string::npos) << v.unfinished[0];
    EXPECT_EQ(status(r, "none").status, "incomplete") << words;
    EXPECT_EQ(status(r, "max_ulp = { f32 = 0.5 }\n").status, "fail") << words;
  };
  incomplete("time limit", [](Report& r) { r.run.ended_by = "time limit"; });
  incomplete("a signal", [](Report& r) { r.run.ended_by = "signal"; });
  incomplete("time limit or a signal", [](Report& r) { r.run.ended_early = true; });
  incomplete("7 points were not measured", [](Report& r) { r.results[0].lost_points = 7; });
  incomplete("no point was measured", [](Report& r) { r.results[0].points = 0; });
  incomplete("f32: 1 rule was stopped: batch.length after 3 of 9 cases (time)", [](Report& r) {
    r.coverage = {
        {"mine/sigmoid",
         "sigmoid",
         "f32",
         {{"batch.length", "stopped", 3, 9, "time"}, {"batch.empty", "checked", 1, 1, ""}}}};
  });
  incomplete("the budget ran out", [](Report& r) {
    Finding f;
    f.rule = "check.stopped";
    f.phase = "check";
    f.severity = Severity::note;
    f.implementation = "mine/sigmoid";
    f.dtype = "f32";
    f.message = "the budget ran out";
    r.findings.push_back(f);
  });
  Report nothing = good;
  nothing.implementations.push_back(nothing.implementations[0]);
  nothing.implementations[1].name = "mine/other";
  EXPECT_EQ(judged(nothing, "").verdicts.at(1).status, "incomplete");
  nothing.implementations[1].unavailable = "no AVX-512";
  EXPECT_EQ(judged(nothing, "").verdicts.at(1).status, "unavailable");
}

TEST(Verdicts, CountErrorsExpectedFailuresAndNotes) {
  const auto counts = [](const Report& r) {
    const Verdict& v = r.verdicts.at(0);
    return std::array<std::uint64_t, 3>{v.errors, v.expected_failures, v.notes};
  };
  using Counts = std::array<std::uint64_t, 3>;
  const Report good = report_of({row("core", "0", 1)});
  EXPECT_EQ(counts(judged(good, "")), (Counts{0, 0, 0}));
  const Report bad = report_of({row("core", "0", 9)});
  EXPECT_EQ(counts(judged(bad, "max_ulp = { f32 = 2 }\n")), (Counts{1, 0, 0}));
  EXPECT_EQ(counts(judged(bad, "max_ulp = { f32 = 2 }\n" + admitted("accuracy.max_ulp", ""))),
            (Counts{0, 1, 0}));
  Report noted = good;
  Finding f;
  f.rule = "consistency.f32";
  f.severity = Severity::note;
  f.implementation = "mine/sigmoid";
  noted.findings = {f, f};
  noted.findings[1].implementation = "mine/other";
  EXPECT_EQ(counts(judged(noted, "")), (Counts{0, 0, 1}));
  EXPECT_FALSE(has_errors(judged(noted, "")));
  EXPECT_TRUE(has_errors(judged(bad, "max_ulp = { f32 = 2 }\n")));
  EXPECT_FALSE(
      has_errors(judged(bad, "max_ulp = { f32 = 2 }\n" + admitted("accuracy.max_ulp", ""))));
}

TEST(Verdicts, APartOfAShardedRunMayHaveNoPoints) {
  Report r = report_of({row("core", "0", 1)});
  r.context.shard = {1, 3};
  r.results[0].points = 0;
  EXPECT_EQ(judged(r, "max_ulp = { f32 = 2 }\n").verdicts.at(0).status, "pass");
}

TEST(Gate, CountsIncompleteAsWeakerEvidence) {
  Report r = report_of({row("core", "0", 1)});
  r.results[0].lost_points = 7;
  const Report now = judged(r, "max_ulp = { f32 = 2 }\n");
  Report whole = report_of({row("core", "0", 1)});
  const Baseline before = make_baseline(judged(whole, "max_ulp = { f32 = 2 }\n"));
  for (const Baseline* b : {static_cast<const Baseline*>(nullptr), &before}) {
    const GateReport g = compare(now, b, {});
    EXPECT_FALSE(g.passed);
    ASSERT_FALSE(g.changes.empty());
    EXPECT_EQ(g.changes[0].kind, "evidence");
    EXPECT_NE(g.changes[0].message.find("7 points were not measured"), std::string::npos);
  }
  const Baseline same = baseline_from_json(to_json(make_baseline(now)));
  EXPECT_EQ(same.incomplete, List{"mine/sigmoid"});
  EXPECT_TRUE(compare(now, &same, {}).passed) << "it was so when it was accepted";
  EXPECT_EQ(to_json(before).find("incomplete"), std::string::npos) << "older readers take it";
  EXPECT_TRUE(baseline_from_json(to_json(before)).incomplete.empty());
}

TEST(Domain, IsNarrowedToNumbersOfTheDtype) {
  const auto numbers = [](Dtype d, double lo, double hi) {
    return numbers_in(d, {lo, hi}).value();
  };
  EXPECT_EQ(decimal(Dtype::f16, numbers(Dtype::f16, -0.3, 0.3).first), "-0.2998");
  EXPECT_EQ(decimal(Dtype::f16, numbers(Dtype::f16, -0.3, 0.3).second), "0.2998");
  EXPECT_EQ(numbers(kDtype, 0, 1).first, format(kDtype).sign_bit()) << "-0 is 0 too";
  EXPECT_EQ(numbers(kDtype, -1, -0.0).second, 0u);
  EXPECT_EQ(decode(kDtype, numbers(kDtype, -1e300, 1e300).second),
            decode(kDtype, format(kDtype).max_finite()));
  EXPECT_FALSE(numbers_in(Dtype::bf16, {1.001, 1.002})) << "no number lies between";
}

TEST(Domain, ARunOverAllOfItIsEveryInput) {
  Result r = row("all", "0", 1);
  r.evidence = "exhaustive";
  r.range = "-80:80";
  KernelContract k;
  EXPECT_FALSE(every_input(r, k));
  k.domain["f32"] = {-80, 80};
  EXPECT_TRUE(every_input(r, k));
  k.domain["f32"] = {-80, 81};
  EXPECT_FALSE(every_input(r, k));
}

TEST(Regions, BetweenTwoInputs) {
  Result r = row("all", "0", 1);
  EXPECT_EQ(regions_between(r, num("-2"), num("0")), (Regions{"core", "left_tail"}));
  EXPECT_EQ(regions_between(r, num("nan"), num("nan")), Regions{"special"});
  r.label_count = 40;
  EXPECT_TRUE(regions_between(r, num("-2"), num("0")).empty()) << "not all labels are known";
}

TEST(Draft, RoundsUpToTwoDigits) {
  EXPECT_EQ(two_digits_up(0), "0");
  EXPECT_EQ(two_digits_up(0.5), "0.5");
  EXPECT_EQ(two_digits_up(0.5000001), "0.51");
  EXPECT_EQ(two_digits_up(1.98), "2");
  EXPECT_EQ(two_digits_up(99.5), "100");
  EXPECT_EQ(two_digits_up(8388607), "8.4e+06");
  for (double v = 1e-9; v < 1e30; v *= 1.37) {
    const double up = std::strtod(two_digits_up(v).c_str(), nullptr);
    EXPECT_GE(up, v);
    EXPECT_LT(up, v * 1.11) << v;
  }
}

TEST(Draft, RegionsWithinAFactorOfFourHaveOneBudget) {
  const auto budget = [](double tail, double core, const std::string& evidence = "sampled") {
    Report r = report_of({row("left_tail", "-2", tail), row("core", "0", core)});
    for (Result& x : r.results) x.evidence = evidence;
    const std::string text = draft_contract(r, "mine", {"mine/sigmoid"});
    const std::size_t at = text.find("\nf32 = ");
    return at == text.npos ? "" : text.substr(at + 7, text.find('\n', at + 1) - at - 7);
  };
  const std::string seen = "  # seen at 1000 points";
  EXPECT_EQ(budget(4, 1), "4" + seen);
  EXPECT_EQ(budget(1, 4), "4" + seen);
  EXPECT_EQ(budget(4.1, 1), "{ left_tail = 4.1, core = 1 }" + seen);
  EXPECT_EQ(budget(1, 4.1), "{ left_tail = 1, core = 4.1 }" + seen);
  EXPECT_EQ(budget(2, 0.1), "2" + seen) << "below half an ulp nothing is smaller";
  EXPECT_EQ(budget(2.1, 0.1), "{ left_tail = 2.1, core = 0.1 }" + seen);
  EXPECT_EQ(budget(2, 1, "exhaustive"), "2");
  Report r = report_of({row("left_tail", "-2", 2), row("core", "0", 1)});
  r.results[1].points = 0;
  EXPECT_NE(draft_contract(r, "mine", {"mine/sigmoid"}).find("f32 = 2"), std::string::npos)
      << "a region without points says nothing";
}

TEST(Draft, PromisesWhatEveryInputShowed) {
  Report r = report_of({row("core", "0", 1)});
  const auto text = [&] { return draft_contract(r, "mine", {"mine/sigmoid"}); };
  const auto has = [&](const char* words) { return text().find(words) != std::string::npos; };
  EXPECT_TRUE(has("# monotone = true  (so at 1000 points; not every input was run)"));
  EXPECT_TRUE(has("# zero_sign = true  (so at 1000 points; not every input was run)"));
  for (Result& x : r.results) {
    x.evidence = "exhaustive";
    x.raw.correctly_rounded = x.points;
  }
  EXPECT_TRUE(has("\nmonotone = true\n"));
  EXPECT_TRUE(has("\nzero_sign = true\n"));
  EXPECT_TRUE(has("\ncorrectly_rounded = [\"f32\"]\n"));
  r.results[0].raw.correctly_rounded -= 1;
  EXPECT_FALSE(has("correctly_rounded"));
  Monotone& m = r.results[0].monotone;
  m.violations = 1;
  m.lower = witness("-3", "0.5", "0.25", 1);
  m.upper = witness("-2.9", "0.4", "0.25", 1);
  m.last = num("-2");
  EXPECT_FALSE(has("monotone = true"));
  EXPECT_TRUE(has("\nzero_sign = true\n"));
  CategoryRow zero;
  zero.category = "wrong_zero";
  zero.count = 1;
  zero.first = witness("-120", "-0", "0", 0);
  zero.last = num("-110");
  r.results[0].wrong_zero = zero;
  EXPECT_FALSE(has("zero_sign = true"));
  r.results[0].points = 0;
  EXPECT_FALSE(has("= true")) << "of nothing";
}

TEST(Draft, AdmitsWhatIsBrokenByRuleAndRegion) {
  Result tail = row("left_tail", "-50", 1e5);
  CategoryRow c;
  c.category = "vanished";
  c.count = 3;
  c.first = witness("-60", "0", "1e-26", 1);
  c.first.error_ulps.reset();
  c.last = num("-55");
  tail.categories = {c};
  Report r = report_of({tail, row("core", "0", 1)});
  r.results[0].categories.clear();
  Finding batch;
  batch.rule = "batch.length";
  batch.phase = "check";
  batch.implementation = "mine/sigmoid";
  batch.op = "sigmoid";
  batch.dtype = "f32";
  batch.region = "all";
  batch.expected_failure = "by \"design\"\n";
  Finding stopped = batch;
  stopped.rule = "check.stopped";
  Finding other = batch;
  other.rule = "batch.position";
  other.implementation = "mine/other";
  Finding noted = batch;
  noted.rule = "batch.neighbours";
  noted.severity = Severity::note;
  r.findings = {batch, stopped, other, noted};
  const std::string text = draft_contract(r, "mine", {"mine/sigmoid"});
  const auto has = [&](const std::string& words) { return text.find(words) != text.npos; };
  EXPECT_TRUE(has("rule = \"value.vanished\"\ndtypes = [\"f32\"]\nregions = [\"left_tail\"]\n"))
      << text;
  EXPECT_TRUE(has("rule = \"accuracy.half_lost\"\ndtypes = [\"f32\"]\nregions = [\"left_tail\"]\n"))
      << text;
  EXPECT_TRUE(
      has("rule = \"batch.length\"\ndtypes = [\"f32\"]\nreason = \"by \\\"design\\\"\\u000a\"\n"))
      << text;
  EXPECT_FALSE(has("check.stopped"));
  EXPECT_FALSE(has("batch.position"));
  EXPECT_FALSE(has("batch.neighbours")) << "a note needs no admission";
}

TEST(Draft, JudgesItsOwnReportAsAPass) {
  Result tail = row("left_tail", "-50", 1e5);
  Result core = row("core", "0", 1.234);
  const Report bare = judged(report_of({tail, core}), "none");
  std::string text = draft_contract(bare, "mine", {"mine/sigmoid"});
  EXPECT_NE(text.find("f32 = { core = 1.3 }"), std::string::npos) << text;
  try {
    parse_contract(text, "draft");
    FAIL() << "the reason is empty";
  } catch (const BadContract& e) {
    EXPECT_NE(std::string(e.what()).find("reason is empty: say why"), std::string::npos);
  }
  const std::string empty = "reason = \"\"";
  text.replace(text.find(empty), empty.size(), "reason = \"measured\"");
  Report again = report_of({tail, core});
  judge_report({{"mine", parse_contract(text, "draft")}}, true, again);
  EXPECT_EQ(again.verdicts.at(0).status, "pass") << text;
}

}  // namespace
}  // namespace ulpaudit
