// Training runs of the chosen plug-ins.
// SPDX-License-Identifier: Apache-2.0
#include "audit/train_kernels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "audit/train_checkpoint.hpp"
#include "record/replay.hpp"
#include "textbook/training_answers.hpp"
#include "training/csv.hpp"

namespace ulpaudit {
namespace {

/// A network with what it learns and how, from which profile on.
struct Lesson {
  NetworkKind network;
  DataKind data;
  Path path;
  TrainingProfile from = TrainingProfile::quick;
};

/// What is trained unless the user says otherwise.
constexpr Lesson kLessons[] = {
    {NetworkKind::binary, DataKind::noisy, Path::logits},
    {NetworkKind::binary, DataKind::noisy, Path::mixed, TrainingProfile::standard},
    {NetworkKind::binary, DataKind::noisy, Path::scaled, TrainingProfile::standard},
    {NetworkKind::binary, DataKind::outliers, Path::logits},
    {NetworkKind::binary, DataKind::outliers, Path::clipped},
    {NetworkKind::binary, DataKind::outliers, Path::probability},
    {NetworkKind::binary, DataKind::separable, Path::logits, TrainingProfile::standard},
    {NetworkKind::binary, DataKind::imbalanced, Path::logits, TrainingProfile::standard},
    {NetworkKind::binary, DataKind::breast_cancer, Path::logits},
    {NetworkKind::multilabel, DataKind::noisy, Path::logits},
    {NetworkKind::multilabel, DataKind::noisy, Path::clipped, TrainingProfile::standard},
    {NetworkKind::deep_sigmoid, DataKind::noisy, Path::logits},
    {NetworkKind::deep_sigmoid, DataKind::noisy, Path::saved},
    {NetworkKind::deep_sigmoid, DataKind::noisy, Path::mixed, TrainingProfile::standard},
    {NetworkKind::deep_sigmoid, DataKind::noisy, Path::scaled, TrainingProfile::standard},
    {NetworkKind::deep_relu, DataKind::noisy, Path::logits},
    {NetworkKind::deep_relu, DataKind::noisy, Path::scaled, TrainingProfile::standard},
    {NetworkKind::lstm, DataKind::adding, Path::logits},
    {NetworkKind::lstm, DataKind::adding, Path::saved},
    {NetworkKind::lstm, DataKind::adding, Path::scaled, TrainingProfile::standard},
};

bool fits(NetworkKind network, DataKind data) {
  if (data == DataKind::file || data == DataKind::breast_cancer)
    return network != NetworkKind::lstm;
  return (network == NetworkKind::lstm) == (data == DataKind::adding);
}
bool fits(NetworkKind network, Path path) {
  return path != Path::saved || has_inner_sigmoids(network);
}
/// Gradients flow in 16 bits where kernels have 16.
bool fits(Path path, Dtype d) { return !is_mixed(path) || format(d).width == 16; }

/// Does --data name a file? No generator has a dot or a slash in its name.
bool is_file(const TrainingGlobs& globs) {
  const auto named = [](const std::string& s) { return s.find_first_of("./") != s.npos; };
  if (std::none_of(globs.data.begin(), globs.data.end(), named)) return false;
  if (globs.data.size() > 1) throw UsageError("--data takes one file, or names of generated data");
  return true;
}

std::shared_ptr<const DataSet> read_file_of(const TrainingGlobs& globs) {
  if (!is_file(globs)) return nullptr;
  try {
    return std::make_shared<const DataSet>(read_csv(globs.data[0], globs.label_columns));
  } catch (const BadData& e) {
    throw UsageError(e.what());
  }
}

std::vector<Lesson> lessons(const TrainingGlobs& globs) {
  const auto networks = chosen(kNetworks, globs.networks, "network");
  const auto paths = chosen(kPaths, globs.paths, "path");
  const auto data = is_file(globs) ? std::vector<DataKind>{DataKind::file}
                                   : chosen(kDataKinds, globs.data, "data");
  std::vector<Lesson> out;
  for (const NetworkKind n : networks) {
    const bool all = globs.profile == TrainingProfile::full;
    if (globs.paths.empty() && globs.data.empty() && !all) {
      for (const Lesson& l : kLessons)
        if (l.network == n && l.from <= globs.profile) out.push_back(l);
      continue;
    }
    const DataKind own = n == NetworkKind::lstm ? DataKind::adding : DataKind::noisy;
    for (const DataKind d : data)
      for (const Path p : paths)
        if (fits(n, d) && fits(n, p) && (all || !globs.paths.empty() || p == Path::logits) &&
            (all || !globs.data.empty() || d == own))
          out.push_back({n, d, p});
  }
  return out;
}

/// The kernels of a plug-in in a dtype; nothing where none is chosen.
std::optional<KernelSet> kernels_of(const Catalog& catalog, const Request& request,
                                    const std::string& plugin, Dtype d) {
  KernelSet set, chosen_ones;
  bool any = false;
  for (const Offer& offer : catalog.offers) {
    if (offer.about.plugin != plugin || !offer.op || !offer.about.unavailable.empty() ||
        !matches(request.ops, offer.about.op) ||
        std::find(offer.dtypes.begin(), offer.dtypes.end(), d) == offer.dtypes.end())
      continue;
    const auto at = static_cast<std::size_t>(*offer.op);
    const KernelChoice kernel = {offer.about.name, offer.about.path, offer.kernel};
    if (!set[at]) set[at] = kernel;
    if (!matches(request.impls, offer.about.name)) continue;
    any = true;
    if (!chosen_ones[at]) chosen_ones[at] = kernel;
  }
  if (!any) return std::nullopt;
  for (std::size_t i = 0; i < set.size(); ++i)
    if (chosen_ones[i]) set[i] = chosen_ones[i];
  return set;
}

std::vector<TrainingRun> runs_of(const Catalog& catalog, const Request& request,
                                 const TrainingGlobs& globs) {
  std::vector<TrainingRun> out;
  const bool two = request.dtypes.empty() && globs.profile == TrainingProfile::quick;
  for (const Lesson& l : lessons(globs))
    for (const Dtype d : chosen_dtypes(request)) {
      if ((two && d != Dtype::f32 && d != Dtype::bf16) || !fits(l.path, d)) continue;
      for (const std::string& plugin : catalog.plugin_names) {
        const auto kernels = kernels_of(catalog, request, plugin, d);
        if (!kernels) continue;
        TrainingRun run{l.network, l.data, l.path, d, plugin, *kernels};
        const auto used = ops_used(run);
        if (std::any_of(used.begin(), used.end(), [&](OpId op) {
              return run.kernels[static_cast<std::size_t>(op)].has_value();
            }))
          out.push_back(run);
      }
    }
  return out;
}

/// Why implementations that were chosen cannot be trained: what is missing, and what there is.
std::string untrainable(const Catalog& catalog, const Request& request,
                        const TrainingGlobs& globs) {
  const std::vector<Lesson> asked = lessons(globs);
  if (asked.empty())
    return "no network of --network learns from --data along --path; accepted: adding for lstm and "
           "the other data for the others, saved for deep_sigmoid and lstm";
  std::set<std::string> needed, have, dtypes;
  for (const Lesson& l : asked) {
    TrainingRun run;
    run.network = l.network;
    run.path = l.path;
    for (const OpId op : ops_used(run)) needed.emplace(info(op).name);
  }
  for (const Dtype d : chosen_dtypes(request))
    if (std::any_of(asked.begin(), asked.end(), [&](const Lesson& l) { return fits(l.path, d); }))
      dtypes.emplace(name(d));
  for (const Offer& offer : catalog.offers)
    if (offer.about.unavailable.empty() && matches(request.impls, offer.about.name) &&
        matches(request.ops, offer.about.op))
      for (const Dtype d : offer.dtypes) have.insert(fmt::format("{} {}", offer.about.op, name(d)));
  if (have.empty()) return "";
  return fmt::format(
      "no chosen implementation has an op that a chosen network calls ({}) in a chosen dtype ({}); "
      "they have: {}",
      fmt::join(needed, ", "),
      dtypes.empty() ? "mixed and scaled are for f16, bf16"
                     : fmt::format("{}", fmt::join(dtypes, ", ")),
      fmt::join(have, ", "));
}

/// What chooses the kernels of a row again, and nothing else.
std::string selection(const Report& report, const Request& request, const Training& t) {
  std::string out;
  for (const Implementation& i : report.implementations)
    if (i.plugin == t.implementation && !i.given_path.empty()) {
      out += giving(i);
      break;
    }
  if (request.impls.empty()) {
    out += "--impl " + quoted(t.implementation + "/*");
  } else {
    for (const std::string& k : t.kernels)
      out += fmt::format("{}--impl {}", out.empty() || out.back() == ' ' ? "" : " ", quoted(k));
  }
  for (const std::string& op : request.ops) out += " --op " + quoted(op);
  return out;
}

void add_replay(const Report& report, const Request& request, const TrainingChoice& choice,
                int label_columns, Training& t) {
  t.replay = fmt::format("./run train --network {} --data '{}' --path {} --dtype {} --seed {}",
                         t.network, t.data, t.path, t.dtype, t.seed);
  if (t.implementation != kExactKernels) t.replay += " " + selection(report, request, t);
  if (label_columns != 1) t.replay += fmt::format(" --label-columns {}", label_columns);
  if (choice.steps != 0) t.replay += fmt::format(" --steps {}", choice.steps);
  if (choice.batch != 0) t.replay += fmt::format(" --batch {}", choice.batch);
  if (choice.rate != 0) t.replay += fmt::format(" --learning-rate {}", choice.rate);
  if (choice.depth != 0) t.replay += fmt::format(" --depth {}", choice.depth);
}

/// All that the rows follow from.
TrainCheckpoint::Identity identity_of(const Report& report, const std::vector<TrainingRun>& runs,
                                      const TrainingChoice& c) {
  const Context& x = report.context;
  TrainCheckpoint::Identity id = {{"version", x.version},
                                  {"commit", x.commit},
                                  {"compiler", x.compiler},
                                  {"flags", x.flags},
                                  {"libm", x.libm},
                                  {"rounding", x.rounding},
                                  {"ISA", x.isa},
                                  {"seed", std::to_string(c.seed)},
                                  {"steps", std::to_string(c.steps)},
                                  {"batch", std::to_string(c.batch)},
                                  {"learning rate", fmt::format("{}", c.rate)},
                                  {"depth", std::to_string(c.depth)}};
  if (c.file)
    id.emplace_back("data", fmt::format("{}, {} values with sum {:a}", c.file->name,
                                        c.file->x.size() + c.file->y.size(),
                                        c.file->x.cwiseAbs().sum() + c.file->y.sum()));
  for (const TrainingRun& r : runs) {
    std::string kernels;
    for (const auto& k : r.kernels)
      if (k) kernels += " " + k->name;
    id.emplace_back("run", fmt::format("{} {} {} {} {}:{}", name(r.network), name(r.data),
                                       name(r.path), name(r.dtype), r.implementation, kernels));
  }
  for (const Implementation& i : report.implementations)
    id.emplace_back("build of " + i.name, i.build_id);
  return id;
}

Finding finding_of(const Training& t) {
  Finding f = make_finding("plugin.train", "train", t.implementation, "", t.dtype);
  f.message = fmt::format("{} on {} ({}): {}", t.network, t.data, t.path, t.verdict);
  f.replay = t.replay;
  return f;
}

}  // namespace

TrainingProfile training_profile(const std::string& name) {
  return name == "full"       ? TrainingProfile::full
         : name == "standard" ? TrainingProfile::standard
                              : TrainingProfile::quick;
}

void append_training_answers(const Catalog& catalog, const Request& request, Report& report) {
  std::vector<TrainedPlugin> plugins;
  for (const std::string& name : catalog.plugin_names) {
    TrainedPlugin p{name, {}};
    for (const Dtype d : chosen_dtypes(request))
      p.kernels[static_cast<std::size_t>(d)] = kernels_of(catalog, request, name, d);
    plugins.push_back(std::move(p));
  }
  append_training_textbook(plugins, request.seed, request.thread_count(), request.session(),
                           report);
}

bool append_training(const Catalog& catalog, const Request& request, const TrainingGlobs& globs,
                     TrainingChoice choice, Report& report) {
  choice.file = read_file_of(globs);
  const std::vector<TrainingRun> runs = runs_of(catalog, request, globs);
  if (runs.empty()) {
    const std::string why = untrainable(catalog, request, globs);
    if (why.empty() || !report.results.empty()) return false;
    throw UsageError(why);
  }
  choice.seed = request.seed;
  choice.threads = request.thread_count();
  choice.stop = request.stop;
  choice.progress = request.begin_progress("training runs");
  TrainCheckpoint checkpoint(request, identity_of(report, runs, choice));
  choice.known = [&](const TrainingRun& r) { return checkpoint.known(r); };
  choice.finished = [&](const Training& t) { checkpoint.add(t); };
  report.training = run_training(runs, choice, request.session());
  checkpoint.write();
  for (Training& t : report.training) {
    add_replay(report, request, choice, globs.label_columns, t);
    if (!t.failure.empty()) report.findings.push_back(finding_of(t));
  }
  return true;
}

}  // namespace ulpaudit
