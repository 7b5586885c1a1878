// Renderers against golden files, and what they must not do with figures and hostile strings.
// SPDX-License-Identifier: Apache-2.0
#include "reports/renderer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "reports/markdown_text.hpp"
#include "reports/text.hpp"
#include "reports/text_table.hpp"
#include "reports/view.hpp"
#include "sample_report.hpp"

namespace ulpaudit {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Lines that differ, as "-golden" and "+rendered", ten at most.
std::string difference(const std::string& golden, const std::string& rendered) {
  const auto a = lines_of(golden), b = lines_of(rendered);
  std::string out;
  int shown = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) && shown < 10; ++i) {
    if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
    out += "line " + std::to_string(i + 1) + "\n";
    if (i < a.size()) out += "-" + a[i] + "\n";
    if (i < b.size()) out += "+" + b[i] + "\n";
    ++shown;
  }
  return out;
}

void expect_golden(const std::string& file, const std::string& rendered) {
  const auto path = std::filesystem::path(ULPAUDIT_TEST_DATA) / "golden" / file;
  if (const char* update = std::getenv("ULPAUDIT_UPDATE_GOLDEN"); update && *update == '1') {
    std::ofstream(path, std::ios::binary) << rendered;
    GTEST_SKIP() << "rewritten: " << path << "; read the change before you commit it";
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in) << "cannot read " << path;
  std::ostringstream golden;
  golden << in.rdbuf();
  EXPECT_TRUE(golden.str() == rendered)
      << path << " (-) differs from what is rendered (+):\n"
      << difference(golden.str(), rendered)
      << "if the change is meant:\n  ULPAUDIT_UPDATE_GOLDEN=1 "
      << std::filesystem::read_symlink("/proc/self/exe").string() << " --gtest_filter='Golden.*'";
}

TEST(Golden, Console) { expect_golden("console.txt", render(sample::report(), "console", {})); }
TEST(Golden, Markdown) { expect_golden("report.md", render(sample::report(), "md", {})); }
TEST(Golden, Csv) { expect_golden("report.csv", render(sample::report(), "csv", {})); }
TEST(Golden, Junit) { expect_golden("junit.xml", render(sample::report(), "junit", {})); }

/// What stands between two marks becomes "…".
std::string without(std::string page, const std::string& from, const std::string& to) {
  const std::size_t begin = page.find(from) + from.size();
  return page.replace(begin, page.find(to, begin) - begin, "…");
}

/// The page but for its style and script, which are files of their own, and their hashes.
TEST(Golden, Html) {
  std::string page = render(sample::report(), "html", {});
  page = without(page, "<style>", "</style>");
  page = without(page, "<script>", "</script>");
  page = without(page, "style-src '", "'; script-src");
  page = without(page, "script-src '", "'\">");
  expect_golden("report.html", page);
}

TEST(Render, UnknownFormatNamesTheAcceptedOnes) {
  try {
    render(sample::report(), "pdf");
    FAIL() << "not refused";
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(),
                 "unknown format 'pdf'; accepted: console, findings, md, html, junit, csv");
  }
}

TEST(Render, AnEmptyReportIsRenderedByAll) {
  for (const Renderer& r : renderers()) EXPECT_FALSE(r.function(Report(), {}).empty()) << r.name;
}

TEST(Console, EscapesOnlyWhereColorIsAskedFor) {
  EXPECT_EQ(render(sample::report(), "console").find('\x1b'), std::string::npos);
  const std::string colored = render(sample::report(), "console", {true, 100});
  EXPECT_NE(colored.find("\x1b[31mfail\x1b[0m"), std::string::npos);
  EXPECT_EQ(colored.find("c** \x1b"), std::string::npos) << "an escape from a name came through";
}

TEST(Console, ColorsDoNotMoveColumns) {
  std::string colored = render(sample::report(), "console", {true, 100});
  for (std::size_t at; (at = colored.find('\x1b')) != std::string::npos;)
    colored.erase(at, colored.find('m', at) - at + 1);
  EXPECT_EQ(colored, render(sample::report(), "console"));
}

TEST(Console, ManyFindingsAreCountedNotListed) {
  Report r = sample::report();
  const Finding error = sample::findings()[2];
  for (int i = 0; i < 99; ++i) {
    r.findings.push_back(error);
    r.findings.back().message += std::to_string(i);
  }
  const std::string text = render(r, "console");
  EXPECT_NE(text.find("Errors (100)"), std::string::npos);
  EXPECT_NE(text.find(" more (all: --json, or -o FOLDER)"), std::string::npos);
  EXPECT_LT(lines_of(text).size(), 70u);
}

TEST(Csv, NoCellIsAFormula) {
  Report r = sample::report();
  r.results[0].implementation = "=HYPERLINK(\"http://x\")";
  r.results[0].range = "-1000:1000";
  const std::string csv = render(r, "csv");
  EXPECT_NE(csv.find("\"'=HYPERLINK("), std::string::npos) << csv;
  EXPECT_NE(csv.find(",-1000:1000,"), std::string::npos) << csv;
  for (const char* evil : {"+cmd|x", "-cmd|x", "@SUM(1)", "-2+3+cmd"}) {
    r.results[0].implementation = evil;
    EXPECT_NE(render(r, "csv").find("'" + std::string(evil)), std::string::npos) << evil;
  }
}

TEST(Markdown, HostileTextStaysText) {
  const std::string md = render(sample::report(), "md");
  EXPECT_EQ(md.find("<script>"), std::string::npos);
  EXPECT_EQ(md.find("<b>"), std::string::npos);
  EXPECT_EQ(md.find('\x1b'), std::string::npos);
  for (const std::string& line : lines_of(md)) {
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\')
        ++i;
      else
        bars += line[i] == '|';
    }
    const bool in_table = !line.empty() && line[0] == '|';
    EXPECT_EQ(bars >= 3, in_table) << line;
    EXPECT_TRUE(in_table || bars == 0) << line;
  }
}

TEST(Markdown, StaysBelowTheLimitAndSaysWhatIsCut) {
  Report r = sample::report();
  const Finding error = sample::findings()[2];
  for (int i = 0; i < 5000; ++i) r.findings.push_back(error);
  const std::string md = render(r, "md");
  EXPECT_LT(md.size(), std::size_t{1} << 20);
  EXPECT_NE(md.find(" more findings are left out"), std::string::npos);
  EXPECT_NE(md.find("tables of regions is left out"), std::string::npos)
      << md.substr(md.size() - 4000);
  EXPECT_NE(md.find("## Context"), std::string::npos);
}

TEST(Html, HostileTextStaysText) {
  const std::string page = render(sample::report(), "html");
  std::size_t scripts = 0;
  for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++at) ++scripts;
  EXPECT_EQ(scripts, 2u) << "the page's own are its data and its code";
  EXPECT_EQ(page.find("<b>|"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;|x/`a`,&quot;b&quot; **c**"), std::string::npos);
  EXPECT_NE(page.find("\\u003cscript>|x/`a`,\\\"b\\\""), std::string::npos) << "in the data";
}

TEST(Html, AsksForNothing) {
  const std::string page = render(sample::report(), "html");
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("{{"), std::string::npos);
  for (const char* reference : {"src=", "href=\"http", "@import", "fetch(", "XMLHttpRequest"})
    EXPECT_EQ(page.find(reference), std::string::npos) << reference;
}

TEST(Html, TimesAreInThePageButNotThoseOfCopies) {
  Report r = sample::report();
  Benchmark b;
  b.implementation = "naive/sigmoid";
  b.op = "sigmoid";
  b.dtype = "f16";
  b.inputs = "typical";
  b.level = "L2";
  b.ns = {1.5, 1.25, 2};
  b.median = 1.5;
  b.low = 1.375;
  b.high = 1.75;
  b.to_naive = 1;
  Benchmark failed = b, copy = b;
  failed.failure = "it hung";
  copy.op = "";
  r.benchmarks = {copy, failed, b};
  const std::string page = render(r, "html");
  EXPECT_NE(page.find("\"benchmarks\":[{\"implementation\":\"naive/sigmoid\",\"op\":\"sigmoid\","
                      "\"dtype\":\"f16\",\"inputs\":\"typical\",\"level\":\"L2\",\"median\":1.5,"
                      "\"low\":1.375,\"high\":1.75,\"repetitions\":[1.5,1.25,2],"
                      "\"to_naive\":1,\"error\":252}]"),
            std::string::npos)
      << page.substr(page.find("\"benchmarks\""), 400);
}

TEST(Html, AgainstAnEarlierReportShowsWhatChanged) {
  const Report now = sample::report();
  Report before = now;
  before.context.commit = "0ld";
  before.results[0].digest = "another";
  before.results[0].statistics.max_ulp = 7;
  before.findings.erase(before.findings.begin() + 2);
  before.verdicts[0].status = "fail";
  const std::string page = render(now, "html", {.against = &before});
  const std::size_t begin = page.find("<section id=\"changes\">");
  ASSERT_NE(begin, std::string::npos);
  const std::string section = page.substr(begin, page.find("</section>", begin) - begin);
  for (const char* part :
       {"1 result gave the same bits", "other bits", "<span class=\"was\">7</span> → <b>252</b>",
        "<span class=\"was\">fail</span> → <b>pass</b>", "New findings", "value.new_nan",
        "<span class=\"was\">0ld</span> → <b>abc1234</b>"})
    EXPECT_NE(section.find(part), std::string::npos) << part << " in\n" << section;
  for (const char* part : {"that are gone", "New results", "value.flushed"})
    EXPECT_EQ(section.find(part), std::string::npos) << part;
  EXPECT_NE(page.find("\"before\":{\"line\":"), std::string::npos) << "the earlier curve";
  EXPECT_EQ(render(now, "html").find("id=\"changes\""), std::string::npos);
}

TEST(Junit, OutcomesAndTheirReasons) {
  const std::string xml = render(sample::report(), "junit");
  EXPECT_NE(xml.find("<failure type=\"value.new_nan\""), std::string::npos);
  EXPECT_NE(
      xml.find("<skipped type=\"expected failure\" message=\"fails as its contract says: exp"),
      std::string::npos);
  EXPECT_NE(xml.find("<skipped type=\"unavailable\" message=\"no CUDA device | &lt;none>\""),
            std::string::npos);
  EXPECT_EQ(xml.find('\x1b'), std::string::npos);
}

TEST(Junit, APluginThatDoesNotLoadFails) {
  Report r = sample::report();
  Finding f;
  f.rule = "plugin.load";
  f.implementation = "broken.so";
  f.message = "no such symbol";
  r.findings.push_back(f);
  const std::string xml = render(r, "junit");
  EXPECT_NE(xml.find("<testcase name=\"broken.so\" classname=\"ulpaudit.plugin\""),
            std::string::npos);
  EXPECT_NE(xml.find("<failure type=\"plugin.load\" message=\"no such symbol\""),
            std::string::npos);
}

TEST(Document, CutsWholePartsOfAGroupAndThenAllOfIt) {
  markdown::Document doc;
  doc.add("head\n");
  doc.add(std::string(50, 'a') + "\n", "rows");
  doc.add(std::string(500, 'b') + "\n", "rows");
  doc.add("c\n", "rows");
  doc.add("tail\n");
  const std::string text = doc.str(300);
  EXPECT_NE(text.find("aaa"), std::string::npos);
  EXPECT_EQ(text.find('b', text.find("aaa")), text.find("below"));
  EXPECT_NE(text.find("*2 more rows are left out"), std::string::npos);
  EXPECT_NE(text.find("tail"), std::string::npos);
  EXPECT_NE(doc.str(60).find("Cut here"), std::string::npos);
}

TEST(Text, FiguresDoNotMislead) {
  EXPECT_EQ(ulps(0.0), "0");
  EXPECT_EQ(ulps(-0.0), "0");
  EXPECT_EQ(ulps(0.5), "0.5");
  EXPECT_EQ(ulps(0.500001), "0.500001");
  EXPECT_EQ(ulps(-0.4999999), "-0.4999999");
  EXPECT_EQ(ulps(1.0001), "1.0001");
  EXPECT_EQ(ulps(1e-6), "1e-6");
  EXPECT_EQ(ulps(12.345), "12.3");
  EXPECT_EQ(ulps(999.6), "1,000");
  EXPECT_EQ(ulps(12345678.0), "1.2e7");
  EXPECT_EQ(ulps(std::numeric_limits<double>::infinity()), "∞");
  EXPECT_EQ(ulps(std::nullopt), kAbsent);
  EXPECT_EQ(ulps(kErrorCap), "≥4.6e18");
  EXPECT_EQ(percent(1), "100%");
  EXPECT_EQ(percent(0), "0%");
  EXPECT_EQ(percent(0.999999), ">99.99%");
  EXPECT_EQ(percent(0.9999), "99.99%");
  EXPECT_EQ(percent(1e-9), "<0.01%");
  EXPECT_EQ(thousands(0), "0");
  EXPECT_EQ(thousands(999), "999");
  EXPECT_EQ(thousands(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Text, WidthAndCuttingKnowUtf8) {
  EXPECT_EQ(display_width("σ(z)"), 4u);
  EXPECT_EQ(display_width("数"), 2u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(printable("a\x1b[1m\xff"), "a\\x1b[1m\\xff");
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(clip("σσ", 3), "σ… (2 bytes more)");
  EXPECT_EQ(wrap("aa bb cc", 5), (std::vector<std::string>{"aa bb", "cc"}));
  EXPECT_EQ(wrap("a 1, b 2, c 3", 9, ", "), (std::vector<std::string>{"a 1, b 2,", "c 3"}));
  EXPECT_EQ(wrap("", 5), std::vector<std::string>{""});
}

TEST(TextTable, WrapsItsLastColumnInPlaceOrBelow) {
  TextTable t({Align::left, Align::right, Align::left}, true);
  t.add({{""}, {"n"}, {"a very long heading of words"}});
  t.add({{"σ"}, {"1"}, {"one two three four five six seven"}});
  t.add({{"long"}, {"12"}, {""}});
  EXPECT_EQ(t.str(0, false),
            "         n  a very long heading of words\n"
            "  σ      1  one two three four five six seven\n  long  12\n");
  EXPECT_EQ(t.str(40, false),
            "         n  a very long heading of words\n"
            "  σ      1  one two three four five six\n            seven\n  long  12\n");
  EXPECT_EQ(t.str(30, false),
            "         n\n  σ      1\n      one two three four five\n      six seven\n  long  12\n");
}

TEST(View, ShellLineQuotesWhatAShellWouldRead) {
  EXPECT_EQ(shell_line({"./run", "--op", "sig*", "it's", ""}), "./run --op 'sig*' 'it'\\''s' ''");
}

}  // namespace
}  // namespace ulpaudit
