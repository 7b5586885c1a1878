// What the gate decided, as JUnit XML: a test case for each change, and one for the gate as a
// whole.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "reports/gate.hpp"
#include "reports/text.hpp"

namespace ulpaudit {
namespace {

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name) = printable(value).c_str();
}

std::string text_of(const Change& c) {
  std::string out = shown(c.message);
  if (!c.before.empty() || !c.after.empty())
    out += fmt::format("\nwas {}\nis {}", shown(c.before), shown(c.after));
  if (c.witness)
    out += fmt::format("\nat z = {} ({}){}", shown(c.witness->z.decimal), shown(c.witness->z.bits),
                       c.witness->y ? ", y = " + shown(c.witness->y->decimal) : "");
  if (!c.replay.empty()) out += "\n" + printable(c.replay);
  return out + "\n";
}

}  // namespace

std::string gate_junit(const GateReport& gate, const RenderOptions&) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  const auto fails = std::count_if(gate.changes.begin(), gate.changes.end(),
                                   [](const Change& c) { return c.fails; });
  pugi::xml_node suite = document.append_child("testsuites").append_child("testsuite");
  set(suite, "name", "gate");
  set(suite, "package", "ulpaudit");
  set(suite, "id", "0");
  set(suite, "timestamp", "1970-01-01T00:00:00");  // the gate reads no clock
  set(suite, "hostname", "localhost");
  set(suite, "tests", fmt::format("{}", gate.changes.size() + 1));
  set(suite, "failures", fmt::format("{}", fails + (gate.passed ? 0 : 1)));
  set(suite, "errors", "0");
  set(suite, "skipped", "0");
  set(suite, "time", "0");
  suite.append_child("properties");
  const auto add = [&](const std::string& name) {
    pugi::xml_node node = suite.append_child("testcase");
    set(node, "name", name);
    set(node, "classname", "ulpaudit.gate");
    set(node, "time", "0");
    return node;
  };
  pugi::xml_node whole = add("gate");
  if (!gate.passed) {
    pugi::xml_node failure = whole.append_child("failure");
    set(failure, "type", "gate");
    set(failure, "message", counted(static_cast<std::uint64_t>(fails), "change") + " refused");
  }
  for (const Change& c : gate.changes) {
    pugi::xml_node node =
        add(fmt::format("{} {} {} {}", c.kind, c.implementation, c.dtype, c.region));
    if (!c.fails) continue;
    pugi::xml_node failure = node.append_child("failure");
    set(failure, "type", c.kind);
    set(failure, "message", shown(c.message));
    failure.text() = text_of(c).c_str();
  }
  std::string notes;
  for (const std::string& n : gate.notes) notes += shown(n) + "\n";
  suite.append_child("system-out").text() = notes.c_str();
  suite.append_child("system-err");
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace ulpaudit
