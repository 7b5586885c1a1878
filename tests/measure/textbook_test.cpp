// The textbook's answers: what the plug-ins `naive` and `stable` are known to do, and the searches
// for thresholds against linear scans.
// SPDX-License-Identifier: Apache-2.0
#include "textbook/answers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "sweep/results.hpp"
#include "textbook/probe.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

SessionOptions session_options() {
  SessionOptions o;
  o.worker = ULPAUDIT_PLUGIN_DIR "/../ulpaudit-worker";
  return o;
}

/// Every kernel of both plug-ins in every dtype. Only the 16-bit jobs have inputs of their own; the
/// loss is sampled.
std::vector<Job> make_jobs(SessionPool& sessions) {
  std::vector<Job> jobs;
  for (int i = 0; i < op_count(); ++i) {
    for (const Dtype d : kDtypes) {
      Job job;
      job.plan.op = op_at(i);
      job.plan.dtype = d;
      InputChoice choice;
      choice.exhaustive = info(op_at(i)).arity == 1;
      choice.points = 500;
      choice.labels = {0};
      if (format(d).width == 16) job.plan = make_plan(op_at(i), d, choice);
      for (const std::string plugin : {"naive", "stable"}) {
        const std::string path = ULPAUDIT_PLUGIN_DIR "/" + plugin + ".so";
        const std::vector<KernelInfo>& kernels = sessions.of(path).info().kernels;
        for (std::size_t k = 0; k < kernels.size(); ++k)
          if (kernels[k].op == info(op_at(i)).name)
            job.targets.push_back({plugin + "/" + kernels[k].name, path, k});
      }
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

class Textbook : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sessions_ = std::make_unique<SessionPool>(session_options());
    jobs_ = make_jobs(*sessions_);
    EngineOptions engine;
    engine.session = session_options();
    run_jobs(jobs_, engine);
    report_ = {};
    for (const Job& job : jobs_)
      if (job.plan.points != 0) append_results(job, spot_checks(job, *sessions_), report_);
    derive_results(true, report_);
    append_textbook(jobs_, *sessions_, report_);
  }
  static void TearDownTestSuite() {
    jobs_.clear();
    sessions_.reset();
  }

  static const TextbookAnswer& answer(const std::string& id) {
    for (const TextbookAnswer& a : report_.textbook)
      if (a.id == id) return a;
    throw std::out_of_range("no answer " + id);
  }
  /// The cell of the first row whose first cells contain `row` and, where given, equal `second`.
  static std::string cell(const std::string& id, const std::string& row, const std::string& column,
                          const std::string& second = "") {
    const TextbookAnswer& a = answer(id);
    const auto at = std::find(a.columns.begin(), a.columns.end(), column);
    if (at == a.columns.end()) throw std::out_of_range("no column " + column);
    for (const auto& r : a.rows)
      if (r[0].find(row) != std::string::npos && (second.empty() || r[1] == second))
        return r[static_cast<std::size_t>(at - a.columns.begin())];
    throw std::out_of_range("no row " + row);
  }
  static Form form(const std::string& op, const std::string& name) {
    for (const Form& f : Probe(jobs_, *sessions_).forms(op))
      if (f.name == name) return f;
    throw std::out_of_range("no form " + name);
  }

  static std::unique_ptr<SessionPool> sessions_;
  static std::vector<Job> jobs_;
  static Report report_;
};

std::unique_ptr<SessionPool> Textbook::sessions_;
std::vector<Job> Textbook::jobs_;
Report Textbook::report_;

TEST_F(Textbook, AnswersEachClaimOnceInFullRows) {
  std::vector<std::string> ids;
  for (const TextbookAnswer& a : report_.textbook) {
    ids.push_back(a.id);
    EXPECT_FALSE(a.answer.empty()) << a.id;
    EXPECT_TRUE(a.replay.starts_with("./run ")) << a.id;
    EXPECT_TRUE(a.verdict == "holds" || a.verdict == "holds with a limit" || a.verdict == "wrong")
        << a.id;
    EXPECT_FALSE(a.rows.empty()) << a.id;
    EXPECT_LE(a.rows.size(), 25u) << a.id;
    for (const auto& row : a.rows) EXPECT_EQ(row.size(), a.columns.size()) << a.id << " " << row[0];
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T9", "T10",
                                           "T11", "T13"}));
}

TEST_F(Textbook, NaiveSigmoidGivesNoNanButTheOtherFormDoes) {
  EXPECT_EQ(answer("T5").verdict, "holds");
  EXPECT_EQ(cell("T5", "naive/sigmoid", "f32"), "0, 1");
  EXPECT_EQ(answer("T6").verdict, "wrong");
  EXPECT_EQ(cell("T6", "naive/sigmoid", "f32 at -500"), "0");
  EXPECT_EQ(cell("T6", "naive/sigmoid", "NaN in f32"), "never");
  // exp overflows above ln(2^128 - 2^103) = 88.7228390520683…
  EXPECT_EQ(cell("T6", "naive/sigmoid_exp", "NaN in f32"), "z ≥ 88.72284");
}

TEST_F(Textbook, RoundedSigmoidMakesTheLossNanAndInfinite) {
  EXPECT_EQ(answer("T10").verdict, "holds with a limit");
  for (const char* dtype : {"f16", "bf16", "f32", "f64"}) {
    const std::string at_zero = cell("T10", "naive/bce_prob", dtype, "0");
    EXPECT_NE(at_zero.find("NaN: z ≤ -"), std::string::npos) << dtype << ": " << at_zero;
    EXPECT_NE(at_zero.find("∞: z ≥ "), std::string::npos) << dtype << ": " << at_zero;
    EXPECT_EQ(cell("T10", "naive/bce_prob_clamp", dtype, "0"), "never") << dtype;
  }
}

TEST_F(Textbook, MeanLossIsAThirdOfLn2) {
  EXPECT_NEAR(std::stod(cell("T11", "true value", "f32")), std::log(2.0) / 3, 1e-6);
  EXPECT_NEAR(std::stod(cell("T11", "stable/bce", "f32")), 0.2310, 1e-3);
  EXPECT_EQ(cell("T11", "naive/bce_prob", "f32"), "NaN");
}

TEST_F(Textbook, GradientProductUnderflowsWhereItMust) {
  // 0.25^13 = 2^-26 is below half of the smallest f16, 2^-24; 0.25^8 = 2^-16 below 2^-14.
  EXPECT_EQ(cell("T4", "stable/sigmoid_grad", "f16, z = 0", "subnormal, 0 from"), "8, 13");
  EXPECT_EQ(cell("T4", "true product", "f16, z = 0", "subnormal, 0 from"), "8, 13");
  EXPECT_EQ(cell("T4", "naive/sigmoid_grad", "f64, z = 0", "3"), "0.015625");
}

TEST_F(Textbook, LossWithoutOverflowStillLosesAllDigits) {
  EXPECT_EQ(answer("T9").verdict, "holds with a limit");
  EXPECT_NE(cell("T9", "naive/bce_max", "z = -20, y = 0", "f32").find("(rel. 1)"),
            std::string::npos);
  EXPECT_EQ(cell("T9", "stable/bce", "y = 0: wrong by half and more", "f32"), "never");
}

TEST_F(Textbook, BranchySigmoidIsStable) {
  EXPECT_EQ(answer("T7").verdict, "holds");
  EXPECT_EQ(cell("T7", "stable/sigmoid", "categories", "f16"), "none");
}

TEST_F(Textbook, LeavesOutWhatNoKernelAnswers) {
  std::vector<Job> only;
  for (const Job& job : jobs_)
    if (info(job.plan.op).name == "sigmoid_grad") only.push_back(job);
  Report report;
  append_textbook(only, *sessions_, report);
  std::set<std::string> ids;
  for (const TextbookAnswer& a : report.textbook) ids.insert(a.id);
  EXPECT_EQ(ids, (std::set<std::string>{"T1", "T3", "T4"}));
}

// Thresholds: by grid, by `where`, and by asking and looking at each input in turn.

struct Question {
  const char* op;
  const char* form;
  double y;
  bool (*holds)(Dtype, Bits z, Bits got);
};

bool is_nan_result(Dtype d, Bits, Bits got) { return is_nan(d, got); }
bool is_not_finite(Dtype d, Bits, Bits got) { return !is_finite(d, got); }
bool is_zero_result(Dtype d, Bits, Bits got) { return is_zero(d, got); }
bool is_one_result(Dtype d, Bits, Bits got) { return decode(d, got) == 1; }
bool decides_wrongly(Dtype d, Bits z, Bits got) {
  return (decode(d, got) > 0.5) != (decode(d, z) > 0);
}

constexpr Question kQuestions[] = {
    {"sigmoid", "naive/sigmoid", 0, is_zero_result},
    {"sigmoid", "naive/sigmoid", 0, is_one_result},
    {"sigmoid", "naive/sigmoid", 0, is_nan_result},
    {"sigmoid", "naive/sigmoid_exp", 0, is_nan_result},
    {"sigmoid", "naive/sigmoid_exp", 0, decides_wrongly},
    {"sigmoid", "stable/sigmoid", 0, decides_wrongly},
    {"sigmoid_grad", "naive/sigmoid_grad", 0, is_zero_result},
    {"bce_with_logits", "naive/bce_prob", 0, is_not_finite},
    {"bce_with_logits", "naive/bce_prob", 0.5, is_not_finite},
    {"bce_with_logits", "naive/bce_prob_eps", 1, is_not_finite},
};

/// One batch over every input of the interval, and a look at each result in turn.
Stretches scan(Probe& probe, const Form& f, const Search& s) {
  std::vector<Bits> z;
  for (std::uint64_t o = s.within.first; o <= s.within.last; ++o)
    z.push_back(from_ordinal(s.dtype, o));
  const std::vector<Bits> got = probe.ask(f, s.dtype, z, s.y).value();
  Stretches found;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (!s.holds(z[i], got[i])) continue;
    const std::uint64_t o = s.within.first + i;
    if (!found.empty() && found.back().last + 1 == o)
      found.back().last = o;
    else
      found.push_back({o, o});
  }
  return found;
}

TEST_F(Textbook, SearchesFindWhatLinearScansFind) {
  Probe probe(jobs_, *sessions_);
  for (const Dtype d : {Dtype::f16, Dtype::bf16}) {
    for (const Question& q : kQuestions) {
      const Form f = form(q.op, q.form);
      Search s;
      s.dtype = d;
      s.within = finite_line(d);
      s.y = encode(d, q.y);
      s.grid = 4096;
      s.holds = [&](Bits z, Bits got) { return q.holds(d, z, got); };
      const Stretches scanned = scan(probe, f, s);
      EXPECT_EQ(probe.where(f, s).value(), scanned) << q.form << " " << name(d);
      EXPECT_EQ(probe.where_by_grid(f, s).value(), scanned) << q.form << " " << name(d);
    }
  }
}

// exp(z)/(1+exp(z)) comes and goes between 1 and the number below it.
TEST_F(Textbook, SearchesSayWhereAnEndIsFrayed) {
  Probe probe(jobs_, *sessions_);
  const Form f = form("sigmoid", "naive/sigmoid_exp");
  Search s;
  s.dtype = Dtype::f16;
  s.within = finite_line(s.dtype);
  s.holds = [](Bits, Bits got) { return decode(Dtype::f16, got) == 1; };
  s.grid = 64;
  const Stretches scanned = scan(probe, f, s);
  EXPECT_GT(scanned.size(), 3u);
  EXPECT_EQ(probe.where(f, s).value(), scanned);
  const Stretches by_grid = probe.where_by_grid(f, s).value();
  ASSERT_EQ(by_grid.size(), 1u);
  EXPECT_TRUE(by_grid[0].frayed_first);
  EXPECT_FALSE(by_grid[0].frayed_last);
  EXPECT_EQ(by_grid[0].last, scanned.back().last);
}

TEST_F(Textbook, OnsetsAreTheLastInputsBeforeTheConditionFails) {
  Probe probe(jobs_, *sessions_);
  const Form f = form("sigmoid_grad", "naive/sigmoid_grad");
  for (const Dtype d : kDtypes) {
    const Tail tail = normal_tail(f.op, d, 0, 1);
    const Probe::Onset onset = probe.zero_from(f, d, tail);
    ASSERT_TRUE(onset.z.has_value()) << name(d);
    EXPECT_TRUE(is_zero(d, probe.ask(f, d, *onset.z).value())) << name(d);
    EXPECT_FALSE(is_zero(d, probe.ask(f, d, step(d, *onset.z, -1)).value())) << name(d);
    const Bits rounded = final_judge(f.op, d, from_ordinal(d, tail.within.last), 0).rounded;
    EXPECT_GE(rounded, format(d).min_normal()) << name(d);
    const Bits next = final_judge(f.op, d, from_ordinal(d, tail.within.last + 1), 0).rounded;
    EXPECT_LT(next, format(d).min_normal()) << name(d);
  }
}

}  // namespace
}  // namespace ulpaudit
