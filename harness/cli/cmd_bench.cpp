// ulpaudit bench: how fast the chosen kernels are, beside memcpy and naive.
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <memory>

#include "audit/audit.hpp"
#include "audit/choice.hpp"
#include "audit/time_kernels.hpp"
#include "cli/commands.hpp"
#include "cli/number_option.hpp"
#include "cli/report_files.hpp"

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
  BenchChoice choice;
  choice.levels = chosen(kLevels, b.levels, "level");
  choice.workloads = chosen(kWorkloads, b.inputs, "workload");
  choice.all_pairs = !b.levels.empty() || !b.inputs.empty();
  choice.repetitions = b.repetitions;
  choice.milliseconds = b.milliseconds;
  Request request = b.shared.request();
  request.profile = "bench";
  const Report report = audit_times(request, choice, b.callgrind);
  give_report(b.shared, report);
  return exit_of(report);
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
