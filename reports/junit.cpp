// SPDX-License-Identifier: Apache-2.0
// junit.xml: a suite per op, a test case per implementation, op and dtype. Written so that both
// common schemas accept it: that of Ant (windyroad/JUnit-Schema) and that of Jenkins
// (xunit-plugin).
#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "reports/renderer.hpp"
#include "reports/text.hpp"
#include "reports/view.hpp"

namespace ulpaudit {
namespace {

struct Case {
  std::string implementation, dtype;
  const Result* total = nullptr;
  std::vector<const Finding*> errors, expected;
  std::string unavailable;
  std::string unfinished;  ///< of the implementation: what could not be finished
};
struct Suite {
  std::string op;
  std::vector<Case> cases;
};

class Suites {
 public:
  explicit Suites(const Report& report) {
    for (const Implementation& i : report.implementations) {
      std::vector<std::string> dtypes =
          i.unavailable.empty() ? dtypes_run(report, i.name) : i.dtypes;
      const std::string unfinished = unfinished_of(report, i.name);
      if (dtypes.empty() && !(i.unavailable.empty() && unfinished.empty())) dtypes.emplace_back();
      for (const std::string& d : dtypes) {
        Case& c = find(i.op, i.name, d);
        c.unavailable = i.unavailable;
        c.unfinished = unfinished;
      }
    }
    for (const Result& r : report.results)
      if (r.region == "all") find(r.op, r.implementation, r.dtype).total = &r;
    for (const Finding& f : report.findings) {
      if (gravity(f) == Gravity::note) continue;
      Case& c = find(f.op, f.implementation, f.dtype);
      (gravity(f) == Gravity::error ? c.errors : c.expected).push_back(&f);
    }
  }
  const std::vector<Suite>& all() const { return suites_; }

 private:
  static std::vector<std::string> dtypes_run(const Report& report, const std::string& name) {
    std::vector<std::string> out;
    for (const Result& r : report.results)
      if (r.implementation == name && r.region == "all") out.push_back(r.dtype);
    return out;
  }
  static std::string unfinished_of(const Report& report, const std::string& name) {
    std::string out;
    for (const Verdict& v : report.verdicts)
      if (v.implementation == name)
        for (const std::string& u : v.unfinished) out += (out.empty() ? "" : "; ") + shown(u);
    return out;
  }
  Suite& suite(const std::string& op) {
    const auto at =
        std::find_if(suites_.begin(), suites_.end(), [&](const Suite& s) { return s.op == op; });
    if (at != suites_.end()) return *at;
    suites_.push_back({op, {}});
    return suites_.back();
  }
  Case& find(const std::string& op, const std::string& implementation, const std::string& dtype) {
    std::vector<Case>& cases = suite(op).cases;
    const auto at = std::find_if(cases.begin(), cases.end(), [&](const Case& c) {
      return c.implementation == implementation && c.dtype == dtype;
    });
    if (at != cases.end()) return *at;
    cases.emplace_back();
    cases.back().implementation = implementation;
    cases.back().dtype = dtype;
    return cases.back();
  }

  std::vector<Suite> suites_;
};

std::string finding_text(const Finding& f) {
  std::string out = fmt::format("{} {}: {}", shown(f.rule), shown(f.region), shown(f.message));
  if (f.count > 1) out += " (" + extent(f) + ")";
  if (!f.expected_failure.empty()) out += "\n  expected: " + shown(f.expected_failure);
  if (f.witness)
    out += fmt::format("\n  at z = {} ({}){}: got {}, expected {}", shown(f.witness->z.decimal),
                       shown(f.witness->z.bits),
                       f.witness->y ? ", y = " + shown(f.witness->y->decimal) : "",
                       shown(f.witness->got.bits), shown(f.witness->expected.bits));
  if (!f.replay.empty()) out += "\n  " + printable(f.replay);
  return out + "\n";
}

std::string texts(const std::vector<const Finding*>& findings) {
  std::string out;
  for (const Finding* f : findings) out += finding_text(*f);
  return out;
}

/// unfinished: never a pass, in JUnit's words an error.
enum class Outcome { passed, failed, unfinished, skipped };
Outcome outcome(const Case& c) {
  if (!c.errors.empty()) return Outcome::failed;
  if (!c.unfinished.empty()) return Outcome::unfinished;
  return c.expected.empty() && c.unavailable.empty() ? Outcome::passed : Outcome::skipped;
}

std::size_t count(const Suite& s, Outcome o) {
  return static_cast<std::size_t>(std::count_if(s.cases.begin(), s.cases.end(),
                                                [&](const Case& c) { return outcome(c) == o; }));
}

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name) = printable(value).c_str();
}

void add_case(pugi::xml_node parent, const Suite& s, const Case& c) {
  pugi::xml_node node = parent.append_child("testcase");
  set(node, "name", c.dtype.empty() ? c.implementation : c.implementation + " " + c.dtype);
  set(node, "classname", "ulpaudit." + (s.op.empty() ? "plugin" : s.op));
  set(node, "time", "0");
  if (outcome(c) == Outcome::failed) {
    pugi::xml_node failure = node.append_child("failure");
    set(failure, "type", c.errors.front()->rule);
    set(failure, "message",
        c.errors.size() == 1 ? shown(c.errors.front()->message)
                             : fmt::format("{} (first of {})", shown(c.errors.front()->message),
                                           thousands(c.errors.size())));
    failure.text() = texts(c.errors).c_str();
  } else if (outcome(c) == Outcome::unfinished) {
    pugi::xml_node error = node.append_child("error");
    set(error, "type", "incomplete");
    set(error, "message", "incomplete: " + c.unfinished);
    error.text() = texts(c.expected).c_str();
  } else if (outcome(c) == Outcome::skipped) {
    pugi::xml_node skipped = node.append_child("skipped");
    set(skipped, "type", c.unavailable.empty() ? "expected failure" : "unavailable");
    set(skipped, "message",
        c.unavailable.empty()
            ? "fails as its contract says: " + c.expected.front()->expected_failure
            : c.unavailable);
    if (!c.expected.empty()) skipped.text() = texts(c.expected).c_str();
  }
}

/// The figures of the suite, for people who read the file.
std::string figures(const Suite& s) {
  std::string out;
  for (const Case& c : s.cases)
    if (c.total) {
      const std::string other = besides(*c.total);
      out += fmt::format("{} {}: max {} ulp, {} correctly rounded, {}{}{}\n",
                         shown(c.implementation), shown(c.dtype), max_text(*c.total),
                         percent(c.total->statistics.correctly_rounded),
                         shown(evidence_text(*c.total)), other.empty() ? "" : "; ", other);
    }
  return out;
}

/// "2024-01-01T00:00:00": without a zone, as Ant's schema wants it.
std::string timestamp(const std::string& started) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  bool good = started.size() >= kForm.size();
  for (std::size_t i = 0; good && i < kForm.size(); ++i)
    good = kForm[i] == 'd' ? started[i] >= '0' && started[i] <= '9' : started[i] == kForm[i];
  return good ? started.substr(0, kForm.size()) : "1970-01-01T00:00:00";
}

void add_suite(pugi::xml_node parent, const Report& report, const Suite& s, std::size_t id) {
  pugi::xml_node node = parent.append_child("testsuite");
  set(node, "name", s.op.empty() ? "plugin" : s.op);
  set(node, "package", "ulpaudit");
  set(node, "id", fmt::format("{}", id));
  set(node, "timestamp", timestamp(report.run.started));
  set(node, "hostname", report.run.host.empty() ? "localhost" : report.run.host);
  set(node, "tests", fmt::format("{}", s.cases.size()));
  set(node, "failures", fmt::format("{}", count(s, Outcome::failed)));
  set(node, "errors", fmt::format("{}", count(s, Outcome::unfinished)));
  set(node, "skipped", fmt::format("{}", count(s, Outcome::skipped)));
  set(node, "time", "0");
  pugi::xml_node properties = node.append_child("properties");
  const Context& c = report.context;
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, std::string>>{{"version", c.version},
                                                        {"commit", c.commit},
                                                        {"compiler", c.compiler},
                                                        {"flags", c.flags},
                                                        {"libm", c.libm},
                                                        {"isa", c.isa},
                                                        {"profile", c.profile},
                                                        {"seed", fmt::format("{}", c.seed)}}) {
    pugi::xml_node property = properties.append_child("property");
    set(property, "name", name);
    set(property, "value", value);
  }
  for (const Case& x : s.cases) add_case(node, s, x);
  node.append_child("system-out").text() = figures(s).c_str();
  node.append_child("system-err");
}

}  // namespace

std::string render_junit(const Report& report, const RenderOptions&) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  pugi::xml_node root = document.append_child("testsuites");
  const Suites suites(report);
  std::size_t id = 0;
  for (const Suite& s : suites.all()) add_suite(root, report, s, id++);
  std::ostringstream out;
  document.save(out, " ", pugi::format_indent, pugi::encoding_utf8);
  return out.str();
}

}  // namespace ulpaudit
