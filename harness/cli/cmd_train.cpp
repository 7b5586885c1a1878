// ulpaudit train: what the errors of the chosen kernels do to small networks.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>

#include "cli/commands.hpp"
#include "audit/context.hpp"
#include "cli/interrupt.hpp"
#include "cli/number_option.hpp"
#include "cli/output.hpp"
#include "audit/audit.hpp"
#include "audit/train_kernels.hpp"
#include "record/json.hpp"
#include "reports/renderer.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {
namespace {

struct TrainOptions {
  Options shared;
  std::string profile = "quick";
  TrainingGlobs globs;
  TrainingChoice choice;
};

Exit run(const TrainOptions& t) {
  const auto start = std::chrono::steady_clock::now();
  const Options& o = t.shared;
  chosen_ops(o);  // unknown names are refused before anything is loaded
  chosen_dtypes(o);
  Report report;
  report.context = make_context(o, "train " + t.profile);
  report.run = make_volatile(o);
  const Catalog catalog = open_catalog(o);
  for (const BrokenPlugin& broken : catalog.broken) tell("{}", broken.reason);
  report.implementations = chosen_implementations(catalog, o);
  report.contracts = chosen_contracts(catalog, o);
  if (!report.implementations.empty()) check_output(o);
  catch_interrupts();
  TrainingGlobs globs = t.globs;
  globs.profile = training_profile(t.profile);
  if (!append_training(catalog, o, globs, t.choice, report)) {
    tell(
        "nothing matches --op, --impl and --dtype, so nothing was trained "
        "('ulpaudit list' shows what there is)");
    return catalog.broken.empty() ? Exit::nothing : Exit::plugin;
  }
  if (!g_interrupted && t.globs.networks.empty()) append_training_answers(catalog, o, report);
  mark_end(report, false, g_interrupted);
  judge_report(catalog.contracts, false, report);
  return give_report(o, start, report);
}

void add_training_options(CLI::App& c, TrainOptions& t) {
  c.add_option("--network", t.globs.networks,
               "binary, multilabel, deep_sigmoid, deep_relu, lstm (globs); default: all")
      ->type_name("GLOB");
  c.add_option(
       "--path", t.globs.paths,
       "how sigmoid and BCE are written (globs): logits; saved (sigma' as s(1-s)); "
       "probability (BCE of the rounded sigmoid); clipped (the same, clipped at 1e-7); of "
       "16-bit kernels mixed (gradients flow in 16 bits) and scaled (mixed, the loss scaled)")
      ->type_name("GLOB");
  c.add_option(
       "--data", t.globs.data,
       "noisy, separable, imbalanced, outliers, breast_cancer; adding for the lstm (globs); or a "
       "CSV file, "
       "labels in its last columns")
      ->type_name("GLOB|FILE.csv");
  c.add_option("--profile", t.profile,
               "quick: what shows most, f32 and bf16; standard: more data and paths, every dtype; "
               "full: all that --network, --path, --data and --dtype leave open")
      ->check(CLI::IsMember({"quick", "standard", "full"}))
      ->capture_default_str();
  add_whole(c, "--label-columns", t.globs.label_columns, 1, 1000, "of the CSV file")
      ->capture_default_str();
  add_whole(c, "--steps", t.choice.steps, 1, 10'000'000,
            "mini-batches of a run (default: the network's)");
  add_whole(c, "--batch", t.choice.batch, 1, 1 << 18,
            "samples of a mini-batch (default: the network's)");
  add_real(c, "--learning-rate", t.choice.rate, 1e-30, 1e30,
           "of all runs (default: the network's)");
  add_whole(c, "--depth", t.choice.depth, 1, 64, "hidden layers of the deep nets (default: 3)");
  add_seed(c, t.shared.seed, "of weights, data and their order");
  add_whole(c, "--threads", t.shared.threads, 1, 1024, "threads (default: one per core)");
}

}  // namespace

Command add_train(CLI::App& parser) {
  auto t = std::make_shared<TrainOptions>();
  t->shared.given_alone = true;
  CLI::App* c = parser.add_subcommand("train", "small networks trained with each plug-in");
  add_selection_options(*c, t->shared);
  add_training_options(*c, *t);
  add_checkpoint_options(*c, t->shared);
  add_contract_option(*c, t->shared);
  add_output_options(*c, t->shared);
  c->add_option("-o,--output", t->shared.output, "folder for report.json and report.md");
  c->footer("Example: ulpaudit train --network binary --impl 'naive/*' --dtype f32");
  return {c, [t] { return run(*t); }};
}

}  // namespace ulpaudit
