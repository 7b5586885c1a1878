// Training runs in groups, and their figures as text.
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
  return shown(path);
}

std::string share(std::uint64_t n, std::uint64_t of) {
  if (of == 0) return std::string(kAbsent);
  return percent(static_cast<double>(n) / static_cast<double>(of));
}

}  // namespace

const char kTrainingNote[] =
    "Trained beside the reference: f64, every σ, σ′, loss and gradient correctly rounded; same "
    "initial weights, data and order. exact: correctly rounded kernels of that dtype. loss, "
    "accuracy: of the final weights, on data kept apart, by exact kernels. drift: of that loss, "
    "relative to the reference's; over 1 % it is named. weights: distance from the reference's. "
    "zero, digits: shares of gradients and σ′ that are exactly 0 where the true value is not, or "
    "have over half of their digits wrong.";

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

std::string training_title(const Training& t) {
  const bool deep = t.network.rfind("deep", 0) == 0;
  return fmt::format("{}{} on {}: {}", shown(t.network),
                     deep ? fmt::format(" (depth {})", t.depth) : "", shown(t.data),
                     path_text(t.path));
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
std::string drift_text(const std::optional<double>& drift) {
  return drift ? fmt::format("{:+.1e}", *drift) : std::string(kAbsent);
}
std::string distance_text(const std::optional<double>& distance) {
  return distance ? fmt::format("{:.1e}", *distance) : std::string(kAbsent);
}

std::string zero_text(const Training& t) {
  return share(t.gradients.zero + t.derivatives.zero, t.gradients.results + t.derivatives.results);
}
std::string digits_text(const Training& t) {
  return share(t.gradients.digits + t.derivatives.digits,
               t.gradients.results + t.derivatives.results);
}

}  // namespace ulpaudit
