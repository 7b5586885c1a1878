// Results in report.json.
// SPDX-License-Identifier: Apache-2.0
#include "record/json_values.hpp"

namespace ulpaudit {

static void to_json(Json& j, const CategoryRow& c) {
  j = {{"category", c.category}, {"count", c.count}, {"first", c.first}, {"last", c.last}};
}
static void from_json(const Json& j, CategoryRow& c) {
  c = {j.at("category"), j.at("count"), j.at("first").get<Witness>(), j.at("last").get<Number>()};
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
  if (!s.typical_logits) return;
  Json& w = j["typical_logits"];
  w = {{"mean", s.typical_logits->mean},
       {"rms", s.typical_logits->rms},
       {"correctly_rounded", s.typical_logits->correctly_rounded}};
  if (s.typical_logits->bias) w["bias"] = *s.typical_logits->bias;
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
    s.typical_logits =
        Statistics::Weighted{w.at("mean"), w.at("rms"), w.at("correctly_rounded"),
                             w.contains("bias") ? read_optional(w, "bias") : std::nullopt};
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
  put(j, "last", m.last);
}
static void from_json(const Json& j, Monotone& m) {
  m.pairs = j.at("pairs");
  m.violations = j.at("violations");
  get(j, "lower", m.lower);
  get(j, "upper", m.upper);
  get(j, "last", m.last);
}

static void to_json(Json& j, const Reversal& r) {
  j = {{"first", r.first},
       {"last", r.last},
       {"steps", r.steps},
       {"against", r.against},
       {"rises", r.rises}};
}
static void from_json(const Json& j, Reversal& r) {
  r.first = j.at("first").get<Witness>();
  r.last = j.at("last").get<Witness>();
  r.steps = j.at("steps");
  r.against = j.at("against");
  r.rises = j.at("rises");
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

void to_json(Json& j, const Result& r) {
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
  put(j, "reversed", r.reversed);
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
void from_json(const Json& j, Result& r) {
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
  get(j, "reversed", r.reversed);
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

}  // namespace ulpaudit
