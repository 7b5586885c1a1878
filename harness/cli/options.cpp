// Shared options.
// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <memory>

#include "audit/choice.hpp"
#include "cli/interrupt.hpp"
#include "cli/number_option.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/report_files.hpp"
#include "plugin/program.hpp"

namespace ulpaudit {
namespace {

/// In MiB; in bytes it still is a number of 64 bits.
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 40;

std::pair<std::string, std::string> parse_range(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos)
    throw UsageError(fmt::format("--range '{}' has no ':'; accepted: LO:HI, e.g. -20:20", text));
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

bool Options::use_color() const {
  if (color == "always") return true;
  return color == "auto" && ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
}
bool Options::show_progress() const { return !quiet && ::isatty(STDERR_FILENO) != 0; }
Request Options::request() const {
  Request r;
  r.ops = ops;
  r.impls = impls;
  r.dtypes = dtypes;
  r.plugins = plugins;
  r.also_load = also_load;
  r.given_alone = given_alone;
  r.contract = contract;
  if (!range.empty()) r.range = parse_range(range);
  r.labels = labels;
  r.points = points;
  r.exhaustive = exhaustive;
  r.search = search;
  r.huge = huge;
  r.seed = seed;
  r.shard = parse_shard(shard);
  if (threads != 0) r.threads = threads;
  r.judge_on_device = judge == "auto";
  if (time_limit > 0) r.time_limit = milliseconds(time_limit);
  r.checkpoint = checkpoint;
  r.resume = resume;
  r.checkpoint_every = milliseconds(checkpoint_every);
  if (deadline_given) r.deadline = milliseconds(deadline);
  if (memory_limit_given) r.memory_limit_mib = memory_limit_mib;
  r.isolate = isolate == "on";
  r.stop = &g_interrupted;
  r.notice = [](const std::string& sentence) { tell_text(sentence); };
  r.progress = [shown = show_progress()](const char* unit) -> ProgressCallback {
    auto line = std::make_shared<Progress>(shown, unit);
    return [line](std::uint64_t done, std::uint64_t total) { line->update(done, total); };
  };
  r.ready = [o = *this] {
    check_output(o);
    catch_interrupts();
  };
  return r;
}

void add_selection_options(CLI::App& c, Options& o) {
  c.add_option("--op", o.ops, "ops to run, a name or glob (repeatable)")->type_name("GLOB");
  c.add_option("--impl", o.impls, "implementations, as plugin/kernel (repeatable)")
      ->type_name("GLOB");
  c.add_option("--dtype", o.dtypes, "f16, bf16, f32, f64 (repeatable)")->type_name("GLOB");
  c.add_option("--plugin", o.plugins, "a plug-in to load besides those found (repeatable)")
      ->type_name("FILE.so");
  c.add_option_function<std::vector<std::string>>(
       "--exec",
       [&o](const std::vector<std::string>& commands) {
         for (const std::string& command : commands) o.plugins.push_back(program_address(command));
       },
       "a program that speaks the worker's protocol, as a plug-in (repeatable; not --memory-limit)")
      ->type_name("COMMAND")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_real(c, "--deadline", o.deadline, 0.001, 1e6, "seconds that a plug-in may take for one batch",
           " of seconds")
      ->capture_default_str()
      ->each([&o](const std::string&) { o.deadline_given = true; });
  add_whole(c, "--memory-limit", o.memory_limit_mib, 0, kMostMemory,
            "MiB that a plug-in may allocate; 0: no limit", " of MiB")
      ->capture_default_str()
      ->each([&o](const std::string&) { o.memory_limit_given = true; });
  c.add_option("--isolate", o.isolate, "off: load plug-ins into this process (for a debugger)")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
}

void add_input_options(CLI::App& c, Options& o) {
  c.add_option("--range", o.range, "only inputs in [LO, HI]")->type_name("LO:HI");
  c.add_option("--label", o.labels, "labels of two-argument ops, or 'all' (repeatable)")
      ->type_name("Y|all");
  add_whole(c, "--points", o.points, 1, kMostInputs, "sampled or searched points per label");
  CLI::Option* exhaustive =
      c.add_flag("--exhaustive", o.exhaustive, "every input (16-bit dtypes always are)");
  c.add_flag("--search", o.search,
             "f32, f64: search every binade for the largest error, within --points per label")
      ->excludes(exhaustive);
  add_seed(c, o.seed, "seed of the samples");
  c.add_option("--shard", o.shard, "run part I of N of the chunks (0 <= I < N)")->type_name("I/N");
}

void add_run_options(CLI::App& c, Options& o) {
  add_whole(c, "--threads", o.threads, 1, 1024, "threads (default: one per core)");
  c.add_option("--judge", o.judge,
               "where results are compared: auto (kernels on a GPU there), or host")
      ->check(CLI::IsMember({"auto", "host"}))
      ->capture_default_str();
  add_real(c, "--time-limit", o.time_limit, 1e-9, 1e9,
           "stop after so many seconds and mark the report", " of seconds");
  add_checkpoint_options(c, o);
  add_contract_option(c, o);
}

void add_checkpoint_options(CLI::App& c, Options& o) {
  CLI::Option* checkpoint =
      c.add_option("--checkpoint", o.checkpoint, "file that keeps the finished part of the run")
          ->type_name("FILE");
  c.add_flag("--resume", o.resume, "go on with the checkpoint, where there is one")
      ->needs(checkpoint);
  add_real(c, "--checkpoint-every", o.checkpoint_every, 0, 1e9, "seconds between two checkpoints",
           " of seconds")
      ->capture_default_str();
}

void add_contract_option(CLI::App& c, Options& o) {
  c.add_option("--contract", o.contract, "contract to judge by, in place of the plug-in's own")
      ->type_name("FILE.toml");
}

void add_output_options(CLI::App& c, Options& o) {
  c.add_flag("--json", o.json, "print facts for programs instead of tables");
  c.add_flag("--quiet", o.quiet, "no progress");
  c.add_option("--color", o.color, "colours in tables")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

Shard parse_shard(const std::string& text) {
  Shard s;
  if (text.empty()) return s;
  const std::size_t slash = text.find('/');
  const auto read = [](std::string_view t, std::uint64_t& v) {
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), v);
    return error == std::errc{} && end == t.data() + t.size();
  };
  if (slash == std::string::npos || !read(std::string_view(text).substr(0, slash), s.index) ||
      !read(std::string_view(text).substr(slash + 1), s.count) || s.index >= s.count)
    throw UsageError(fmt::format("--shard '{}'; accepted: I/N with 0 <= I < N", text));
  return s;
}

}  // namespace ulpaudit
