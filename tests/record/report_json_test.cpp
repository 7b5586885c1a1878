// report.json: there and back without loss, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "../reports/sample_report.hpp"
#include "record/json.hpp"

namespace ulpaudit {
namespace {

/// The sample with raw sums, as a sweep would fill them.
Report full() {
  Report r = sample::report();
  Result& x = r.results[0];
  x.raw.points = 4;
  x.raw.add_error(Dtype::f16, 0.25, {0x3c00, 0, 1});
  x.raw.add_error(Dtype::f16, -kErrorCap, {0xbc00, 0, 2});
  x.raw.add_category(Dtype::f16, Category::flushed, {0x8001, 0, 0});
  x.raw.wrong_zero.add(Dtype::f16, {0xfc00, 0, 0x8000});
  x.raw.histogram[3] = 2;
  x.raw.histogram[kHistogramBins - 1] = 1;
  CurveBin exact;
  exact.points = exact.correctly_rounded = 128;
  for (std::uint32_t bin : {5u, 6u, 7u, 9u}) x.raw_curve[bin] = exact;
  x.raw_curve[8].points = 128;
  x.raw_curve[8].add_error(-1.25);
  x.curve = plot_curve(Dtype::f16, x.raw_curve, 10);
  return r;
}

std::string error_of(const std::string& text) {
  try {
    from_json(text);
  } catch (const BadReport& e) {
    return e.what();
  }
  return "nothing was thrown";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the report: " + from);
  return text.replace(at, from.size(), to);
}

TEST(ReportJson, RoundTripIsExact) {
  const std::string once = to_json(full());
  EXPECT_EQ(to_json(from_json(once)), once);
  const std::string empty = to_json(Report{});
  EXPECT_EQ(to_json(from_json(empty)), empty);
}

TEST(ReportJson, KeepsWhatMergingNeeds) {
  const Report a = full(), b = from_json(to_json(a));
  const Tally &x = a.results[0].raw, &y = b.results[0].raw;
  EXPECT_EQ(x.sum_signed, y.sum_signed);
  EXPECT_EQ(x.sum_squares, y.sum_squares);
  EXPECT_EQ(x.max_abs.error, y.max_abs.error);
  EXPECT_EQ(x.max_abs.at.z, y.max_abs.at.z);
  EXPECT_EQ(x.histogram, y.histogram);
  EXPECT_EQ(y.categories[static_cast<std::size_t>(Category::flushed)].first.z, 0x8001u);
  ASSERT_EQ(b.results[0].raw_curve.size(), 5u);
  EXPECT_EQ(b.results[0].raw_curve.at(6).correctly_rounded, 128u);
  EXPECT_EQ(b.results[0].raw_curve.at(8).min_signed, -1.25);
}

TEST(ReportJson, KeepsInfinitiesAndAbsentFigures) {
  const Report b = from_json(to_json(full()));
  EXPECT_TRUE(std::isinf(*b.results[0].statistics.p999));
  EXPECT_FALSE(b.results[1].statistics.max_ulp);
  EXPECT_FALSE(b.findings[0].witness);
  EXPECT_EQ(b.implementations[1].name, sample::kHostile);
}

TEST(ReportJson, RefusesAMemberThatIsThereTwice) {
  // A second, empty list of findings would hide the first.
  const std::string text = to_json(full());
  const std::string twice = replaced(text, "\"coverage\"", "\"findings\": [],\n\"coverage\"");
  EXPECT_NE(error_of(twice).find("the member 'findings' is there twice"), std::string::npos);
  const std::string hidden =
      replaced(text, "\"coverage\"", "\"find\\u0069ngs\": [],\n\"coverage\"");
  EXPECT_NE(error_of(hidden).find("the member 'findings' is there twice"), std::string::npos);
  EXPECT_EQ(to_json(from_json(text)), text);
}

TEST(ReportJson, RefusesAMillionMembersAtOnce) {
  std::string text = "{";
  for (int i = 0; i < 1'000'000; ++i) text += "\"" + std::to_string(i) + "\": 0, ";
  EXPECT_NE(error_of(text + "\"x\": 0}").find("more than 10000 members"), std::string::npos);
}

TEST(ReportJson, RefusesAnotherMajorVersion) {
  const std::string text = to_json(full());
  EXPECT_EQ(error_of(replaced(text, "\"1.1\"", "\"2.0\"")),
            "schema_version 2.0 is not accepted; this ulpaudit reads 1.x");
  EXPECT_NE(error_of(replaced(text, "\"1.1\"", "\"10.0\"")).find("10.0"), std::string::npos);
  EXPECT_NE(error_of(replaced(text, "\"1.1\"", "1")), "nothing was thrown");
  EXPECT_NO_THROW(from_json(replaced(text, "\"1.1\"", "\"1.7\"")));
}

TEST(ReportJson, RefusesTruncatedText) {
  const std::string text = to_json(full());
  for (std::size_t length = 0; length + 2 < text.size(); length += 97)
    EXPECT_NE(error_of(text.substr(0, length)), "nothing was thrown") << length;
}

TEST(ReportJson, RefusesForeignJson) {
  for (const char* foreign : {"{}", "[]", "3", "null", "{\"results\":[]}"})
    EXPECT_NE(error_of(foreign).find("not a report.json of ulpaudit"), std::string::npos)
        << foreign;
}

TEST(ReportJson, RefusesWrongTypesAndSaysWhere) {
  const std::string text = to_json(full());
  const struct {
    const char *from, *to, *words;
  } cases[] = {{"\"points\":65536", "\"points\":\"many\"", "points"},
               {"\"faithful\":", "\"faithless\":", "faithful"},
               {"\"severity\":\"note\"", "\"severity\":\"fatal\"", "accepted: error, note"},
               {"\"sum_abs\":\"", "\"sum_abs\":\"x", "not an integer"},
               {"\"p999\":\"inf\"", "\"p999\":\"huge\"", "'huge' is not a number"},
               {"\"exact_runs\":[[5,3,128]", "\"exact_runs\":[[5,999999999,128]", "exact_runs"},
               {"\"histogram\":[[3,2]", "\"histogram\":[[5000000,2]", "histogram"},
               {"\"at\":[\"0x", "\"at\":[\"0y", "not a hex number"}};
  for (const auto& c : cases) {
    const std::string error = error_of(replaced(text, c.from, c.to));
    EXPECT_NE(error, "nothing was thrown") << c.from;
    EXPECT_NE(error.find(c.words), std::string::npos) << error;
  }
}

TEST(Files, AreReplacedWholeOrNotAtAll) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("ulpaudit-record-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "file").string();
  write_file(path, "one");
  write_file(path, "two");
  EXPECT_EQ(read_file(path), "two");
  std::filesystem::create_directory(folder / "taken");
  EXPECT_THROW(write_file((folder / "taken").string(), "x"), std::runtime_error);
  std::size_t entries = 0;
  for (const auto& e : std::filesystem::directory_iterator(folder)) entries += e.exists();
  EXPECT_EQ(entries, 2u) << "nothing is left behind";
  EXPECT_THROW(write_file("/no/such/folder/file", "x"), std::runtime_error);
  EXPECT_THROW(read_file((folder / "missing").string()), std::runtime_error);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ulpaudit
