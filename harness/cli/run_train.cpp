// Training runs of the chosen plug-ins.
#include "cli/run_train.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "record/giving.hpp"
#include "training/csv.hpp"

namespace ulpaudit {
namespace {

/// A network with what it learns and how.
struct Lesson {
  NetworkKind network;
  DataKind data;
  Path path;
};

/// What is trained unless the user says otherwise.
constexpr Lesson kLessons[] = {
    {NetworkKind::binary, DataKind::noisy, Path::logits},
    {NetworkKind::binary, DataKind::outliers, Path::logits},
    {NetworkKind::binary, DataKind::outliers, Path::clipped},
    {NetworkKind::binary, DataKind::outliers, Path::probability},
    {NetworkKind::multilabel, DataKind::noisy, Path::logits},
    {NetworkKind::deep_sigmoid, DataKind::noisy, Path::logits},
    {NetworkKind::deep_sigmoid, DataKind::noisy, Path::saved},
    {NetworkKind::deep_relu, DataKind::noisy, Path::logits},
    {NetworkKind::lstm, DataKind::adding, Path::logits},
    {NetworkKind::lstm, DataKind::adding, Path::saved},
};

bool fits(NetworkKind network, DataKind data) {
  if (data == DataKind::file) return network != NetworkKind::lstm;
  return (network == NetworkKind::lstm) == (data == DataKind::adding);
}
bool fits(NetworkKind network, Path path) {
  return path != Path::saved || has_inner_sigmoids(network);
}

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
    if (globs.paths.empty() && globs.data.empty()) {
      for (const Lesson& l : kLessons)
        if (l.network == n) out.push_back(l);
      continue;
    }
    const DataKind own = n == NetworkKind::lstm ? DataKind::adding : DataKind::noisy;
    for (const DataKind d : data)
      for (const Path p : paths)
        if (fits(n, d) && fits(n, p) && (!globs.paths.empty() || p == Path::logits) &&
            (!globs.data.empty() || d == own))
          out.push_back({n, d, p});
  }
  return out;
}

/// The kernels of a plug-in in a dtype; nothing where none is chosen.
std::optional<KernelSet> kernels_of(const Catalog& catalog, const Options& o,
                                    const std::string& plugin, Dtype d) {
  KernelSet set, chosen_ones;
  bool any = false;
  for (const Offer& offer : catalog.offers) {
    if (offer.about.plugin != plugin || !offer.op || !offer.about.unavailable.empty() ||
        !matches(o.ops, offer.about.op) ||
        std::find(offer.dtypes.begin(), offer.dtypes.end(), d) == offer.dtypes.end())
      continue;
    const auto at = static_cast<std::size_t>(*offer.op);
    const KernelChoice kernel = {offer.about.name, offer.about.path, offer.kernel};
    if (!set[at]) set[at] = kernel;
    if (!matches(o.impls, offer.about.name)) continue;
    any = true;
    if (!chosen_ones[at]) chosen_ones[at] = kernel;
  }
  if (!any) return std::nullopt;
  for (std::size_t i = 0; i < set.size(); ++i)
    if (chosen_ones[i]) set[i] = chosen_ones[i];
  return set;
}

std::vector<TrainingRun> runs_of(const Catalog& catalog, const Options& o,
                                 const std::vector<Lesson>& lessons) {
  std::vector<TrainingRun> out;
  for (const Lesson& l : lessons)
    for (const Dtype d : chosen_dtypes(o)) {
      if (o.dtypes.empty() && d != Dtype::f32 && d != Dtype::bf16) continue;
      for (const std::string& plugin : catalog.plugin_names) {
        const auto kernels = kernels_of(catalog, o, plugin, d);
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

/// What chooses the kernels of a row again, and nothing else.
std::string selection(const Report& report, const Options& o, const Training& t) {
  std::string out;
  for (const Implementation& i : report.implementations)
    if (i.plugin == t.implementation && !i.given_path.empty()) {
      out += giving(i);
      break;
    }
  if (o.impls.empty()) {
    out += fmt::format("--impl '{}/*'", t.implementation);
  } else {
    for (const std::string& k : t.kernels)
      out += fmt::format("{}--impl '{}'", out.empty() || out.back() == ' ' ? "" : " ", k);
  }
  for (const std::string& op : o.ops) out += fmt::format(" --op '{}'", op);
  return out;
}

void add_replay(const Report& report, const Options& o, const TrainingChoice& choice,
                int label_columns, Training& t) {
  t.replay = fmt::format("./run train --network {} --data '{}' --path {} --dtype {} --seed {}",
                         t.network, t.data, t.path, t.dtype, t.seed);
  if (t.implementation != kExactKernels) t.replay += " " + selection(report, o, t);
  if (label_columns != 1) t.replay += fmt::format(" --label-columns {}", label_columns);
  if (choice.steps != 0) t.replay += fmt::format(" --steps {}", choice.steps);
  if (choice.batch != 0) t.replay += fmt::format(" --batch {}", choice.batch);
  if (choice.rate != 0) t.replay += fmt::format(" --learning-rate {}", choice.rate);
  if (choice.depth != 0) t.replay += fmt::format(" --depth {}", choice.depth);
}

Finding finding_of(const Training& t) {
  Finding f;
  f.rule = "plugin.train";
  f.phase = "train";
  f.implementation = t.implementation;
  f.dtype = t.dtype;
  f.region = "all";
  f.message = fmt::format("{} on {} ({}): {}", t.network, t.data, t.path, t.verdict);
  f.count = 1;
  f.replay = t.replay;
  return f;
}

}  // namespace

bool append_training(const Catalog& catalog, const Options& o, const TrainingGlobs& globs,
                     TrainingChoice choice, Report& report) {
  choice.file = read_file_of(globs);
  const std::vector<TrainingRun> runs = runs_of(catalog, o, lessons(globs));
  if (runs.empty()) return false;
  Progress progress(o.show_progress(), "training runs");
  choice.seed = o.seed;
  choice.threads = o.thread_count();
  choice.stop = &g_interrupted;
  choice.progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
  report.training = run_training(runs, choice, o.session());
  for (Training& t : report.training) {
    add_replay(report, o, choice, globs.label_columns, t);
    if (!t.failure.empty()) report.findings.push_back(finding_of(t));
  }
  return true;
}

}  // namespace ulpaudit
