// Which sweeps say that no pair of mirrored inputs can break symmetry.
// SPDX-License-Identifier: Apache-2.0
#include "properties/symmetric_by_sweep.hpp"

#include <gtest/gtest.h>

#include "names.hpp"

namespace ulpaudit {
namespace {

/// A report of every f32, all results within 2 ulp; f changes it, and is told the region.
template <class F>
bool symmetric(const char* op, const KernelContract& contract, F&& f, double label = 0.25) {
  // As by default: the mirror image of 0.25 is among them, that of 0.9 in f32 is not.
  const std::vector<Bits> labels = {encode(Dtype::f32, 0.9), encode(Dtype::f32, 0.25),
                                    encode(Dtype::f32, 0.75)};
  Report report;
  for (const char* region : {"all", "core"}) {
    Result r;
    r.implementation = "p/k";
    r.dtype = "f32";
    r.region = region;
    r.evidence = "exhaustive";
    r.statistics.max_ulp = 2;
    if (info(test::op(op)).arity == 2)
      for (const Bits y : labels) r.labels.push_back(number(Dtype::f32, y));
    f(r);
    report.results.push_back(r);
  }
  return symmetric_by_sweep(report, "p/k", test::op(op), Dtype::f32, contract,
                            encode(Dtype::f32, label));
}

CategoryRow category(const char* name) {
  CategoryRow c;
  c.category = name;
  c.count = 1;
  return c;
}

TEST(SymmetricBySweep, SmallErrorsEverywhereLeaveNoRoom) {
  for (const char* op : {"sigmoid", "sigmoid_grad", "bce_with_logits"})
    EXPECT_TRUE(symmetric(op, {}, [](Result&) {})) << op;
}

TEST(SymmetricBySweep, EachDoubtKeepsThePairs) {
  const auto doubted = [](const char* op, auto&& f) { return !symmetric(op, {}, f); };
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.evidence = "sampled"; }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.range = "1:2"; }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.lost_points = 1; }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.dtype = "bf16"; }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.implementation = "p/other"; }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) {
    if (r.region == "core") r.statistics.max_ulp = 16;
  }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.categories = {category("new_nan")}; }));
  EXPECT_FALSE(doubted("sigmoid", [](Result& r) { r.categories = {category("flushed")}; }));
  EXPECT_TRUE(doubted("sigmoid_grad", [](Result& r) { r.categories = {category("flushed")}; }));
  EXPECT_TRUE(doubted("sigmoid", [](Result& r) { r.judged.disagreements = 1; }));
  EXPECT_TRUE(doubted("bce_with_logits", [](Result& r) { r.labels.pop_back(); }));
  EXPECT_FALSE(symmetric(
      "bce_with_logits", {}, [](Result&) {}, 0.9));
}

TEST(SymmetricBySweep, BudgetsHoldInTheirRegions) {
  const auto nothing = [](Result&) {};
  KernelContract contract;
  contract.max_ulp["f32"]["core"] = 2.1;
  EXPECT_TRUE(symmetric("sigmoid", contract, nothing));
  contract.max_ulp["f32"]["core"] = 2;  // the judges agree on a maximum to 2^-20 ulp only
  EXPECT_FALSE(symmetric("sigmoid", contract, nothing));
  contract.max_ulp["f32"] = {{"all", 1.9}};
  EXPECT_FALSE(symmetric("sigmoid", contract, nothing));
  contract.max_ulp = {{"f64", {{"all", 0.5}}}};
  EXPECT_TRUE(symmetric("sigmoid", contract, nothing));
}

}  // namespace
}  // namespace ulpaudit
