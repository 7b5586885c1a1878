// Claims about networks: the mean loss, vanishing gradients, labels apart from each other, gates.
// SPDX-License-Identifier: Apache-2.0
#include "textbook/training_answers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <iterator>
#include <type_traits>

#include "record/claim_verdicts.hpp"
#include "textbook/training_cells.hpp"
#include "textbook/training_run_claims.hpp"
#include "training/loop.hpp"
#include "training/training.hpp"

namespace ulpaudit {
namespace {

constexpr char kNone[] = "-";
constexpr int kBatch = 16;

/// A kernel set of one dtype under its name.
struct Subject {
  std::string name;
  Dtype dtype{};
  const KernelSet* kernels = nullptr;  ///< null: exact kernels

  std::string text() const { return fmt::format("{}, {}", name, ulpaudit::name(dtype)); }
};

std::vector<Subject> subjects_of(const std::vector<TrainedPlugin>& plugins) {
  std::vector<Subject> out;
  for (const Dtype d : {Dtype::f64, Dtype::f32, Dtype::bf16, Dtype::f16}) {
    out.push_back({kExactKernels, d, nullptr});
    for (const TrainedPlugin& p : plugins)
      if (const auto& set = p.kernels[static_cast<std::size_t>(d)])
        out.push_back({p.name, d, &*set});
  }
  return out;
}

/// Calls f with the kernels of a subject, in the type of its weights; false where one fails.
template <class F>
bool with_kernels(const Subject& s, SessionPool& sessions, F&& f) {
  const auto call = [&](auto zero) {
    using T = decltype(zero);
    if (s.kernels == nullptr) {
      ExactKernels<T> kernels(s.dtype);
      f(kernels);
    } else {
      PluginKernels<T> kernels(*s.kernels, s.dtype, sessions);
      f(kernels);
    }
  };
  try {
    if (s.dtype == Dtype::f64)
      call(0.0);
    else
      call(0.0f);
  } catch (const KernelFailure&) {
    return false;
  }
  return true;
}

/// Rows that differ in their first cell alone become one.
void add_row(TextbookAnswer& a, std::vector<std::string> cells) {
  for (auto& row : a.rows)
    if (std::equal(row.begin() + 1, row.end(), cells.begin() + 1, cells.end())) {
      row[0] += "; " + cells[0];
      return;
    }
  a.rows.push_back(std::move(cells));
}

std::string verdict_of(std::size_t passed, std::size_t asked) {
  return passed == asked ? kHolds : passed > 0 ? kLimited : kWrong;
}

/// The mean loss as a training step computes it, and the derivatives by the logits.
TextbookAnswer mean_loss(const std::vector<Subject>& subjects, std::uint64_t,
                         SessionPool& sessions) {
  TextbookAnswer a;
  a.id = "T11";
  a.claim =
      "BCE-with-logits of logits (100, -100, 0) with labels (1, 0, 0.5) is in the mean ln 2 / 3 = "
      "0.2310 (here: as a training step takes it, with its gradient 0, 0, 0)";
  a.columns = {"implementation", "from the logit",      "gradient", "from the probability",
               "gradient",       "probability clipped", "gradient"};
  std::size_t passed = 0, asked = 0, broken = 0;
  std::string coarse;  // what the rounding of the dtype alone makes of it
  for (const Subject& s : subjects) {
    if (s.kernels != nullptr && !(*s.kernels)[static_cast<std::size_t>(kBce)]) continue;
    std::vector<std::string> cells = {s.text()};
    bool right = false;
    for (const Path path : {Path::logits, Path::probability, Path::clipped}) {
      std::vector<std::string> derivatives;
      double mean = 0;
      bool flat = true;  // the true derivatives are 3.7e-44 at most
      const bool done = with_kernels(s, sessions, [&](auto& kernels) {
        using T = typename std::decay_t<decltype(kernels)>::Number;
        Matrix<T> z(1, 3), y(1, 3), losses, dz;
        z << T(100), T(-100), T(0);
        y << T(1), T(0), T(0.5);
        Ops<T> ops(path, kernels, nullptr);
        ops.loss(z, y, losses, dz);
        mean = losses.template cast<double>().mean();
        for (Eigen::Index i = 0; i < 3; ++i) {
          const auto derivative = static_cast<double>(dz(0, i));
          flat = flat && std::fabs(derivative) <= 1e-7;
          derivatives.push_back(shown(derivative));
        }
      });
      broken += path == Path::probability && done && !std::isfinite(mean) ? 1 : 0;
      cells.push_back(!done ? kNone : std::isnan(mean) ? "NaN" : fmt::format("{:.4f}", mean));
      cells.push_back(done ? fmt::format("{}", fmt::join(derivatives, ", ")) : kNone);
      if (path == Path::logits && done) {
        ++asked;
        right = cells[1] == "0.2310" && flat;
        if (s.kernels == nullptr && !right)
          coarse += fmt::format("{}{} in {}", coarse.empty() ? "" : ", ", cells[1], name(s.dtype));
      }
    }
    passed += right ? 1 : 0;
    add_row(a, std::move(cells));
  }
  a.verdict = verdict_of(passed, asked);
  a.answer = fmt::format(
      "{} of {} implementations (each dtype counted) give 0.2310 and no gradient from the logit{}; "
      "from the rounded "
      "sigmoid {} give NaN or infinity.",
      passed, asked, coarse.empty() ? "" : " (exact kernels: " + coarse + ")", broken);
  a.replay = "./run eval --op bce_with_logits -- 100 1";
  return a;
}

/// Norm of the first layer's gradient at the initial weights.
template <class T>
double first_norm(NetworkKind kind, int depth, Path path, std::uint64_t seed, Kernels<T>& kernels) {
  const Shape shape = {kind, 10, 1, depth};
  const auto network = make_network<T>(shape, seed);
  const DataSet data = make_data(DataKind::noisy, shape.features, 1, seed);
  LoopChoice c;
  c.batch = kBatch;
  c.seed = seed;
  Matrix<T> x, y;
  take_batch(data, c, 0, x, y);
  Ops<T> ops(path, kernels, nullptr);
  pass(*network, ops, x, y);
  return network->weights().front()->gradient.template cast<double>().norm();
}

constexpr int kDepths[] = {1, 2, 3, 4, 8, 16, 32, 64};
constexpr std::size_t kThree = 2;    ///< the place of depth 3 among them
constexpr double kFarSmaller = 0.1;  ///< than the other net's gradient

using Norms = std::vector<double>;  ///< by depth; empty: a kernel failed

Norms norms_of(const Subject& s, NetworkKind kind, Path path, std::uint64_t seed,
               SessionPool& sessions) {
  Norms out;
  const bool done = with_kernels(s, sessions, [&](auto& kernels) {
    for (const int depth : kDepths) out.push_back(first_norm(kind, depth, path, seed, kernels));
  });
  return done ? out : Norms();
}

void add_norms(TextbookAnswer& a, const std::string& who, const Norms& norms) {
  std::vector<std::string> cells = {who};
  for (std::size_t i = 0; i < std::size(kDepths); ++i)
    cells.push_back(norms.empty() ? kNone : shown(norms[i]));
  add_row(a, std::move(cells));
}

TextbookAnswer vanishing(const std::vector<Subject>& subjects, std::uint64_t seed,
                         SessionPool& sessions) {
  TextbookAnswer a;
  a.id = "T12";
  a.claim =
      "A deep net with sigmoid hidden layers has a far smaller gradient norm at its first layer "
      "than the same net with ReLU.";
  a.columns = {"norm at the first layer, by hidden layers"};
  for (const int depth : kDepths) a.columns.push_back(std::to_string(depth));
  const Subject& truth = subjects.front();
  const Norms relu = norms_of(truth, NetworkKind::deep_relu, Path::logits, seed, sessions);
  const Norms sigmoid = norms_of(truth, NetworkKind::deep_sigmoid, Path::logits, seed, sessions);
  add_norms(a, "ReLU: " + truth.text(), relu);
  std::size_t passed = 0, asked = 0;
  std::string lost;
  for (const Subject& s : subjects)
    for (const Path path : {Path::logits, Path::mixed}) {
      if (path == Path::mixed && format(s.dtype).width != 16) continue;
      const Norms norms = norms_of(s, NetworkKind::deep_sigmoid, path, seed, sessions);
      const std::string who = "sigmoid: " + s.text() + (path == Path::mixed ? ", mixed" : "");
      add_norms(a, who, norms);
      if (norms.empty()) continue;
      ++asked;
      passed += norms[kThree] <= kFarSmaller * relu[kThree] ? 1 : 0;
      const auto zero = std::find(norms.begin(), norms.end(), 0.0);
      if (zero != norms.end() && s.kernels == nullptr)
        lost += fmt::format(
            " Exactly 0 from {} layers on where gradients flow in {} without a "
            "loss scale.",
            kDepths[zero - norms.begin()], ulpaudit::name(s.dtype));
    }
  a.verdict = verdict_of(passed, asked);
  a.answer = fmt::format(
      "At the initial weights, with 3 hidden layers the sigmoid net's norm is {} against {}, with "
      "16 layers {} against {}, with 64 {} against {}: the net's own fault, exact kernels in f64 "
      "have it.{}",
      shown(sigmoid[2]), shown(relu[2]), shown(sigmoid[5]), shown(relu[5]), shown(sigmoid[7]),
      shown(relu[7]), lost);
  a.replay = fmt::format("./run train --network 'deep_*' --data noisy --depth 16 --seed {}", seed);
  return a;
}

constexpr int kLabels = 5, kFeatures = 20;

/// Logits of a multi-label net that was trained with exact kernels, on data kept apart.
Matrix<double> label_logits(std::uint64_t seed) {
  LoopChoice c;
  c.shape = {NetworkKind::multilabel, kFeatures, kLabels};
  c.steps = 100;
  c.batch = 64;
  c.rate = 1;
  c.seed = seed;
  const DataSet data = make_data(DataKind::noisy, kFeatures, kLabels, seed);
  ExactKernels<double> exact(Dtype::f64);
  const LoopResult r = train<double>(c, data, exact, nullptr);
  Ops<double> ops(Path::logits, exact, nullptr);
  return trained_network(c, r)->forward(data.test_x, ops);
}

/// What happens to the probabilities of all labels where the logits of one change.
struct Apart {
  double least_sum = 0, most_sum = 0;
  std::uint64_t moved = 0;  ///< probabilities of other labels
};
template <class T>
Apart apart(const Matrix<double>& logits, Kernels<T>& kernels) {
  const Matrix<T> z = logits.cast<T>();
  Ops<T> ops(Path::logits, kernels, nullptr);
  const Matrix<T> p = ops.sigmoid(z);
  const auto sums = p.template cast<double>().colwise().sum().eval();
  Apart a = {sums.minCoeff(), sums.maxCoeff(), 0};
  for (Eigen::Index label = 0; label < z.rows(); ++label) {
    Matrix<T> other = z;
    other.row(label).array() += T(3);
    const Matrix<T> q = ops.sigmoid(other);
    for (Eigen::Index i = 0; i < z.rows(); ++i)
      for (Eigen::Index k = 0; k < z.cols(); ++k) a.moved += i != label && q(i, k) != p(i, k);
  }
  return a;
}

TextbookAnswer labels_apart(const std::vector<Subject>& subjects, std::uint64_t seed,
                            SessionPool& sessions) {
  TextbookAnswer a;
  a.id = "T14";
  a.claim =
      "In multi-label classification each label has its own sigmoid: the probabilities need not "
      "sum to 1, and one label's logit does not move another's.";
  a.columns = {"implementation", "smallest sum", "largest sum", "moved by another label"};
  const Matrix<double> logits = label_logits(seed);
  std::size_t passed = 0, asked = 0;
  double least = 0, most = 0;
  for (const Subject& s : subjects) {
    Apart r;
    if (!with_kernels(s, sessions, [&](auto& kernels) { r = apart(logits, kernels); })) {
      add_row(a, {s.text(), kNone, kNone, kNone});
      continue;
    }
    if (asked == 0) least = r.least_sum, most = r.most_sum;
    ++asked;
    passed += r.moved == 0 && r.least_sum < 0.9 && r.most_sum > 1.1 ? 1 : 0;
    add_row(a, {s.text(), shown(r.least_sum), shown(r.most_sum),
                fmt::format("{} of {}", r.moved, logits.size() * (kLabels - 1))});
  }
  a.verdict = verdict_of(passed, asked);
  a.answer = fmt::format(
      "Over {} samples the probabilities of {} labels sum to between {} and {}. With the logits of "
      "one label raised by 3, the probabilities of the others are the same bits in {} of {} cases "
      "of implementation and dtype.",
      logits.cols(), kLabels, shown(least), shown(most), passed, asked);
  a.replay = fmt::format("./run train --network multilabel --data noisy --seed {}", seed);
  return a;
}

constexpr int kSteps = 100;
constexpr double kOpen = 5, kHalf = 0;  ///< biases of the forget gate

/// Norms of the gradient by the cell's state, before each step of a sequence.
template <class T>
std::vector<double> gate_norms(double forget_bias, std::uint64_t seed, Kernels<T>& kernels) {
  Initial initial(seed);
  Recurrent<T> network(kLstmInputs, kLstmHidden, T(forget_bias), initial);
  const DataSet data = make_data(DataKind::adding, 0, 1, seed);
  LoopChoice c;
  c.batch = kBatch;
  c.seed = seed;
  Matrix<T> once, y;
  take_batch(data, c, 0, once, y);
  const Matrix<T> x = once.replicate(kSteps / kSequenceLength, 1);
  Ops<T> ops(Path::logits, kernels, nullptr);
  pass<T>(network, ops, x, y);
  std::vector<double> out;
  for (const T& n : network.step_norms()) out.push_back(static_cast<double>(n));
  return out;
}

TextbookAnswer gates(const std::vector<Subject>& subjects, std::uint64_t seed,
                     SessionPool& sessions) {
  TextbookAnswer a;
  a.id = "T15";
  a.claim =
      "Sigmoid gates in an LSTM cell are fine: they steer a flow and do not attenuate it layer by "
      "layer.";
  a.columns = {"implementation", "forget gate near 1: last step", "50 back",
               "100 back",       "forget gate at 0.5: last step", "50 back",
               "100 back"};
  std::size_t passed = 0, asked = 0;
  std::vector<double> open, half;
  for (const Subject& s : subjects) {
    std::vector<double> near_one, at_half;
    std::vector<std::string> cells = {s.text()};
    const bool done = with_kernels(s, sessions, [&](auto& kernels) {
      near_one = gate_norms(kOpen, seed, kernels);
      at_half = gate_norms(kHalf, seed, kernels);
    });
    for (const auto* norms : {&near_one, &at_half})
      for (const std::size_t at : {kSteps - 1, kSteps - 50, 0})
        cells.push_back(done ? shown((*norms)[at]) : kNone);
    add_row(a, std::move(cells));
    if (!done) continue;
    if (asked == 0) open = near_one, half = at_half;
    ++asked;
    passed += near_one[0] > 0.1 * near_one[kSteps - 1] ? 1 : 0;
  }
  a.verdict = verdict_of(passed, asked);
  if (a.verdict == kHolds && half[0] < 1e-3 * half[kSteps - 1]) a.verdict = kLimited;
  a.answer = fmt::format(
      "With the forget gate near 1 (bias 5) a gradient keeps {} of its size over 100 steps, exact "
      "kernels in f64. The limit is the gate itself: at 0.5 (bias 0) {} is left, as the product of "
      "its values says.",
      shown(open[0] / open[kSteps - 1]), shown(half[0] / half[kSteps - 1]));
  a.replay = fmt::format("./run train --network lstm --seed {}", seed);
  return a;
}

/// "T12" as 12.
int number_of(const TextbookAnswer& a) { return std::stoi(a.id.substr(1)); }

}  // namespace

void append_training_textbook(const std::vector<TrainedPlugin>& plugins, std::uint64_t seed,
                              int threads, const SessionOptions& options, Report& report) {
  auto of_runs = std::async(threads > 1 ? std::launch::async : std::launch::deferred,
                            [&] { return answers_of_runs(report.training, seed); });
  const std::vector<Subject> subjects = subjects_of(plugins);
  SessionPool sessions(options);
  std::vector<TextbookAnswer> answers;
  for (auto* claim : {&mean_loss, &vanishing, &labels_apart, &gates})
    answers.push_back(claim(subjects, seed, sessions));
  for (TextbookAnswer& a : of_runs.get()) answers.push_back(std::move(a));
  std::move(answers.begin(), answers.end(), std::back_inserter(report.textbook));
  std::stable_sort(report.textbook.begin(), report.textbook.end(),
                   [](const auto& x, const auto& y) { return number_of(x) < number_of(y); });
}

}  // namespace ulpaudit
