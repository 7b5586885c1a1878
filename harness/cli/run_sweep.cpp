// What sweep and audit share.
#include "cli/run_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "cli/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/run_bench.hpp"
#include "cli/run_check.hpp"
#include "cli/run_train.hpp"
#include "cli/verify_replays.hpp"
#include "gate/causes.hpp"
#include "measure/results.hpp"
#include "measure/textbook.hpp"
#include "plugin/program.hpp"
#include "record/fnv.hpp"
#include "record/giving.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {
namespace {

void list_broken(const Catalog& catalog, Report& report) {
  for (const BrokenPlugin& b : catalog.broken) {
    Implementation i;
    i.plugin = program_command(b.path) ? b.path : std::filesystem::path(b.path).filename().string();
    i.name = i.plugin;
    i.path = b.path;
    i.unavailable = b.reason;
    report.implementations.push_back(i);
    Finding f;
    f.rule = "plugin.load";
    f.phase = "load";
    f.implementation = i.name;
    f.message = b.reason;
    f.count = 1;
    i.given_path = b.path;
    f.replay = fmt::format("./run list {}", giving(i));
    f.replay.pop_back();

    report.findings.push_back(f);
  }
}

EngineOptions engine_options(const Options& o) {
  EngineOptions e;
  e.threads = o.thread_count();
  e.session = o.session();
  e.judge_on_device = o.judge == "auto";
  const Shard shard = parse_shard(o.shard);
  e.shard = shard.index;
  e.shards = shard.count;
  e.stop = &g_interrupted;
  constexpr double kLongest = 1e9;  // seconds; a clock's nanoseconds reach 9e9
  if (o.time_limit > 0)
    e.deadline = std::chrono::steady_clock::now() +
                 std::chrono::milliseconds(
                     static_cast<std::int64_t>(std::min(o.time_limit, kLongest) * 1000));
  return e;
}

/// The contracts, and the libraries that the plug-ins run on: what a checkpoint rests on besides.
/// Reading hundreds of megabytes of them takes time that other runs need not spend.
void add_surroundings(const Catalog& catalog, const Report& report, RunIdentity& id) {
  for (const ContractText& c : report.contracts)
    id.emplace_back("contract of " + c.plugin, fmt::format("{:016x}", fnv1a(c.text)));
  std::set<std::string> files;
  for (const Implementation& i : report.implementations)
    if (const auto found = catalog.libraries.find(i.plugin); found != catalog.libraries.end())
      files.insert(found->second.begin(), found->second.end());
  for (const std::string& file : files) {
    std::string hash = "unreadable";
    try {
      hash = fmt::format("{:016x}", fnv1a(read_file(file)));
    } catch (const std::runtime_error&) {  // gone since, say
    }
    id.emplace_back("library " + file, hash);
  }
}

/// All that the counts of a run follow from.
RunIdentity identity_of(const Report& report, const std::vector<Job>& jobs) {
  const Context& c = report.context;
  RunIdentity id = {{"version", c.version},
                    {"commit", c.commit},
                    {"compiler", c.compiler},
                    {"flags", c.flags},
                    {"libm", c.libm},
                    {"MPFR", c.mpfr},
                    {"rounding", c.rounding},
                    {"FTZ and DAZ", c.ftz_daz},
                    {"ISA", c.isa},
                    {"profile", c.profile},
                    {"seed", std::to_string(c.seed)},
                    {"shard", fmt::format("{}/{}", c.shard.index, c.shard.count)}};
  for (const Job& job : jobs) {
    const std::string what = fmt::format("{} {}", info(job.plan.op).name, name(job.plan.dtype));
    id.emplace_back("inputs of " + what, plan_hash(job.plan));
    for (const Target& t : job.targets) id.emplace_back("implementation of " + what, t.name);
  }
  for (const Implementation& i : report.implementations)
    id.emplace_back("build of " + i.name, i.build_id);
  return id;
}

/// For the ends of a kernel in the sweep of a check: the rules look for them as well.
constexpr std::chrono::milliseconds kCheckSearch{800}, kCheckGoOn{200};
/// MiB that a kernel may take in a check, unless another limit is asked for: what fills memory
/// without end must come to its end within the deadline.
constexpr std::uint64_t kCheckMemory = 512;
/// Seconds for one batch of a check, unless another deadline is asked for.
constexpr double kCheckDeadline = 1;

/// This process's part in a run of several: a thread each, where nothing else was asked for.
void join(const Distribution& ranks, const Options& o, EngineOptions& engine) {
  std::string identity;
  for (const auto& [name, value] : engine.checkpoint.identity)
    identity += name + '=' + value + '\n';
  ranks.agree(identity);
  engine.queue = ranks.queue;
  engine.serve = ranks.serve;
  if (o.threads == 0) engine.threads = 1;
}

/// The checkpoint is the sweep's.
Options without_checkpoint(Options o) {
  o.checkpoint.clear();
  return o;
}

}  // namespace

SweepRun run_sweep(const Options& given, const InputDefaults& defaults, const std::string& profile,
                   const Extras& extras, const Distribution* ranks) {
  Options o = given;
  // The samples of a check are batches of milliseconds.
  if (profile == kCheckProfile && o.deadline == Options().deadline) o.deadline = kCheckDeadline;
  if (profile == kCheckProfile && o.memory_limit_mib == Options().memory_limit_mib)
    o.memory_limit_mib = kCheckMemory;
  const auto start = std::chrono::steady_clock::now();
  chosen_ops(o);  // unknown names are refused before anything is loaded
  chosen_dtypes(o);
  EngineOptions engine = engine_options(o);
  if (profile == kCheckProfile) {
    engine.search_for_ends = kCheckSearch;
    engine.go_on_behind_ends = kCheckGoOn;
  }
  Catalog catalog = open_catalog(o);
  for (const BrokenPlugin& b : catalog.broken) tell("{}", b.reason);
  SweepRun run;
  Report& report = run.report;
  report.context = make_context(o, profile);
  report.run = make_volatile(o);

  std::vector<Job> jobs = make_jobs(catalog, o, defaults);
  report.implementations = chosen_implementations(catalog, o);
  report.contracts = chosen_contracts(catalog, o);
  if (jobs.empty()) {
    run.exit = catalog.broken.empty() ? Exit::nothing : Exit::plugin;
    if (run.exit == Exit::nothing)
      tell(
          "nothing matches --op, --impl and --dtype, so nothing was "
          "checked ('ulpaudit list' shows what there is)");
    return run;
  }
  check_output(o);
  list_broken(catalog, report);
  catch_interrupts();
  Progress progress(o.show_progress());
  engine.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
  engine.checkpoint = {o.checkpoint, o.resume,
                       std::chrono::milliseconds(
                           static_cast<std::int64_t>(std::min(o.checkpoint_every, 1e9) * 1000)),
                       identity_of(report, jobs)};
  if (!o.checkpoint.empty()) add_surroundings(catalog, report, engine.checkpoint.identity);
  EngineOutcome outcome;
  SessionPool sessions(o.session());
  for (auto& [path, session] : catalog.device_sessions) sessions.adopt(path, std::move(session));
  engine.device_sessions = &sessions;
  if (ranks != nullptr) {
    join(*ranks, o, engine);
    if (!ranks->collects) {
      outcome = run_jobs(jobs, engine);
      return run;
    }
  }
  if (o.resume && !std::filesystem::exists(o.checkpoint))
    tell("no checkpoint '{}' yet: the run starts from its beginning", o.checkpoint);
  try {
    outcome = run_jobs(jobs, engine);
  } catch (const BadCheckpoint& e) {
    throw UsageError(e.what());
  }
  progress.clear();
  report.run.gpu = outcome.device;
  if (!outcome.device_trouble.empty())
    tell("{}; from then on the CPU judged", outcome.device_trouble);
  // Evidence is exhaustive only where every chunk was run.
  const bool whole = engine.shards == 1 && !outcome.ended_early && !outcome.interrupted;
  for (const Job& job : jobs) append_results(job, sessions, report);
  derive_results(whole, report);
  // The answers rest on the figures over all inputs: those of shards are given by the merge.
  if (extras.textbook && engine.shards == 1) append_textbook(jobs, sessions, report);
  // Properties have no inputs to share out: the first shard checks them all.
  const bool properties = extras.properties && engine.shard == 0 && !outcome.interrupted;
  Unstable unstable;
  if (properties) unstable = append_properties(catalog, o, report);
  report.properties = properties;
  if (extras.bench && engine.shards == 1 && !outcome.interrupted)
    append_benchmarks(catalog, o, {}, report);
  if (extras.train && engine.shards == 1 && !outcome.interrupted && !g_interrupted) {
    append_training(catalog, without_checkpoint(o), {}, {}, report);
    if (!g_interrupted) append_training_answers(catalog, o, report);
  }
  mark_end(report, outcome.ended_early, outcome.interrupted || g_interrupted);
  judge_report(catalog.contracts, extras.properties, report);
  if (extras.properties) simplify_values(catalog, o, unstable, report);
  group_by_cause(report);
  verify_replays(o, report);
  give_verdicts(catalog.contracts, report);
  name_program(report);
  report.run.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.run.points_per_second = static_cast<double>(outcome.evaluations) / report.run.wall_seconds;
  run.exit = exit_of(report);
  if (outcome.interrupted) run.exit = worse(run.exit, Exit::interrupted);
  return run;
}

void mark_end(Report& report, bool time_limit, bool signal) {
  report.run.ended_early = time_limit || signal;
  report.run.ended_by = signal ? "signal" : time_limit ? "time limit" : "";
}

Exit exit_of(const Report& report) {
  Exit e = has_errors(report) ? Exit::finding : Exit::fine;
  // What a signal left undone is told by a code of its own: the run may be resumed.
  for (const Verdict& v : report.verdicts)
    if (v.status == "incomplete")
      e = worse(e, report.run.ended_by == "signal" ? Exit::interrupted : Exit::plugin);
  for (const Finding& f : report.findings)
    if (f.rule.rfind("plugin.", 0) == 0) e = worse(e, Exit::plugin);
  for (const Result& r : report.results)
    if (r.judged.disagreements != 0) e = worse(e, Exit::truth);
  return e;
}

namespace {

constexpr std::array kReportFiles = {std::pair("report.html", "html"), std::pair("report.md", "md"),
                                     std::pair("junit.xml", "junit")};

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw UsageError(fmt::format("cannot make folder '{}': {}", folder, error.message()));
}

}  // namespace

void check_file(const std::string& path) {
  try {
    if (!path.empty()) check_writable(path);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

void check_output(const Options& o) {
  check_file(o.checkpoint);
  if (o.output.empty()) return;
  make_folder(o.output);
  check_file(o.output + "/report.json");
  for (const auto& [file, format] : kReportFiles) check_file(o.output + "/" + file);
}

void write_report_folder(const Report& report, const std::string& folder) {
  make_folder(folder);
  try {
    write_file(folder + "/report.json", to_json(report));
    for (const auto& [file, format] : kReportFiles)
      write_file(folder + "/" + file, render(report, format, {}));
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

Exit give_report(const Options& o, std::chrono::steady_clock::time_point start, Report& report) {
  report.run.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!o.output.empty()) write_report_folder(report, o.output);
  put("{}", o.json ? to_json(report) : render(report, "console", {.color = o.use_color()}));
  const Exit e = exit_of(report);
  return g_interrupted ? worse(e, Exit::interrupted) : e;
}

}  // namespace ulpaudit
