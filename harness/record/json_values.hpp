// How values, witnesses, raw sums and results are written in report.json and read again: shared by
// the files json*.cpp alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "fp/exact_json.hpp"
#include "record/json.hpp"

namespace ulpaudit {

using Json = ExactJson<nlohmann::ordered_map>;

/// JSON has no infinities: they are the strings "inf" and "-inf".
inline Json real(double v) {
  if (std::isfinite(v)) return v;
  return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
}
inline Json real(const std::optional<double>& v) { return v ? real(*v) : Json(nullptr); }

inline double read_real(const Json& j) {
  if (j.is_number()) return j.get<double>();
  const auto text = j.get<std::string>();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  throw BadReport("'" + text + "' is not a number; accepted: a number, \"inf\", \"-inf\", \"nan\"");
}
inline std::optional<double> read_optional(const Json& j, const char* key) {
  const Json& v = j.at(key);
  if (v.is_null()) return std::nullopt;
  return read_real(v);
}

inline std::string hex64(std::uint64_t v) { return fmt::format("0x{:x}", v); }
inline std::uint64_t read_hex(const Json& j) {
  const auto text = j.get<std::string>();
  const char* digits = text.data() + (text.rfind("0x", 0) == 0 ? 2 : 0);
  const char* last = text.data() + text.size();
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(digits, last, v, 16);
  if (error != std::errc{} || end != last) throw BadReport("'" + text + "' is not a hex number");
  return v;
}

inline void to_json(Json& j, const Number& n) {
  j = {{"bits", n.bits}, {"hex", n.hex}, {"decimal", n.decimal}};
}
inline void from_json(const Json& j, Number& n) {
  n = {j.at("bits"), j.at("hex"), j.at("decimal")};
}

inline void to_json(Json& j, const Witness& w) {
  j["z"] = w.z;
  if (w.y) j["y"] = *w.y;
  j["got"] = w.got;
  j["expected"] = w.expected;
  j["true_value"] = w.true_value;
  j["error_ulps"] = real(w.error_ulps);
}
inline void from_json(const Json& j, Witness& w) {
  w.z = j.at("z");
  if (j.contains("y")) w.y = j.at("y").get<Number>();
  w.got = j.at("got");
  w.expected = j.at("expected");
  w.true_value = j.at("true_value");
  w.error_ulps = read_optional(j, "error_ulps");
}

/// One line per member, one per element of a list: greppable, and a third of the size of an
/// indented text.
std::string json_lines(const Json& j);  // json.cpp

template <class T>
void put(Json& j, const char* key, const std::optional<T>& v) {
  if (v) j[key] = *v;
}
template <class T>
void get(const Json& j, const char* key, std::optional<T>& v) {
  if (j.contains(key)) v = j.at(key).get<T>();
}

// json_raw.cpp
void to_json(Json& j, const InputsAsked& x);
void from_json(const Json& j, InputsAsked& x);
void to_json(Json& j, const Loss& l);
void from_json(const Json& j, Loss& l);
void to_json(Json& j, const Tally& t);
void from_json(const Json& j, Tally& t);
Json curve_json(const Curve& curve);
Curve read_curve(const Json& j);
Json search_json(const SearchedBinades& search);
SearchedBinades read_search(const Json& rows);

// json.cpp
void to_json(Json& j, const Benchmark& b);
void from_json(const Json& j, Benchmark& b);

// json_results.cpp
void to_json(Json& j, const Result& r);
void from_json(const Json& j, Result& r);

// json_training.cpp
void to_json(Json& j, const Training& t);
void from_json(const Json& j, Training& t);

}  // namespace ulpaudit
