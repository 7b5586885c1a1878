// Pairs in rows against the same pairs label by label: equal counts to the last bit, with kernels
// right and wrong, on each SIMD target.
// SPDX-License-Identifier: Apache-2.0
#include "score/label_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "each_target.hpp"
#include "pack.hpp"
#include "score/batch_truth.hpp"
#include "sweep/engine.hpp"
#include "sweep/state.hpp"

namespace ulpaudit {
namespace {

Target target(const std::string& kernel, bool isolate) {
  SessionOptions options;
  options.isolate = isolate;
  options.worker = ULPAUDIT_BIN_DIR "/ulpaudit-worker";
  const auto session = open_session(ULPAUDIT_ROW_PLUGIN, options);
  for (std::size_t i = 0; i < session->info().kernels.size(); ++i)
    if (session->info().kernels[i].name == kernel)
      return {"rows/" + kernel, ULPAUDIT_ROW_PLUGIN, i};
  ADD_FAILURE() << "no kernel " << kernel;
  return {};
}

/// Eight neighbours, eight far apart, and five left over: one of them NaN, one twice.
std::vector<Bits> some_labels(Dtype d) {
  std::vector<Bits> labels = {format(d).quiet_nan(), encode(d, 0.75)};
  for (Bits b = encode(d, 0.3); b < encode(d, 0.3) + 8; ++b) labels.push_back(b);
  for (const double y : {0.0, 0x1p-14, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1 - 0x1p-7, 1.0, 0.625})
    labels.push_back(encode(d, y));
  return labels;
}

std::vector<Accumulator> run(const char* op, Dtype d, const std::vector<std::string>& kernels,
                             bool rows, bool isolate = false) {
  InputChoice c;
  c.exhaustive = true;
  c.rows = rows;
  c.labels = some_labels(d);
  Job job;
  job.plan = make_plan(*op_from_name(op), d, c);
  for (const std::string& k : kernels) job.targets.push_back(target(k, isolate));
  EngineOptions o;
  o.threads = 2;
  o.session.isolate = isolate;
  o.session.worker = ULPAUDIT_BIN_DIR "/ulpaudit-worker";
  std::vector<Job> jobs = {job};
  run_jobs(jobs, o);
  return std::move(jobs[0].results);
}

/// All but how many were cross-checked, which differs with the chunks.
std::string bytes(Accumulator a) {
  EXPECT_EQ(a.judged.disagreements, 0u);
  EXPECT_GT(a.judged.cross_checked, 0u);
  a.judged.cross_checked = 0;
  StateWriter w;
  w.counts(a);
  return w.take();
}

TEST(LabelRows, CountAsLabelByLabel) {
  test::on_each_target([] {
    for (const Dtype d : {Dtype::f16, Dtype::bf16})
      for (const bool loss : {true, false}) {
        const std::vector<std::string> kernels =
            loss ? std::vector<std::string>{"loss", "wild", "z"}
                 : std::vector<std::string>{"gradient", "wild_gradient", "z_gradient"};
        const char* op = loss ? "bce_with_logits" : "bce_with_logits_grad";
        const auto in_rows = run(op, d, kernels, true), alone = run(op, d, kernels, false);
        for (std::size_t k = 0; k < kernels.size(); ++k) {
          const Accumulator &a = in_rows[k], &b = alone[k];
          EXPECT_TRUE(bytes(a) == bytes(b)) << kernels[k] << ' ' << name(d);
          EXPECT_EQ(a.digest, b.digest);
          EXPECT_EQ(a.monotone.pairs, b.monotone.pairs);
          EXPECT_EQ(a.judged.fast, b.judged.fast);
          EXPECT_EQ(a.judged.final_judge, b.judged.final_judge);
          for (std::size_t r = 0; r < a.regions.size(); ++r)
            EXPECT_EQ(a.regions[r].points, b.regions[r].points) << kernels[k] << r;
        }
      }
  });
}

// Some z only: no bin and no block begins where the rows do.
TEST(LabelRows, CountPartOfTheLine) {
  for (const Dtype d : {Dtype::f16, Dtype::bf16}) {
    std::vector<std::string> got;
    for (const bool rows : {true, false}) {
      InputChoice c;
      c.exhaustive = true;
      c.rows = rows;
      c.labels = some_labels(d);
      c.lo = encode(d, -2.765625);
      c.hi = encode(d, 9.1875);
      Job job;
      job.plan = make_plan(*op_from_name("bce_with_logits"), d, c);
      job.targets = {target("wild", false)};
      EngineOptions o;
      o.session.isolate = false;
      std::vector<Job> jobs = {job};
      run_jobs(jobs, o);
      got.push_back(bytes(jobs[0].results[0]));
    }
    EXPECT_TRUE(got[0] == got[1]) << name(d);
  }
}

TEST(LabelRows, ValuesAreThoseOfEachLabel) {
  test::on_each_target([] {
    for (const Dtype d : {Dtype::f16, Dtype::bf16})
      for (const char* op_name : {"bce_with_logits", "bce_with_logits_grad"}) {
        const OpId op = *op_from_name(op_name);
        std::vector<Bits> z;
        for (Bits b = 0; b <= format(d).mask(); b += 7) z.push_back(b);
        const std::vector<char> packed = test::pack(d, z);
        const std::size_t n = z.size();
        std::vector<double> zd(n + 16), part(n + 16);
        fast_z_part(op, d, packed.data(), n, zd.data(), part.data());
        // Short and long ways within one row: 2^-60 and its like have no exact 1 - y.
        const std::vector<double> labels = {0, 0x1p-60, 0x1p-24, 0.3, 0.5, 0.75, 1 - 0x1p-8, 1};
        const auto room = [&](std::size_t m) { return std::vector<double>(m + 16); };
        std::vector<double> hi = room(8 * n), lo = room(8 * n), delta = room(8 * n);
        fast_combine_rows(op, labels, zd.data(), part.data(), n,
                          {hi.data(), lo.data(), delta.data()});
        for (std::size_t j = 0; j < labels.size(); ++j) {
          std::vector<double> h = room(n), l = room(n), e = room(n);
          fast_combine(op, labels[j], zd.data(), part.data(), n, {h.data(), l.data(), e.data()});
          for (std::size_t i = 0; i < n; ++i)
            for (const auto& [one, row] :
                 {std::pair(h[i], hi[8 * i + j]), std::pair(l[i], lo[8 * i + j]),
                  std::pair(e[i], delta[8 * i + j])})
              ASSERT_TRUE(one == row || (one != one && row != row))
                  << op_name << ' ' << name(d) << " z=" << zd[i] << " y=" << labels[j];
        }
      }
  });
}

// What is kept from segment to segment is dropped when op, dtype or line change.
TEST(LabelRows, KeptLinesGiveTheValuesOfFreshOnes) {
  LabelRows kept;
  for (const char* op : {"bce_with_logits", "bce_with_logits_grad"})
    for (const Dtype d : {Dtype::f16, Dtype::bf16})
      for (const double from : {-3.0, 0.5})
        for (const double to : {0.75, 8.0}) {
          InputChoice c;
          c.exhaustive = c.rows = true;
          c.labels = some_labels(d);
          c.lo = encode(d, from);
          c.hi = encode(d, to);
          const InputPlan plan = make_plan(*op_from_name(op), d, c);
          for (const Segment& s : {plan.segments.at(0), plan.segments.at(1)}) {
            ASSERT_EQ(s.kind, Segment::Kind::rows);
            LabelRows fresh;
            fresh.start(plan, s);
            kept.start(plan, s);
            const std::uint64_t rows = s.count / kLabelRow;
            for (const std::uint64_t row : {std::uint64_t{0}, rows / 2, rows - 1}) {
              const FastValues a = kept.values(row), b = fresh.values(row);
              for (std::size_t j = 0; j < kLabelRow; ++j) {
                EXPECT_EQ(a.hi[j], b.hi[j]) << op << ' ' << name(d) << ' ' << row;
                EXPECT_EQ(a.lo[j], b.lo[j]);
                EXPECT_EQ(a.delta[j], b.delta[j]);
              }
            }
          }
        }
}

// The whole line has the same ordinals in both dtypes, and each op has the same line.
TEST(LabelRows, KeptLinesAreOfOneOpAndDtype) {
  LabelRows kept;
  for (const auto& [op, d] :
       {std::pair("bce_with_logits", Dtype::f16), std::pair("bce_with_logits", Dtype::bf16),
        std::pair("bce_with_logits_grad", Dtype::bf16),
        std::pair("bce_with_logits_grad", Dtype::f16), std::pair("bce_with_logits", Dtype::f16)}) {
    InputChoice c;
    c.exhaustive = c.rows = true;
    c.labels = some_labels(d);
    const InputPlan plan = make_plan(*op_from_name(op), d, c);
    const Segment& s = plan.segments.at(0);
    ASSERT_EQ(s.kind, Segment::Kind::rows);
    LabelRows fresh;
    fresh.start(plan, s);
    kept.start(plan, s);
    const std::uint64_t rows = s.count / kLabelRow;
    for (const std::uint64_t row : {rows / 2 + 5000, rows / 2 - 5000}) {
      const FastValues a = kept.values(row), b = fresh.values(row);
      for (std::size_t j = 0; j < kLabelRow; ++j) {
        EXPECT_EQ(a.hi[j], b.hi[j]) << op << ' ' << name(d) << ' ' << row;
        EXPECT_EQ(a.lo[j], b.lo[j]);
      }
    }
  }
}

TEST(LabelRows, ANanThatIsLostIsNotCountedAsOne) {
  for (const Dtype d : {Dtype::f16, Dtype::bf16})
    for (const bool rows : {true, false}) {
      const Accumulator a = run("bce_with_logits", d, {"loses_nan"}, rows).at(0);
      std::uint64_t lost = 0;
      for (const Tally& t : a.regions)
        lost += t.categories[static_cast<std::size_t>(Category::lost_nan)].count;
      const std::uint64_t payloads = (std::uint64_t{1} << format(d).mantissa_bits()) - 1;
      EXPECT_EQ(lost, 3 * 2 * payloads) << name(d) << rows << ": at three labels";
    }
}

TEST(LabelRows, DigestIsTheSumOfItsTerms) {
  test::on_each_target([] {
    const std::vector<Bits> labels = {0, 1, 5, 77, 1000, 5000, 15000, 15360};
    std::vector<Bits> z, got;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 5 * kLabelRow; ++i) {
      z.push_back(i / kLabelRow * 9001);
      got.push_back(i * 1237 & 0xffff);
      sum += digest_term(z[i], labels[i % kLabelRow], got[i]);
    }
    EXPECT_EQ(digest_of_rows(test::pack(Dtype::f16, z).data(), labels,
                             test::pack(Dtype::f16, got).data(), z.size()),
              sum);
  });
}

// A row that ends the worker is run label by label: what is lost is what is lost without rows.
TEST(LabelRows, LoseWhatLabelsLose) {
  const auto in_rows = run("bce_with_logits", Dtype::f16, {"ends", "loss"}, true, true);
  const auto alone = run("bce_with_logits", Dtype::f16, {"ends", "loss"}, false, true);
  EXPECT_EQ(in_rows[0].lost_points, 1u);
  EXPECT_TRUE(bytes(in_rows[0]) == bytes(alone[0]));
  EXPECT_TRUE(bytes(in_rows[1]) == bytes(alone[1])) << "the other kernel in the same chunk";
}

// Whose ends are spent is not run any more, in rows neither, and nothing is said to have come back.
TEST(LabelRows, AreNotRunWhenAllEndsAreSpent) {
  const auto results = run("bce_with_logits", Dtype::f16, {"always_ends"}, true, true);
  EXPECT_EQ(results[0].lost_points, 65536u * some_labels(Dtype::f16).size());
  ASSERT_FALSE(results[0].losses.empty());
  for (const Loss& l : results[0].losses)
    EXPECT_EQ(l.message.find("not again"), std::string::npos) << l.message;
}

TEST(LabelRows, TellOfAnEndThatLabelsDoNotRepeat) {
  auto in_rows = run("bce_with_logits", Dtype::f16, {"ends_in_rows"}, true, true);
  auto alone = run("bce_with_logits", Dtype::f16, {"ends_in_rows"}, false, true);
  EXPECT_TRUE(alone[0].losses.empty());
  ASSERT_EQ(in_rows[0].losses.size(), 1u);
  const Loss& l = in_rows[0].losses[0];
  EXPECT_EQ(l.points, 0u);
  EXPECT_EQ(l.batches, 2u);
  EXPECT_NE(l.message.find("and not again when its labels were run one by one"), std::string::npos)
      << l.message;
  in_rows[0].losses.clear();
  EXPECT_TRUE(bytes(in_rows[0]) == bytes(alone[0])) << "nothing is missing or counted twice";
}

TEST(LabelRows, AWrongConstantIsFound) {
  set_fast_judge_fault(1 + 0x1p-40);
  const auto results = run("bce_with_logits", Dtype::bf16, {"loss"}, true);
  set_fast_judge_fault(1);
  EXPECT_GT(results[0].judged.disagreements, 0u);
}

TEST(LabelRows, PlanHoldsEachLabelOnce) {
  constexpr Dtype d = Dtype::f16;
  InputChoice c;
  c.exhaustive = c.rows = true;
  c.labels = some_labels(d);
  const InputPlan p = make_plan(*op_from_name("bce_with_logits"), d, c);
  std::multiset<Bits> labels;
  std::size_t rows = 0;
  for (const Segment& s : p.segments) {
    if (s.kind != Segment::Kind::rows) {
      EXPECT_EQ(s.count, 65536u);
      labels.insert(s.y);
      continue;
    }
    ++rows;
    EXPECT_EQ(s.count, 65536u * kLabelRow);
    EXPECT_TRUE(std::is_sorted(s.labels.begin(), s.labels.end()));
    labels.insert(s.labels.begin(), s.labels.end());
    for (const std::uint64_t i : {0u, 7u, 8u, 65535u * 8 + 3}) {
      std::uint16_t z[kLabelRow];
      p.fill(s, i / kLabelRow * kLabelRow, kLabelRow, z);
      EXPECT_EQ(z[i % kLabelRow], p.input(s, i));
      EXPECT_EQ(InputPlan::label(s, i), s.labels[i % kLabelRow]);
    }
  }
  EXPECT_EQ(rows, 2u);
  EXPECT_EQ(labels, std::multiset<Bits>(c.labels.begin(), c.labels.end()));
  EXPECT_EQ(p.points, 65536u * c.labels.size());
  c.rows = false;
  EXPECT_NE(plan_hash(p), plan_hash(make_plan(*op_from_name("bce_with_logits"), d, c)));
}

}  // namespace
}  // namespace ulpaudit
