// Training runs in groups, and their figures as text.
// SPDX-License-Identifier: Apache-2.0
#include "reports/training_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/text.hpp"

namespace ulpaudit {
namespace {

std::string path_text(const std::string& path) {
  if (path == "logits") return "BCE and σ′ from the logit";
  if (path == "saved") return "BCE from the logit, σ′ as s(1−s)";
  if (path == "probability") return "BCE of the rounded σ";
  if (path == "clipped") return "BCE of the rounded σ, clipped at 1e-7";
  if (path == "mixed") return "BCE and σ′ from the logit, gradients flow in 16 bits";
  if (path == "scaled") return "gradients flow in 16 bits, loss scaled";
  return shown(path);
}

/// "1.2% from |z| = 16.7"
std::string share(std::uint64_t n, std::uint64_t of, const std::optional<double>& a,
                  const std::optional<double>& b) {
  if (of == 0) return std::string(kAbsent);
  const std::string text = percent(static_cast<double>(n) / static_cast<double>(of));
  if (!a && !b) return text;
  const double least = !b ? *a : !a ? *b : std::min(*a, *b);
  return fmt::format("{}, |z| ≥ {:.3g}", text, least);
}

}  // namespace

const char kTrainingNote[] =
    "Trained beside the reference: f64, every σ, σ′, loss and gradient correctly rounded; same "
    "initial weights, data and order. exact kernels: correctly rounded ones of that dtype. loss, "
    "accuracy: of the final weights, on data kept apart, by exact kernels. drift: of that loss, "
    "relative to the reference's; over 1 % it is named. weights: distance from the reference's. "
    "zero, digits: shares of gradients and σ′ that are exactly 0 where the true value is not, or "
    "have over half of their digits wrong, and the smallest |z| where.";

std::vector<TrainingGroup> training_groups(const Report& report) {
  std::vector<TrainingGroup> groups;
  for (const Training& t : report.training) {
    const auto at = std::find_if(groups.begin(), groups.end(), [&](const TrainingGroup& g) {
      const Training& o = *g.runs.front();
      return o.network == t.network && o.data == t.data && o.path == t.path && o.depth == t.depth;
    });
    if (at == groups.end())
      groups.push_back({{&t}});
    else
      at->runs.push_back(&t);
  }
  return groups;
}

std::string network_text(const Training& t) {
  const bool deep = t.network.rfind("deep", 0) == 0;
  return shown(t.network) + (deep ? fmt::format(", depth {}", t.depth) : "");
}

std::string training_title(const Training& t) {
  return fmt::format("{} on {}: {}", network_text(t), shown(t.data), path_text(t.path));
}

std::string outcome_text(const Training& t) {
  if (t.outcome == "as_reference") return "same";
  if (t.outcome == "drifts" && t.drift) return fmt::format("{:+.2g} %", 100 * *t.drift);
  const std::string what =
      t.outcome == "nan" ? t.verdict.substr(0, t.verdict.find(' ')) : t.outcome;
  return t.outcome_step ? fmt::format("{} at {}", what, *t.outcome_step) : shown(what);
}

std::string training_setting(const Training& t) {
  return fmt::format("{} of {}, learning rate {}; reference: loss {}, accuracy {}",
                     counted(t.steps, "step"), t.batch, t.learning_rate, loss_text(t.reference),
                     accuracy_text(t.reference));
}

std::string small_number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "∞" : "-∞";
  return fmt::format("{:.3g}", v);
}

std::string loss_text(const std::optional<Training::Quality>& q) {
  return q ? fmt::format("{:.4g}", q->loss) : std::string(kAbsent);
}
std::string accuracy_text(const std::optional<Training::Quality>& q) {
  return q ? percent(q->accuracy) : std::string(kAbsent);
}
std::string quality_text(const std::optional<Training::Quality>& q, double Training::Quality::*of) {
  return q ? fmt::format("{:.3g}", (*q).*of) : std::string(kAbsent);
}
std::string steps_text(const std::optional<std::uint64_t>& steps) {
  return steps ? thousands(*steps) : std::string(kAbsent);
}
std::string drift_text(const std::optional<double>& drift) {
  return drift ? fmt::format("{:+.1e}", *drift) : std::string(kAbsent);
}
std::string distance_text(const std::optional<double>& distance) {
  return distance ? fmt::format("{:.1e}", *distance) : std::string(kAbsent);
}

std::string zero_text(const Training& t) {
  return share(t.gradients.zero + t.derivatives.zero, t.gradients.results + t.derivatives.results,
               t.gradients.zero_from, t.derivatives.zero_from);
}
std::string digits_text(const Training& t) {
  return share(t.gradients.digits + t.derivatives.digits,
               t.gradients.results + t.derivatives.results, t.gradients.digits_from,
               t.derivatives.digits_from);
}

}  // namespace ulpaudit
