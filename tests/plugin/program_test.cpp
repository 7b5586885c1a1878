// Programs as workers: their addresses, the words of a command, and what is asked of them.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/program.hpp"

#include <gtest/gtest.h>

#include "plugin/loader.hpp"
#include "plugin/protocol.hpp"

namespace ulpaudit {
namespace {

using Words = std::vector<std::string>;

TEST(Program, AddressesStandAmongPaths) {
  EXPECT_EQ(program_command(program_address("python3 w.py")), "python3 w.py");
  EXPECT_EQ(program_command("/lib/exec:mine.so"), std::nullopt);
  EXPECT_EQ(program_command(""), std::nullopt);
}

TEST(Program, WordsAreSplitAsAShellDoes) {
  EXPECT_EQ(words_of("a b\tc"), (Words{"a", "b", "c"}));
  EXPECT_EQ(words_of("  a  'b c'  \"d 'e'\" "), (Words{"a", "b c", "d 'e'"}));
  EXPECT_EQ(words_of("a\\ b 'c\\d' \"e\\\"f\""), (Words{"a b", "c\\d", "e\"f"}));
  EXPECT_EQ(words_of("a ''"), (Words{"a", ""}));
  EXPECT_EQ(words_of("x'y'z"), (Words{"xyz"}));
  EXPECT_EQ(words_of("$HOME *"), (Words{"$HOME", "*"})) << "nothing is expanded";
  EXPECT_THROW(words_of("a 'b"), LoadError);
  EXPECT_THROW(words_of(" \t"), LoadError);
}

TEST(Program, OffersAreReadAndMayBeAbsent) {
  const std::string start = R"({"type": "description", "protocol": 1, "name": "p", "kernels": [])";
  EXPECT_TRUE(protocol::parse_description(start + "}").offers.empty());
  const PluginInfo info =
      protocol::parse_description(start + R"(, "offers": ["timing"], "unknown": {"to": "us"}})");
  EXPECT_TRUE(info.offers_rule("timing"));
  EXPECT_FALSE(info.offers_rule("determinism.threads"));
  EXPECT_THROW(protocol::parse_description(start + R"(, "offers": [3]})"), protocol::Error);
}

}  // namespace
}  // namespace ulpaudit
