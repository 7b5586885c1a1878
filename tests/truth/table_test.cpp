// The final judge against data/truth_table.csv, which another tool made (make_truth_table.py).
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "names.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

struct Row {
  std::size_t line;
  OpId op;
  Dtype d;
  Bits z, y, rounded;
  int side;  ///< sign of t - rounded
  std::string value, group;
};

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) out.push_back(cell);
  return out;
}

std::vector<Row> read_table() {
  std::ifstream in(std::string(ULPAUDIT_TEST_DATA) + "/data/truth_table.csv");
  std::vector<Row> rows;
  std::string line;
  std::getline(in, line);
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    const auto c = cells(line);
    if (c.size() != 8) throw std::runtime_error("truth_table.csv: 8 cells expected: " + line);
    const auto bits = [](const std::string& s) { return std::strtoull(s.c_str(), nullptr, 16); };
    rows.push_back({number, test::op(c[0]), *dtype_from_name(c[1]), bits(c[2]), bits(c[3]),
                    bits(c[4]), std::atoi(c[5].c_str()), c[6], c[7]});
  }
  return rows;
}

/// "-1.2500e-3" as sign, first `n` significant digits and exponent, "0" and names unchanged.
std::string normal_form(const std::string& text, std::size_t n) {
  if (text == "nan" || text == "inf" || text == "0") return text;
  const std::size_t e = text.find('e');
  std::string digits, sign = text[0] == '-' ? "-" : "";
  for (char ch : text.substr(0, e))
    if (ch >= '0' && ch <= '9') digits += ch;
  digits.resize(std::max(n, digits.size()), '0');
  if (digits.find_first_not_of('0') == std::string::npos) return "0";
  // MPFR writes e-05 and e+00, the table e-5 and e0.
  std::string exponent = e == std::string::npos ? "" : text.substr(e + 1);
  const bool below = !exponent.empty() && exponent[0] == '-';
  exponent.erase(0, std::min(exponent.find_first_not_of("+-0"), exponent.size()));
  return sign + digits.substr(0, n) + "e" + (below ? "-" : "") +
         (exponent.empty() ? "0" : exponent);
}

TEST(TruthTable, EveryRowIsRoundedAsPublished) {
  for (const Row& r : read_table()) {
    const Truth t = final_judge(r.op, r.d, r.z, r.y);
    EXPECT_EQ(t.rounded, r.rounded) << "line " << r.line << ": " << test::at(r.op, r.d, r.z, r.y);
    EXPECT_EQ(t.negative ? -t.side : t.side, r.side) << "line " << r.line << " " << r.group;
  }
}

TEST(TruthTable, TrueValuesAgreeToTwentyDigits) {
  std::size_t compared = 0;
  for (const Row& r : read_table()) {
    // As many digits as the table has, so that a run of nines rounds alike.
    const std::string mine = true_digits(r.op, r.d, r.z, r.y, 45);
    const bool negative = mine.rfind("-e^-", 0) == 0;
    if (negative || mine.rfind("e^-", 0) == 0) {
      // Below about 2^-2^30, where the exponents end that MPFR uses: 9 digits or more, and the
      // sign.
      EXPECT_EQ(negative, r.value.front() == '-') << "line " << r.line;
      EXPECT_GE(r.value.size(), r.value.find("e-") + 2 + 9) << "line " << r.line;
      continue;
    }
    ++compared;
    EXPECT_EQ(normal_form(mine, 20), normal_form(r.value, 20))
        << "line " << r.line << ": " << test::at(r.op, r.d, r.z, r.y);
  }
  EXPECT_GT(compared, 4000u);
}

TEST(TruthTable, CoversEachOpAndDtypeWithItsHardGroups) {
  std::map<std::string, std::size_t> per_op;
  std::map<std::string, std::size_t> groups;
  for (const Row& r : read_table()) {
    ++per_op[std::string(info(r.op).name)];
    ++groups[std::string(info(r.op).name) + "/" + std::string(name(r.d)) + "/" + r.group];
  }
  for (int i = 0; i < op_count(); ++i) {
    const std::string name_of_op(info(op_at(i)).name);
    EXPECT_GE(per_op[name_of_op], 200u) << name_of_op;
    for (Dtype d : kDtypes)
      for (const char* group : {"subnormal_border", "tiny", "special", "ordinary", "huge"})
        EXPECT_GT(groups[name_of_op + "/" + std::string(name(d)) + "/" + group], 0u)
            << name_of_op << " " << name(d) << " " << group;
  }
}

}  // namespace
}  // namespace ulpaudit
