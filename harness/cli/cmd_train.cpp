// ulpaudit train: what the errors of the chosen kernels do to small networks.
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <memory>

#include "audit/audit.hpp"
#include "cli/commands.hpp"
#include "cli/number_option.hpp"
#include "cli/report_files.hpp"

namespace ulpaudit {
namespace {

struct TrainOptions {
  Options shared;
  std::string profile = "quick";
  TrainingGlobs globs;
  TrainingChoice choice;
};

Exit run(const TrainOptions& t) {
  Request request = t.shared.request();
  request.profile = "train " + t.profile;
  TrainingGlobs globs = t.globs;
  globs.profile = training_profile(t.profile);
  const Report report = audit_training(request, globs, t.choice);
  give_report(t.shared, report);
  return exit_of(report);
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
