// Property checks on several threads, their breaches as findings.
// SPDX-License-Identifier: Apache-2.0
#include "audit/check_kernels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mpfr.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "fp/text.hpp"
#include "plugin/loader.hpp"
#include "properties/applicable.hpp"
#include "properties/check.hpp"
#include "properties/symmetric_by_sweep.hpp"
#include "record/replay.hpp"
#include "score/witness.hpp"
#include "sweep/results.hpp"

namespace ulpaudit {
namespace {

/// A kernel in a dtype.
struct Task {
  const Offer* offer;
  Dtype d;
};

std::vector<Task> tasks_of(const Catalog& catalog, const Request& request) {
  std::vector<Task> tasks;
  for (Dtype d : chosen_dtypes(request))
    for (const Offer& offer : catalog.offers) {
      if (!offer.op || !matches(request.ops, offer.about.op) ||
          !matches(request.impls, offer.about.name))
        continue;
      if (!offer.about.unavailable.empty()) continue;
      if (std::find(offer.dtypes.begin(), offer.dtypes.end(), d) != offer.dtypes.end())
        tasks.push_back({&offer, d});
    }
  return tasks;
}

/// With --huge, and with --exhaustive where no range is chosen.
bool wants_huge(const Request& request) {
  return request.huge || (request.exhaustive && !request.range);
}

/// Batches of a check are short: a kernel that needs longer than this for one hangs.
constexpr std::chrono::milliseconds kTrialDeadline{5000};

SessionOptions trial_session(const Request& request) {
  SessionOptions s = request.session();
  s.deadline = std::min(s.deadline, kTrialDeadline);
  // The three buffers of a batch past 2^31 elements, and temporaries of their size.
  if (wants_huge(request) && s.memory_limit_mib != 0) s.memory_limit_mib += 6 * 4096;
  return s;
}

const KernelContract& contract_of(const Catalog& catalog, const Offer& offer) {
  return catalog.contracts.at(offer.about.plugin).of(offer.about.kernel);
}

Replay replay(const Report& report, const Task& task) {
  return {report, task.offer->about.name, std::string(name(task.d))};
}

/// A finding of a check of this kernel, in no region.
Finding finding_about(const Task& task, const std::string& rule) {
  return make_finding(rule, "check", task.offer->about.name, task.offer->about.op,
                      std::string(name(task.d)));
}

/// What one batch past 2^31 bytes takes, in 16 bits past 2^31 elements: its results, and room for
/// the rest of the worker.
std::uint64_t huge_mib(const std::vector<Task>& tasks) {
  const bool narrow = std::any_of(tasks.begin(), tasks.end(),
                                  [](const Task& t) { return format(t.d).width == 16; });
  return (narrow ? 4096 : 2048) + 256;
}

std::uint64_t available_mib() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  while (in >> word)
    if (word == "MemAvailable:" && in >> kib) break;
  return kib >> 10;
}

/// Says of each kernel that the batches were left out.
void append_no_memory(const std::vector<Task>& tasks, std::uint64_t needed, std::uint64_t there,
                      Report& report) {
  for (const Task& task : tasks) {
    Finding f = finding_about(task, "batch.length");
    f.severity = Severity::note;
    f.message = fmt::format(
        "not checked past 2^31 bytes (in 16 bits, past 2^31 elements): on this many threads that "
        "needs {} MiB, and {} are available",
        needed, there);
    f.replay = replay(report, task).check("--huge --threads 1");
    report.findings.push_back(std::move(f));
  }
}

Finding finding_of(const Report& report, const Task& task, const Breach& b) {
  const Violation& v = b.violation;
  Finding f = finding_about(task, v.rule);
  if (!v.region.empty()) f.region = v.region;
  f.severity = v.promised ? Severity::error : Severity::note;
  f.message = v.message;
  f.count = b.count;
  f.replay = replay(report, task).check_case(to_text(task.d, b.trial));
  f.setting = in_words(b.trial);
  f.witness_length = std::max<std::size_t>(1, b.trial.z.size());
  if (b.range) f.range = {number(task.d, b.range->first), number(task.d, b.range->second)};
  if (b.trial.z.empty()) return f;
  f.position = v.element;
  const Bits y = b.trial.y.empty() ? 0 : b.trial.y[v.element];
  const Bits z = b.trial.z[v.element];
  if (v.got) {
    f.witness = make_witness(*task.offer->op, task.d, {z, y, *v.got});
  }
  return f;
}

/// Runs `work(i, sessions)` for i below n on the chosen number of threads. After Ctrl-C none is
/// begun: the rest stays undone, and the report says that the run was ended.
template <class Work>
void in_threads(const Request& request, std::size_t n, Work work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto lane = [&] {
    SessionPool sessions(trial_session(request));
    try {
      for (std::size_t i = next++; i < n && !request.stopped(); i = next++) work(i, sessions);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = n;
    }
    mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < request.thread_count(); ++i) threads.emplace_back(lane);
  lane();
  for (std::thread& t : threads) t.join();
  if (failure) std::rethrow_exception(failure);
}

/// The inputs that --range and --label leave.
Admitted admitted_by(const Request& request, OpId op, Dtype d) {
  const InputChoice inputs = choose_inputs(request, op, d, 1, false, false);
  Admitted a;
  if (inputs.lo && inputs.hi) a.range = {ordinal(d, *inputs.lo), ordinal(d, *inputs.hi)};
  const bool all =
      std::find(request.labels.begin(), request.labels.end(), "all") != request.labels.end();
  if (!request.labels.empty() && !all && info(op).arity == 2) a.labels = inputs.labels;
  return a;
}

Subject subject_of(const Catalog& catalog, const Request& request, const Task& task,
                   SessionPool& sessions) {
  return Subject(task.offer->about.name, sessions.of(task.offer->about.path), task.offer->kernel,
                 *task.offer->op, task.d, contract_of(catalog, *task.offer),
                 admitted_by(request, *task.offer->op, task.d));
}

/// The rules that cannot be checked of a program, under its first chosen kernel: a note, so that
/// nobody takes them for kept.
void append_not_checked(const Catalog& catalog, const Task& task, const PluginInfo& plugin,
                        Report& report) {
  const std::vector<std::string> rules =
      not_checked(plugin, plugin.kernels[task.offer->kernel], contract_of(catalog, *task.offer));
  if (rules.empty()) return;
  Finding f = finding_about(task, "check.not_applicable");
  f.phase = "load";
  f.severity = Severity::note;
  f.message = fmt::format("not checked, since the worker is a program that does not offer it: {}",
                          fmt::join(rules, ", "));
  f.replay = replay(report, task).check();
  report.findings.push_back(std::move(f));
}

/// What plug-ins did while they were loaded, once each, under their first chosen kernel.
void append_load_facts(const Catalog& catalog, const std::vector<Task>& tasks,
                       const Request& request, Report& report) {
  std::vector<std::string> seen;
  for (const Task& task : tasks) {
    const std::string& path = task.offer->about.path;
    if (std::find(seen.begin(), seen.end(), path) != seen.end()) continue;
    seen.push_back(path);
    SessionPool sessions(trial_session(request));
    const PluginInfo& plugin = sessions.of(path).info();
    append_not_checked(catalog, task, plugin, report);
    for (const Fact& fact : plugin.facts) {
      Finding f = finding_about(task, fact.rule);
      f.phase = "load";
      const bool permitted =
          fact.rule == "environment.thread" && contract_of(catalog, *task.offer).keeps_threads;
      f.severity = permitted ? Severity::note : Severity::error;
      f.message = "when the plug-in is loaded: " + fact.text;
      f.replay = replay(report, task).check();
      report.findings.push_back(std::move(f));
    }
  }
}

/// Part of the inputs of a task, beside their mirror images.
struct MirrorPart {
  std::size_t task;
  MirrorRange range;
  std::vector<Bits> labels;
  Checked checked{};
};

/// Every input and its mirror image: of the 16-bit dtypes always, of f32 with --exhaustive; in
/// parts, so that several threads share one kernel's. Of what a sweep has proven, only the inputs
/// that are near the decision.
void append_parts(const Catalog& catalog, const Report& report, const Request& request,
                  const Task& task, std::size_t index, std::vector<MirrorPart>& parts) {
  constexpr Bits kPart = Bits{1} << 25;
  const int width = format(task.d).width;
  if (width == 64 || (width == 32 && !request.exhaustive)) return;
  const OpId op = *task.offer->op;
  const InputChoice inputs = choose_inputs(request, op, task.d, 1, true, false);
  MirrorRange range = {0, format(task.d).max_finite()};
  if (inputs.lo && inputs.hi) {
    // The magnitudes of the range on the side where it reaches further.
    const Bits a = magnitude(task.d, *inputs.lo), b = magnitude(task.d, *inputs.hi);
    const bool spans_zero = is_negative(task.d, *inputs.lo) && !is_negative(task.d, *inputs.hi);
    range = {spans_zero ? 0 : std::min(a, b), std::max(a, b)};
  }
  std::vector<Bits> labels = inputs.labels.size() > 64 ? default_labels(op, task.d) : inputs.labels;
  if (width == 32) {
    const auto proven = [&](Bits y) {
      return symmetric_by_sweep(report, task.offer->about.name, op, task.d,
                                contract_of(catalog, *task.offer), y);
    };
    const auto near = near_decision(op, task.d);
    if (near && proven(0))
      range.last = std::min(range.last, *near);
    else if (!near)
      labels.erase(std::remove_if(labels.begin(), labels.end(), proven), labels.end());
    if (labels.empty()) return;
  }
  for (Bits first = range.first; first <= range.last; first += kPart)
    parts.push_back({index, {first, std::min(range.last, first + kPart - 1)}, labels});
}

/// One breach of a rule is enough: the counts add up.
void append_breaches(Dtype d, std::vector<Breach>& breaches, std::vector<Breach> more) {
  for (Breach& b : more) {
    const auto same = std::find_if(breaches.begin(), breaches.end(), [&](const Breach& x) {
      return x.violation.rule == b.violation.rule;
    });
    if (same == breaches.end())
      breaches.push_back(std::move(b));
    else {
      same->count += b.count;
      if (b.range) same->widen(d, *b.range);
    }
  }
}

bool about_values(const Finding& f) {
  return f.phase == "sweep" && f.witness && f.expected_failure.empty() &&
         (f.rule.rfind("value.", 0) == 0 || f.rule.rfind("accuracy.", 0) == 0);
}

/// Lengths of long batches: quick audits leave out the longest, full ones have more of each scale.
Lengths lengths_of(const std::string& profile) {
  Lengths l;
  if (profile != "quick") l.longest = std::uint64_t{1} << 24;
  if (profile == "full") l.in_each_octave = 4;
  return l;
}

/// Inputs that ended the worker alone in the sweep: that is told, and need not be found again.
Subject::Endings ends_in_sweep(const Report& report, const Task& task) {
  Subject::Endings known;
  const Result* total = find_total(report, task.offer->about.name, std::string(name(task.d)));
  if (total == nullptr) return known;
  for (const Loss& l : total->losses) {
    if (l.length == 1) known.inputs.insert({l.first.z, l.first.y});
    known.hangs = known.hangs || l.kind == "hang";
  }
  return known;
}

/// What is known of one task.
struct TaskState {
  bool begun = false;  ///< not so where Ctrl-C came first
  Checked checked;
  Subject::Endings endings;
  std::vector<Breach> asymmetric;
};

/// One row for the kernel in this dtype; what was stopped is a finding.
void append_coverage(const Task& task, const TaskState& state, Report& report) {
  std::vector<std::string> broken;
  for (const Breach& b : state.checked.breaches) broken.push_back(b.violation.rule);
  Coverage row{task.offer->about.name, task.offer->about.op, std::string(name(task.d)),
               state.checked.counts.rows(broken)};
  std::vector<std::string> stopped;
  const RuleCoverage* first = nullptr;
  for (const RuleCoverage& r : row.rules) {
    if (r.status != "stopped") continue;
    if (first == nullptr) first = &r;
    stopped.push_back(fmt::format("{} ({} of {} cases)", r.rule, r.cases, r.of));
  }
  if (first != nullptr) {
    Finding f = finding_about(task, "check.stopped");
    f.severity = Severity::note;
    f.count = stopped.size();
    constexpr std::size_t kNamed = 4;
    const std::size_t more = stopped.size() - std::min(stopped.size(), kNamed);
    stopped.resize(stopped.size() - more);
    f.message =
        fmt::format("{}; not checked to the end: {}{}", first->why, fmt::join(stopped, ", "),
                    more != 0 ? fmt::format(" and {} more rules", more) : "");
    f.replay = replay(report, task).check();
    report.findings.push_back(std::move(f));
  }
  report.coverage.push_back(std::move(row));
}

}  // namespace

Unstable append_properties(const Catalog& catalog, const Request& request, Report& report) {
  const std::vector<Task> tasks = tasks_of(catalog, request);
  append_load_facts(catalog, tasks, request, report);
  CheckChoice choice;
  choice.seed = request.seed;
  choice.lengths = lengths_of(report.context.profile);
  if (wants_huge(request)) {
    const std::uint64_t needed =
        huge_mib(tasks) * static_cast<std::uint64_t>(request.thread_count());
    const std::uint64_t there = available_mib();
    choice.lengths.past_31_bits = there >= needed;
    if (there < needed) append_no_memory(tasks, needed, there, report);
  }
  std::vector<TaskState> states(tasks.size());
  in_threads(request, tasks.size(), [&](std::size_t i, SessionPool& sessions) {
    const Task& task = tasks[i];
    TaskState& state = states[i];
    state.begun = true;
    Subject subject = subject_of(catalog, request, task, sessions);
    subject.know(ends_in_sweep(report, task));
    state.checked = check(subject, choice);
    state.endings = subject.endings();
    const auto& dtypes = task.offer->dtypes;
    if (format(task.d).width != 16 || subject.spent() || subject.unstable() ||
        std::find(dtypes.begin(), dtypes.end(), Dtype::f32) == dtypes.end())
      return;
    Subject wide = subject_of(catalog, request, {task.offer, Dtype::f32}, sessions);
    if (const auto b = consistency(subject, wide, choice)) state.checked.breaches.push_back(*b);
  });
  std::vector<MirrorPart> parts;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    append_parts(catalog, report, request, tasks[i], i, parts);
  in_threads(request, parts.size(), [&](std::size_t i, SessionPool& sessions) {
    MirrorPart& part = parts[i];
    if (states[part.task].endings.unstable) return;  // each pair is a matter of chance
    Subject subject = subject_of(catalog, request, tasks[part.task], sessions);
    subject.know(states[part.task].endings);
    part.checked = check_mirrored(subject, part.labels, part.range);
  });
  for (MirrorPart& part : parts) {
    TaskState& state = states[part.task];
    state.checked.counts.merge(part.checked.counts);
    append_breaches(tasks[part.task].d, state.asymmetric, std::move(part.checked.breaches));
  }
  in_threads(request, tasks.size(), [&](std::size_t i, SessionPool& sessions) {
    if (states[i].asymmetric.empty()) return;
    Subject subject = subject_of(catalog, request, tasks[i], sessions);
    subject.know(states[i].endings);
    shrink_values(subject, states[i].asymmetric);
  });
  Unstable unstable;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    TaskState& state = states[i];
    append_breaches(tasks[i].d, state.checked.breaches, std::move(state.asymmetric));
    for (const Breach& b : state.checked.breaches)
      report.findings.push_back(finding_of(report, tasks[i], b));
    if (state.begun) append_coverage(tasks[i], state, report);
    if (state.endings.unstable)
      unstable.insert({tasks[i].offer->about.name, std::string(name(tasks[i].d))});
  }
  return unstable;
}

void simplify_values(const Catalog& catalog, const Request& request, const Unstable& unstable,
                     Report& report) {
  std::vector<Finding*> findings;
  for (Finding& f : report.findings)
    if (about_values(f)) findings.push_back(&f);
  const std::vector<Task> tasks = tasks_of(catalog, request);
  in_threads(request, findings.size(), [&](std::size_t i, SessionPool& sessions) {
    Finding& f = *findings[i];
    const auto task = std::find_if(tasks.begin(), tasks.end(), [&](const Task& t) {
      return t.offer->about.name == f.implementation && name(t.d) == f.dtype;
    });
    if (task == tasks.end()) return;
    Subject subject = subject_of(catalog, request, *task, sessions);
    const bool by_chance = unstable.count({f.implementation, f.dtype}) != 0;
    if (by_chance) subject.call_unstable();
    const Bits z = parse_number(task->d, f.witness->z.bits);
    const Bits y = f.witness->y ? parse_number(task->d, f.witness->y->bits) : 0;
    const auto b = simplest(subject, f.rule, z, y);
    if (!b && by_chance) {
      f.severity = Severity::note;
      f.message += "; not so in each of many calls: see determinism.repeat";
    }
    if (!b) return;
    const Bits sy = b->trial.y.empty() ? 0 : b->trial.y[0];
    f.simplest = make_witness(*task->offer->op, task->d, {b->trial.z[0], sy, *b->violation.got});
    f.witness_length = 1;
    f.setting = in_words(b->trial);
  });
}

void append_case(const Catalog& catalog, const Request& request, const std::string& text,
                 Report& report) {
  SessionPool sessions(trial_session(request));
  for (const Task& task : tasks_of(catalog, request)) {
    Trial trial;
    try {
      trial = parse_trial(task.d, text);
    } catch (const std::invalid_argument& e) {
      throw UsageError(fmt::format("--case: {}", e.what()));
    }
    const PluginInfo& plugin = sessions.of(task.offer->about.path).info();
    const std::string can = to_text(task.d, possible(plugin, trial));
    if (can != to_text(task.d, trial))
      throw UsageError(fmt::format("--case: the program can be given '{}' only", can));
    const bool two = info(*task.offer->op).arity == 2;
    if (two != !trial.y.empty() && !trial.z.empty())
      throw UsageError(fmt::format("--case: {} takes {} labels", task.offer->about.op,
                                   two ? "as many logits as" : "no"));
    Subject subject = subject_of(catalog, request, task, sessions);
    for (const Breach& b : check_case(subject, trial))
      report.findings.push_back(finding_of(report, task, b));
  }
}

}  // namespace ulpaudit
