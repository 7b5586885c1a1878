// Claims that the rows of training runs answer: deep sigmoid nets, NaN from probabilities,
// decisions.
#include "training/run_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "training/loop.hpp"
#include "training/training.hpp"

namespace ulpaudit {
namespace {

constexpr char kNone[] = "-";
constexpr char kHolds[] = "holds", kLimited[] = "holds with a limit", kWrong[] = "wrong";

std::string shown(double v) { return fmt::format("{:.3g}", v); }
std::string subject(const Training& t) { return fmt::format("{}, {}", t.implementation, t.dtype); }

/// Part of the way from chance (ln 2) to the twin's loss that a net has to go to be called trained.
constexpr double kTrained = 0.5;
constexpr double kChance = 0.6931471805599453;

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
  const auto network = make_network<double>(c.shape, seed);
  const auto weights = network->weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i]->value = r.weights[i];
  Ops<double> ops(Path::logits, exact, nullptr);
  Matrix<double> losses, dz;
  ops.loss(network->forward(data.test_x, ops), data.test_y, losses, dz);
  return losses.mean();
}

constexpr int kDeep = 8;

std::optional<TextbookAnswer> deep_sigmoid_nets(const std::vector<Training>& rows,
                                                std::uint64_t seed) {
  TextbookAnswer a{"T4",
                   "deep sigmoid networks do not train (here: trained, beside the same net with "
                   "ReLU)",
                   "",
                   "",
                   {"implementation", "path", "hidden layers", "sigmoid net: loss", "accuracy",
                    "ReLU net: loss", "accuracy"},
                   {},
                   "./run train --network 'deep_*' --data noisy --depth 8"};
  std::size_t asked = 0, stuck = 0;
  std::uint64_t steps = 0;
  for (const Training& s : rows) {
    if (s.network != "deep_sigmoid" || !s.quality) continue;
    for (const Training& twin : rows) {
      if (twin.network != "deep_relu" || twin.implementation != s.implementation ||
          twin.dtype != s.dtype || twin.data != s.data || twin.path != "logits" || !twin.quality)
        continue;
      ++asked;
      steps = s.steps;
      stuck += trained(s.quality->loss, twin.quality->loss) ? 0 : 1;
      a.rows.push_back({subject(s), s.path, std::to_string(s.depth), shown(s.quality->loss),
                        shown(s.quality->accuracy), shown(twin.quality->loss),
                        shown(twin.quality->accuracy)});
    }
  }
  if (asked == 0) return std::nullopt;
  const double deep = loss_at_depth(NetworkKind::deep_sigmoid, kDeep, seed);
  const double twin = loss_at_depth(NetworkKind::deep_relu, kDeep, seed);
  a.rows.push_back({fmt::format("{}, f64", kExactKernels), "logits", std::to_string(kDeep),
                    shown(deep), kNone, shown(twin), kNone});
  const bool deep_stuck = !trained(deep, twin);
  a.verdict = stuck == asked && deep_stuck ? kHolds : stuck > 0 || deep_stuck ? kLimited : kWrong;
  a.answer = fmt::format(
      "In {} steps {} of {} runs (implementation, dtype and path) did not go half of the ReLU "
      "net's way from "
      "chance (loss ln 2 = .693). With {} hidden layers and 300 steps exact kernels in f64 end at "
      "{}, their ReLU net at {}: the depth, not the kernel, decides.",
      steps, stuck, asked, kDeep, shown(deep), shown(twin));
  return a;
}

std::optional<TextbookAnswer> nan_from_probability(const std::vector<Training>& rows) {
  TextbookAnswer a{"T10",
                   "BCELoss after a rounded sigmoid can give NaN for extreme logits (here: in "
                   "training runs)",
                   "",
                   "",
                   {"implementation", "data", "path", "what happened"},
                   {},
                   "./run train --network binary --data outliers --path probability"};
  std::size_t asked = 0, bad = 0, from_logits = 0;
  std::optional<std::uint64_t> first;
  for (const Training& t : rows) {
    if (t.path != "probability" || !t.failure.empty()) continue;
    ++asked;
    a.rows.push_back({subject(t), t.data, t.path, t.verdict});
    if (t.outcome == "nan") {
      ++bad;
      first = std::min(first.value_or(*t.outcome_step), *t.outcome_step);
    }
    for (const Training& l : rows)
      if (l.path == "logits" && l.network == t.network && l.data == t.data &&
          l.implementation == t.implementation && l.dtype == t.dtype && l.failure.empty()) {
        from_logits += l.outcome == "nan" ? 1 : 0;
        a.rows.push_back({subject(l), l.data, l.path, l.verdict});
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
  std::uint64_t asked = 0, other = 0;
  for (const Training& t : rows) {
    if (t.decisions == 0) continue;
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
  a.answer = fmt::format("{} of {} decisions of the trained nets differ{}.", other, asked,
                         other == 0 ? ""
                                    : fmt::format("; most often with {}: {} of {}", worst->who,
                                                  worst->other, worst->asked));
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
