// ulpaudit bench: how fast the chosen kernels are, beside memcpy and naive.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>

#include "cli/commands.hpp"
#include "audit/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/number_option.hpp"
#include "cli/output.hpp"
#include "audit/time_kernels.hpp"
#include "audit/audit.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {
namespace {

struct BenchOptions {
  Options shared;
  std::vector<std::string> levels, inputs;
  int repetitions = BenchChoice().repetitions;
  double milliseconds = BenchChoice().milliseconds;
  bool callgrind = false;
};

Exit run(const BenchOptions& b) {
  const auto start = std::chrono::steady_clock::now();
  const Options& o = b.shared;
  BenchChoice choice;
  choice.levels = chosen(kLevels, b.levels, "level");
  choice.workloads = chosen(kWorkloads, b.inputs, "workload");
  choice.all_pairs = !b.levels.empty() || !b.inputs.empty();
  choice.repetitions = b.repetitions;
  choice.milliseconds = b.milliseconds;
  Report report;
  report.context = make_context(o, "bench");
  report.run = make_volatile(o);
  const Catalog catalog = open_catalog(o);
  for (const BrokenPlugin& broken : catalog.broken) tell("{}", broken.reason);
  report.implementations = chosen_implementations(catalog, o);
  report.contracts = chosen_contracts(catalog, o);
  std::optional<Callgrind> callgrind;
  if (b.callgrind) {
    try {
      choice.callgrind = &callgrind.emplace(o.session());
    } catch (const std::runtime_error& e) {
      throw UsageError(fmt::format("--callgrind: {}", e.what()));
    }
  }
  if (!report.implementations.empty()) check_output(o);
  catch_interrupts();
  if (!append_benchmarks(catalog, o, choice, report)) {
    tell("nothing matches --op, --impl, --dtype and --level, so nothing was timed");
    return catalog.broken.empty() ? Exit::nothing : Exit::plugin;
  }
  mark_end(report, false, g_interrupted);
  judge_report(catalog.contracts, false, report);
  return give_report(o, start, report);
}

}  // namespace

Command add_bench(CLI::App& parser) {
  auto b = std::make_shared<BenchOptions>();
  b->shared.also_load = kReference;
  CLI::App* c = parser.add_subcommand("bench", "throughput, beside memcpy and naive");
  add_selection_options(*c, b->shared);
  c->add_option("--level", b->levels,
                "L1, L2, DRAM, device (globs): where the arrays lie; default: all");
  c->add_option("--inputs", b->inputs,
                "typical (logits, standard deviation 4), uniform (-20 to 20), subnormal (results), "
                "bits (all patterns); default: all in L1, typical in the others");
  add_whole(*c, "--repetitions", b->repetitions, 1, 10000, "times of each row")
      ->capture_default_str();
  add_real(*c, "--min-time", b->milliseconds, 0.01, 60000,
           "milliseconds inside the kernel, of each repetition", " of milliseconds")
      ->capture_default_str();
  c->add_flag(
      "--callgrind", b->callgrind,
      "count instructions with valgrind too, of typical inputs in L1 (no AVX-512 there): the same "
      "on every run, for the gate");
  add_seed(*c, b->shared.seed, "of the inputs");
  add_run_options(*c, b->shared);
  add_output_options(*c, b->shared);
  c->add_option("-o,--output", b->shared.output, "folder for report.json and report.md");
  c->footer("Example: ulpaudit bench --op sigmoid --dtype f32 --level L1");
  return {c, [b] { return run(*b); }};
}

}  // namespace ulpaudit
