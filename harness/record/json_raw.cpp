// Raw sums in report.json: what merging needs.
// SPDX-License-Identifier: Apache-2.0
#include "record/json_values.hpp"

namespace ulpaudit {

static void to_json(Json& j, const Case& c) { j = {hex64(c.z), hex64(c.y), hex64(c.got)}; }
static void from_json(const Json& j, Case& c) {
  c = {read_hex(j.at(0)), read_hex(j.at(1)), read_hex(j.at(2))};
}
static void to_json(Json& j, const Counter& c) {
  j = {{"count", c.count}, {"first", c.first}, {"last", hex64(c.last)}};
}
static void from_json(const Json& j, Counter& c) {
  c = {j.at("count"), j.at("first").get<Case>(), read_hex(j.at("last"))};
}
static void to_json(Json& j, const Extreme& e) { j = {{"error", e.error}, {"at", e.at}}; }
static void from_json(const Json& j, Extreme& e) {
  e = {true, j.at("error"), j.at("at").get<Case>()};
}

/// Rows of ordinals of the first and last input, points, largest error.
Json search_json(const SearchedBinades& search) {
  Json rows = Json::array();
  for (const auto& [first, b] : search) {
    Json row = {hex64(first), hex64(b.last), b.points};
    if (b.max.set) row.push_back(b.max);
    rows.push_back(std::move(row));
  }
  return rows;
}
SearchedBinades read_search(const Json& rows) {
  SearchedBinades out;
  for (const Json& row : rows) {
    SearchedBinade& b = out[read_hex(row.at(0))];
    b.last = read_hex(row.at(1));
    b.points = row.at(2);
    if (row.size() > 3) b.max = row.at(3);
  }
  return out;
}

static Sum read_sum(const Json& j) {
  const auto text = j.get<std::string>();
  const auto sum = sum_from_text(text);
  if (!sum) throw BadReport("'" + text + "' is not an integer that a sum can hold");
  return *sum;
}

void to_json(Json& j, const InputsAsked& x) {
  j = {{"exhaustive", x.exhaustive}, {"points", x.points}, {"seed", x.seed}, {"plan", x.plan}};
}
void from_json(const Json& j, InputsAsked& x) {
  x = {j.at("exhaustive"), j.at("points"), j.at("seed"), j.at("plan")};
}

void to_json(Json& j, const Loss& l) {
  j = {{"kind", l.kind},   {"message", l.message}, {"batches", l.batches}, {"points", l.points},
       {"first", l.first}, {"length", l.length},   {"low", hex64(l.low)},  {"high", hex64(l.high)}};
  if (l.not_run != 0) j["not_run"] = l.not_run;
}
void from_json(const Json& j, Loss& l) {
  l = {j.at("kind"),          j.at("message"),           j.at("batches"),
       j.at("points"),        j.at("first").get<Case>(), j.at("length"),
       read_hex(j.at("low")), read_hex(j.at("high")),    j.value("not_run", std::uint64_t{0})};
}

void to_json(Json& j, const Tally& t) {
  j["points"] = t.points;
  j["measured"] = t.measured;
  j["correctly_rounded"] = t.correctly_rounded;
  j["faithful"] = t.faithful;
  j["allclose_failures"] = t.allclose_failures;
  j["sum_abs"] = t.sum_abs.str();
  j["sum_signed"] = t.sum_signed.str();
  j["sum_squares"] = t.sum_squares.str();
  if (t.max_abs.set) {
    j["max_abs"] = t.max_abs;
    j["max_signed"] = t.max_signed;
    j["min_signed"] = t.min_signed;
  }
  if (t.wrong_zero.count != 0) j["wrong_zero"] = t.wrong_zero;
  for (int i = 0; i < kCategoryCount; ++i)
    if (t.categories[static_cast<std::size_t>(i)].count != 0)
      j["categories"][std::string(name(static_cast<Category>(i)))] =
          t.categories[static_cast<std::size_t>(i)];
  Json bins = Json::array();
  for (std::size_t i = 0; i < t.histogram.size(); ++i)
    if (t.histogram[i] != 0) bins.push_back({i, t.histogram[i]});
  j["histogram"] = bins;
}
void from_json(const Json& j, Tally& t) {
  t.points = j.at("points");
  t.measured = j.at("measured");
  t.correctly_rounded = j.at("correctly_rounded");
  t.faithful = j.at("faithful");
  t.allclose_failures = j.at("allclose_failures");
  t.sum_abs = read_sum(j.at("sum_abs"));
  t.sum_signed = read_sum(j.at("sum_signed"));
  t.sum_squares = read_sum(j.at("sum_squares"));
  if (j.contains("max_abs")) {
    t.max_abs = j.at("max_abs");
    t.max_signed = j.at("max_signed");
    t.min_signed = j.at("min_signed");
  }
  if (j.contains("wrong_zero")) t.wrong_zero = j.at("wrong_zero");
  if (j.contains("categories"))
    for (int i = 0; i < kCategoryCount; ++i) {
      const std::string key(name(static_cast<Category>(i)));
      if (j.at("categories").contains(key))
        t.categories[static_cast<std::size_t>(i)] = j.at("categories").at(key);
    }
  for (const Json& b : j.at("histogram")) {
    if (t.histogram.empty()) t.histogram.resize(kHistogramBins);
    const auto bin = b.at(0).get<std::size_t>();
    if (bin >= t.histogram.size()) throw BadReport(fmt::format("histogram: no bin {}", bin));
    t.histogram[bin] = b.at(1);
  }
}

static bool is_exact(const CurveBin& b) {
  return b.correctly_rounded == b.points && b.categories == 0 && b.max_signed == 0 &&
         b.min_signed == 0 && b.sum_abs == 0;
}

/// Bins without any error are most of the line: written as runs [first bin, bins, points in each].
Json curve_json(const Curve& curve) {
  Json rows = Json::array(), runs = Json::array();
  std::uint32_t next = 0;
  std::uint64_t points = 0;
  for (const auto& [bin, b] : curve) {
    if (!is_exact(b)) {
      rows.push_back({bin, b.points, b.correctly_rounded, b.max_signed, b.min_signed,
                      b.sum_abs.str(), b.sum_squares.str(), b.categories, b.sum_signed.str()});
      continue;
    }
    if (!runs.empty() && bin == next && b.points == points)
      runs.back()[1] = runs.back()[1].get<std::uint32_t>() + 1;
    else
      runs.push_back({bin, 1, b.points});
    next = bin + 1;
    points = b.points;
  }
  return {{"exact_runs", runs}, {"bins", rows}};
}
Curve read_curve(const Json& j) {
  constexpr std::uint32_t kMostBins = 1u << 15;
  Curve curve;
  for (const Json& run : j.at("exact_runs")) {
    const std::uint32_t first = run.at(0), bins = run.at(1);
    if (first >= kMostBins || bins > kMostBins - first) throw BadReport("exact_runs: out of range");
    for (std::uint32_t i = 0; i < bins; ++i)
      curve[first + i].points = curve[first + i].correctly_rounded = run.at(2);
  }
  for (const Json& row : j.at("bins")) {
    const std::uint32_t bin = row.at(0);
    if (bin >= kMostBins) throw BadReport(fmt::format("bins: no bin {}", bin));
    CurveBin& b = curve[bin];
    b.points = row.at(1);
    b.correctly_rounded = row.at(2);
    b.max_signed = row.at(3);
    b.min_signed = row.at(4);
    b.sum_abs = read_sum(row.at(5));
    b.sum_squares = read_sum(row.at(6));
    b.categories = row.at(7);
    if (row.size() > 8) b.sum_signed = read_sum(row.at(8));  // since schema 1.1
  }
  return curve;
}

}  // namespace ulpaudit
