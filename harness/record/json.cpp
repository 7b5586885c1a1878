// report.json, both ways. The schema is harness/record/report.schema.json.
#include "record/json.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "fp/exact_json.hpp"

namespace ulpaudit {
namespace {

using Json = ExactJson<nlohmann::ordered_map>;

/// JSON has no infinities: they are the strings "inf" and "-inf".
Json real(double v) {
  if (std::isfinite(v)) return v;
  return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
}
Json real(const std::optional<double>& v) { return v ? real(*v) : Json(nullptr); }

double read_real(const Json& j) {
  if (j.is_number()) return j.get<double>();
  const auto text = j.get<std::string>();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  throw BadReport("'" + text + "' is not a number; accepted: a number, \"inf\", \"-inf\", \"nan\"");
}
std::optional<double> read_optional(const Json& j, const char* key) {
  const Json& v = j.at(key);
  if (v.is_null()) return std::nullopt;
  return read_real(v);
}

std::string hex64(std::uint64_t v) { return fmt::format("0x{:x}", v); }
std::uint64_t read_hex(const Json& j) {
  const auto text = j.get<std::string>();
  const char* digits = text.data() + (text.rfind("0x", 0) == 0 ? 2 : 0);
  const char* last = text.data() + text.size();
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(digits, last, v, 16);
  if (error != std::errc{} || end != last) throw BadReport("'" + text + "' is not a hex number");
  return v;
}

}  // namespace

static void to_json(Json& j, const Number& n) {
  j = {{"bits", n.bits}, {"hex", n.hex}, {"decimal", n.decimal}};
}
static void from_json(const Json& j, Number& n) {
  n = {j.at("bits"), j.at("hex"), j.at("decimal")};
}

static void to_json(Json& j, const Witness& w) {
  j["z"] = w.z;
  if (w.y) j["y"] = *w.y;
  j["got"] = w.got;
  j["expected"] = w.expected;
  j["true_value"] = w.true_value;
  j["error_ulps"] = real(w.error_ulps);
}
static void from_json(const Json& j, Witness& w) {
  w.z = j.at("z");
  if (j.contains("y")) w.y = j.at("y").get<Number>();
  w.got = j.at("got");
  w.expected = j.at("expected");
  w.true_value = j.at("true_value");
  w.error_ulps = read_optional(j, "error_ulps");
}

static void to_json(Json& j, const CategoryRow& c) {
  j = {{"category", c.category}, {"count", c.count}, {"first", c.first}};
}
static void from_json(const Json& j, CategoryRow& c) {
  c = {j.at("category"), j.at("count"), j.at("first").get<Witness>()};
}

template <class T>
static void put(Json& j, const char* key, const std::optional<T>& v) {
  if (v) j[key] = *v;
}
template <class T>
static void get(const Json& j, const char* key, std::optional<T>& v) {
  if (j.contains(key)) v = j.at(key).get<T>();
}

static void to_json(Json& j, const Statistics& s) {
  j["max_ulp"] = real(s.max_ulp);
  j["max_signed"] = real(s.max_signed);
  j["min_signed"] = real(s.min_signed);
  j["mean"] = real(s.mean);
  j["bias"] = real(s.bias);
  j["rms"] = real(s.rms);
  j["p50"] = real(s.p50);
  j["p90"] = real(s.p90);
  j["p99"] = real(s.p99);
  j["p999"] = real(s.p999);
  j["correctly_rounded"] = s.correctly_rounded;
  j["faithful"] = s.faithful;
  j["allclose_failures"] = s.allclose_failures;
  if (s.typical_logits)
    j["typical_logits"] = {{"mean", s.typical_logits->mean},
                           {"rms", s.typical_logits->rms},
                           {"correctly_rounded", s.typical_logits->correctly_rounded}};
}
static void from_json(const Json& j, Statistics& s) {
  s.max_ulp = read_optional(j, "max_ulp");
  s.max_signed = read_optional(j, "max_signed");
  s.min_signed = read_optional(j, "min_signed");
  s.mean = read_optional(j, "mean");
  s.bias = read_optional(j, "bias");
  s.rms = read_optional(j, "rms");
  s.p50 = read_optional(j, "p50");
  s.p90 = read_optional(j, "p90");
  s.p99 = read_optional(j, "p99");
  s.p999 = read_optional(j, "p999");
  s.correctly_rounded = j.at("correctly_rounded");
  s.faithful = j.at("faithful");
  s.allclose_failures = j.at("allclose_failures");
  if (j.contains("typical_logits")) {
    const Json& w = j.at("typical_logits");
    s.typical_logits = Statistics::Weighted{w.at("mean"), w.at("rms"), w.at("correctly_rounded")};
  }
}

/// Rows of [first z, last z (bits), first z, last z (decimal), points, max, min, mean, categories].
static void to_json(Json& j, const CurvePoint& c) {
  j = {c.first.bits, c.last.bits,  c.first.decimal, c.last.decimal, c.points,
       c.max_signed, c.min_signed, c.mean,          c.categories};
}
static void from_json(const Json& j, CurvePoint& c) {
  c.first = {j.at(0), "", j.at(2)};
  c.last = {j.at(1), "", j.at(3)};
  c.points = j.at(4);
  c.max_signed = j.at(5);
  c.min_signed = j.at(6);
  c.mean = j.at(7);
  c.categories = j.at(8);
}

static void to_json(Json& j, const Judged& x) {
  j = {{"fast", x.fast},
       {"final", x.final_judge},
       {"cross_checked", x.cross_checked},
       {"disagreements", x.disagreements}};
}
static void from_json(const Json& j, Judged& x) {
  x = {j.at("fast"), j.at("final"), j.at("cross_checked"), j.at("disagreements")};
}

static void to_json(Json& j, const Monotone& m) {
  j = {{"pairs", m.pairs}, {"violations", m.violations}};
  put(j, "lower", m.lower);
  put(j, "upper", m.upper);
}
static void from_json(const Json& j, Monotone& m) {
  m.pairs = j.at("pairs");
  m.violations = j.at("violations");
  get(j, "lower", m.lower);
  get(j, "upper", m.upper);
}

static void to_json(Json& j, const SearchSummary::Binade& b) {
  j = {{"first", b.first},
       {"last", b.last},
       {"points", b.points},
       {"max_ulp", b.max_ulp},
       {"at", b.at}};
  put(j, "y", b.y);
}
static void from_json(const Json& j, SearchSummary::Binade& b) {
  b.first = j.at("first");
  b.last = j.at("last");
  b.points = j.at("points");
  b.max_ulp = j.at("max_ulp");
  b.at = j.at("at");
  get(j, "y", b.y);
}
static void to_json(Json& j, const SearchSummary& s) {
  j = {{"binades", s.binades},
       {"least_points", s.least_points},
       {"most_points", s.most_points},
       {"worst", s.worst}};
}
static void from_json(const Json& j, SearchSummary& s) {
  s.binades = j.at("binades");
  s.least_points = j.at("least_points");
  s.most_points = j.at("most_points");
  s.worst = j.at("worst").get<std::vector<SearchSummary::Binade>>();
}

// --- raw sums ------------------------------------------------------------------------------------

static void to_json(Json& j, const Case& c) { j = {hex64(c.z), hex64(c.y), hex64(c.got)}; }
static void from_json(const Json& j, Case& c) {
  c = {read_hex(j.at(0)), read_hex(j.at(1)), read_hex(j.at(2))};
}
static void to_json(Json& j, const Counter& c) { j = {{"count", c.count}, {"first", c.first}}; }
static void from_json(const Json& j, Counter& c) { c = {j.at("count"), j.at("first").get<Case>()}; }
static void to_json(Json& j, const Extreme& e) { j = {{"error", e.error}, {"at", e.at}}; }
static void from_json(const Json& j, Extreme& e) {
  e = {true, j.at("error"), j.at("at").get<Case>()};
}

/// Rows of ordinals of the first and last input, points, largest error.
static Json search_json(const SearchedBinades& search) {
  Json rows = Json::array();
  for (const auto& [first, b] : search) {
    Json row = {hex64(first), hex64(b.last), b.points};
    if (b.max.set) row.push_back(b.max);
    rows.push_back(std::move(row));
  }
  return rows;
}
static SearchedBinades read_search(const Json& rows) {
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

static void to_json(Json& j, const InputsAsked& x) {
  j = {{"exhaustive", x.exhaustive}, {"points", x.points}, {"seed", x.seed}, {"plan", x.plan}};
}
static void from_json(const Json& j, InputsAsked& x) {
  x = {j.at("exhaustive"), j.at("points"), j.at("seed"), j.at("plan")};
}

static void to_json(Json& j, const Loss& l) {
  j = {{"kind", l.kind},     {"message", l.message}, {"batches", l.batches},
       {"points", l.points}, {"first", l.first},     {"length", l.length}};
}
static void from_json(const Json& j, Loss& l) {
  l = {j.at("kind"),   j.at("message"),           j.at("batches"),
       j.at("points"), j.at("first").get<Case>(), j.at("length")};
}

static void to_json(Json& j, const Tally& t) {
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
static void from_json(const Json& j, Tally& t) {
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
static Json curve_json(const Curve& curve) {
  Json rows = Json::array(), runs = Json::array();
  std::uint32_t next = 0;
  std::uint64_t points = 0;
  for (const auto& [bin, b] : curve) {
    if (!is_exact(b)) {
      rows.push_back({bin, b.points, b.correctly_rounded, b.max_signed, b.min_signed,
                      b.sum_abs.str(), b.sum_squares.str(), b.categories});
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
static Curve read_curve(const Json& j) {
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
  }
  return curve;
}

// --- the parts of the report
// -----------------------------------------------------------------------

static void to_json(Json& j, const Result& r) {
  j["implementation"] = r.implementation;
  j["op"] = r.op;
  j["dtype"] = r.dtype;
  j["region"] = r.region;
  j["evidence"] = r.evidence;
  if (!r.range.empty()) j["range"] = r.range;
  if (!r.labels.empty()) j["labels"] = r.labels;
  j["label_count"] = r.label_count;
  j["points"] = r.points;
  j["lost_points"] = r.lost_points;
  j["statistics"] = r.statistics;
  put(j, "max", r.max);
  put(j, "max_signed", r.max_signed);
  put(j, "min_signed", r.min_signed);
  j["categories"] = r.categories;
  put(j, "wrong_zero", r.wrong_zero);
  Json bins = Json::array();
  for (const auto& [upper, count] : r.histogram) bins.push_back({real(upper), count});
  j["histogram"] = bins;
  if (r.region == "all") {
    j["digest"] = r.digest;
    j["judged"] = r.judged;
    j["monotone"] = r.monotone;
    j["curve"] = r.curve;
    j["special_values"] = r.special_values;
    j["inputs"] = r.inputs;
    if (!r.losses.empty()) j["losses"] = r.losses;
    j["raw_curve"] = curve_json(r.raw_curve);
    put(j, "search", r.search);
    if (!r.raw_search.empty()) j["raw_search"] = search_json(r.raw_search);
  }
  j["raw"] = r.raw;
}
static void from_json(const Json& j, Result& r) {
  r.implementation = j.at("implementation");
  r.op = j.at("op");
  r.dtype = j.at("dtype");
  r.region = j.at("region");
  r.evidence = j.at("evidence");
  r.range = j.value("range", "");
  r.label_count = j.at("label_count");
  if (j.contains("labels")) r.labels = j.at("labels").get<std::vector<Number>>();
  r.points = j.at("points");
  r.lost_points = j.at("lost_points");
  r.statistics = j.at("statistics");
  get(j, "max", r.max);
  get(j, "max_signed", r.max_signed);
  get(j, "min_signed", r.min_signed);
  r.categories = j.at("categories").get<std::vector<CategoryRow>>();
  get(j, "wrong_zero", r.wrong_zero);
  for (const Json& b : j.at("histogram"))
    r.histogram.emplace_back(read_real(b.at(0)), b.at(1).get<std::uint64_t>());
  if (r.region == "all") {
    r.digest = j.at("digest");
    r.judged = j.at("judged");
    r.monotone = j.at("monotone");
    r.curve = j.at("curve").get<std::vector<CurvePoint>>();
    r.special_values = j.at("special_values").get<std::vector<Witness>>();
    r.inputs = j.at("inputs");
    if (j.contains("losses")) r.losses = j.at("losses").get<std::vector<Loss>>();
    r.raw_curve = read_curve(j.at("raw_curve"));
    get(j, "search", r.search);
    if (j.contains("raw_search")) r.raw_search = read_search(j.at("raw_search"));
  }
  r.raw = j.at("raw");
}

static void to_json(Json& j, const Finding& f) {
  j = {{"rule", f.rule},
       {"severity", f.severity == Severity::error ? "error" : "note"},
       {"implementation", f.implementation},
       {"op", f.op},
       {"dtype", f.dtype},
       {"region", f.region},
       {"message", f.message},
       {"count", f.count}};
  j["phase"] = f.phase;
  put(j, "witness", f.witness);
  if (f.witness_length != 0) {
    j["witness_length"] = f.witness_length;
    j["position"] = f.position;
    j["setting"] = f.setting;
  }
  put(j, "simplest", f.simplest);
  if (!f.expected_failure.empty()) j["expected_failure"] = f.expected_failure;
  j["replay"] = f.replay;
}
static void from_json(const Json& j, Finding& f) {
  f.rule = j.at("rule");
  const auto severity = j.at("severity").get<std::string>();
  if (severity != "error" && severity != "note")
    throw BadReport("unknown severity '" + severity + "'; accepted: error, note");
  f.severity = severity == "error" ? Severity::error : Severity::note;
  f.implementation = j.at("implementation");
  f.op = j.at("op");
  f.dtype = j.at("dtype");
  f.region = j.at("region");
  f.message = j.at("message");
  f.count = j.at("count");
  f.phase = j.at("phase");
  get(j, "witness", f.witness);
  f.witness_length = j.value("witness_length", std::uint64_t{0});
  f.position = j.value("position", std::uint64_t{0});
  f.setting = j.value("setting", "");
  get(j, "simplest", f.simplest);
  f.expected_failure = j.value("expected_failure", "");
  f.replay = j.at("replay");
}

static void to_json(Json& j, const Implementation& i) {
  j = {{"name", i.name},   {"plugin", i.plugin},        {"kernel", i.kernel},
       {"op", i.op},       {"formula", i.formula},      {"version", i.version},
       {"build", i.build}, {"requires", i.requirement}, {"dtypes", i.dtypes},
       {"tags", i.tags},   {"build_id", i.build_id},    {"unavailable", i.unavailable}};
  if (!i.given_path.empty()) j["given_path"] = i.given_path;
}
static void from_json(const Json& j, Implementation& i) {
  i.name = j.at("name");
  i.plugin = j.at("plugin");
  i.kernel = j.at("kernel");
  i.op = j.at("op");
  i.formula = j.at("formula");
  i.version = j.at("version");
  i.build = j.at("build");
  i.requirement = j.at("requires");
  i.dtypes = j.at("dtypes").get<std::vector<std::string>>();
  i.tags = j.at("tags").get<std::vector<std::string>>();
  i.build_id = j.at("build_id");
  i.unavailable = j.at("unavailable");
  i.given_path = j.value("given_path", "");
}

static void to_json(Json& j, const TextbookAnswer& t) {
  j = {{"id", t.id},           {"claim", t.claim}, {"verdict", t.verdict}, {"answer", t.answer},
       {"columns", t.columns}, {"rows", t.rows},   {"replay", t.replay}};
}
static void from_json(const Json& j, TextbookAnswer& t) {
  t.id = j.at("id");
  t.claim = j.at("claim");
  t.verdict = j.at("verdict");
  t.answer = j.at("answer");
  t.columns = j.at("columns").get<std::vector<std::string>>();
  t.rows = j.at("rows").get<std::vector<std::vector<std::string>>>();
  t.replay = j.at("replay");
}

static void to_json(Json& j, const Verdict& v) {
  j = {{"implementation", v.implementation},
       {"status", v.status},
       {"errors", v.errors},
       {"expected_failures", v.expected_failures},
       {"notes", v.notes}};
}
static void from_json(const Json& j, Verdict& v) {
  v = {j.at("implementation"), j.at("status"), j.at("errors"), j.at("expected_failures"),
       j.at("notes")};
}

static void to_json(Json& j, const Context& c) {
  j = {{"version", c.version},   {"commit", c.commit},   {"compiler", c.compiler},
       {"flags", c.flags},       {"libm", c.libm},       {"mpfr", c.mpfr},
       {"rounding", c.rounding}, {"ftz_daz", c.ftz_daz}, {"isa", c.isa},
       {"profile", c.profile},   {"seed", c.seed}};
  j["shard"] = {{"index", c.shard.index}, {"count", c.shard.count}};
}
static void from_json(const Json& j, Context& c) {
  c = {j.at("version"),  j.at("commit"),  j.at("compiler"),
       j.at("flags"),    j.at("libm"),    j.at("mpfr"),
       j.at("rounding"), j.at("ftz_daz"), j.at("isa"),
       j.at("profile"),  j.at("seed"),    {j.at("shard").at("index"), j.at("shard").at("count")}};
  if (c.shard.index >= c.shard.count)
    throw BadReport(fmt::format("no shard {} of {}", c.shard.index, c.shard.count));
}

static void to_json(Json& j, const ContractText& c) {
  j = {{"plugin", c.plugin}, {"text", c.text}};
}
static void from_json(const Json& j, ContractText& c) { c = {j.at("plugin"), j.at("text")}; }

static void to_json(Json& j, const Volatile& v) {
  j = {{"started", v.started},
       {"host", v.host},
       {"cpu", v.cpu},
       {"argv", v.argv},
       {"wall_seconds", v.wall_seconds},
       {"points_per_second", v.points_per_second},
       {"threads", v.threads},
       {"ended_early", v.ended_early}};
}
static void from_json(const Json& j, Volatile& v) {
  v.started = j.at("started");
  v.host = j.at("host");
  v.cpu = j.at("cpu");
  v.argv = j.at("argv").get<std::vector<std::string>>();
  v.wall_seconds = j.at("wall_seconds");
  v.points_per_second = j.at("points_per_second");
  v.threads = j.at("threads");
  v.ended_early = j.at("ended_early");
}

/// One line per member, one per element of a list: greppable, and a third of the size of an
/// indented text.
static std::string lines(const Json& j) {
  const auto compact = [](const Json& x) {
    return x.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string out = "{";
  const char* separator = "\n";
  for (const auto& [key, value] : j.items()) {
    out += separator + Json(key).dump() + ": ";
    separator = ",\n";
    if (!value.is_array() || value.empty()) {
      out += compact(value);
      continue;
    }
    out += "[";
    for (std::size_t i = 0; i < value.size(); ++i)
      out += (i == 0 ? "\n " : ",\n ") + compact(value[i]);
    out += "\n]";
  }
  return out + "\n}\n";
}

std::string to_json(const Report& r) {
  Json j;
  j["schema_version"] = fmt::format("{}.{}", kSchemaMajor, kSchemaMinor);
  j["context"] = r.context;
  j["volatile"] = r.run;
  j["implementations"] = r.implementations;
  j["contracts"] = r.contracts;
  j["results"] = r.results;
  j["findings"] = r.findings;
  j["benchmarks"] = Json::array();
  j["training"] = Json::array();
  j["textbook"] = r.textbook;
  j["verdicts"] = r.verdicts;
  return lines(j);
}

Report from_json(const std::string& text) {
  try {
    const auto j = parse_shallow<Json>(text);
    if (!j.is_object() || !j.contains("schema_version"))
      throw BadReport("no schema_version: this is not a report.json of ulpaudit");
    const auto version = j.at("schema_version").get<std::string>();
    if (version.substr(0, version.find('.')) != std::to_string(kSchemaMajor))
      throw BadReport(fmt::format("schema_version {} is not accepted; this ulpaudit reads {}.x",
                                  version, kSchemaMajor));
    Report r;
    r.context = j.at("context");
    r.run = j.at("volatile");
    r.implementations = j.at("implementations").get<std::vector<Implementation>>();
    r.contracts = j.at("contracts").get<std::vector<ContractText>>();
    r.results = j.at("results").get<std::vector<Result>>();
    r.findings = j.at("findings").get<std::vector<Finding>>();
    r.textbook = j.at("textbook").get<std::vector<TextbookAnswer>>();
    r.verdicts = j.at("verdicts").get<std::vector<Verdict>>();
    return r;
  } catch (const nlohmann::json::exception& e) {
    throw BadReport(e.what());
  } catch (const std::out_of_range& e) {
    throw BadReport(e.what());
  }
}

void write_file(const std::string& path, const std::string& content) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  const auto fail = [&](const char* doing) {
    const std::string reason = std::strerror(errno);
    ::unlink(temporary.c_str());
    throw std::runtime_error(fmt::format("cannot {} '{}': {}", doing, path, reason));
  };
  {
    std::ofstream out(temporary, std::ios::binary);
    if (!out) fail("write");
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    if (!out) fail("write");
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail("replace");
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  if (in) content << in.rdbuf();
  if (!in)
    throw std::runtime_error(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  return content.str();
}

}  // namespace ulpaudit
