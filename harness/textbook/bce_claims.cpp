// The textbook's claims about the loss: T9, T10, T11.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fp/text.hpp"
#include "textbook/claims.hpp"
#include "textbook/table.hpp"
#include "truth/score.hpp"

namespace ulpaudit::textbook {
namespace {

constexpr char kMaxForm[] = "max(z,0)-z*y+log(1+exp(-|z|))";

OpId bce() { return *op_from_name("bce_with_logits"); }

/// Losses from a rounded sigmoid ("prob" in the kernel's name), or those from the logit.
std::vector<Form> losses(const Probe& probe, bool of_probability) {
  std::vector<Form> forms = probe.forms("bce_with_logits");
  std::erase_if(forms, [&](const Form& f) {
    const std::size_t kernel = f.name.find('/') + 1;
    return (f.name.find("prob", kernel) != std::string::npos) != of_probability;
  });
  return forms;
}

/// "1.7e+07 ulp (rel. 1)", or the result where it has no error.
std::string error_text(Probe& probe, const Form& f, Dtype d, Bits z, Bits y) {
  const auto got = probe.ask(f, d, z, y);
  if (!got) return kNoAnswer;
  if (!is_finite(d, *got)) return value_text(d, *got);
  const Score s = score(bce(), d, final_judge(bce(), d, z, y), *got);
  return fmt::format("{:.3g} ulp (rel. {:.2g})", std::fabs(s.error_ulps),
                     relative_error(bce(), d, z, y, *got));
}

std::string lost_text(Dtype d, const Probe::Onset& lost) {
  if (!lost.answered) return kNoAnswer;
  if (!lost.z) return kNever;
  return fmt::format("z ≤ {} (true {:.3g})", edge_text(d, *lost.z, lost.frayed),
                     true_value(bce(), d, *lost.z, 0));
}

/// "NaN: z ≤ -88.7; ∞: z ≥ 17.3"; "never"; '-' without an answer.
std::string not_finite_text(Dtype d, const std::optional<Stretches>& nan,
                            const std::optional<Stretches>& infinite) {
  if (!nan || !infinite) return kNoAnswer;
  std::vector<std::string> words;
  if (!nan->empty()) words.push_back("NaN: " + stretches_text(d, nan, finite_line(d)));
  if (!infinite->empty()) words.push_back("∞: " + stretches_text(d, infinite, finite_line(d)));
  return words.empty() ? kNever : fmt::format("{}", fmt::join(words, "; "));
}

std::string not_finite_at(Probe& probe, const Form& f, Dtype d, Bits y) {
  const auto any = probe.where_result(
      f, d, [d](Bits got) { return !is_finite(d, got); }, y);
  if (!any || any->empty()) return any ? kNever : kNoAnswer;
  const auto nan = probe.where_result(
      f, d, [d](Bits got) { return is_nan(d, got); }, y);
  const auto inf = probe.where_result(
      f, d, [d](Bits got) { return is_infinite(d, got); }, y);
  return not_finite_text(d, nan, inf);
}

/// For the first of the labels 0, ½, 1 at which there is a NaN or ∞; nothing without an answer.
std::optional<std::string> not_finite_anywhere(Probe& probe, const Form& f, Dtype d) {
  for (const double y : {0.0, 0.5, 1.0}) {
    const std::string text = not_finite_at(probe, f, d, encode(d, y));
    if (text == kNoAnswer) return std::nullopt;
    if (text != kNever) return fmt::format("y = {}: {}", y, text);
  }
  return kNever;
}

/// What T9 asks of one loss in one dtype.
struct Steadiness {
  std::vector<std::string> cells;
  bool measured = false;
  bool finite = false;  ///< no NaN or ∞ at finite z
  bool stable = false;  ///< and within kStableUlps, all digits kept
};

Steadiness steadiness(Probe& probe, const Report& report, const Form& f, Dtype d,
                      const Tail& left) {
  const Bits one = encode(d, 1.0), twenty = encode(d, 20.0);
  Steadiness s;
  s.cells = {f.name,
             std::string(name(d)),
             error_text(probe, f, d, negate(d, twenty), 0),
             error_text(probe, f, d, twenty, one),
             error_text(probe, f, d, one, one - 1),
             error_text(probe, f, d, twenty, one - 1)};
  const Probe::Onset lost = probe.lost_from(f, d, left);
  s.cells.push_back(lost_text(d, lost));
  const std::optional<std::string> not_finite = not_finite_anywhere(probe, f, d);
  s.cells.push_back(not_finite.value_or(kNoAnswer));
  const Result* r = find_total(report, f.name, std::string(name(d)));
  s.measured = lost.answered && not_finite && r != nullptr && r->statistics.max_ulp;
  s.cells.push_back(s.measured ? six(*r->statistics.max_ulp) : kNoAnswer);
  if (!s.measured) return s;
  s.finite = *not_finite == kNever && r->lost_points == 0;
  s.stable = s.finite && !lost.z && *r->statistics.max_ulp <= kStableUlps &&
             count_category(report, f, d, "flushed") == 0;
  return s;
}

/// The verdict on a form said to be stable: that it neither overflows nor errs, or only the first.
struct Claimed {
  Tried stable, finite;
  std::vector<std::string> said;

  void add(const Form& f, Dtype d, const Steadiness& s, bool tell) {
    stable.add(s.stable);
    finite.add(s.finite);
    if (!tell) return;
    said.push_back(
        fmt::format("{} in {} errs by {} at z = -20, y = 0, by {} at z = 20 and y just "
                    "below 1, and at y = 0 by half and more for {}",
                    f.name, name(d), s.cells[2], s.cells[5], s.cells[6]));
  }
  std::string verdict() const {
    if (stable.passed == stable.asked) return kHolds;
    return stable.passed > 0 || finite.passed == finite.asked ? kLimited : kWrong;
  }
};

/// The cases of T10: which give NaN.
struct NanCases {
  Tried nan;
  std::map<std::string, std::vector<std::string>> dtypes;  ///< those with a NaN, by form
  std::vector<std::string> said;

  void add(const Form& f, Dtype d, const std::string& case_text, const std::string& text,
           bool tell) {
    if (text == kNoAnswer) return;
    const bool gives = text.find("NaN") != std::string::npos;
    nan.add(gives);
    if (!gives) return;
    if (tell) said.push_back(fmt::format("{} at {}", f.name, case_text));
    std::vector<std::string>& of_form = dtypes[f.name];
    if (std::find(of_form.begin(), of_form.end(), name(d)) == of_form.end())
      of_form.emplace_back(name(d));
  }
  /// "a in f16 and f32, b never".
  std::string dtypes_text(const std::vector<Form>& forms) const {
    std::vector<std::string> words;
    for (const Form& f : forms) {
      const auto at = dtypes.find(f.name);
      words.push_back(f.name + (at == dtypes.end() ? " never" : " in " + listed(at->second)));
    }
    return fmt::format("{}", fmt::join(words, ", "));
  }
};

/// The mean of the losses at (100, 1), (-100, 0), (0, ½).
constexpr double kExamples[3][2] = {{100, 1}, {-100, 0}, {0, 0.5}};

std::optional<double> mean_of(Probe& probe, const Form& f, Dtype d) {
  double sum = 0;
  for (const auto& [z, y] : kExamples) {
    const auto got = probe.ask(f, d, encode(d, z), encode(d, y));
    if (!got) return std::nullopt;
    sum += decode(d, *got);
  }
  return sum / 3;
}

double true_mean() {
  double sum = 0;
  for (const auto& [z, y] : kExamples)
    sum += true_value(bce(), Dtype::f64, encode(Dtype::f64, z), encode(Dtype::f64, y));
  return sum / 3;
}

}  // namespace

std::optional<TextbookAnswer> logits_form_is_stable(Probe& probe, const Report& report) {
  const std::vector<Form> forms = losses(probe, false);
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{
      "T9",
      "BCE-with-logits is -y·z+log(1+e^z) = max(z,0)-z·y+log(1+e^-|z|), and this form "
      "is stable",
      "",
      "",
      {"form", "dtype", "z = -20, y = 0", "z = 20, y = 1", "z = 1, y below 1", "z = 20, y below 1",
       "y = 0: wrong by half and more", "NaN or ∞ at finite z", "max ULP measured"},
      {},
      "./run eval --op bce_with_logits --dtype f32 -- -20 0"};
  Claimed claimed;
  std::vector<std::string> steady;
  for (const Dtype d : kDtypes) {
    const Tail left = normal_tail(bce(), d, 0, -1);
    for (const Form& f : forms) {
      if (!f.has(d)) continue;
      Steadiness s = steadiness(probe, report, f, d, left);
      if (s.measured && f.formula == kMaxForm) claimed.add(f, d, s, d == headline);
      if (s.measured && s.stable && d == headline) steady.push_back(f.name);
      a.rows.push_back(std::move(s.cells));
    }
  }
  if (claimed.stable.asked == 0) return std::nullopt;
  a.verdict = claimed.verdict();
  a.answer = fmt::format(
      "{} ({} dtypes are free of NaN and ∞ at finite z, {} of lost digits). Within {} ulps at "
      "every "
      "input measured in {}: {}.",
      claimed.said.empty() ? kMaxForm : listed(claimed.said), claimed.finite.text(),
      claimed.stable.text(), kStableUlps, name(headline),
      steady.empty() ? "no form" : listed(steady));
  return a;
}

std::optional<TextbookAnswer> rounded_sigmoid_nan(Probe& probe, const Report&) {
  const std::vector<Form> forms = losses(probe, true);
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{"T10",
                   "BCELoss after a rounded sigmoid can give NaN for extreme logits",
                   "",
                   "",
                   dtype_columns("form, NaN or ∞ at finite z"),
                   {},
                   "./run sweep --op bce_with_logits --impl '*prob*'"};
  a.columns.insert(a.columns.begin() + 1, "y");
  NanCases cases;
  for (const Form& f : forms) {
    for (const double y : {0.0, 1.0, 0.5}) {
      const std::size_t row = a.rows.size();
      add_form_rows(a, {f}, [&](const Form&, Dtype d) {
        std::string text = not_finite_at(probe, f, d, encode(d, y));
        cases.add(f, d, fmt::format("y = {} ({})", y, text), text, d == headline);
        return text;
      });
      a.rows[row].insert(a.rows[row].begin() + 1, six(y));
    }
  }
  if (cases.nan.asked == 0) return std::nullopt;
  a.verdict = cases.nan.verdict();
  a.answer = fmt::format(
      "{} cases (kernel, label, dtype) give NaN: {}. {}.", cases.nan.text(),
      cases.dtypes_text(forms),
      cases.said.empty() ? fmt::format("None does in {}", name(headline))
                         : fmt::format("In {} {}", name(headline), fmt::join(cases.said, ", ")));
  return a;
}

std::optional<TextbookAnswer> mean_loss(Probe& probe, const Report&) {
  const std::vector<Form> forms = probe.forms("bce_with_logits");
  const Dtype headline = headline_dtype(forms);
  const std::string truth = fmt::format("{:.4f}", true_mean());
  TextbookAnswer a{
      "T11",
      "BCE-with-logits of logits (100, -100, 0) with labels (1, 0, 0.5) is in the mean "
      "ln 2 / 3 = 0.2310",
      "",
      "",
      dtype_columns("mean loss"),
      {{"true value"}},
      "./run eval --op bce_with_logits -- 100 1"};
  for (std::size_t i = 0; i < kDtypes.size(); ++i) a.rows[0].push_back(six(true_mean()));
  Tried right;
  std::vector<std::string> wrong;
  add_form_rows(a, forms, [&](const Form& f, Dtype d) -> std::string {
    const auto mean = mean_of(probe, f, d);
    if (!mean) return kNoAnswer;
    std::string cell = std::isnan(*mean) ? "NaN" : std::isinf(*mean) ? "∞" : six(*mean);
    right.add(fmt::format("{:.4f}", *mean) == "0.2310");
    if (d == headline && fmt::format("{:.4f}", *mean) != "0.2310")
      wrong.push_back(fmt::format("{} gives {}", f.name, cell));
    return cell;
  });
  if (right.asked == 0) return std::nullopt;
  a.verdict = truth == "0.2310" ? right.verdict() : kWrong;
  a.answer = fmt::format(
      "The true mean is {}; {} kernels (each dtype counted) give 0.2310 to four digits. In {} {}.",
      six(true_mean()), right.text(), name(headline), wrong.empty() ? "all do" : listed(wrong));
  return a;
}

}  // namespace ulpaudit::textbook
