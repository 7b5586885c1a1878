// Contracts: every key is read, every mistake is located.
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
  EXPECT_TRUE(narrow.covers("value.vanished", "f32", "all")) << "the total holds the region";
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
  expect_error(head + "max_ulp = { f8 = 1 }\n", 4, "unknown dtype 'f8'; accepted: f16, bf16");
  expect_error(head + "max_ulp = { f32 = -1 }\n", 4, "number of ulps >= 0");
  expect_error(head + "max_ulp = { f32 = inf }\n", 4, "number of ulps >= 0");
  expect_error(head + "max_ulp = { f32 = \"1\" }\n", 4, "number of ulps >= 0");
  expect_error(head + "throughput = { f32 = 2 }\n", 4, "'against' is missing");
  expect_error(head + "throughput = { against = \"simd\", f32 = 2 }\n", 4, "names no kernel");
  expect_error(head + "throughput = { against = \"memcpy\" }\n", 4, "for any dtype");
  expect_error(head + "throughput = { against = \"memcpy\", f32 = 0 }\n", 4, "ratio of times > 0");
  expect_error(head + "throughput = { against = \"memcpy\", f8 = 1 }\n", 4, "unknown key 'f8'");
  expect_error(head + "max_ulp = { f32 = { middle = 1 } }\n", 4, "unknown region 'middle'");
  expect_error(head + "[[kernel]]\nname = \"k\"\n", 4, "a second contract for kernel 'k'");
  expect_error("contract = 1\nname = \n", 2, "");
}

TEST(Contract, ExpectedFailuresNeedRuleAndReason) {
  const std::string head = "contract = 1\n[[kernel]]\nname = \"k\"\n[[kernel.expected_failure]]\n";
  expect_error(head + "reason = \"x\"\n", 4, "'rule' is missing");
  expect_error(head + "rule = \"monotone\"\n", 4, "'reason' is missing");
  expect_error(head + "rule = \"monotone\"\nreason = \"\"\n", 6, "'reason' must be a text");
  expect_error(head + "rule = \"nice\"\nreason = \"x\"\n", 5, "unknown rule 'nice'; accepted: ");
  expect_error(head + "rule = \"monotone\"\nreason = \"x\"\nregions = [\"west\"]\n", 7,
               "'regions'");
  expect_error(head + "rule = \"monotone\"\nreason = \"x\"\nwhy = \"x\"\n", 7, "unknown key 'why'");
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
