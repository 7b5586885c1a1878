// Training runs: the reference of each network first, then the rows, shared out among threads.
// SPDX-License-Identifier: Apache-2.0
#include "training/training.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "training/csv.hpp"
#include "training/loop.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kCurvePoints = 50;
constexpr std::uint64_t kWindow = 10;  ///< steps whose mean loss is looked at
constexpr int kLabels = 5;             ///< of the multi-label net

struct Settings {
  int features, labels;
  std::uint64_t steps, batch;
  double rate;
  bool adam;
};

/// `file`: not null where the data are not generated.
Settings settings_of(NetworkKind k, const DataSet* file) {
  if (file != nullptr) {
    Settings s = settings_of(k, nullptr);
    s.features = static_cast<int>(file->x.rows());
    s.labels = static_cast<int>(file->y.rows());
    return s;
  }
  switch (k) {
    case NetworkKind::binary:
      return {20, 1, 300, 64, 0.3, false};
    case NetworkKind::multilabel:
      return {20, kLabels, 300, 64, 1.0, false};
    case NetworkKind::deep_sigmoid:
      return {10, 1, 300, 64, 1.0, false};
    case NetworkKind::deep_relu:
      return {10, 1, 300, 64, 0.3, false};
    case NetworkKind::lstm:
      break;
  }
  return {kLstmInputs * kSequenceLength, 1, 200, 32, 0.05, true};
}

/// The data of a run, where they are not generated.
const DataSet* file_of(const TrainingRun& run, const TrainingChoice& c) {
  static const DataSet real = breast_cancer();
  return run.data == DataKind::file            ? c.file.get()
         : run.data == DataKind::breast_cancer ? &real
                                               : nullptr;
}

LoopChoice loop_choice(const TrainingRun& run, const TrainingChoice& c) {
  const Settings s = settings_of(run.network, file_of(run, c));
  LoopChoice l;
  l.shape = {run.network, s.features, s.labels, c.depth != 0 ? c.depth : 3};
  l.path = run.path;
  l.steps = c.steps != 0 ? c.steps : s.steps;
  l.batch = c.batch != 0 ? c.batch : s.batch;
  l.rate = c.rate != 0 ? c.rate : s.rate;
  l.adam = s.adam;
  l.seed = c.seed;
  l.stop = c.stop;
  return l;
}

/// Calls f(0) … f(n-1), each with the sessions of its thread.
template <class F>
void share_out(std::size_t n, int threads, const SessionOptions& options, F&& f) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr fault;
  std::mutex mutex;
  const auto work = [&] {
    try {
      SessionPool sessions(options);
      for (std::size_t i; (i = next++) < n;) f(i, sessions);
    } catch (...) {
      const std::lock_guard lock(mutex);
      fault = std::current_exception();
    }
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < threads && static_cast<std::size_t>(t) < n; ++t) pool.emplace_back(work);
  work();
  for (std::thread& t : pool) t.join();
  if (fault) std::rethrow_exception(fault);
}

/// Logits of the data kept apart, in f64 with exact kernels, and how good they are.
struct Judged {
  Matrix<double> logits;
  Training::Quality quality;
};

Training::Quality quality_of(const Matrix<double>& z, const Matrix<double>& y,
                             ExactKernels<double>& exact) {
  const auto n = static_cast<std::size_t>(z.size());
  std::vector<double> loss(n), p(n);
  exact.run(kBce, z.data(), y.data(), loss.data(), n);
  exact.run(kSigmoid, z.data(), nullptr, p.data(), n);
  Training::Quality q;
  double right = 0, hits = 0, alarms = 0, misses = 0;
  constexpr std::size_t bins = 10;  // of the expected calibration error
  double in_bin[bins] = {}, claimed[bins] = {}, came[bins] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const double label = y.data()[i];
    const bool yes = z.data()[i] > 0, truth = label > 0.5;
    q.loss += loss[i] / static_cast<double>(n);
    q.brier += (p[i] - label) * (p[i] - label) / static_cast<double>(n);
    right += yes == truth;
    hits += yes && truth;
    alarms += yes && !truth;
    misses += !yes && truth;
    const auto b = std::min(bins - 1, static_cast<std::size_t>(p[i] * bins));
    in_bin[b] += 1;
    claimed[b] += p[i];
    came[b] += label;
  }
  q.accuracy = right / static_cast<double>(n);
  q.f1 = hits > 0 ? 2 * hits / (2 * hits + alarms + misses) : 0;
  for (std::size_t b = 0; b < bins; ++b)
    q.calibration_error += std::fabs(claimed[b] - came[b]) / static_cast<double>(n);
  return q;
}

std::optional<Judged> judge(const LoopChoice& c, const LoopResult& r, const DataSet& data) {
  if (!r.finite) return std::nullopt;
  ExactKernels<double> exact(Dtype::f64);
  Ops<double> ops(Path::logits, exact, nullptr);
  Judged j;
  j.logits = trained_network(c, r)->forward(data.test_x, ops);
  if (!j.logits.allFinite()) return std::nullopt;
  j.quality = quality_of(j.logits, data.test_y, exact);
  return j;
}

/// How many decisions sigma(z) > 0.5 are another than z > 0.
template <class T>
std::uint64_t differing(const Matrix<double>& logits, Kernels<T>& kernels) {
  const Matrix<T> z = logits.cast<T>();
  Matrix<T> s(z.rows(), z.cols());
  kernels.run(kSigmoid, z.data(), nullptr, s.data(), static_cast<std::size_t>(z.size()));
  std::uint64_t n = 0;
  for (Eigen::Index i = 0; i < z.size(); ++i) n += (s.data()[i] > T(0.5)) != (z.data()[i] > T(0));
  return n;
}

struct Reference {
  DataSet data;
  LoopResult loop;
  std::optional<Judged> judged;
};

double window_mean(const std::vector<double>& v, std::size_t end) {
  const std::size_t from = end > kWindow ? end - kWindow : 0;
  double sum = 0;
  for (std::size_t i = from; i < end; ++i) sum += v[i];
  return sum / static_cast<double>(end - from);
}

std::optional<std::uint64_t> steps_to(const std::vector<double>& losses, double target) {
  for (std::size_t end = kWindow; end <= losses.size(); ++end)
    if (window_mean(losses, end) <= target) return end;
  return std::nullopt;
}

double distance(const std::vector<Eigen::MatrixXd>& a, const std::vector<Eigen::MatrixXd>& b) {
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += (a[i] - b[i]).squaredNorm();
    size += b[i].squaredNorm();
  }
  return std::sqrt(apart / size);
}

/// The step from which the run stays where it ends, if it covered less than half of the
/// reference's way.
std::optional<std::uint64_t> stall(const LoopResult& r, const LoopResult& reference) {
  const std::size_t n = r.losses.size();
  if (n < 2 * kWindow) return std::nullopt;
  if (r.moved + kWindow < n && reference.moved > r.moved + kWindow) return r.moved;
  const double start = reference.losses[0], end = window_mean(r.losses, n);
  const double way = start - window_mean(reference.losses, n);
  if (way < 0.05 * start || start - end >= 0.5 * way || end > 1.1 * start) return std::nullopt;
  std::size_t at = n;
  while (at > kWindow && std::fabs(window_mean(r.losses, at) - end) < 0.1 * way) --at;
  return at;
}

void add_verdict(const LoopResult& r, const LoopResult& reference, Training& t) {
  if (r.bad_step) {
    t.outcome = "nan";
    t.outcome_step = r.bad_step;
    t.where = r.where;
    t.verdict = fmt::format("{} at step {}, in {}{}", r.bad_is_nan ? "NaN" : "infinity",
                            *r.bad_step, r.where, r.finite ? "; the weights stay finite" : "");
  } else if (const auto at = stall(r, reference)) {
    t.outcome = "stalls";
    t.outcome_step = at;
    t.verdict = fmt::format("stalls at step {}", *at);
  } else if (!t.drift || std::fabs(*t.drift) > kDriftTolerance) {
    t.outcome = "drifts";
    t.verdict = t.drift ? fmt::format("drifts by {:+.2g} %", 100 * *t.drift) : "drifts";
  } else {
    t.outcome = "as_reference";
    t.verdict = "trains as the reference";
  }
  if (!t.missing.empty())
    t.verdict += fmt::format(" (exact values for {})", fmt::join(t.missing, ", "));
}

void add_figures(const LoopResult& r, const Reference& reference, const std::optional<Judged>& own,
                 Training& t) {
  const LoopResult& ref = reference.loop;
  const auto lost = [](const Lost& l) {
    return Training::Lost{l.results, l.zero, l.digits, l.zero_from, l.digits_from};
  };
  t.losses = lost(r.loss_values);
  t.loss_scale = r.loss_scale;
  t.skipped_steps = r.skipped;
  t.gradients = lost(r.gradients);
  t.derivatives = lost(r.derivatives);
  const std::size_t n = r.losses.size(), points = std::min(n, kCurvePoints);
  for (std::size_t i = 0; i < points; ++i) {
    const std::size_t at = points == 1 ? 0 : i * (n - 1) / (points - 1);
    t.curve.push_back({at, r.losses[at], ref.losses[at]});
  }
  for (std::size_t i = 0; i < r.names.size(); ++i)
    t.layers.push_back(
        {r.names[i], r.first_norms[i], r.last_norms[i], ref.first_norms[i], ref.last_norms[i]});
  if (own) t.quality = own->quality;
  if (reference.judged) t.reference = reference.judged->quality;
  if (r.finite) t.weights_distance = distance(r.weights, ref.weights);
  if (own && reference.judged) {
    const double least = 0.01 * ref.losses[0];  // below, the loss is as good as 0
    t.drift = (t.quality->loss - t.reference->loss) / std::max(std::fabs(t.reference->loss), least);
  }
  const double half = (ref.losses[0] + window_mean(ref.losses, ref.losses.size())) / 2;
  t.steps_to_target = steps_to(r.losses, half);
  t.reference_steps_to_target = steps_to(ref.losses, half);
  add_verdict(r, ref, t);
}

Training blank_row(const TrainingRun& run, const LoopChoice& c, const DataSet& data) {
  Training t;
  t.network = name(run.network);
  t.data = data.name;
  t.path = name(run.path);
  t.implementation = run.implementation;
  t.dtype = name(run.dtype);
  if (run.implementation != kExactKernels)
    for (const OpId op : ops_used(run)) {
      const auto& kernel = run.kernels[static_cast<std::size_t>(op)];
      if (kernel)
        t.kernels.push_back(kernel->name);
      else
        t.missing.emplace_back(info(op).name);
    }
  const bool deep =
      run.network == NetworkKind::deep_sigmoid || run.network == NetworkKind::deep_relu;
  t.depth = deep                                     ? static_cast<std::uint64_t>(c.shape.depth)
            : run.network == NetworkKind::binary     ? 2
            : run.network == NetworkKind::multilabel ? 1
                                                     : 0;
  t.steps = c.steps;
  t.batch = c.batch;
  t.seed = c.seed;
  t.learning_rate = c.rate;
  return t;
}

/// Nothing where the run was stopped.
template <class T>
std::optional<Training> train_row(const TrainingRun& run, const LoopChoice& c,
                                  const Reference& reference, SessionPool& sessions) {
  Training t = blank_row(run, c, reference.data);
  PluginKernels<T> kernels(run.kernels, run.dtype, sessions);
  ExactKernels<T> exact(run.dtype);
  try {
    const LoopResult r = train<T>(c, reference.data, kernels, &exact);
    if (r.stopped) return std::nullopt;
    const auto own = judge(c, r, reference.data);
    add_figures(r, reference, own, t);
    if (own) {
      t.decisions = static_cast<std::uint64_t>(own->logits.size());
      t.differing_decisions = differing<T>(own->logits, kernels);
    }
  } catch (const KernelFailure& e) {
    if (c.stop != nullptr && *c.stop) return std::nullopt;  // the interrupt ended the worker too
    Training failed = blank_row(run, c, reference.data);
    failed.failure = e.what();
    failed.outcome = "failed";
    failed.verdict = fmt::format("could not be trained: {}", e.what());
    return failed;
  }
  return t;
}

using Setting = std::pair<NetworkKind, DataKind>;

/// With a run of exact kernels in front of each group that has none.
std::vector<TrainingRun> with_exact(const std::vector<TrainingRun>& runs) {
  std::vector<TrainingRun> out;
  const auto same = [](const TrainingRun& a, const TrainingRun& b) {
    return a.network == b.network && a.data == b.data && a.path == b.path && a.dtype == b.dtype;
  };
  for (const TrainingRun& r : runs) {
    const bool there =
        std::any_of(out.begin(), out.end(), [&](const TrainingRun& o) { return same(o, r); });
    if (!there) {
      TrainingRun exact = r;
      exact.implementation = kExactKernels;
      exact.kernels = {};
      out.push_back(exact);
    }
    if (r.implementation != kExactKernels) out.push_back(r);
  }
  return out;
}

/// What exact kernels suffer too is no kernel's fault: the verdict says so.
void add_exact(const Training& exact, Training& t) {
  t.drift_of_exact = exact.drift;
  if (t.implementation == kExactKernels || t.outcome != exact.outcome) return;
  if (t.outcome == "drifts" && exact.drift)
    t.verdict += fmt::format(", exact kernels by {:+.2g} %", 100 * *exact.drift);
  else if (t.outcome == "nan" || t.outcome == "stalls")
    t.verdict += fmt::format("; exact kernels at step {}", exact.outcome_step.value_or(0));
}

void compare_with_exact(std::vector<Training>& rows) {
  for (Training& t : rows)
    for (const Training& e : rows)
      if (e.implementation == kExactKernels && e.network == t.network && e.data == t.data &&
          e.path == t.path && e.dtype == t.dtype)
        add_exact(e, t);
}

}  // namespace

std::vector<OpId> ops_used(const TrainingRun& run) {
  std::vector<OpId> ops = {kSigmoid};  // at inference, at least
  if (has_gradient_kernel(run.path) && has_inner_sigmoids(run.network)) ops.push_back(kSigmoidGrad);
  if (has_loss_kernels(run.path)) ops.insert(ops.end(), {kBce, kBceGrad});
  return ops;
}

std::vector<Training> run_training(const std::vector<TrainingRun>& asked,
                                   const TrainingChoice& choice, const SessionOptions& options) {
  const std::vector<TrainingRun> runs = with_exact(asked);
  std::vector<Setting> settings;
  for (const TrainingRun& r : runs)
    if (std::find(settings.begin(), settings.end(), Setting{r.network, r.data}) == settings.end())
      settings.emplace_back(r.network, r.data);
  std::mutex mutex;
  std::uint64_t done = 0;
  const auto one_more = [&] {
    const std::lock_guard lock(mutex);
    ++done;
    if (choice.progress) choice.progress(done, runs.size() + settings.size());
  };
  std::vector<std::optional<Training>> rows(runs.size());
  std::vector<char> needed(settings.size(), 0);
  const auto setting_of = [&](const TrainingRun& r) {
    return static_cast<std::size_t>(
        std::find(settings.begin(), settings.end(), Setting{r.network, r.data}) - settings.begin());
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (const Training* row = choice.known ? choice.known(runs[i]) : nullptr)
      rows[i] = *row;
    else
      needed[setting_of(runs[i])] = 1;
  }
  std::vector<Reference> references(settings.size());
  share_out(settings.size(), choice.threads, options, [&](std::size_t i, SessionPool&) {
    if (needed[i] == 0) return one_more();
    TrainingRun run;
    run.network = settings[i].first;
    run.data = settings[i].second;
    const DataSet* file = file_of(run, choice);
    const Settings s = settings_of(run.network, file);
    Reference& r = references[i];
    r.data = file != nullptr ? *file : make_data(run.data, s.features, s.labels, choice.seed);
    ExactKernels<double> exact(Dtype::f64);
    const LoopChoice c = loop_choice(run, choice);
    r.loop = train<double>(c, r.data, exact, nullptr);
    if (!r.loop.stopped) r.judged = judge(c, r.loop, r.data);
    one_more();
  });
  share_out(runs.size(), choice.threads, options, [&](std::size_t i, SessionPool& sessions) {
    if (choice.stop != nullptr && *choice.stop) return;
    if (rows[i]) return one_more();
    const TrainingRun& run = runs[i];
    const Reference& reference = references[setting_of(run)];
    if (reference.loop.stopped) return;
    const LoopChoice c = loop_choice(run, choice);
    rows[i] = run.dtype == Dtype::f64 ? train_row<double>(run, c, reference, sessions)
                                      : train_row<float>(run, c, reference, sessions);
    if (rows[i] && choice.finished) choice.finished(*rows[i]);
    one_more();
  });
  std::vector<Training> out;
  for (auto& row : rows)
    if (row) out.push_back(std::move(*row));
  compare_with_exact(out);
  return out;
}

}  // namespace ulpaudit
