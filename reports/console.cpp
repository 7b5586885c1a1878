// What ends a run in a terminal: figures, findings, what could not run, verdicts, who judged.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "reports/renderer.hpp"
#include "reports/text.hpp"
#include "reports/text_table.hpp"
#include "reports/training_view.hpp"
#include "reports/view.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kFindingLines = 20;
constexpr std::size_t kExpectedLines = 8;
constexpr std::size_t kScopesInFull = 3;
constexpr std::size_t kNamesOfARemark = 4;

class Console {
 public:
  Console(const Report& report, const RenderOptions& options)
      : report_(report),
        color_(options.color),
        width_(static_cast<std::size_t>(std::max(options.width, 0))) {}

  std::string str() {
    if (const std::string end = ended_text(report_.run); !end.empty()) line(end, Style::red);
    if (!report_.results.empty() || (report_.benchmarks.empty() && report_.training.empty()))
      figures();
    speed();
    training();
    findings();
    unavailable();
    verdicts();
    judges();
    return out_;
  }

 private:
  void line(const std::string& text, Style style = Style::plain) {
    out_ += styled(text, style, color_) + "\n";
  }
  void heading(const std::string& text) {
    if (!out_.empty()) out_ += "\n";
    line(text, Style::bold);
  }
  void figures();
  std::vector<Cell> figure_row(const Result& r) const;
  void speed();
  void training();
  void training_replays();
  void findings();
  std::vector<std::pair<std::string, Style>> lines_of(Gravity g, std::size_t most) const;
  void unavailable();
  void verdicts();
  void remarks();
  void judges();

  const Report& report_;
  bool color_;
  std::size_t width_;
  std::string out_;
};

std::string place(const Witness& w) {
  return shown(w.z.decimal) + (w.y ? ", y " + shown(w.y->decimal) : "");
}

std::vector<Cell> Console::figure_row(const Result& r) const {
  const bool error = has_finding(report_, r, Gravity::error);
  const bool expected = has_finding(report_, r, Gravity::expected_failure);
  const Style style = error ? Style::red : expected ? Style::yellow : Style::plain;
  const std::string mark = error ? "✗" : expected ? "!" : "";
  return {{mark, style},
          {shown(r.implementation)},
          {max_text(r), style},
          {r.max ? place(*r.max) : std::string(kAbsent)},
          {percent(r.statistics.correctly_rounded)},
          {percent(r.statistics.faithful)},
          {besides(r), style, ", "}};
}

/// What the rows that follow have in common: "f16: exhaustive, 655,360 points, 10 labels".
std::string inputs_text(const Result& r) {
  std::string out = fmt::format("{}: {}, {}", shown(r.dtype), shown(evidence_text(r)),
                                counted(r.points, "point"));
  if (r.label_count != 0) out += ", " + counted(r.label_count, "label");
  return out;
}

void Console::figures() {
  if (report_.results.empty()) {
    if (report_.benchmarks.empty() && report_.training.empty())
      line("Nothing was measured.", Style::yellow);
    return;
  }
  for (const std::string& op : ops_of(report_)) {
    heading(shown(op));
    const auto totals = totals_of(report_, op);
    const bool labels = std::any_of(totals.begin(), totals.end(),
                                    [](const Result* r) { return r->label_count != 0; });
    TextTable table({Align::left, Align::left, Align::right, Align::left, Align::right,
                     Align::right, Align::left},
                    true);
    std::vector<Cell> head;
    for (const char* h : {"", "implementation", "max ulp", labels ? "at z, y" : "at z", "correct",
                          "faithful", "besides"})
      head.push_back({h, Style::dim});
    table.add(head);
    std::string previous;
    for (const Result* r : totals) {
      const std::string inputs = inputs_text(*r);
      if (inputs != previous) table.add({{inputs}});
      previous = inputs;
      table.add(figure_row(*r));
    }
    out_ += table.str(width_, color_);
  }
  out_ += "\n";
  for (const std::string& l : wrap(
           "✗ breaks a rule or its contract, ! fails as its contract says; ≥ a lower bound (inputs "
           "were sampled); correct: correctly rounded. Counts of what an error in ulps does not "
           "tell "
           "(new_nan, vanished, …) follow the figures.",
           width_))
    line(l, Style::dim);
}

void Console::speed() {
  const auto rows = speed_rows(report_);
  if (rows.empty()) return;
  heading("Speed");
  const bool accuracy = std::any_of(rows.begin(), rows.end(),
                                    [](const SpeedRow& r) { return r.accuracy != nullptr; });
  TextTable table({Align::left, Align::left, Align::right, Align::right, Align::right, Align::right,
                   Align::left, Align::right, Align::right, Align::right, Align::left},
                  true);
  std::vector<Cell> head;
  for (const char* h : {"implementation", "dtype", "L1", "L2", "DRAM", "slowest", "of inputs",
                        "× memcpy", "× naive", accuracy ? "max ulp" : "", ""})
    head.push_back({h, Style::dim});
  table.add(head);
  for (const SpeedRow& r : rows)
    table.add({{shown(r.any->implementation)},
               {shown(r.any->dtype)},
               {nanoseconds_text(r.l1)},
               {nanoseconds_text(r.l2)},
               {nanoseconds_text(r.dram)},
               {nanoseconds_text(r.slowest)},
               {r.slowest != nullptr ? shown(r.slowest->inputs) : std::string(kAbsent)},
               {ratio_text(r.any->to_copy)},
               {ratio_text(r.any->to_naive)},
               {r.accuracy != nullptr ? max_text(*r.accuracy)
                : accuracy            ? std::string(kAbsent)
                                      : ""},
               {r.noisy ? "~" : "", Style::yellow}});
  out_ += table.str(width_, color_) + "\n";
  for (const std::string& l : wrap(kSpeedNote, width_)) line(l, Style::dim);
  const auto noisy = static_cast<std::uint64_t>(
      std::count_if(rows.begin(), rows.end(), [](const SpeedRow& r) { return r.noisy; }));
  if (4 * noisy > rows.size())
    line(fmt::format("This machine was busy: {} of {} are noisy.", noisy,
                     counted(rows.size(), "row")),
         Style::yellow);
  for (const Benchmark& b : report_.benchmarks)
    if (!b.failure.empty())
      for (const std::string& l :
           wrap(fmt::format("{} {} {} {}: {}", shown(b.implementation), shown(b.dtype),
                            shown(b.inputs), shown(b.level), shown(b.failure)),
                width_))
        line(l, Style::red);
}

void Console::training() {
  if (report_.training.empty()) return;
  heading("What it does to training");
  TextTable table({Align::left, Align::left, Align::left, Align::right, Align::right, Align::right,
                   Align::right, Align::right, Align::left},
                  true);
  std::vector<Cell> head;
  for (const char* h : {"", "implementation", "dtype", "loss", "drift", "accuracy", "zero",
                        "digits", "what happens"})
    head.push_back({h, Style::dim});
  table.add(head);
  for (const TrainingGroup& g : training_groups(report_)) {
    const Training& first = *g.runs.front();
    table.add({{training_title(first) + " (" + training_setting(first) + ")"}});
    for (const Training* t : g.runs) {
      const bool same = t->outcome == "as_reference";
      const Style style = same ? Style::plain : t->outcome == "drifts" ? Style::yellow : Style::red;
      table.add({{same                     ? ""
                  : t->outcome == "drifts" ? "~"
                                           : "✗",
                  style},
                 {shown(t->implementation)},
                 {shown(t->dtype)},
                 {loss_text(t->quality)},
                 {drift_text(t->drift)},
                 {accuracy_text(t->quality)},
                 {zero_text(*t)},
                 {digits_text(*t)},
                 {shown(t->verdict), style}});
    }
  }
  out_ += table.str(width_, color_) + "\n";
  for (const std::string& l : wrap(kTrainingNote, width_)) line(l, Style::dim);
  training_replays();
}

/// One command for each verdict but the good one; report.md and report.html have all.
void Console::training_replays() {
  std::set<std::string> told;
  for (const Training& t : report_.training) {
    if (t.outcome == "as_reference" || t.kernels.empty() || !told.insert(t.outcome).second)
      continue;
    line(fmt::format("{} {}, {}: {}", shown(t.implementation), shown(t.dtype), training_title(t),
                     shown(t.verdict)));
    line("  " + shown(t.replay), Style::dim);
  }
}

/// The findings of one gravity in about `most` lines, and how many are left out.
std::vector<std::pair<std::string, Style>> Console::lines_of(Gravity g, std::size_t most) const {
  const bool error = g == Gravity::error, expected = g == Gravity::expected_failure;
  const Style style = error ? Style::red : expected ? Style::yellow : Style::dim;
  const auto findings = findings_of(report_, g);
  std::vector<std::pair<std::string, Style>> lines;
  std::size_t left = findings.size();
  for (const FindingGroup& group : groups_of(findings)) {
    const auto text = wrap(group.text(), width_ < 40 ? width_ : width_ - 6);
    const bool replay = error && !group.first->replay.empty();
    if (lines.size() + text.size() + (replay ? 1 : 0) > most) break;
    const std::string mark = error ? "  ✗ " : expected ? "  ! " : "  · ";
    for (std::size_t i = 0; i < text.size(); ++i)
      lines.emplace_back((i == 0 ? mark : "      ") + text[i], style);
    if (replay) lines.emplace_back("      " + printable(group.first->replay), Style::dim);
    left -= group.findings;
  }
  if (left != 0)
    lines.emplace_back((lines.empty() ? "  … " : "  … and ") + thousands(left) +
                           (lines.empty() ? "" : " more") + " (all: --json, or -o FOLDER)",
                       Style::dim);
  return lines;
}

void Console::findings() {
  std::size_t most = kFindingLines;
  for (const auto& [g, title] : {std::pair(Gravity::error, "Errors"),
                                 std::pair(Gravity::expected_failure, "Expected failures"),
                                 std::pair(Gravity::note, "Notes")}) {
    const std::size_t count = findings_of(report_, g).size();
    if (count == 0) continue;
    heading(fmt::format("{} ({})", title, thousands(count)));
    const auto lines =
        lines_of(g, g == Gravity::expected_failure ? std::min(most, kExpectedLines) : most);
    for (const auto& [text, style] : lines) line(text, style);
    most -= std::min(most, lines.size());
  }
}

void Console::unavailable() {
  const auto missing = unavailable_in(report_);
  if (missing.empty()) return;
  heading("Not available here");
  TextTable table({Align::left, Align::left}, false);
  for (const Implementation* i : missing)
    table.add({{shown(i->name), Style::plain}, {shown(i->unavailable), Style::dim}});
  out_ += table.str(width_, color_);
}

void Console::verdicts() {
  if (report_.verdicts.empty()) return;
  heading("Verdicts");
  TextTable table({Align::left, Align::left, Align::left}, false);
  for (const Verdict& v : report_.verdicts) {
    std::string text;
    const auto add = [&](std::uint64_t n, std::string_view noun) {
      if (n != 0) text += (text.empty() ? "" : ", ") + counted(n, noun);
    };
    add(v.errors, "error");
    add(v.expected_failures, "expected failure");
    add(v.notes, "note");
    if (!v.scope.empty()) text += (text.empty() ? "" : ", ") + shown(short_scope(v));
    table.add({{shown(v.status), verdict_style(v)},
               {shown(v.implementation), Style::plain},
               {text, Style::dim}});
  }
  out_ += table.str(width_, color_);
  remarks();
}

/// Under the table: of each verdict, or the same of many once.
void Console::remarks() {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> names;
  for (const Verdict& v : report_.verdicts)
    for (std::string r : remarks_of(report_, v)) {
      if (r == shown(v.scope) && report_.verdicts.size() > kScopesInFull)
        r = shown(short_scope(v)) +
            "; ./run check, with the same choice of kernels, checks buffers, lengths and threads";
      if (names[r].empty()) order.push_back(r);
      names[r].push_back(shown(v.implementation));
    }
  for (const std::string& r : order) {
    const bool bad = r.rfind("incomplete: ", 0) == 0;
    const std::size_t n = names[r].size();
    const std::string who = n == report_.verdicts.size() && n > 1 ? "all"
                            : n > kNamesOfARemark
                                ? fmt::format("{} and {} more", names[r][0], n - 1)
                                : fmt::format("{}", fmt::join(names[r], ", "));
    for (const std::string& l :
         wrap(fmt::format("{}: {}", who, r), width_ < 40 ? width_ : width_ - 2))
      line("  " + l, bad ? Style::yellow : Style::dim);
  }
}

void Console::judges() {
  if (report_.results.empty()) return;
  const Judged j = judged_in(report_);
  out_ += "\n";
  const std::string text = fmt::format(
      "Truth: {} decided by the fast judge, {} by the final judge; {} cross-checked, {}.",
      counted(j.fast, "point"), thousands(j.final_judge), thousands(j.cross_checked),
      j.disagreements == 0 ? "no disagreement" : counted(j.disagreements, "disagreement"));
  for (const std::string& l : wrap(text, width_))
    line(l, j.disagreements == 0 ? Style::plain : Style::red);
  if (report_.textbook.empty()) return;
  std::map<std::string, std::uint64_t> verdicts;
  for (const TextbookAnswer& a : report_.textbook) ++verdicts[a.verdict];
  std::string claims;
  for (const auto& [verdict, n] : verdicts)
    claims += fmt::format("{}{} {}", claims.empty() ? "" : ", ", n, shown(verdict));
  for (const std::string& l : wrap("Textbook claims, measured: " + claims + ".", width_)) line(l);
}

}  // namespace

std::string render_console(const Report& report, const RenderOptions& options) {
  return Console(report, options).str();
}

}  // namespace ulpaudit
