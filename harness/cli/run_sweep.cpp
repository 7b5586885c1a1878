// What sweep and audit share.
#include "cli/run_sweep.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "cli/context.hpp"
#include "cli/progress.hpp"
#include "measure/results.hpp"
#include "measure/textbook.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

std::atomic<bool> g_stop{false};

void on_interrupt(int) { g_stop = true; }

Exit exit_of(const Catalog& catalog, const Report& report, const EngineOutcome& outcome) {
  Exit e = has_errors(report) ? Exit::finding : Exit::fine;
  if (outcome.interrupted) e = worse(e, Exit::interrupted);
  if (!catalog.broken.empty()) e = worse(e, Exit::plugin);
  for (const Finding& f : report.findings)
    if (f.rule.rfind("plugin.", 0) == 0) e = worse(e, Exit::plugin);
  for (const Result& r : report.results)
    if (r.judged.disagreements != 0) e = worse(e, Exit::truth);
  return e;
}

void list_broken(const Catalog& catalog, Report& report) {
  for (const BrokenPlugin& b : catalog.broken) {
    Implementation i;
    i.plugin = std::filesystem::path(b.path).filename().string();
    i.name = i.plugin;
    i.path = b.path;
    i.unavailable = b.reason;
    report.implementations.push_back(i);
    Finding f;
    f.rule = "plugin.load";
    f.implementation = i.name;
    f.message = b.reason;
    f.count = 1;
    f.replay = fmt::format("./run list --plugin '{}'", b.path);
    report.findings.push_back(f);
  }
}

EngineOptions engine_options(const Options& o) {
  EngineOptions e;
  e.threads = o.thread_count();
  e.session = o.session();
  const Shard shard = parse_shard(o.shard);
  e.shard = shard.index;
  e.shards = shard.count;
  e.stop = &g_stop;
  if (o.time_limit > 0)
    e.deadline = std::chrono::steady_clock::now() +
                 std::chrono::milliseconds(static_cast<std::int64_t>(o.time_limit * 1000));
  return e;
}

}  // namespace

SweepRun run_sweep(const Options& o, const InputDefaults& defaults, const std::string& profile,
                   bool with_textbook) {
  const auto start = std::chrono::steady_clock::now();
  chosen_ops(o);  // unknown names are refused before anything is loaded
  chosen_dtypes(o);
  EngineOptions engine = engine_options(o);
  const Catalog catalog = open_catalog(o);
  for (const BrokenPlugin& b : catalog.broken) fmt::print(stderr, "ulpaudit: {}\n", b.reason);
  SweepRun run;
  Report& report = run.report;
  report.context = make_context(o, profile);
  report.run = make_volatile(o);
  std::vector<Job> jobs = make_jobs(catalog, o, defaults);
  report.implementations = chosen_implementations(catalog, o);
  if (jobs.empty()) {
    run.exit = catalog.broken.empty() ? Exit::nothing : Exit::plugin;
    if (run.exit == Exit::nothing)
      fmt::print(stderr, "ulpaudit: nothing matches --op, --impl and --dtype, so nothing was "
                         "checked ('ulpaudit list' shows what there is)\n");
    return run;
  }
  list_broken(catalog, report);
  ::signal(SIGINT, on_interrupt);
  ::signal(SIGTERM, on_interrupt);
  Progress progress(o.show_progress());
  engine.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
  const EngineOutcome outcome = run_jobs(jobs, engine);
  progress.clear();
  SessionPool sessions(o.session());
  // Evidence is exhaustive only where every chunk was run.
  const bool part = engine.shards > 1 || outcome.ended_early || outcome.interrupted;
  for (const Job& job : jobs) append_results(job, part, sessions, report);
  if (with_textbook) append_textbook(jobs, sessions, report);
  judge_report(catalog.contracts, report);
  report.run.ended_early = outcome.ended_early || outcome.interrupted;
  report.run.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.run.points_per_second =
      static_cast<double>(outcome.evaluations) / report.run.wall_seconds;
  run.exit = exit_of(catalog, report, outcome);
  return run;
}

void write_report_folder(const Report& report, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw UsageError(fmt::format("cannot make folder '{}': {}", folder, error.message()));
  try {
    write_file(folder + "/report.json", to_json(report));
    write_file(folder + "/report.md", render(report, "md", {}));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

}  // namespace ulpaudit
