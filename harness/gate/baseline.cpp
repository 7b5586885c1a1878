// Baselines: made of a report, written, read.
// SPDX-License-Identifier: Apache-2.0
#include "gate/baseline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "record/fnv.hpp"
#include "record/json_values.hpp"

namespace ulpaudit {
namespace {

constexpr int kVersion = 1;
constexpr char kChecksum[] = ",\n\"checksum\": \"";

Json row_json(const BaselineRow& r) {
  Json j = {{"implementation", r.implementation},
            {"op", r.op},
            {"dtype", r.dtype},
            {"region", r.region},
            {"evidence", r.evidence},
            {"plan", r.plan},
            {"points", r.points},
            {"correctly_rounded", r.correctly_rounded},
            {"monotone_violations", r.monotone_violations},
            {"max_ulp", real(r.max_ulp)},
            {"categories", r.categories}};
  put(j, "max", r.max);
  if (!r.digest.empty()) j["digest"] = r.digest;
  return j;
}

BaselineRow read_row(const Json& j) {
  BaselineRow r;
  r.implementation = j.at("implementation");
  r.op = j.at("op");
  r.dtype = j.at("dtype");
  r.region = j.at("region");
  r.evidence = j.at("evidence");
  r.plan = j.at("plan");
  r.points = j.at("points");
  r.correctly_rounded = j.at("correctly_rounded");
  r.monotone_violations = j.at("monotone_violations");
  r.max_ulp = read_optional(j, "max_ulp");
  get(j, "max", r.max);
  for (const auto& [name, count] : j.at("categories").items())
    r.categories[name] = count.get<std::uint64_t>();
  r.digest = j.value("digest", "");
  return r;
}

}  // namespace

std::string class_of(const Context& c) {
  std::string name = fmt::format("{}_{}_{}_{:08x}", c.isa, c.libm, c.compiler,
                                 static_cast<std::uint32_t>(fnv1a(c.flags)));
  for (char& ch : name) {
    const auto u = static_cast<unsigned char>(ch);
    if (std::isalnum(u) == 0 && ch != '.' && ch != '_') ch = '-';
    ch = static_cast<char>(std::tolower(static_cast<unsigned char>(ch)));
  }
  return name;
}

Baseline make_baseline(const Report& report) {
  Baseline b;
  b.class_name = class_of(report.context);
  b.cpu = report.run.cpu;
  b.commit = report.context.commit;
  b.profile = report.context.profile;
  b.seed = report.context.seed;
  b.properties = report.properties;
  for (const Verdict& v : report.verdicts)
    if (!v.unfinished.empty()) b.incomplete.push_back(v.implementation);
  std::sort(b.incomplete.begin(), b.incomplete.end());
  for (const Result& r : report.results) {
    BaselineRow row;
    row.implementation = r.implementation;
    row.op = r.op;
    row.dtype = r.dtype;
    row.region = r.region;
    row.evidence = r.evidence;
    row.plan = r.inputs.plan;
    row.points = r.points;
    row.correctly_rounded = r.raw.correctly_rounded;
    row.monotone_violations = r.monotone.violations;
    row.max_ulp = r.statistics.max_ulp;
    row.max = r.max;
    for (const CategoryRow& c : r.categories) row.categories[c.category] = c.count;
    row.digest = r.digest;
    b.rows.push_back(std::move(row));
  }
  for (const Finding& f : report.findings)
    if (f.phase == "check") b.breaches.push_back({f.implementation, f.dtype, f.rule});
  std::sort(b.breaches.begin(), b.breaches.end());
  b.breaches.erase(std::unique(b.breaches.begin(), b.breaches.end()), b.breaches.end());
  for (const Benchmark& x : report.benchmarks)
    if (x.inputs == "typical" && x.level == "L1" && x.failure.empty()) b.benchmarks.push_back(x);
  return b;
}

std::string to_json(const Baseline& b) {
  Json j;
  j["baseline_version"] = kVersion;
  j["class"] = b.class_name;
  j["cpu"] = b.cpu;
  j["commit"] = b.commit;
  j["profile"] = b.profile;
  j["seed"] = b.seed;
  j["properties"] = b.properties;
  if (!b.incomplete.empty()) j["incomplete"] = b.incomplete;
  j["updates"] = Json::array();
  for (const Update& u : b.updates)
    j["updates"].push_back(
        {{"date", u.date}, {"commit", u.commit}, {"reason", u.reason}, {"changes", u.changes}});
  j["rows"] = Json::array();
  for (const BaselineRow& r : b.rows) j["rows"].push_back(row_json(r));
  j["breaches"] = Json::array();
  for (const KnownBreach& k : b.breaches)
    j["breaches"].push_back(
        {{"implementation", k.implementation}, {"dtype", k.dtype}, {"rule", k.rule}});
  j["benchmarks"] = b.benchmarks;
  std::string text = json_lines(j);
  text.resize(text.size() - std::string_view("\n}\n").size());
  return with_checksum(text + kChecksum);
}

std::string with_checksum(const std::string& text) {
  const std::size_t end = text.rfind(kChecksum);
  if (end == text.npos) return text;
  const std::string body = text.substr(0, end);
  return fmt::format("{}{}{:016x}\"\n}}\n", body, kChecksum, fnv1a(body));
}

Baseline baseline_from_json(const std::string& text) {
  try {
    const auto j = parse_shallow<Json>(text);
    if (!j.is_object() || !j.contains("baseline_version"))
      throw BadBaseline("no baseline_version: this is not a baseline of ulpaudit");
    if (j.at("baseline_version").get<int>() != kVersion)
      throw BadBaseline(fmt::format("baseline_version {} is not accepted; this ulpaudit reads {}",
                                    j.at("baseline_version").get<int>(), kVersion));
    const std::size_t end = text.rfind(kChecksum);
    if (end == text.npos ||
        j.at("checksum").get<std::string>() != fmt::format("{:016x}", fnv1a(text.substr(0, end))))
      throw BadBaseline(
          "its checksum does not fit its content: it was changed by hand, or badly merged; "
          "`ulpaudit gate REPORT --baseline FILE --update --reason TEXT` makes a new one");
    Baseline b;
    b.class_name = j.at("class");
    b.cpu = j.at("cpu");
    b.commit = j.at("commit");
    b.profile = j.at("profile");
    b.seed = j.at("seed");
    b.properties = j.at("properties");
    // Baselines of older versions have no such list.
    b.incomplete = j.value("incomplete", std::vector<std::string>());
    for (const Json& u : j.at("updates"))
      b.updates.push_back({u.at("date"), u.at("commit"), u.at("reason"),
                           u.at("changes").get<std::vector<std::string>>()});
    for (const Json& r : j.at("rows")) b.rows.push_back(read_row(r));
    for (const Json& k : j.at("breaches"))
      b.breaches.push_back({k.at("implementation"), k.at("dtype"), k.at("rule")});
    b.benchmarks = j.at("benchmarks").get<std::vector<Benchmark>>();
    return b;
  } catch (const nlohmann::json::exception& e) {
    throw BadBaseline(e.what());
  } catch (const BadReport& e) {
    throw BadBaseline(e.what());
  } catch (const std::out_of_range& e) {
    throw BadBaseline(e.what());
  }
}

}  // namespace ulpaudit
