// A small report made by hand, with one of everything that a renderer must cope with: an error, an
// expected failure, an unavailable implementation, absent figures, and names that mean harm.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <string>

#include "fp/text.hpp"
#include "record/report.hpp"

namespace ulpaudit::sample {

inline const std::string kHostile = "<script>|x/`a`,\"b\"\n**c** \x1b[31m\\|";

inline Number num(Dtype d, const std::string& text) { return number(d, parse_number(d, text)); }

inline Witness witness(Dtype d, const std::string& z, const std::string& got,
                       const std::string& expected, const std::string& true_value,
                       std::optional<double> error = std::nullopt) {
  Witness w;
  w.z = num(d, z);
  w.got = num(d, got);
  w.expected = num(d, expected);
  w.true_value = true_value;
  w.error_ulps = error;
  return w;
}

/// naive/sigmoid in f16: exhaustive, fails as expected.
inline Result naive_f16() {
  const Dtype d = Dtype::f16;
  Result r;
  r.implementation = "naive/sigmoid";
  r.op = "sigmoid";
  r.dtype = "f16";
  r.region = "all";
  r.evidence = "exhaustive";
  r.points = 65536;
  Statistics& s = r.statistics;
  s.max_ulp = 252.00000095367432;
  s.max_signed = 0.75;
  s.min_signed = -252.00000095367432;
  s.mean = 0.125;
  s.bias = -0.0625;
  s.rms = 3.5;
  s.p50 = 0;
  s.p90 = 0.5;
  s.p99 = 1.125;
  s.p999 = std::numeric_limits<double>::infinity();
  s.correctly_rounded = 65535.0 / 65536;
  s.faithful = 0.9912;
  s.allclose_failures = 1234;
  s.typical_logits = Statistics::Weighted{0.25, 0.5, 0.875};
  r.max = witness(d, "-11.0938", "0", "1.5e-05", "0.00001520624733019", -252.00000095367432);
  r.max_signed = witness(d, "0.5", "0.6226", "0.622", "0.6224593312018546", 0.75);
  r.min_signed = r.max;
  r.categories = {{"flushed", 1998, *r.max, num(d, "-9.0625")}};
  r.wrong_zero = CategoryRow{"wrong_zero", 12, witness(d, "-30", "-0", "0", "9.357622968840e-14"),
                             num(d, "-18.5")};
  r.histogram = {{0.5, 63000}, {1, 538}};
  const auto brief = [](const char* bits, const char* decimal) {
    return Number{bits, "", decimal};
  };
  r.curve = {
      {brief("0xfc00", "-inf"), brief("0xcc00", "-16"), 13313, 0, -0.5, 0.125, 1998},
      {brief("0xcbff", "-15.99"), brief("0x3c00", "1"), 40000, 0.75, -252.00000095367432, 2, 0},
      {brief("0x3c01", "1.001"), brief("0x7c00", "inf"), 12223, 0.5, -0.25, 0.0625, 0}};
  r.digest = "0123456789abcdef";
  r.judged = {65000, 536, 700, 0};
  r.monotone = {63487, 1, witness(d, "1", "0.7314", "0.731", "0.7310585786300049"),
                witness(d, "1.001", "0.731", "0.7314", "0.7312505"), num(d, "1")};
  r.special_values = {witness(d, "-inf", "0", "0", "0", 0.0),
                      witness(d, "-0", "0.5", "0.5", "0.5", 0.0),
                      witness(d, "inf", "nan", "1", "1"), witness(d, "nan", "-nan", "nan", "nan")};
  return r;
}

/// A region of naive_f16 in which every point is a category: no statistics at all.
inline Result naive_f16_subnormal() {
  Result r = naive_f16();
  Result out;
  out.implementation = r.implementation;
  out.op = r.op;
  out.dtype = r.dtype;
  out.region = "subnormal";
  out.evidence = r.evidence;
  out.points = 1998;
  out.categories = r.categories;
  return out;
}

/// An implementation with a hostile name, sampled, two arguments, an error.
inline Result hostile_f64() {
  const Dtype d = Dtype::f64;
  Result r;
  r.implementation = kHostile;
  r.op = "bce_with_logits";
  r.dtype = "f64";
  r.region = "all";
  r.evidence = "sampled";
  r.labels = {num(d, "0"), num(d, "0.1"), num(d, "1")};
  r.label_count = 3;
  r.range = "-1000:1000";
  r.points = 12000000;
  r.lost_points = 262144;
  r.statistics.max_ulp = 1e300;
  r.statistics.max_signed = 0.5000005;
  r.statistics.min_signed = -1e300;
  r.statistics.mean = 1e18;
  r.statistics.p999 = kErrorCap;
  r.statistics.correctly_rounded = 0.00001;
  r.statistics.faithful = 1;
  r.max = witness(d, "-2.2250738585072014e-308", "-0", "0.6931471805599453",
                  "0.6931471805599453094172321", -1e300);
  r.max->y = num(d, "0.1");
  Witness nan = witness(d, "1000", "nan", "900", "900.0000000000000");
  nan.y = num(d, "0.1");
  r.categories = {{"new_nan", 3456789, nan, num(d, "1e300")}, {"wrong_sign", 1, *r.max, r.max->z}};
  r.digest = "fedcba9876543210";
  r.judged = {11999000, 1000, 12000, 2};
  r.special_values = {nan};
  return r;
}

inline std::vector<Finding> findings() {
  Finding error;
  error.rule = "value.new_nan";
  error.severity = Severity::error;
  error.implementation = kHostile;
  error.op = "bce_with_logits";
  error.dtype = "f64";
  error.region = "large";
  error.message = "got nan, expected 900 <b>| at once";
  error.count = 3456789;
  error.range = {num(Dtype::f64, "-0x1p1000"), num(Dtype::f64, "1e300")};
  error.witness = hostile_f64().special_values[0];
  error.replay = "./run eval --op bce_with_logits --dtype f64 -- 1000 0.1";
  Finding expected = error;
  expected.rule = "value.flushed";
  expected.implementation = "naive/sigmoid";
  expected.op = "sigmoid";
  expected.dtype = "f16";
  expected.region = "subnormal";
  expected.message = "got 0, expected 1.5e-05";
  expected.count = 1998;
  expected.range = {num(Dtype::f16, "-11.09"), num(Dtype::f16, "-9.0625")};
  expected.witness = naive_f16().max;
  expected.expected_failure = "exp(-z) overflows before the result does";
  expected.replay = "./run eval --op sigmoid --dtype f16 -- -11.0938";
  Finding note;
  note.rule = "sign.zero";
  note.severity = Severity::note;
  note.implementation = "naive/sigmoid";
  note.op = "sigmoid";
  note.dtype = "f16";
  note.region = "all";
  note.message = "got -0, expected 0";
  note.count = 12;
  return {note, expected, error};
}

inline std::vector<Implementation> implementations() {
  Implementation naive;
  naive.name = "naive/sigmoid";
  naive.plugin = "naive";
  naive.kernel = "sigmoid";
  naive.op = "sigmoid";
  naive.formula = "1/(1+exp(-z))";
  naive.version = "0.1.0";
  naive.dtypes = {"f16", "f32"};
  naive.tags = {"deterministic", "elementwise"};
  naive.path = "plugins/naive.so";
  naive.build_id = "00ff00ff";
  Implementation hostile = naive;
  hostile.name = kHostile;
  hostile.op = "bce_with_logits";
  hostile.formula = "max(z,0) - z*y + log1p(exp(-|z|))";
  Implementation gpu = naive;
  gpu.name = "gpu/sigmoid";
  gpu.requirement = "CUDA";
  gpu.unavailable = "no CUDA device | <none>";
  Implementation cut = naive;
  cut.name = "mine/cut";
  cut.dtypes = {"f32"};
  Implementation free = naive;
  free.name = "mine/free";
  free.dtypes = {"f16"};
  return {naive, hostile, gpu, cut, free};
}

inline Report report() {
  Report r;
  r.context = {"0.1.0",      "abc1234", "g++ 12.2.0", "-O2 -ffp-contract=off",
               "glibc 2.36", "4.2.0",   "to nearest", "off",
               "x86-64",     "quick",   42,           {}};
  r.run = {"2024-01-01T00:00:00Z",
           "host",
           "CPU | 2",
           {"./run", "audit", "--op", "sig*"},
           12.5,
           2.5e7,
           2,
           true};
  r.implementations = implementations();
  r.results = {naive_f16(), naive_f16_subnormal(), hostile_f64()};
  r.findings = findings();
  TextbookAnswer t;
  t.id = "T6";
  t.claim = "naive 1/(1+exp(-z)) gives NaN at z = -500";
  t.verdict = "wrong";
  t.answer = "It gives 0: 1/(1+∞) is 0.";
  t.columns = {"form", "f32"};
  t.rows = {{"1/(1+exp(-z))", "0"}, {"exp(z)/(1+exp(z)) | a_b_", "nan"}};
  t.replay = "./run eval --op sigmoid --dtype f32 -- -500";
  r.textbook = {t};
  r.verdicts = {
      {"naive/sigmoid", "pass", 0, 1, 1},
      {kHostile, "fail", 1, 0, 0},
      {"gpu/sigmoid", "unavailable", 0, 0, 0},
      {"mine/cut",
       "incomplete",
       0,
       0,
       0,
       {"f32: no point was measured | <b>", "f32: 1 rule was stopped: batch.length"},
       ""},
      {"mine/free",
       "no contract",
       0,
       0,
       0,
       {},
       "accuracy only; ./run check --impl 'mine/free' checks buffers, lengths and threads"}};
  r.coverage = {{"mine/cut",
                 "sigmoid",
                 "f32",
                 {{"batch.length", "stopped", 12, 200, "time"},
                  {"batch.empty", "checked", 3, 3, ""},
                  {"value.exact", "checked", 5, 5, ""},
                  {"value.threshold", "not_applicable", 0, 0, "of sigmoid"}}}};
  return r;
}

}  // namespace ulpaudit::sample
