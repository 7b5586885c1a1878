// ulpaudit gate: has anything got worse? Exit code 1 says so.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>

#include "audit/audit.hpp"
#include "cli/commands.hpp"
#include "cli/number_option.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/report_files.hpp"
#include "gate/compare.hpp"
#include "record/json.hpp"
#include "reports/gate.hpp"
#include "verdict/unfinished.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kUpdatesKept = 20, kChangesKept = 50;

struct GateOptions {
  std::string report, baseline, reason, format = "console", output, color = "auto";
  bool update = false;
  GateChoice choice;
};

Report read_report(const std::string& path) {
  try {
    return from_json(read_file(path));
  } catch (const BadReport& e) {
    throw UsageError(fmt::format("'{}' is not a report: {}", path, e.what()));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

std::optional<Baseline> read_baseline(const std::string& path) {
  if (path.empty() || !std::filesystem::exists(path)) return std::nullopt;
  try {
    return baseline_from_json(read_file(path));
  } catch (const BadBaseline& e) {
    throw UsageError(fmt::format("'{}' is not a baseline: {}", path, e.what()));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

void write(const std::string& path, const std::string& content) {
  try {
    write_file(path, content);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

/// The report becomes the baseline, with what changed and why.
void update(const Report& report, const std::optional<Baseline>& old, const GateReport& gate,
            const GateOptions& g, const std::string& path) {
  Baseline fresh = make_baseline(report);
  if (old) fresh.updates = old->updates;
  Update u;
  u.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
  u.commit = report.context.commit;
  u.reason = g.reason;
  for (const Change& c : gate.changes) {
    if (u.changes.size() == kChangesKept) {
      u.changes.push_back(fmt::format("… and {} more", gate.changes.size() - kChangesKept));
      break;
    }
    u.changes.push_back(in_one_line(c));
  }
  fresh.updates.insert(fresh.updates.begin(), std::move(u));
  if (fresh.updates.size() > kUpdatesKept) fresh.updates.resize(kUpdatesKept);
  write(path, to_json(fresh));
  tell("wrote the baseline '{}'", path);
  const auto stay = std::count_if(gate.changes.begin(), gate.changes.end(), [](const Change& c) {
    return c.kind == "contract" || c.kind == "expected_failure_passed";
  });
  if (stay > 0)
    tell(
        "{} of what is refused stays so: no baseline accepts what is against the "
        "contract; mend the kernel, or say in the contract what it does "
        "([[kernel.expected_failure]], with the reason; --contract FILE)",
        stay);
}

Exit run(const GateOptions& g) {
  if (g.update && g.baseline.empty())
    throw UsageError("--update needs --baseline, the file or folder to write");
  if (g.update && g.reason.empty())
    throw UsageError("--update needs --reason TEXT: it is kept in the baseline");
  const Report report = read_report(g.report);
  if (const std::string why = ended_early(report); !why.empty())
    throw UsageError(fmt::format(
        "'{}': {}, so part of its inputs was not run; the gate takes whole runs", g.report, why));
  std::string path = g.baseline;
  const bool folder = !path.empty() && (std::filesystem::is_directory(path) || path.back() == '/');
  if (folder) path = (std::filesystem::path(path) / (class_of(report.context) + ".json")).string();
  check_file(g.output);
  if (g.update) {
    const std::string parent = std::filesystem::path(path).parent_path().string();
    std::error_code error;
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    check_file(path);
  }
  const std::optional<Baseline> baseline = read_baseline(path);
  if (!baseline && !g.baseline.empty() && !folder && !g.update)
    throw UsageError(
        fmt::format("there is no baseline '{}'; --update --reason TEXT makes it", path));
  GateReport gate = compare(report, baseline ? &*baseline : nullptr, g.choice);
  if (!baseline && folder) gate.notes.back() += fmt::format(" ('{}' does not exist)", path);
  Options o;
  o.color = g.color;
  const std::string text =
      render_gate(gate, g.format, {.color = g.output.empty() && o.use_color()});
  if (g.output.empty())
    put("{}", text);
  else
    write(g.output, text);
  if (g.update) {
    update(report, baseline, gate, g, path);
    return Exit::fine;
  }
  const Exit e = gate.passed ? Exit::fine : Exit::finding;
  return worse(e, exit_of(report));
}

}  // namespace

Command add_gate(CLI::App& parser) {
  auto g = std::make_shared<GateOptions>();
  CLI::App* c = parser.add_subcommand(
      "gate", "contracts and a baseline: exit code 1 where anything got worse");
  c->add_option("report", g->report, "report.json")->required();
  c->add_option(
      "--baseline", g->baseline,
      "the last accepted measurement: a file, or a folder with one for each class of ISA, "
      "libm, compiler and flags");
  c->add_flag("--update", g->update, "make the report the baseline (needs --reason)");
  c->add_option("--reason", g->reason, "why the baseline is replaced; kept in it");
  c->add_flag("--allow-missing", g->choice.missing_allowed,
              "the report may hold a part of the baseline's implementations, properties and times");
  add_real(*c, "--slower", g->choice.slower, 0.01, 10, "part by which a kernel may become slower")
      ->capture_default_str();
  c->add_option("--format", g->format, fmt::format("{}", fmt::join(gate_formats(), ", ")))
      ->check(CLI::IsMember(gate_formats()))
      ->capture_default_str();
  c->add_option("-o,--output", g->output, "file to write instead of stdout");
  c->add_option("--color", g->color, "colours")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  c->footer("Example: ulpaudit gate build/report/report.json --baseline reports/baseline/");
  return {c, [g] { return run(*g); }};
}

}  // namespace ulpaudit
