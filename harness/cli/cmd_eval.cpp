// ulpaudit eval: one input under the microscope, or many as lines of JSON.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "audit/catalog.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "fp/text.hpp"
#include "properties/value_rules.hpp"
#include "record/report.hpp"
#include "sweep/batch_runner.hpp"

namespace ulpaudit {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kDigits = 40;

struct EvalOptions : Options {
  std::vector<std::string> values;
  std::string input;
};

struct Question {
  OpId op;
  Dtype d;
  Bits z, y;
};

/// One implementation's answer.
struct Row {
  std::string implementation;
  std::optional<Bits> got;
  bool available;
  std::string failure;  ///< why there is no result
  Score s;
  std::vector<Violation> breaks{};    ///< rules and promises that the result breaks
  std::vector<Violation> admitted{};  ///< those that the contract expects
};

/// What the rules about single values and the contract say of the result.
void judge(const Question& q, const Offer& offer, const Catalog& catalog, SessionPool& sessions,
           Row& row) {
  const KernelContract& contract = catalog.contracts.at(offer.about.plugin).of(offer.about.kernel);
  Subject subject(offer.about.name, sessions.of(offer.about.path), offer.kernel, q.op, q.d,
                  contract);
  for (Violation& v : ValueRules(subject).judge_result(q.z, q.y, *row.got)) {
    const bool expected = std::any_of(
        contract.expected_failures.begin(), contract.expected_failures.end(),
        [&](const ExpectedFailure& e) { return e.covers(v.rule, name(q.d), v.region); });
    if (v.promised) (expected ? row.admitted : row.breaks).push_back(std::move(v));
  }
}

std::vector<Row> ask(const Question& q, const Catalog& catalog, const Request& request,
                     SessionPool& sessions) {
  std::vector<Row> rows;
  const Truth truth = final_judge(q.op, q.d, q.z, q.y);
  for (const Offer& offer : catalog.offers) {
    if (offer.op != q.op || !matches(request.impls, offer.about.name)) continue;
    if (std::find(offer.dtypes.begin(), offer.dtypes.end(), q.d) == offer.dtypes.end()) continue;
    Row row{offer.about.name,
            std::nullopt,
            offer.about.unavailable.empty(),
            offer.about.unavailable,
            {}};
    if (row.available) {
      const Target target = {offer.about.name, offer.about.path, offer.kernel};
      EndBudget ends;
      Accumulator losses;
      BatchRunner(sessions, target, ends)
          .run(
              {q.op, q.d, q.y, &q.z, 1},
              [&](std::uint64_t, std::uint64_t, const void* out) { row.got = load(q.d, out, 0); },
              losses);
      if (row.got) {
        row.s = score(q.op, q.d, truth, *row.got);
        judge(q, offer, catalog, sessions, row);
      } else
        row.failure = losses.losses.empty() ? "no result" : losses.losses[0].message;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string verdict_text(const Row& r) {
  for (const Violation& v : r.breaks) return "✗ " + v.rule;
  for (const Violation& v : r.admitted) return "! " + v.rule;
  if (r.s.category != Category::none) return std::string(name(r.s.category));
  if (r.s.wrong_zero) return "zero of the other sign";
  return r.s.correctly_rounded ? "correctly rounded" : r.s.faithful ? "faithful" : "";
}

std::string error_text(const Row& r) {
  if (!r.s.measured && r.s.category != Category::none) return "-";
  return fmt::format("{:+.6g}", r.s.error_ulps);
}

void print_microscope(const Question& q, const std::vector<Row>& rows) {
  const auto show = [&](std::string_view label, Bits b) {
    put("{:<18} {:<{}}  {:<24} {}\n", label, bits_text(q.d, b), format(q.d).width / 4 + 2,
        hex_float(q.d, b), decimal(q.d, b));
  };
  const Truth t = final_judge(q.op, q.d, q.z, q.y);
  put("{}, {}\n", info(q.op).name, name(q.d));
  show("z", q.z);
  if (info(q.op).arity == 2) show("y", q.y);
  put("{:<18} {}\n", "true value", true_digits(q.op, q.d, q.z, q.y, kDigits));
  if (t.side == 0) {
    show("exactly", t.rounded);
  } else {
    const Bits other = other_neighbour(q.d, t);
    const bool above = t.side > 0 ? !t.negative : t.negative;  // t lies above `rounded`
    show("number below", above ? t.rounded : other);
    show("number above", above ? other : t.rounded);
    show("correctly rounded", t.rounded);
  }
  put("\n");
  std::size_t width = 14;
  for (const Row& r : rows) width = std::max(width, r.implementation.size());
  put("{:<{}}  {:<{}}  {:<24} {:<24} {:>12}  {}\n", "implementation", width, "bits",
      format(q.d).width / 4 + 2, "hex", "decimal", "error (ulp)", "");
  for (const Row& r : rows) {
    if (!r.got) {
      put("{:<{}}  {}\n", r.implementation, width, shown(r.failure));
      continue;
    }
    put("{:<{}}  {}  {:<24} {:<24} {:>12}  {}\n", r.implementation, width, bits_text(q.d, *r.got),
        hex_float(q.d, *r.got), decimal(q.d, *r.got), error_text(r), verdict_text(r));
  }
}

Json number_json(Dtype d, Bits b) {
  return {{"bits", bits_text(d, b)}, {"hex", hex_float(d, b)}, {"decimal", decimal(d, b)}};
}

Json as_json(const Question& q, const std::vector<Row>& rows) {
  const Truth t = final_judge(q.op, q.d, q.z, q.y);
  Json j = {{"op", info(q.op).name}, {"dtype", name(q.d)}, {"z", number_json(q.d, q.z)}};
  if (info(q.op).arity == 2) j["y"] = number_json(q.d, q.y);
  j["true_value"] = true_digits(q.op, q.d, q.z, q.y, kDigits);
  j["correctly_rounded"] = number_json(q.d, t.rounded);
  j["other_neighbour"] = number_json(q.d, other_neighbour(q.d, t));
  j["exact"] = t.side == 0;
  j["implementations"] = Json::array();
  for (const Row& r : rows) {
    Json row = {{"name", r.implementation}};
    if (!r.got) {
      row[r.available ? "failure" : "unavailable"] = r.failure;
    } else {
      row["got"] = number_json(q.d, *r.got);
      row["error_ulps"] =
          r.s.measured || r.s.category == Category::none ? Json(r.s.error_ulps) : Json(nullptr);
      row["category"] = name(r.s.category);
      row["correctly_rounded"] = r.s.correctly_rounded;
      row["faithful"] = r.s.faithful;
      for (const auto& [key, list] : {std::pair{"breaks", &r.breaks}, {"admitted", &r.admitted}}) {
        row[key] = Json::array();
        for (const Violation& v : *list) row[key].push_back(v.rule);
      }
    }
    j["implementations"].push_back(row);
  }
  return j;
}

Bits parse_value(Dtype d, const std::string& text) {
  try {
    return parse_number(d, text);
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
}

Bits parse_label(OpId op, Dtype d, const std::string& text) {
  const Bits y = parse_value(d, text);
  if (!in_domain(op, d, y)) throw UsageError(fmt::format("label {} lies outside [0, 1]", text));
  return y;
}

/// "op dtype z [y]"
Question parse_line(const std::string& line, std::size_t number) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(
        fmt::format("line {}: {} in '{}'; accepted: op dtype z [y], e.g. 'sigmoid f32 "
                    "-88.5'",
                    number, why, line));
  };
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string w; in >> w;) words.push_back(w);
  if (words.size() < 3) refuse("too few words");
  const auto op = op_from_name(words[0]);
  if (!op) refuse(fmt::format("unknown op '{}'", words[0]));
  const auto d = dtype_from_name(words[1]);
  if (!d) refuse(fmt::format("unknown dtype '{}'", words[1]));
  if (words.size() != static_cast<std::size_t>(2 + info(*op).arity))
    refuse(fmt::format("{} takes {} value(s)", words[0], info(*op).arity));
  try {
    return {*op, *d, parse_value(*d, words[2]),
            info(*op).arity == 2 ? parse_label(*op, *d, words[3]) : 0};
  } catch (const UsageError& e) {
    throw UsageError(fmt::format("line {}: {}", number, e.what()));
  }
}

std::vector<Question> questions(const EvalOptions& o, const Request& request) {
  std::vector<Question> out;
  if (!o.input.empty()) {
    std::ifstream file;
    if (o.input != "-") {
      file.open(o.input);
      if (!file) throw UsageError(fmt::format("cannot read '{}'", o.input));
    }
    std::istream& in = o.input == "-" ? std::cin : file;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
      out.push_back(parse_line(line, number));
    }
    return out;
  }
  if (o.values.empty() || o.values.size() > 2)
    throw UsageError(
        "eval takes z, or z and y, after '--', or --input FILE; e.g. ulpaudit eval "
        "--op sigmoid --dtype f32 -- -88.5");
  const int arity = static_cast<int>(o.values.size());
  Request choice = request;
  if (choice.dtypes.empty()) choice.dtypes = {"f32"};
  for (OpId op : chosen_ops(choice)) {
    if (info(op).arity != arity) {
      if (o.ops.size() == 1 && o.ops[0] == info(op).name)
        throw UsageError(fmt::format("{} takes {}", info(op).name,
                                     info(op).arity == 1 ? "one value: z" : "two values: z y"));
      continue;
    }
    for (Dtype d : chosen_dtypes(choice))
      out.push_back(
          {op, d, parse_value(d, o.values[0]), arity == 2 ? parse_label(op, d, o.values[1]) : 0});
  }
  return out;
}

/// For one input, unless another deadline is asked for.
constexpr std::chrono::milliseconds kOneInputDeadline{1500};
/// MiB for it, unless another limit is asked for: as in a check, whose findings are replayed so.
constexpr std::uint64_t kOneInputMemory = 512;

Exit run(const EvalOptions& o) {
  Request request = o.request();
  if (!request.deadline) request.deadline = kOneInputDeadline;
  if (!request.memory_limit_mib) request.memory_limit_mib = kOneInputMemory;
  const std::vector<Question> asked = questions(o, request);
  const Catalog catalog = open_catalog(request);
  for (const BrokenPlugin& b : catalog.broken) tell("{}", b.reason);
  SessionPool sessions(request.session());
  Exit exit = catalog.broken.empty() ? Exit::fine : Exit::plugin;
  std::size_t answers = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::vector<Row> rows = ask(asked[i], catalog, request, sessions);
    answers += rows.size();
    if (stdout_lost()) break;
    for (const Row& r : rows)
      exit = !r.got && r.available ? worse(exit, Exit::plugin)
             : !r.breaks.empty()   ? worse(exit, Exit::finding)
                                   : exit;
    if (o.json || !o.input.empty()) {
      put("{}\n", as_json(asked[i], rows).dump(-1, ' ', false, Json::error_handler_t::replace));
    } else {
      if (i > 0) put("\n");
      print_microscope(asked[i], rows);
    }
  }
  return answers == 0 ? worse(exit, Exit::nothing) : exit;
}

}  // namespace

Command add_eval(CLI::App& parser) {
  auto o = std::make_shared<EvalOptions>();
  CLI::App* c = parser.add_subcommand("eval", "one input under the microscope");
  add_selection_options(*c, *o);
  add_contract_option(*c, *o);
  add_output_options(*c, *o);
  c->add_option("--input", o->input,
                "file ('-': stdin) of lines 'op dtype z [y]'; answers in JSON");
  c->add_option("values", o->values, "z, or z and y: decimal, hex float or bit pattern");
  c->footer("Example: ulpaudit eval --op sigmoid --dtype f32 -- -88.5");
  return {c, [o] { return run(*o); }};
}

}  // namespace ulpaudit
