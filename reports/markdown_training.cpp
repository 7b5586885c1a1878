// report.md: what the kernels' errors do to training.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/markdown_sections.hpp"
#include "reports/text.hpp"
#include "reports/training_view.hpp"

namespace ulpaudit::markdown {
namespace {

constexpr std::size_t kCurveColumns = 8;

std::string verdict_cell(const Training& t) {
  const std::string words = plain(t.verdict);
  return t.outcome == "as_reference" ? "✅ " + words : "❌ **" + words + "**";
}

std::string rows_of(const TrainingGroup& g) {
  std::string out = header({"implementation", "dtype", "what happens", ">loss", ">drift",
                            ">weights", ">accuracy", ">zero", ">digits", "replay"});
  for (const Training* t : g.runs)
    out += row({code(t->implementation), plain(t->dtype), verdict_cell(*t), loss_text(t->quality),
                drift_text(t->drift), distance_text(t->weights_distance), accuracy_text(t->quality),
                zero_text(*t), digits_text(*t), code(t->replay)});
  return out;
}

/// The loss at a few steps, the reference's first.
std::string curves_of(const TrainingGroup& g) {
  const auto longest = *std::max_element(
      g.runs.begin(), g.runs.end(),
      [](const Training* a, const Training* b) { return a->curve.size() < b->curve.size(); });
  const std::size_t n = longest->curve.size(), columns = std::min(n, kCurveColumns);
  if (columns < 2) return "";
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < columns; ++i) at.push_back(i * (n - 1) / (columns - 1));
  std::vector<std::string> head = {"loss at step"}, cells = {"reference"};
  for (const std::size_t i : at) {
    head.push_back(">" + std::to_string(longest->curve[i].step));
    cells.push_back(small_number(longest->curve[i].reference));
  }
  std::string out = header(head) + row(cells);
  for (const Training* t : g.runs) {
    cells = {code(t->implementation + " " + t->dtype)};
    for (const std::size_t i : at) {
      const auto point = std::find_if(
          t->curve.begin(), t->curve.end(),
          [&](const Training::CurvePoint& p) { return p.step == longest->curve[i].step; });
      cells.push_back(point == t->curve.end() ? std::string(kAbsent) : small_number(point->loss));
    }
    out += row(cells);
  }
  return out;
}

/// Norms of the gradient of each matrix of weights, at the first and at the last step.
std::string norms_of(const TrainingGroup& g) {
  std::vector<std::string> head = {"gradient norm, first → last step"}, cells = {"reference"};
  const Training* any = nullptr;
  for (const Training* t : g.runs)
    if (!t->layers.empty()) any = t;
  if (any == nullptr) return "";
  for (const Training::Layer& l : any->layers) {
    head.push_back(">" + plain(l.name));
    cells.push_back(small_number(l.reference_first) + " → " + small_number(l.reference_last));
  }
  std::string out = header(head) + row(cells);
  for (const Training* t : g.runs) {
    cells = {code(t->implementation + " " + t->dtype)};
    for (const Training::Layer& l : t->layers)
      cells.push_back(small_number(l.first) + " → " + small_number(l.last));
    if (!t->layers.empty()) out += row(cells);
  }
  return out;
}

}  // namespace

void add_training(Document& doc, const Report& report) {
  if (report.training.empty()) return;
  doc.add(fmt::format("## What it does to training\n\n{}\n\n", kTrainingNote));
  for (const TrainingGroup& g : training_groups(report)) {
    const Training& first = *g.runs.front();
    std::string text = fmt::format("### {}\n\n{}\n\n{}\n", plain(training_title(first)),
                                   plain(training_setting(first)), rows_of(g));
    text += fmt::format(
        "<details><summary>Loss curves and gradient norms</summary>\n\n{}\n{}\n</details>\n\n",
        curves_of(g), norms_of(g));
    doc.add(std::move(text), "networks");
  }
}

}  // namespace ulpaudit::markdown
