// Findings alone, a block each: what `ulpaudit check` prints.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/renderer.hpp"
#include "reports/text.hpp"
#include "reports/text_table.hpp"
#include "reports/view.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kNotes = 12;
constexpr std::size_t kExpected = 12;

std::string input(const Witness& w) {
  std::string out = fmt::format("z = {} ({})", shown(w.z.decimal), shown(w.z.bits));
  if (w.y) out += fmt::format(", y = {} ({})", shown(w.y->decimal), shown(w.y->bits));
  return out;
}

class Blocks {
 public:
  Blocks(const Report& report, const RenderOptions& options)
      : report_(report),
        color_(options.color),
        width_(static_cast<std::size_t>(std::max(options.width, 0))) {}

  std::string str() {
    for (const FindingGroup& g : groups_of(findings_of(report_, Gravity::error))) block(g);
    if (out_.empty()) line("No errors.", Style::green);
    lines(Gravity::expected_failure, "!", Style::yellow, kExpected, "expected failure");
    lines(Gravity::note, "·", Style::dim, kNotes, "note");
    for (const Verdict& v : report_.verdicts) verdict(v);
    return out_;
  }

 private:
  void line(const std::string& text, Style style = Style::plain) {
    out_ += styled(text, style, color_) + "\n";
  }
  void indented(const std::string& text, Style style = Style::plain) {
    for (const std::string& l : wrap(text, width_ < 40 ? width_ : width_ - 4))
      line("    " + l, style);
  }

  /// The worst of the cause, the simplest input that shows it, and what else it does.
  void block(const FindingGroup& group) {
    const Finding& f = *group.first;
    line(fmt::format("✗ {}  {} {}{}", shown(f.rule), shown(f.implementation), shown(f.dtype),
                     f.region == "all" || f.region.empty() ? "" : " " + shown(f.region)),
         Style::red);
    indented(shown(f.message));
    if (!f.setting.empty() && f.witness_length > 1)
      indented(fmt::format("case: {}, element {}", shown(f.setting), f.position));
    else if (!f.setting.empty())
      indented("case: " + shown(f.setting));
    if (f.simplest)
      indented(fmt::format("simplest: {}: got {}, expected {}", input(*f.simplest),
                           shown(f.simplest->got.decimal), shown(f.simplest->expected.decimal)));
    else if (f.witness)
      indented(fmt::format("at {}: got {}, expected {}", input(*f.witness),
                           shown(f.witness->got.bits), shown(f.witness->expected.bits)));
    if (f.count > 1) indented(extent(f));
    if (!f.simplest)
      for (const Finding* other : group.others)
        if (other->simplest) {
          indented(fmt::format("simplest: {}: got {}, expected {}", input(*other->simplest),
                               shown(other->simplest->got.decimal),
                               shown(other->simplest->expected.decimal)));
          break;
        }
    for (const std::string& text : also_text(group)) indented("also " + text);
    if (!f.replay.empty()) line("    " + printable(f.replay), Style::dim);
    out_ += "\n";
  }

  /// A line for each group.
  void lines(Gravity gravity, const char* mark, Style style, std::size_t most,
             std::string_view noun) {
    const auto groups = groups_of(findings_of(report_, gravity));
    for (std::size_t i = 0; i < std::min(most, groups.size()); ++i)
      for (const std::string& l : wrap(fmt::format("{} {}", mark, groups[i].text()), width_))
        line(l, style);
    if (groups.size() > most)
      line(fmt::format("{} and {} more in the report (-o FOLDER)", mark,
                       counted(groups.size() - most, noun)),
           style);
    if (!groups.empty()) out_ += "\n";
  }

  void verdict(const Verdict& v) {
    std::string text;
    for (const auto& [n, noun] :
         {std::pair{v.errors, "error"}, std::pair{v.expected_failures, "expected failure"},
          std::pair{v.notes, "note"}})
      if (n != 0) text += fmt::format("{}{}", text.empty() ? "  " : ", ", counted(n, noun));
    line(fmt::format("{:<12} {}{}", shown(v.status), shown(v.implementation), text),
         verdict_style(v));
    for (const std::string& r : remarks_of(report_, v))
      indented(r, r.rfind("incomplete: ", 0) == 0 ? Style::yellow : Style::dim);
  }

  const Report& report_;
  bool color_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string render_findings(const Report& report, const RenderOptions& options) {
  return Blocks(report, options).str();
}

}  // namespace ulpaudit
