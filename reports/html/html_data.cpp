// What the page's script draws: curves, histograms, region borders, benchmarks.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>

#include "fp/text.hpp"
#include "ops/op.hpp"
#include "reports/html/html_sections.hpp"
#include "reports/text.hpp"
#include "reports/training_view.hpp"
#include "reports/view.hpp"

namespace ulpaudit::html {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelsWithBorders = 16;

/// The digits that the page shows (page.js: three; six beside ½ and 1) and one more where that is
/// less, in half the bytes of all.
Json rounded(double v) {
  if (!std::isfinite(v)) return nullptr;
  const double a = std::fabs(v);
  const bool fine = std::fabs(a - 0.5) < 0.01 || std::fabs(a - 1) < 0.01;
  const double r = std::strtod(fmt::format("{:.{}g}", v, fine ? 6 : 4).c_str(), nullptr);
  if (r == std::trunc(r) && std::fabs(r) < 1e9) return static_cast<std::int64_t>(r);
  return r;
}

/// Where the bins of curves lie, [first bits, last bits, first z, last z] each: the same of many
/// results, and most of a page's bytes if each had its own.
class Lines {
 public:
  std::size_t id(const std::vector<CurvePoint>& curve) {
    Json rows = Json::array();
    for (const CurvePoint& c : curve)
      rows.push_back({printable(c.first.bits), printable(c.last.bits), printable(c.first.decimal),
                      printable(c.last.decimal)});
    const auto [at, added] = ids_.try_emplace(rows.dump(), ids_.size());
    if (added) all_.push_back(std::move(rows));
    return at->second;
  }
  const Json& all() const { return all_; }

 private:
  std::map<std::string, std::size_t> ids_;
  Json all_ = Json::array();
};

/// Rows: [points, largest, smallest error, mean, categories if any] of each bin of the line.
Json curve_of(const Result& r, Lines& lines) {
  Json rows = Json::array();
  for (const CurvePoint& c : r.curve) {
    rows.push_back({c.points, rounded(c.max_signed), rounded(c.min_signed), rounded(c.mean)});
    if (c.categories > 0) rows.back().push_back(c.categories);
  }
  return {{"line", lines.id(r.curve)}, {"rows", rows}};
}

/// The upper borders of histograms' bins, the same of many results.
class Borders {
 public:
  /// [border's place, count]
  Json rows(const Result& r) {
    Json rows = Json::array();
    for (const auto& [upper, count] : r.histogram) {
      Json border = rounded(upper);
      const auto [at, added] = ids_.try_emplace(border.dump(), ids_.size());
      if (added) all_.push_back(std::move(border));
      rows.push_back({at->second, count});
    }
    return rows;
  }
  const Json& all() const { return all_; }

 private:
  std::map<std::string, std::size_t> ids_;
  Json all_ = Json::array();
};

Json chart(const Result& r, Lines& lines, Borders& bins) {
  Json j = {{"implementation", printable(r.implementation)},
            {"op", printable(r.op)},
            {"dtype", printable(r.dtype)},
            {"points", r.points},
            {"curve", curve_of(r, lines)},
            {"histogram", bins.rows(r)}};
  if (r.max)
    j["max"] = {{"z", printable(r.max->z.bits)},
                {"error", r.max->error_ulps ? rounded(*r.max->error_ulps) : Json(nullptr)}};
  return j;
}

Json spans_of(OpId op, Dtype d, Bits y) {
  Json spans = Json::array();
  for (const RegionSpan& s : region_spans(op, d, y))
    spans.push_back({bits_text(d, from_ordinal(d, s.first)), bits_text(d, from_ordinal(d, s.last)),
                     name(s.region)});
  return spans;
}

/// Region borders, a definition of the op (ops/op.hpp), per label.
Json borders(const Result& r) {
  Json out = Json::array();
  const auto op = op_from_name(r.op);
  const auto d = dtype_from_name(r.dtype);
  if (!op || !d) return out;
  if (info(*op).arity == 1) {
    out.push_back({{"label", ""}, {"spans", spans_of(*op, *d, 0)}});
    return out;
  }
  for (std::size_t i = 0; i < std::min(r.labels.size(), kLabelsWithBorders); ++i) {
    const Number& label = r.labels[i];
    try {
      const Bits y = parse_number(*d, label.bits);
      if (in_domain(*op, *d, y))
        out.push_back({{"label", printable(label.decimal)}, {"spans", spans_of(*op, *d, y)}});
    } catch (const std::invalid_argument&) {  // no number of the dtype: it has no borders
    }
  }
  return out;
}

/// Points of the accuracy-against-speed plot and bars of throughput; plain copies are no kernels.
Json benchmark_rows(const Report& report) {
  Json rows = Json::array();
  for (const Benchmark& b : report.benchmarks) {
    if (b.op.empty() || !b.failure.empty()) continue;
    Json row = {{"implementation", printable(b.implementation)},
                {"op", printable(b.op)},
                {"dtype", printable(b.dtype)},
                {"inputs", printable(b.inputs)},
                {"level", printable(b.level)},
                {"median", rounded(b.median)},
                {"low", rounded(b.low)},
                {"high", rounded(b.high)},
                {"repetitions", Json::array()}};
    for (double ns : b.ns) row["repetitions"].push_back(rounded(ns));
    if (b.noisy) row["noisy"] = true;
    if (b.to_copy) row["to_copy"] = rounded(*b.to_copy);
    if (b.to_naive) row["to_naive"] = rounded(*b.to_naive);
    const Result* total = find_total(report, b.implementation, b.dtype);
    const bool measured = total && total->statistics.max_ulp;
    row["error"] = measured ? rounded(*total->statistics.max_ulp) : Json(nullptr);
    rows.push_back(row);
  }
  return rows;
}

Json norms(const std::vector<Training::Layer>& layers, double Training::Layer::*which) {
  Json out = Json::array();
  for (const Training::Layer& l : layers) out.push_back(rounded(l.*which));
  return out;
}

/// [step, loss]
Json losses(const Training& t, double Training::CurvePoint::*which) {
  Json out = Json::array();
  for (const Training::CurvePoint& p : t.curve) out.push_back({p.step, rounded(p.*which)});
  return out;
}

/// Loss curves and gradient norms of a group, the reference's first.
Json lesson(const TrainingGroup& g) {
  const Training* longest = g.runs.front();
  for (const Training* t : g.runs)
    if (t->curve.size() > longest->curve.size()) longest = t;
  Json j = {
      {"title", training_title(*longest)}, {"layers", Json::array()}, {"runs", Json::array()}};
  for (const Training::Layer& l : longest->layers) j["layers"].push_back(printable(l.name));
  j["runs"].push_back({{"name", "reference"},
                       {"losses", losses(*longest, &Training::CurvePoint::reference)},
                       {"first", norms(longest->layers, &Training::Layer::reference_first)},
                       {"last", norms(longest->layers, &Training::Layer::reference_last)}});
  for (const Training* t : g.runs)
    j["runs"].push_back({{"name", printable(t->implementation + " " + t->dtype)},
                         {"losses", losses(*t, &Training::CurvePoint::loss)},
                         {"first", norms(t->layers, &Training::Layer::first)},
                         {"last", norms(t->layers, &Training::Layer::last)}});
  return j;
}

}  // namespace

std::string data(const Report& report, const Report* before) {
  Json j;
  Lines lines;
  Borders bins;
  j["charts"] = Json::object();
  j["regions"] = Json::object();
  for (const Result& r : report.results) {
    if (r.region != "all") continue;
    Json& c = j["charts"][anchor(report, r)] = chart(r, lines, bins);
    if (const Result* old = before ? before_of(*before, r) : nullptr)
      c["before"] = curve_of(*old, lines);
    const std::string key = printable(r.op) + " " + printable(r.dtype);
    if (!j["regions"].contains(key)) j["regions"][key] = borders(r);
  }
  j["lines"] = lines.all();
  j["bins"] = bins.all();
  j["benchmarks"] = benchmark_rows(report);
  j["training"] = Json::array();
  for (const TrainingGroup& g : training_groups(report)) j["training"].push_back(lesson(g));
  std::string out;
  for (char c : j.dump()) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

}  // namespace ulpaudit::html
