// Shared options.
#include "cli/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

#include "cli/number_option.hpp"
#include "fp/text.hpp"
#include "plugin/program.hpp"

namespace ulpaudit {
namespace {

/// More inputs than this per label are refused: years of work asked for by accident.
constexpr std::uint64_t kMostExhaustive = std::uint64_t{1} << 40;
/// In MiB; in bytes it still is a number of 64 bits.
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 40;

Bits parse_or_usage(Dtype d, const std::string& text) {
  try {
    return parse_number(d, text);
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
}

void choose_range(const Options& o, Dtype d, InputChoice& c) {
  if (o.range.empty()) return;
  const std::size_t colon = o.range.find(':');
  if (colon == std::string::npos)
    throw UsageError(fmt::format("--range '{}' has no ':'; accepted: LO:HI, e.g. -20:20", o.range));
  c.lo = parse_or_usage(d, o.range.substr(0, colon));
  c.hi = parse_or_usage(d, o.range.substr(colon + 1));
  if (is_nan(d, *c.lo) || is_nan(d, *c.hi))
    throw UsageError(fmt::format("--range '{}': NaN has no place in an order", o.range));
  if (ordinal(d, *c.lo) > ordinal(d, *c.hi))
    throw UsageError(fmt::format(
        "--range '{}' is empty in {}: its first number lies above its last", o.range, name(d)));
}

std::vector<Bits> choose_labels(const Options& o, OpId op, Dtype d) {
  if (info(op).arity == 1 || o.labels.empty()) return default_labels(op, d);
  std::vector<Bits> labels;
  for (const std::string& text : o.labels) {
    if (text == "all") {
      if (format(d).width > 16)
        throw UsageError(
            fmt::format("--label all is for f16 and bf16; {} has too many labels", name(d)));
      return all_labels(op, d);
    }
    const Bits y = parse_or_usage(d, text);
    if (is_nan(d, y) || !in_domain(op, d, y))
      throw UsageError(fmt::format("--label {} lies outside [0, 1]", text));
    labels.push_back(y);
  }
  std::sort(labels.begin(), labels.end(),
            [d](Bits a, Bits b) { return ordinal(d, a) < ordinal(d, b); });
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace

bool Options::use_color() const {
  if (color == "always") return true;
  return color == "auto" && ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
}
bool Options::show_progress() const { return !quiet && ::isatty(STDERR_FILENO) != 0; }
int Options::thread_count() const {
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}
SessionOptions Options::session() const {
  SessionOptions s;
  s.isolate = isolate == "on";
  s.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(deadline * 1000));
  s.memory_limit_mib = memory_limit_mib;
  return s;
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
      ->capture_default_str();
  add_whole(c, "--memory-limit", o.memory_limit_mib, 0, kMostMemory,
            "MiB that a plug-in may allocate; 0: no limit", " of MiB")
      ->capture_default_str();
  c.add_option("--isolate", o.isolate, "off: load plug-ins into this process (for a debugger)")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
}

void add_input_options(CLI::App& c, Options& o) {
  c.add_option("--range", o.range, "only inputs in [LO, HI]")->type_name("LO:HI");
  c.add_option("--label", o.labels, "labels of two-argument ops, or 'all' (repeatable)")
      ->type_name("Y|all");
  add_whole(c, "--points", o.points, 1, kMostExhaustive, "sampled or searched points per label");
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

bool matches(const std::vector<std::string>& globs, const std::string& text) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& g) {
           return ::fnmatch(g.c_str(), text.c_str(), 0) == 0;
         });
}

void check_globs(const std::vector<std::string>& globs, const std::vector<std::string>& known,
                 const std::string& what) {
  for (const std::string& g : globs)
    if (std::none_of(known.begin(), known.end(),
                     [&](const std::string& k) { return matches({g}, k); }))
      throw UsageError(
          fmt::format("unknown {} '{}'; accepted: {}", what, g, fmt::join(known, ", ")));
}

InputChoice choose_inputs(const Options& o, OpId op, Dtype d, std::uint64_t default_points,
                          bool default_exhaustive, bool default_search) {
  InputChoice c;
  c.exhaustive = o.exhaustive || default_exhaustive || format(d).width == 16;
  c.points = o.points != 0 ? o.points : default_points;
  if (o.points != 0 && !o.exhaustive && format(d).width > 16) c.exhaustive = false;
  c.search = !c.exhaustive && (o.search || default_search);
  c.seed = o.seed;
  choose_range(o, d, c);
  c.labels = choose_labels(o, op, d);
  c.nan_labels = o.labels.empty() && o.range.empty();
  if (c.exhaustive && format(d).width == 64) {
    const bool whole = !c.lo || !c.hi;
    if (whole || ordinal(d, *c.hi) - ordinal(d, *c.lo) > kMostExhaustive)
      throw UsageError("--exhaustive over f64 needs a --range of at most 2^40 numbers");
  }
  return c;
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
