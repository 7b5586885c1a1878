// Training runs in report.json, both ways.
// SPDX-License-Identifier: Apache-2.0
#include "record/json_values.hpp"

namespace ulpaudit {
namespace {

void put_real(Json& j, const char* key, const std::optional<double>& v) {
  if (v) j[key] = real(*v);
}
void get_real(const Json& j, const char* key, std::optional<double>& v) {
  if (j.contains(key)) v = read_real(j.at(key));
}

Json lost_json(const Training::Lost& l) {
  Json j = {{"results", l.results}, {"zero", l.zero}, {"digits", l.digits}};
  put_real(j, "zero_from", l.zero_from);
  put_real(j, "digits_from", l.digits_from);
  return j;
}
Training::Lost read_lost(const Json& j) {
  Training::Lost l = {j.at("results"), j.at("zero"), j.at("digits"), {}, {}};
  get_real(j, "zero_from", l.zero_from);
  get_real(j, "digits_from", l.digits_from);
  return l;
}

Json quality_json(const Training::Quality& q) {
  return {{"loss", real(q.loss)},
          {"accuracy", q.accuracy},
          {"f1", q.f1},
          {"brier", real(q.brier)},
          {"calibration_error", real(q.calibration_error)}};
}
Training::Quality read_quality(const Json& j) {
  return {read_real(j.at("loss")), j.at("accuracy"), j.at("f1"), read_real(j.at("brier")),
          read_real(j.at("calibration_error"))};
}

Json curve_rows(const std::vector<Training::CurvePoint>& curve) {
  Json rows = Json::array();
  for (const auto& p : curve) rows.push_back({p.step, real(p.loss), real(p.reference)});
  return rows;
}

Json layer_rows(const std::vector<Training::Layer>& layers) {
  Json rows = Json::array();
  for (const auto& l : layers)
    rows.push_back({{"name", l.name},
                    {"first", real(l.first)},
                    {"last", real(l.last)},
                    {"reference_first", real(l.reference_first)},
                    {"reference_last", real(l.reference_last)}});
  return rows;
}

}  // namespace

void to_json(Json& j, const Training& t) {
  j = {{"network", t.network}, {"data", t.data},
       {"path", t.path},       {"implementation", t.implementation},
       {"dtype", t.dtype},     {"kernels", t.kernels},
       {"missing", t.missing}, {"depth", t.depth},
       {"steps", t.steps},     {"batch", t.batch},
       {"seed", t.seed},       {"learning_rate", t.learning_rate},
       {"outcome", t.outcome}, {"verdict", t.verdict}};
  if (t.loss_scale != 0) {
    j["loss_scale"] = real(t.loss_scale);
    j["skipped_steps"] = t.skipped_steps;
  }
  if (!t.failure.empty()) j["failure"] = t.failure;
  put(j, "outcome_step", t.outcome_step);
  if (!t.where.empty()) j["where"] = t.where;
  put_real(j, "drift", t.drift);
  put_real(j, "drift_of_exact", t.drift_of_exact);
  put_real(j, "weights_distance", t.weights_distance);
  j["losses"] = lost_json(t.losses);
  j["gradients"] = lost_json(t.gradients);
  j["derivatives"] = lost_json(t.derivatives);
  if (t.quality) j["quality"] = quality_json(*t.quality);
  if (t.reference) j["reference"] = quality_json(*t.reference);
  j["decisions"] = t.decisions;
  j["differing_decisions"] = t.differing_decisions;
  put(j, "steps_to_target", t.steps_to_target);
  put(j, "reference_steps_to_target", t.reference_steps_to_target);
  j["layers"] = layer_rows(t.layers);
  j["curve"] = curve_rows(t.curve);
  j["replay"] = t.replay;
}

void from_json(const Json& j, Training& t) {
  t.network = j.at("network");
  t.data = j.at("data");
  t.path = j.at("path");
  t.implementation = j.at("implementation");
  t.dtype = j.at("dtype");
  t.kernels = j.at("kernels").get<std::vector<std::string>>();
  t.missing = j.at("missing").get<std::vector<std::string>>();
  t.depth = j.at("depth");
  t.steps = j.at("steps");
  t.batch = j.at("batch");
  t.seed = j.at("seed");
  t.learning_rate = j.at("learning_rate");
  if (j.contains("loss_scale")) {
    t.loss_scale = read_real(j.at("loss_scale"));
    t.skipped_steps = j.at("skipped_steps");
  }
  t.outcome = j.at("outcome");
  t.verdict = j.at("verdict");
  t.failure = j.value("failure", "");
  get(j, "outcome_step", t.outcome_step);
  t.where = j.value("where", "");
  get_real(j, "drift", t.drift);
  get_real(j, "drift_of_exact", t.drift_of_exact);
  get_real(j, "weights_distance", t.weights_distance);
  t.losses = read_lost(j.at("losses"));
  t.gradients = read_lost(j.at("gradients"));
  t.derivatives = read_lost(j.at("derivatives"));
  if (j.contains("quality")) t.quality = read_quality(j.at("quality"));
  if (j.contains("reference")) t.reference = read_quality(j.at("reference"));
  t.decisions = j.at("decisions");
  t.differing_decisions = j.at("differing_decisions");
  get(j, "steps_to_target", t.steps_to_target);
  get(j, "reference_steps_to_target", t.reference_steps_to_target);
  for (const Json& l : j.at("layers"))
    t.layers.push_back({l.at("name"), read_real(l.at("first")), read_real(l.at("last")),
                        read_real(l.at("reference_first")), read_real(l.at("reference_last"))});
  for (const Json& p : j.at("curve"))
    t.curve.push_back({p.at(0), read_real(p.at(1)), read_real(p.at(2))});
  t.replay = j.at("replay");
}

}  // namespace ulpaudit
