// report.html: what the kernels' errors do to training.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/html/html_sections.hpp"
#include "reports/html/html_text.hpp"
#include "reports/text.hpp"
#include "reports/training_view.hpp"

namespace ulpaudit::html {
namespace {

/// Colour and mark of an outcome.
struct Look {
  std::string_view colour, mark;
};
Look look_of(const Training& t) {
  if (t.outcome == "as_reference") return {"h0", "✓"};
  if (t.outcome == "drifts") return {"h3", "~"};
  return {"h5", "✗"};
}

std::string group_id(std::size_t i) { return fmt::format("t{}", i); }

/// One row of the overview: an implementation in a dtype.
std::vector<std::pair<std::string, std::string>> rows_of(const Report& report) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Training& t : report.training) {
    const std::pair row(t.implementation, t.dtype);
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  return rows;
}

std::string overview_cell(const TrainingGroup& g, std::size_t group, const std::string& name,
                          const std::string& dtype) {
  const auto at = std::find_if(g.runs.begin(), g.runs.end(), [&](const Training* t) {
    return t->implementation == name && t->dtype == dtype;
  });
  if (at == g.runs.end()) return "<td class=\"empty\"></td>";
  const Training& t = **at;
  const Look look = look_of(t);
  return fmt::format(
      "<td class=\"{}\"><a href=\"#{}\" title=\"{}\"><b><span class=\"mark\">{}</span> "
      "{}</b><small>loss {}</small></a></td>",
      look.colour, group_id(group), text(t.verdict), look.mark, text(outcome_text(t)),
      loss_text(t.quality));
}

/// Implementation × network and path.
std::string overview(const Report& report, const std::vector<TrainingGroup>& groups) {
  std::string out =
      "<div class=\"scroll\"><table class=\"matrix outcomes\"><thead><tr><th>network, data, "
      "path</th>";
  for (const TrainingGroup& g : groups) {
    const Training& t = *g.runs.front();
    out += fmt::format("<th>{}<small>{}</small><small>{}</small></th>", text(network_text(t)),
                       text(shown(t.data)), text(t.path));
  }
  out += "</tr></thead>\n";
  std::string dtype;
  for (const auto& [name, of] : rows_of(report)) {
    if (of != dtype)
      out += fmt::format("{}<tbody><tr><th class=\"op\" colspan=\"{}\">{}</th></tr>\n",
                         dtype.empty() ? "" : "</tbody>", groups.size() + 1, text(of));
    dtype = of;
    out += "<tr><th>" + code(name) + "</th>";
    for (std::size_t i = 0; i < groups.size(); ++i) out += overview_cell(groups[i], i, name, of);
    out += "</tr>\n";
  }
  return out +
         "</tbody></table></div>\n<p class=\"legend\"><span class=\"swatch h0\">✓ same</span> "
         "trains as the reference: its final loss lies within 1 % <span class=\"swatch h3\">~ "
         "drifts</span> by so much <span class=\"swatch h5\">✗</span> NaN, infinity or a stall, at "
         "that step. The row of exact kernels, correctly rounded, tells what dtype "
         "and path do by themselves.</p>\n";
}

std::string runs_table(const TrainingGroup& g) {
  Table table(
      {"implementation", "dtype", "what happens", ">loss", ">drift", ">weights", ">accuracy", ">F1",
       ">Brier", ">calibration", ">steps to target", ">zero", ">digits", ">decisions"},
      "runs");
  for (const Training* t : g.runs) {
    const Look look = look_of(*t);
    table.add({code(t->implementation), text(t->dtype),
               fmt::format("<span class=\"mark {}\">{}</span> {}",
                           look.colour == "h0"   ? "good"
                           : look.colour == "h3" ? "warn"
                                                 : "bad",
                           look.mark, text(t->verdict)),
               loss_text(t->quality), drift_text(t->drift), distance_text(t->weights_distance),
               accuracy_text(t->quality), quality_text(t->quality, &Training::Quality::f1),
               quality_text(t->quality, &Training::Quality::brier),
               quality_text(t->quality, &Training::Quality::calibration_error),
               steps_text(t->steps_to_target), zero_text(*t), digits_text(*t),
               thousands(t->differing_decisions)},
              "replayed");
    table.add_wide(command(t->replay));
  }
  return table.str();
}

}  // namespace

std::string training(const Report& report) {
  if (report.training.empty()) return "";
  const std::vector<TrainingGroup> groups = training_groups(report);
  std::string out = fmt::format(
      "<section id=\"training\"><h2>What it does to training</h2>\n{}<p "
      "class=\"legend\">{}</p>\n",
      overview(report, groups), text(kTrainingNote));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Training& first = *groups[i].runs.front();
    const std::string summary = fmt::format("{} <small>{}</small>", text(training_title(first)),
                                            text(training_setting(first)));
    out += fmt::format(
        "<details class=\"total lesson\" id=\"{0}\"><summary>{1}</summary>\n<figure class=\"chart "
        "losses\" data-training=\"{2}\"></figure>\n<figure class=\"chart norms\" "
        "data-training=\"{2}\"></figure>\n{3}</details>\n",
        group_id(i), summary, i, runs_table(groups[i]));
  }
  return out + "</section>\n";
}

}  // namespace ulpaudit::html
