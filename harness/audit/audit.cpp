// Audits.
// SPDX-License-Identifier: Apache-2.0
#include "audit/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "audit/check_kernels.hpp"
#include "audit/context.hpp"
#include "audit/time_kernels.hpp"
#include "audit/train_kernels.hpp"
#include "audit/verify_replays.hpp"
#include "plugin/program.hpp"
#include "record/fnv.hpp"
#include "record/json.hpp"
#include "record/replay.hpp"
#include "sweep/results.hpp"
#include "sweep/spot_checks.hpp"
#include "textbook/answers.hpp"
#include "verdict/causes.hpp"

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
    i.given_path = b.path;
    Finding f = make_finding("plugin.load", "load", i.name, "", "");
    f.region = "";
    f.message = b.reason;
    f.replay = fmt::format("{}list {}", kReplayProgram, giving(i));
    f.replay.pop_back();
    report.findings.push_back(f);
  }
}

EngineOptions engine_options(const Request& request) {
  EngineOptions e;
  e.threads = request.thread_count();
  e.session = request.session();
  e.judge_on_device = request.judge_on_device;
  e.shard = request.shard.index;
  e.shards = request.shard.count;
  e.stop = request.stop;
  if (request.time_limit) e.deadline = std::chrono::steady_clock::now() + *request.time_limit;
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
/// For one batch of a check, unless another deadline is asked for.
constexpr std::chrono::seconds kCheckDeadline{1};

/// This process's part in a run of several: a thread each, where nothing else was asked for.
void join(const Distribution& ranks, const Request& request, EngineOptions& engine) {
  std::string identity;
  for (const auto& [name, value] : engine.checkpoint.identity)
    identity += name + '=' + value + '\n';
  ranks.agree(identity);
  engine.queue = ranks.queue;
  engine.serve = ranks.serve;
  if (!request.threads) engine.threads = 1;
}

/// The checkpoint is the sweep's.
Request without_checkpoint(Request request) {
  request.checkpoint.clear();
  return request;
}

/// Deadline and memory of a check, whose batches take milliseconds.
Request with_limits_of_a_check(Request request) {
  if (!request.deadline) request.deadline = kCheckDeadline;
  if (!request.memory_limit_mib) request.memory_limit_mib = kCheckMemory;
  return request;
}

Catalog open_and_tell(const Request& request) {
  Catalog catalog = open_catalog(request);
  for (const BrokenPlugin& b : catalog.broken) request.tell(b.reason);
  return catalog;
}

/// A report without results, of the kernels that the request chooses.
Report begin_report(const Request& request, const Catalog& catalog) {
  Report report;
  report.context = make_context(request);
  report.run = make_volatile(request);
  report.implementations = chosen_implementations(catalog, request);
  report.contracts = chosen_contracts(catalog, request);
  return report;
}

void announce(const Request& request) {
  if (request.ready) request.ready();
}

void end_clock(std::chrono::steady_clock::time_point start, Report& report) {
  report.run.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Report audit(const Request& given, const Distribution* ranks) {
  const auto start = std::chrono::steady_clock::now();
  const bool check = given.profile == kCheckProfile;
  const Request request = check ? with_limits_of_a_check(given) : given;
  const Extras& extras = request.extras;
  chosen_ops(request);  // unknown names are refused before anything is loaded
  chosen_dtypes(request);
  EngineOptions engine = engine_options(request);
  if (check) {
    engine.search_for_ends = kCheckSearch;
    engine.go_on_behind_ends = kCheckGoOn;
  }
  Catalog catalog = open_and_tell(request);
  Report report = begin_report(request, catalog);
  std::vector<Job> jobs = make_jobs(catalog, request);
  if (jobs.empty())
    throw NothingChosen(!catalog.broken.empty(),
                        catalog.broken.empty()
                            ? "nothing matches --op, --impl and --dtype, so nothing was "
                              "checked ('ulpaudit list' shows what there is)"
                            : "");
  announce(request);
  list_broken(catalog, report);
  engine.progress = request.begin_progress("million evaluations");
  engine.checkpoint = {request.checkpoint, request.resume, request.checkpoint_every,
                       identity_of(report, jobs)};
  if (!request.checkpoint.empty()) add_surroundings(catalog, report, engine.checkpoint.identity);
  SessionPool sessions(request.session());
  for (auto& [path, session] : catalog.device_sessions) sessions.adopt(path, std::move(session));
  engine.device_sessions = &sessions;
  if (ranks != nullptr) {
    join(*ranks, request, engine);
    if (!ranks->collects) {
      run_jobs(jobs, engine);
      return report;
    }
  }
  if (request.resume && !std::filesystem::exists(request.checkpoint))
    request.tell(fmt::format("no checkpoint '{}' yet: the run starts from its beginning",
                             request.checkpoint));
  EngineOutcome outcome;
  try {
    outcome = run_jobs(jobs, engine);
  } catch (const BadCheckpoint& e) {
    throw UsageError(e.what());
  }
  engine.progress = nullptr;
  report.run.gpu = outcome.device;
  if (!outcome.device_trouble.empty())
    request.tell(outcome.device_trouble + "; from then on the CPU judged");
  // Evidence is exhaustive only where every chunk was run.
  const bool whole = engine.shards == 1 && !outcome.ended_early && !outcome.interrupted;
  for (const Job& job : jobs) append_results(job, spot_checks(job, sessions), report);
  derive_results(whole, report);
  // The answers rest on the figures over all inputs: those of shards are given by the merge.
  if (extras.textbook && engine.shards == 1) append_textbook(jobs, sessions, report);
  // Properties have no inputs to share out: the first shard checks them all.
  const bool properties = extras.properties && engine.shard == 0 && !outcome.interrupted;
  Unstable unstable;
  if (properties) unstable = append_properties(catalog, request, report);
  report.properties = properties;
  if (extras.bench && engine.shards == 1 && !outcome.interrupted)
    append_benchmarks(catalog, request, {}, report);
  if (extras.train && engine.shards == 1 && !outcome.interrupted && !request.stopped()) {
    append_training(catalog, without_checkpoint(request), {}, {}, report);
    if (!request.stopped()) append_training_answers(catalog, request, report);
  }
  mark_end(report, outcome.ended_early, outcome.interrupted || request.stopped());
  judge_report(catalog.contracts, extras.properties, report);
  if (extras.properties) simplify_values(catalog, request, unstable, report);
  group_by_cause(report);
  verify_replays(request, report);
  give_verdicts(catalog.contracts, report);
  name_program(report);
  end_clock(start, report);
  report.run.points_per_second = static_cast<double>(outcome.evaluations) / report.run.wall_seconds;
  return report;
}

Report audit_case(const Request& request, const std::string& text) {
  const Catalog catalog = open_and_tell(request);
  Report report = begin_report(request, catalog);
  if (report.implementations.empty())
    throw NothingChosen(!catalog.broken.empty(), "nothing matches --op, --impl and --dtype");
  announce(request);
  append_case(catalog, request, text, report);
  judge_report(catalog.contracts, false, report);
  return report;
}

Report audit_times(const Request& request, BenchChoice choice, bool count_instructions) {
  const auto start = std::chrono::steady_clock::now();
  const Catalog catalog = open_and_tell(request);
  Report report = begin_report(request, catalog);
  std::optional<Callgrind> callgrind;
  if (count_instructions) {
    try {
      choice.callgrind = &callgrind.emplace(request.session());
    } catch (const std::runtime_error& e) {
      throw UsageError(fmt::format("--callgrind: {}", e.what()));
    }
  }
  if (!report.implementations.empty()) announce(request);
  if (!append_benchmarks(catalog, request, choice, report))
    throw NothingChosen(!catalog.broken.empty(),
                        "nothing matches --op, --impl, --dtype and --level, so nothing was timed");
  mark_end(report, false, request.stopped());
  judge_report(catalog.contracts, false, report);
  end_clock(start, report);
  return report;
}

Report audit_training(const Request& request, const TrainingGlobs& globs,
                      const TrainingChoice& choice) {
  const auto start = std::chrono::steady_clock::now();
  chosen_ops(request);  // unknown names are refused before anything is loaded
  chosen_dtypes(request);
  const Catalog catalog = open_and_tell(request);
  Report report = begin_report(request, catalog);
  if (!report.implementations.empty()) announce(request);
  if (!append_training(catalog, request, globs, choice, report))
    throw NothingChosen(!catalog.broken.empty(),
                        "nothing matches --op, --impl and --dtype, so nothing was trained "
                        "('ulpaudit list' shows what there is)");
  if (!request.stopped() && globs.networks.empty())
    append_training_answers(catalog, request, report);
  mark_end(report, false, request.stopped());
  judge_report(catalog.contracts, false, report);
  end_clock(start, report);
  return report;
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
  return report.run.ended_by == "signal" ? worse(e, Exit::interrupted) : e;
}

}  // namespace ulpaudit
