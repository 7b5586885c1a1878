// Claims that the rows of training runs answer: deep sigmoid nets, NaN from probabilities,
// decisions.
// SPDX-License-Identifier: Apache-2.0
#include "textbook/training_run_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "record/claim_verdicts.hpp"
#include "textbook/training_cells.hpp"
#include "training/loop.hpp"
#include "training/training.hpp"

namespace ulpaudit {
namespace {

std::string subject(const Training& t) { return fmt::format("{}, {}", t.implementation, t.dtype); }

constexpr double kChance = 0.6931471805599453;  ///< the loss of p = 1/2
/// A net has trained that goes this part of the way from chance to its twin's loss; a twin that
/// did not go kTwinsWay itself says nothing.
constexpr double kTrained = 0.5, kTwinsWay = 0.05;

bool trained(double loss, double twin) { return kChance - loss >= kTrained * (kChance - twin); }

/// Loss on data kept apart, of a deep net trained in f64 with exact kernels.
double loss_at_depth(NetworkKind kind, int depth, std::uint64_t seed) {
  LoopChoice c;
  c.shape = {kind, 10, 1, depth};
  c.steps = 300;
  c.batch = 16;
  c.rate = kind == NetworkKind::deep_sigmoid ? 1 : 0.3;
  c.seed = seed;
  const DataSet data = make_data(DataKind::noisy, c.shape.features, 1, seed);
  ExactKernels<double> exact(Dtype::f64);
  const LoopResult r = train<double>(c, data, exact, nullptr);
  Ops<double> ops(Path::logits, exact, nullptr);
  Matrix<double> losses, dz;
  ops.loss(trained_network(c, r)->forward(data.test_x, ops), data.test_y, losses, dz);
  return losses.mean();
}

constexpr int kShallow = 3, kDeep = 8;

std::optional<TextbookAnswer> deep_sigmoid_nets(const std::vector<Training>& rows,
                                                std::uint64_t seed) {
  TextbookAnswer a{
      "T4",
      "deep sigmoid networks do not train (here: trained, beside the same net with "
      "ReLU)",
      "",
      "",
      {"implementation", "data", "path", "hidden layers", "sigmoid net: loss", "ReLU net: loss"},
      {},
      fmt::format("./run train --network 'deep_*' --data noisy --depth {} --batch 16 "
                  "--dtype f64 --seed {}",
                  kDeep, seed)};
  std::size_t asked = 0, stuck = 0;
  std::uint64_t steps = 0;
  for (const Training& s : rows) {
    if (s.network != "deep_sigmoid" || !s.failure.empty()) continue;
    for (const Training& twin : rows) {
      if (twin.network != "deep_relu" || twin.implementation != s.implementation ||
          twin.dtype != s.dtype || twin.data != s.data || twin.path != "logits" || !twin.quality ||
          kChance - twin.quality->loss < kTwinsWay)
        continue;
      ++asked;
      steps = s.steps;
      stuck += s.quality && trained(s.quality->loss, twin.quality->loss) ? 0 : 1;
      a.rows.push_back({subject(s), s.data, s.path, std::to_string(s.depth),
                        s.quality ? shown(s.quality->loss) : s.verdict, shown(twin.quality->loss)});
    }
  }
  if (std::none_of(rows.begin(), rows.end(),
                   [](const Training& t) { return t.network == "deep_sigmoid"; }))
    return std::nullopt;
  double loss[2] = {}, twin[2] = {};
  for (const int i : {0, 1}) {
    const int depth = i == 0 ? kShallow : kDeep;
    loss[i] = loss_at_depth(NetworkKind::deep_sigmoid, depth, seed);
    twin[i] = loss_at_depth(NetworkKind::deep_relu, depth, seed);
    a.rows.push_back({fmt::format("{}, f64, batches of 16", kExactKernels), "noisy", "logits",
                      std::to_string(depth), shown(loss[i]), shown(twin[i])});
  }
  const std::size_t of_exact =
      (trained(loss[0], twin[0]) ? 0 : 1) + (trained(loss[1], twin[1]) ? 0 : 1);
  a.verdict = stuck + of_exact == asked + 2 ? kHolds : stuck + of_exact > 0 ? kLimited : kWrong;
  a.answer = fmt::format(
      "With exact kernels in f64, {} hidden layers and 300 steps of 16 samples the sigmoid net "
      "ends at "
      "{}, its ReLU twin at {}; with {} at {} and {} (chance: ln 2 = 0.693).{}",
      kShallow, shown(loss[0]), shown(twin[0]), kDeep, shown(loss[1]), shown(twin[1]),
      asked == 0 ? std::string()
                 : fmt::format(" Of the runs (implementation, dtype and path) {} of {} did not go "
                               "half of their twin's way in {} steps.",
                               stuck, asked, steps));
  return a;
}

std::optional<TextbookAnswer> nan_from_probability(const std::vector<Training>& rows) {
  TextbookAnswer a{"T10",
                   "BCELoss after a rounded sigmoid can give NaN for extreme logits (here: in "
                   "training runs)",
                   "",
                   "",
                   {"implementation", "network", "data", "path", "what happened"},
                   {},
                   "./run train --network binary --data outliers --path probability"};
  std::size_t asked = 0, bad = 0, from_logits = 0;
  std::optional<std::uint64_t> first;
  for (const Training& t : rows) {
    if (t.path != "probability" || !t.failure.empty()) continue;
    ++asked;
    a.rows.push_back({subject(t), t.network, t.data, t.path, t.verdict});
    if (t.outcome == "nan") {
      ++bad;
      first = std::min(first.value_or(*t.outcome_step), *t.outcome_step);
    }
    for (const Training& l : rows)
      if (l.path == "logits" && l.network == t.network && l.data == t.data &&
          l.implementation == t.implementation && l.dtype == t.dtype && l.failure.empty()) {
        from_logits += l.outcome == "nan" ? 1 : 0;
        a.rows.push_back({subject(l), l.network, l.data, l.path, l.verdict});
      }
  }
  if (asked == 0) return std::nullopt;
  a.verdict = bad > 0 ? kHolds : kLimited;  // it can, elsewhere
  a.answer = fmt::format(
      "{} of {} runs that take the loss of the rounded sigmoid met NaN or infinity{}; {} of the "
      "same "
      "runs with the loss from the logit did.",
      bad, asked, first ? fmt::format(", the first at step {}", *first) : "", from_logits);
  return a;
}

std::optional<TextbookAnswer> decisions(const std::vector<Training>& rows) {
  struct Count {
    std::string who;
    std::uint64_t asked = 0, other = 0;
  };
  std::vector<Count> counts;
  std::uint64_t asked = 0, other = 0, without = 0;
  for (const Training& t : rows) {
    if (t.decisions == 0) {
      ++without;
      continue;
    }
    auto c = std::find_if(counts.begin(), counts.end(),
                          [&](const Count& x) { return x.who == subject(t); });
    if (c == counts.end()) c = counts.insert(c, {subject(t)});
    c->asked += t.decisions;
    c->other += t.differing_decisions;
    asked += t.decisions;
    other += t.differing_decisions;
  }
  if (asked == 0) return std::nullopt;
  TextbookAnswer a{"T13",
                   "the prediction σ(z) > 0.5 is the decision z > 0 (here: of the trained nets, on "
                   "data kept apart)",
                   other == 0 ? kHolds : kLimited,
                   "",
                   {"implementation", "decisions", "σ(z) > 0.5 is not z > 0"},
                   {},
                   "./run train --network multilabel --dtype bf16"};
  for (const Count& c : counts)
    a.rows.push_back({c.who, std::to_string(c.asked), std::to_string(c.other)});
  const auto worst =
      std::max_element(counts.begin(), counts.end(), [](const auto& x, const auto& y) {
        return static_cast<double>(x.other) * static_cast<double>(y.asked) <
               static_cast<double>(y.other) * static_cast<double>(x.asked);
      });
  a.answer = fmt::format(
      "{} of {} decisions of the trained nets differ{}.{}", other, asked,
      other == 0
          ? ""
          : fmt::format("; most often with {}: {} of {}", worst->who, worst->other, worst->asked),
      without == 0 ? std::string()
                   : fmt::format(" {} runs ended without finite logits, or failed.", without));
  return a;
}

}  // namespace

std::vector<TextbookAnswer> answers_of_runs(const std::vector<Training>& rows, std::uint64_t seed) {
  std::vector<TextbookAnswer> out;
  for (const auto& a : {deep_sigmoid_nets(rows, seed), nan_from_probability(rows), decisions(rows)})
    if (a) out.push_back(*a);
  return out;
}

}  // namespace ulpaudit
