// Contracts: every key is read, every mistake is located.
// SPDX-License-Identifier: Apache-2.0
#include "contract/contract.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "contract/rules.hpp"
#include "ops/category.hpp"

namespace ulpaudit {
namespace {

constexpr char kFull[] = R"(contract = 1
[[kernel]]
name = "sigmoid"
monotone = true
flush_subnormals = true
training = "same_as_reference"
correctly_rounded = ["f16", "bf16"]
throughput = { against = "simd/sigmoid", f32 = 2, f64 = 1.5 }
[kernel.max_ulp]
f32 = 1.5
f64 = { all = 2, core = 0.75 }
[[kernel.expected_failure]]
rule = "value.vanished"
dtypes = ["f32"]
regions = ["left_tail", "subnormal"]
reason = "exp overflows"
[[kernel.expected_failure]]
rule = "monotone"
reason = "rounds twice"

[[kernel]]
name = "other"
)";

std::string error_of(const std::string& text) {
  try {
    parse_contract(text, "file.toml");
  } catch (const BadContract& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Contract, ReadsEveryKey) {
  const Contract c = parse_contract(kFull, "file.toml");
  ASSERT_EQ(c.kernels.size(), 2u);
  const KernelContract& k = c.of("sigmoid");
  EXPECT_TRUE(k.monotone && k.flush_subnormals && k.same_training);
  EXPECT_EQ(k.correctly_rounded, (std::set<std::string>{"f16", "bf16"}));
  EXPECT_EQ(k.throughput.against, "simd/sigmoid");
  EXPECT_EQ(k.throughput.at_most.at("f64"), 1.5);
  EXPECT_EQ(k.max_ulp.at("f32").at("all"), 1.5);
  EXPECT_EQ(k.max_ulp.at("f64").at("all"), 2);
  EXPECT_EQ(k.max_ulp.at("f64").at("core"), 0.75);
  ASSERT_EQ(k.expected_failures.size(), 2u);
  EXPECT_EQ(k.expected_failures[0].reason, "exp overflows");
  EXPECT_EQ(k.expected_failures[0].regions.size(), 2u);
}

TEST(Contract, PromisesNothingUnlessToldTo) {
  for (const Contract& c : {parse_contract("", "x"), parse_contract("contract = 1", "x")}) {
    const KernelContract& k = c.of("anything");
    EXPECT_FALSE(k.monotone || k.flush_subnormals);
    EXPECT_TRUE(k.max_ulp.empty() && k.correctly_rounded.empty() && k.expected_failures.empty());
  }
  EXPECT_FALSE(parse_contract(kFull, "x").of("other").monotone);
}

TEST(Contract, ExpectedFailuresCoverWhatTheyName) {
  const Contract contract = parse_contract(kFull, "x");
  const auto& failures = contract.of("sigmoid").expected_failures;
  const ExpectedFailure narrow = failures[0], wide = failures[1];
  EXPECT_TRUE(narrow.covers("value.vanished", "f32", "left_tail"));
  EXPECT_FALSE(narrow.covers("value.vanished", "f32", "all")) << "the core is in it too";
  EXPECT_FALSE(narrow.covers("value.vanished", "f32", "core"));
  EXPECT_FALSE(narrow.covers("value.vanished", "f64", "left_tail"));
  EXPECT_FALSE(narrow.covers("value.flushed", "f32", "left_tail"));
  EXPECT_TRUE(wide.covers("monotone", "bf16", "all"));
}

/// `error` begins with file and line and has `words`.
void expect_error(const std::string& text, int line, const std::string& words) {
  const std::string error = error_of(text), where = "file.toml:" + std::to_string(line) + ":";
  EXPECT_EQ(error.substr(0, where.size()), where) << error;
  EXPECT_NE(error.find(words), std::string::npos) << error;
}

TEST(Contract, MistakesNameTheLineAndWhatIsAccepted) {
  const std::string head = "contract = 1\n[[kernel]]\nname = \"k\"\n";
  expect_error("contract = 1\nfoo = 3\n", 2, "unknown key 'foo'; accepted: contract, kernel");
  expect_error("\ncontract = 2\n", 2, "'contract = 1'");
  EXPECT_NE(error_of("[[kernel]]\nname = \"k\"\n").find("'contract = 1'"), std::string::npos);
  expect_error("contract = 1\nkernel = 3\n", 2, "[[kernel]]");
  expect_error("contract = 1\n[[kernel]]\nmonotone = true\n", 2, "'name' is missing");
  expect_error("contract = 1\n[[kernel]]\nname = 3\n", 3, "'name' must be a text");
  expect_error(head + "budget = 1\n", 4, "unknown key 'budget'; accepted: name, monotone");
  expect_error(head + "monotone = \"yes\"\n", 4, "'monotone' must be true or false");
  expect_error(head + "flush_subnormals = 1\n", 4, "true or false");
  expect_error(head + "correctly_rounded = \"f16\"\n", 4, "must be an array");
  expect_error(head + "correctly_rounded = [\"f8\"]\n", 4, "accepted: f16, bf16, f32, f64");
  expect_error(head + "max_ulp = 1\n", 4, "max_ulp must be a table");
  expect_error(head + "max_ulp = { f8 = 1 }\n", 4,
               "unknown dtype 'f8'; did you mean 'f16'? accepted: f16, bf16");
  expect_error(head + "max_ulp = { f32 = -1 }\n", 4, "number of ulps >= 0");
  expect_error(head + "max_ulp = { f32 = inf }\n", 4, "number of ulps >= 0");
  expect_error(head + "max_ulp = { f32 = \"1\" }\n", 4, "number of ulps >= 0");
  expect_error(head + "throughput = { f32 = 2 }\n", 4, "'against' is missing");
  expect_error(head + "throughput = { against = \"simd\", f32 = 2 }\n", 4, "names no kernel");
  expect_error(head + "throughput = { against = \"memcpy\" }\n", 4, "for any dtype");
  expect_error(head + "throughput = { against = \"memcpy\", f32 = 0 }\n", 4, "ratio of times > 0");
  expect_error(head + "throughput = { against = \"memcpy\", f8 = 1 }\n", 4,
               "unknown key 'f8'; did you mean 'f16'?");
  expect_error(head + "max_ulp = { f32 = { middle = 1 } }\n", 4, "unknown region 'middle'");
  expect_error(head + "[[kernel]]\nname = \"k\"\n", 4, "a second contract for kernel 'k'");
  expect_error("contract = 1\nname = \n", 2, "");
}

TEST(Contract, ExpectedFailuresNeedRuleAndReason) {
  const std::string head = "contract = 1\n[[kernel]]\nname = \"k\"\n[[kernel.expected_failure]]\n";
  expect_error(head + "reason = \"x\"\n", 4, "'rule' is missing");
  expect_error(head + "rule = \"monotone\"\n", 4, "'reason' is missing");
  expect_error(head + "rule = \"monotone\"\nreason = \"\"\n", 6, "reason is empty: say why");
  expect_error(head + "rule = \"monotone\"\nreason = \" \"\n", 6, "reason is empty: say why");
  expect_error(head + "rule = \"monotone\"\nreason = 3\n", 6, "'reason' must be a text");
  for (const char* rule : {"check.stopped", "contract.expected_failure_passed", "plugin.load"})
    expect_error(head + "rule = \"" + rule + "\"\nreason = \"x\"\n", 5, "cannot be expected");
  expect_error(head + "rule = \"nice\"\nreason = \"x\"\n", 5, "unknown rule 'nice'; accepted: ");
  expect_error(head + "rule = \"monotone\"\nreason = \"x\"\nregions = [\"west\"]\n", 7,
               "'regions'");
  expect_error(head + "rule = \"monotone\"\nreason = \"x\"\nwhy = \"x\"\n", 7, "unknown key 'why'");
}

constexpr char kPromises[] = R"(contract = 1
[[kernel]]
name = "bce"
zero_sign = true
quiet_nan = true
symmetric = "exact"
in_place = ["z", "y"]
outside_labels = "clamp"
domain = { f32 = [-80, 80.5], f64 = [-inf, 700] }
max_absolute = { f32 = 1e-6 }
max_relative = { f64 = { core = 1e-15, all = 2e-15 } }
bias = { f32 = { all = 0.01, typical = 0.02 } }
throughput = { subnormal = { f32 = 1.25 }, bits = { f32 = 2, f64 = 3 } }
)";

TEST(Contract, ReadsThePromisesBesideUlps) {
  const Contract c = parse_contract(kPromises, "file.toml");
  const KernelContract& k = c.of("bce");
  EXPECT_TRUE(k.zero_sign && k.quiet_nan && k.exactly_symmetric);
  EXPECT_EQ(k.in_place, (std::set<std::string>{"z", "y"}));
  EXPECT_EQ(k.outside_labels, OutsideLabels::clamp);
  EXPECT_EQ(k.domain_of("f32"), std::pair(-80.0, 80.5));
  EXPECT_FALSE(k.domain_of("f16"));
  EXPECT_EQ(k.max_absolute.at("f32").at("all"), 1e-6);
  EXPECT_EQ(k.max_relative.at("f64").at("core"), 1e-15);
  EXPECT_EQ(k.bias.at("f32").at("typical"), 0.02);
  EXPECT_TRUE(k.throughput.against.empty() && k.throughput.at_most.empty());
  EXPECT_EQ(k.throughput.slow_inputs.at("bits").at("f64"), 3);
  const std::string head = "contract = 1\n[[kernel]]\nname = \"k\"\n";
  EXPECT_EQ(parse_contract(head + "domain = [-1, 1]\n", "x").of("k").domain_of("f16"),
            std::pair(-1.0, 1.0));
  const KernelContract none = parse_contract(head, "x").of("k");
  EXPECT_FALSE(none.zero_sign || none.quiet_nan || none.exactly_symmetric || none.domain_of("f32"));
  EXPECT_EQ(none.outside_labels, OutsideLabels::unspecified);
}

TEST(Contract, MistakesInThemNameTheLineAndTheNearestName) {
  const std::string head = "contract = 1\n[[kernel]]\nname = \"k\"\n";
  expect_error(head + "zero_sing = true\n", 4, "did you mean 'zero_sign'? accepted: name, ");
  expect_error(head + "quiet_nan = 1\n", 4, "true or false");
  expect_error(head + "symmetric = true\n", 4, "'symmetric' must be a text");
  expect_error(head + "symmetric = \"exactly\"\n", 4, "did you mean 'exact'? accepted: exact");
  expect_error(head + "in_place = [\"x\"]\n", 4, "accepted: z, y");
  expect_error(head + "outside_labels = \"clmap\"\n", 4, "did you mean 'clamp'? accepted: nan, ");
  for (const char* bad : {"3", "[1]", "[1, 2, 3]", "[2, 1]", "[nan, 1]", "[\"a\", 1]"})
    expect_error(head + "domain = " + bad + "\n", 4, "'domain' must be two numbers");
  expect_error(head + "domain = { f33 = [0, 1] }\n", 4, "did you mean 'f32'?");
  expect_error(head + "max_absolute = { f32 = -1 }\n", 4, "a number >= 0");
  expect_error(head + "max_relative = { f32 = { typical = 1 } }\n", 4, "unknown region 'typical'");
  expect_error(head + "bias = { f32 = { typcal = 1 } }\n", 4, "did you mean 'typical'?");
  expect_error(head + "throughput = { subnormal = 2 }\n", 4, "subnormal must be a table");
  expect_error(head + "throughput = { subnormals = { f32 = 2 } }\n", 4, "'subnormal'?");
  expect_error(head + "throughput = { bits = { f32 = 0 } }\n", 4, "ratio of times > 0");
  expect_error(head + "throughput = { bits = {} }\n", 4, "for any dtype");
  expect_error(head + "[[kernel.expected_failure]]\nrule = \"monotne\"\nreason = \"x\"\n", 5,
               "did you mean 'monotone'? accepted: ");
}

/// What check_contract() says of a kernel's promises, for a plug-in with one kernel of each arity.
std::string refused(const std::string& kernel, const std::string& promises) {
  const std::vector<OfferedKernel> offered = {{"sigmoid", "sigmoid", {"f16", "f32"}},
                                              {"loss", "bce_with_logits", {"f64"}},
                                              {"odd", "an op of tomorrow", {"f32"}}};
  try {
    check_contract(
        parse_contract("contract = 1\n[[kernel]]\nname = \"" + kernel + "\"\n" + promises,
                       "f.toml"),
        offered);
  } catch (const BadContract& e) {
    return e.what();
  }
  return "";
}

TEST(CheckContract, AcceptsWhatIsThere) {
  EXPECT_EQ(refused("sigmoid", "correctly_rounded = [\"f16\"]\nmax_ulp = { f32 = { core = 1 } }\n"),
            "");
  EXPECT_EQ(
      refused("loss", "outside_labels = \"nan\"\nin_place = [\"y\"]\nsymmetric = \"exact\"\n"), "");
  EXPECT_EQ(refused("sigmoid", "bias = { f16 = { all = 1, typical = 1 } }\n"), "");
  EXPECT_EQ(refused("odd", "max_ulp = { f32 = { core = 1 } }\n"), "") << "its regions are unknown";
}

TEST(CheckContract, RefusesWhatIsNotThere) {
  EXPECT_EQ(refused("sigmiod", ""),
            "f.toml:3:8: the plug-in has no kernel 'sigmiod'; did you mean 'sigmoid'? it has: "
            "sigmoid, loss, odd");
  EXPECT_EQ(
      refused("sigmoid", "max_ulp = { f64 = 1 }\n"),
      "f.toml:4:13: kernel 'sigmoid' has no dtype 'f64'; did you mean 'f16'? it has: f16, f32");
  const auto has = [](const std::string& error, const std::string& words) {
    EXPECT_NE(error.find(words), std::string::npos) << error;
  };
  has(refused("sigmoid", "max_ulp = { f32 = { tail = 1 } }\n"), "sigmoid has no region 'tail'");
  has(refused("loss", "correctly_rounded = [\"f16\"]\n"),
      "f.toml:4:22: kernel 'loss' has no dtype");
  has(refused("loss", "domain = { f32 = [0, 1] }\n"), "has no dtype 'f32'");
  has(refused("loss", "throughput = { bits = { f32 = 2 } }\n"), "has no dtype 'f32'");
  has(refused("loss", "max_absolute = { f64 = { saturated = 1 } }\n"), "has no region 'saturated'");
  has(refused("sigmoid", "outside_labels = \"nan\"\n"), "rule 'value.outside_labels' is for bce");
  has(refused("sigmoid", "in_place = [\"z\", \"y\"]\n"), "has no buffer 'y'");
  const std::string failure = "[[kernel.expected_failure]]\nreason = \"x\"\n";
  has(refused("sigmoid", failure + "rule = \"value.flushed\"\nregions = [\"tail\"]\n"),
      "f.toml:7:12: sigmoid has no region 'tail'");
  has(refused("sigmoid", failure + "rule = \"value.flushed\"\ndtypes = [\"bf16\"]\n"),
      "has no dtype 'bf16'");
  has(refused("loss", failure + "rule = \"value.threshold\"\n"),
      "f.toml:6:8: rule 'value.threshold' is for sigmoid, and kernel 'loss' is for "
      "bce_with_logits");
}

TEST(Contract, RulesCoverEachCategory) {
  for (int i = 0; i < kCategoryCount; ++i) {
    const std::string id = "value." + std::string(name(static_cast<Category>(i)));
    EXPECT_NE(find_rule(id), nullptr) << id;
  }
  std::set<std::string_view> ids;
  for (const Rule& r : rules()) {
    EXPECT_TRUE(ids.insert(r.id).second) << r.id;
    EXPECT_EQ(r.statement.back(), '.') << r.id;
  }
}

}  // namespace
}  // namespace ulpaudit
