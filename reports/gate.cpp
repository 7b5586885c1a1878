// What the gate decided: for a terminal, a job's summary, a program, a workflow's annotations.
// SPDX-License-Identifier: Apache-2.0
#include "reports/gate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

#include "record/json_values.hpp"
#include "reports/markdown_text.hpp"
#include "reports/text.hpp"
#include "reports/text_table.hpp"

namespace ulpaudit {
namespace {

std::string what(const Change& c) {
  std::string out = c.implementation;
  for (const std::string& part : {c.dtype, c.region})
    if (!part.empty() && part != "all") out += " " + part;
  return shown(out);
}

std::string value(const std::string& text, const std::optional<Witness>& w) {
  if (text.empty() && !w) return std::string(kAbsent);
  std::string out = shown(text);
  if (w)
    out += fmt::format("{}at z = {}{}", out.empty() ? "" : " ", shown(w->z.decimal),
                       w->y ? ", y = " + shown(w->y->decimal) : "");
  return out;
}

std::uint64_t failures(const GateReport& g) {
  return static_cast<std::uint64_t>(
      std::count_if(g.changes.begin(), g.changes.end(), [](const Change& c) { return c.fails; }));
}

/// "passed: compared with the baseline of x86-64…", "failed: 3 changes for the worse"
std::string verdict(const GateReport& g) {
  std::string out = g.passed ? "passed" : "failed: " + counted(failures(g), "change") + " refused";
  if (g.accuracy_compared)
    out += ", compared with the baseline of class " + shown(g.baseline_class);
  return out;
}

std::string console(const GateReport& g, const RenderOptions& o) {
  std::string out;
  const auto width = static_cast<std::size_t>(std::max(o.width, 0));
  const auto line = [&](const std::string& text, Style style, std::string_view indent = "") {
    for (const std::string& l : wrap(text, width < 40 ? 0 : width - indent.size()))
      out += std::string(indent) + styled(l, style, o.color) + "\n";
  };
  for (const Change& c : g.changes) {
    line(fmt::format("{} {}  {}", c.fails ? "✗" : "·", shown(c.kind), what(c)),
         c.fails ? Style::red : Style::dim);
    line(shown(c.message), Style::plain, "    ");
    if (!c.before.empty() || c.witness_before)
      line("was " + value(c.before, c.witness_before), Style::plain, "    ");
    if (!c.after.empty() || c.witness)
      line((c.before.empty() ? "" : "is  ") + value(c.after, c.witness), Style::plain, "    ");
    if (!c.replay.empty()) out += "    " + styled(printable(c.replay), Style::dim, o.color) + "\n";
  }
  if (!out.empty()) out += "\n";
  for (const std::string& n : g.notes) line(shown(n), Style::yellow);
  line("Gate " + verdict(g), g.passed ? Style::green : Style::red);
  return out;
}

std::string md(const GateReport& g, const RenderOptions&) {
  markdown::Document doc;
  doc.add(fmt::format("# ulpaudit gate: {}\n\n", markdown::plain(verdict(g))));
  for (const std::string& n : g.notes) doc.add("> " + markdown::plain(n) + "\n\n");
  if (!g.changes.empty()) {
    doc.add(markdown::header({"", "what", "where", "was", "is", "message", "replay"}));
    for (const Change& c : g.changes)
      doc.add(markdown::row(
                  {c.fails ? "❌" : "ℹ️", markdown::plain(c.kind), markdown::plain(what(c)),
                   markdown::plain(value(c.before, c.witness_before)),
                   markdown::plain(value(c.after, c.witness)), markdown::plain(shown(c.message)),
                   c.replay.empty() ? "" : markdown::code(c.replay)}),
              "changes");
    doc.add("\n");
  }
  return doc.str(1'000'000);
}

std::string json(const GateReport& g, const RenderOptions&) {
  Json j;
  j["passed"] = g.passed;
  j["report_class"] = g.report_class;
  j["baseline_class"] = g.baseline_class;
  j["accuracy_compared"] = g.accuracy_compared;
  j["throughput_compared"] = g.throughput_compared;
  j["notes"] = g.notes;
  j["changes"] = Json::array();
  for (const Change& c : g.changes) {
    Json x = {{"fails", c.fails},     {"kind", c.kind},     {"implementation", c.implementation},
              {"op", c.op},           {"dtype", c.dtype},   {"region", c.region},
              {"message", c.message}, {"before", c.before}, {"after", c.after},
              {"replay", c.replay}};
    put(x, "witness_before", c.witness_before);
    put(x, "witness", c.witness);
    j["changes"].push_back(std::move(x));
  }
  return json_lines(j);
}

/// GitHub's workflow commands: % and line ends are escaped, and in properties : and , too.
std::string github_text(const std::string& text, bool property) {
  std::string out;
  for (const char c : printable(text))
    if (c == '%' || c == '\n' || c == '\r' || (property && (c == ':' || c == ',')))
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  return out;
}

std::string github(const GateReport& g, const RenderOptions&) {
  std::string out;
  for (const Change& c : g.changes) {
    std::string text = c.message;
    if (!c.before.empty() || c.witness_before) text += "\nwas " + value(c.before, c.witness_before);
    if (!c.after.empty() || c.witness) text += "\nis " + value(c.after, c.witness);
    if (!c.replay.empty()) text += "\n" + c.replay;
    std::string lines;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines += (at == 0 ? "" : "%0A") + github_text(text.substr(at, end - at), false);
      at = end + 1;
    }
    out += fmt::format("::{} title={}::{}\n", c.fails ? "error" : "notice",
                       github_text(fmt::format("{} {}", c.kind, what(c)), true), lines);
  }
  for (const std::string& n : g.notes)
    out += fmt::format("::warning title=ulpaudit gate::{}\n", github_text(n, false));
  out += fmt::format("ulpaudit gate {}\n", shown(verdict(g)));
  return out;
}

using Function = std::string (*)(const GateReport&, const RenderOptions&);
const std::vector<std::pair<std::string, Function>>& formats() {
  static const std::vector<std::pair<std::string, Function>> all = {
      {"console", console}, {"md", md}, {"json", json}, {"github", github}, {"junit", gate_junit}};
  return all;
}

}  // namespace

const std::vector<std::string>& gate_formats() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& [name, function] : formats()) out.push_back(name);
    return out;
  }();
  return names;
}

std::string render_gate(const GateReport& gate, std::string_view format,
                        const RenderOptions& options) {
  for (const auto& [name, function] : formats())
    if (name == format) return function(gate, options);
  throw std::invalid_argument(
      fmt::format("unknown format '{}'; accepted: {}", format, fmt::join(gate_formats(), ", ")));
}

}  // namespace ulpaudit
