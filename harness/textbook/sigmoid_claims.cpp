// The textbook's claims about the values of sigmoid: T1, T2, T13.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "textbook/claims.hpp"
#include "textbook/table.hpp"
#include "truth/truth.hpp"

namespace ulpaudit::textbook {
namespace {

constexpr char kTorch[] = "at::sigmoid(z)";  ///< the formula of LibTorch's own kernel

/// The textbook's table of values (claim T1).
struct FourDigits {
  double z;
  const char* sigmoid;
  const char* gradient;
};
constexpr FourDigits kFourDigits[] = {{-5, "0.0067", "0.0066"}, {-2, "0.1192", "0.1050"},
                                      {-1, "0.2689", "0.1966"}, {0, "0.5000", "0.2500"},
                                      {1, "0.7311", "0.1966"},  {2, "0.8808", "0.1050"},
                                      {5, "0.9933", "0.0066"}};

std::string four(double v) { return fmt::format("{:.4f}", v); }

/// How many forms give the four digits at z.
Tried agreement(Probe& probe, const std::vector<Form>& forms, Dtype d, double z,
                const std::string& digits) {
  Tried t;
  for (const Form& f : forms)
    if (const auto got = probe.ask(f, d, encode(d, z))) t.add(four(decode(d, *got)) == digits);
  return t;
}

Bits rounded_sigmoid(Dtype d, std::uint64_t o) {
  return final_judge(*op_from_name("sigmoid"), d, from_ordinal(d, o), 0).rounded;
}

/// Where σ is 0 and where it is 1.
std::string ends_text(Dtype d, const std::optional<Stretches>& zero,
                      const std::optional<Stretches>& one) {
  if (!zero || !one) return kNoAnswer;
  const Stretch line = finite_line(d);
  return fmt::format("0: {}; 1: {}", stretches_text(d, zero, line), stretches_text(d, one, line));
}

/// The same for the correctly rounded σ, which rises.
std::string rounded_ends(Dtype d) {
  const Stretch line = finite_line(d);
  const Bits one = encode(d, 1.0);
  const auto zero = last_before(line, [&](auto o) { return rounded_sigmoid(d, o) == 0; });
  const auto below = last_before(line, [&](auto o) { return rounded_sigmoid(d, o) != one; });
  return ends_text(d, {{{line.first, zero}}}, {{{below + 1, line.last}}});
}

/// The positive z for which the correctly rounded σ is not above ½.
Stretches rounded_half(Dtype d) {
  const Stretch positive = {ordinal(d, 1), finite_line(d).last};
  const Bits half = encode(d, 0.5);
  const auto is_half = [&](std::uint64_t o) { return rounded_sigmoid(d, o) == half; };
  if (!is_half(positive.first)) return {};
  return {{positive.first, last_before(positive, is_half)}};
}

std::string inputs_text(Dtype d, const Stretches& s) {
  const std::uint64_t n = count(s);
  if (n == 0) return "none";
  return fmt::format("{} inputs: {}", n, stretches_text(d, s, whole_line(d)));
}

}  // namespace

std::optional<TextbookAnswer> four_digits(Probe& probe, const Report&) {
  const OpId sigmoid = *op_from_name("sigmoid"), gradient = *op_from_name("sigmoid_grad");
  const std::vector<Form> s = probe.forms("sigmoid"), g = probe.forms("sigmoid_grad");
  TextbookAnswer a{"T1",
                   "σ(z) = 1/(1+e^-z) and σ′ have the tabled values, to four digits",
                   "",
                   "",
                   dtype_columns("z"),
                   {},
                   "./run eval --op 'sigmoid*' -- 2"};
  for (const char* column : {"σ′", "σ′ claimed", "σ", "σ claimed"})
    a.columns.insert(a.columns.begin() + 1, column);
  Tried truth, all;
  std::array<Tried, kDtypes.size()> kernels;
  for (const FourDigits& row : kFourDigits) {
    const Bits z = encode(Dtype::f64, row.z);
    const double ts = true_value(sigmoid, Dtype::f64, z), tg = true_value(gradient, Dtype::f64, z);
    truth.add(four(ts) == row.sigmoid);
    truth.add(four(tg) == row.gradient);
    std::vector<std::string> cells = {six(row.z), row.sigmoid, six(ts), row.gradient, six(tg)};
    for (std::size_t i = 0; i < kDtypes.size(); ++i) {
      Tried here = agreement(probe, s, kDtypes[i], row.z, row.sigmoid);
      here.add(agreement(probe, g, kDtypes[i], row.z, row.gradient));
      kernels[i].add(here);
      all.add(here);
      cells.push_back(here.text());
    }
    a.rows.push_back(std::move(cells));
  }
  if (all.asked == 0) return std::nullopt;
  std::vector<std::string> said;
  for (std::size_t i = 0; i < kDtypes.size(); ++i)
    if (kernels[i].asked != 0)
      said.push_back(fmt::format("{} in {}", kernels[i].text(), name(kDtypes[i])));
  a.verdict = truth.passed < truth.asked ? kWrong : all.passed < all.asked ? kLimited : kHolds;
  a.answer = fmt::format(
      "{} true values round to the claimed digits. Of the kernels' results {} do (the columns of "
      "the dtypes count them).",
      truth.text(), listed(said));
  return a;
}

std::optional<TextbookAnswer> open_interval(Probe& probe, const Report& report) {
  const std::vector<Form> forms = probe.forms("sigmoid");
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{"T2",
                   "the range of σ is the open interval (0, 1)",
                   "",
                   "",
                   dtype_columns("σ is exactly 0 or 1"),
                   {{"correctly rounded"}},
                   "./run sweep --op sigmoid"};
  for (const Dtype d : kDtypes) a.rows[0].push_back(rounded_ends(d));
  const std::string right = a.rows[0][1 + static_cast<std::size_t>(headline)];
  Tried closed;
  std::uint64_t outside = 0;
  std::vector<std::string> others;
  add_form_rows(a, forms, [&](const Form& f, Dtype d) {
    const auto zero = probe.where_result(f, d, [d](Bits got) { return is_zero(d, got); });
    const auto one = probe.where_result(f, d, [d](Bits got) { return decode(d, got) == 1; });
    std::string cell = ends_text(d, zero, one);
    if (zero && one) {
      closed.add(!zero->empty() || !one->empty());
      outside += count_category(report, f, d, "out_of_range");
      if (d == headline && cell != right) others.push_back(fmt::format("{} ({})", f.name, cell));
    }
    return cell;
  });
  if (closed.asked == 0) return std::nullopt;
  a.verdict = outside > 0 ? kWrong : closed.passed > 0 ? kLimited : kHolds;
  a.answer = fmt::format(
      "In floating point it is closed: {} kernels (each dtype counted) give exactly 0 or 1 at "
      "finite "
      "z, in {} the correctly rounded σ at ({}), and elsewhere than there: {}. {} results in the "
      "sweep lie outside of [0, 1].",
      closed.text(), name(headline), right, others.empty() ? "no kernel" : listed(others), outside);
  return a;
}

std::optional<TextbookAnswer> torch_is_stable(Probe& probe, const Report& report) {
  std::vector<Form> forms = probe.forms("sigmoid");
  std::erase_if(forms, [](const Form& f) { return f.formula != kTorch; });
  if (forms.empty()) return std::nullopt;
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{"T8",
                   "torch.sigmoid is numerically stable: -1000, -500, 0, 500, 1000 give 0, 0, 0.5, "
                   "1, 1 without NaN",
                   "",
                   "",
                   dtype_columns("σ(-1000), σ(-500), σ(0), σ(500), σ(1000); 0 though the result is "
                                 "a number; max ULP measured"),
                   {},
                   "./run sweep --op sigmoid --impl 'libtorch*' --dtype f32 --exhaustive"};
  Tried values, lossless;
  std::vector<std::string> said;
  add_form_rows(a, forms, [&](const Form& f, Dtype d) -> std::string {
    constexpr double kInputs[] = {-1000, -500, 0, 500, 1000}, kClaimed[] = {0, 0, 0.5, 1, 1};
    std::vector<std::string> words;
    bool right = true;
    for (std::size_t i = 0; i < std::size(kInputs); ++i) {
      const auto got = probe.ask(f, d, encode(d, kInputs[i]));
      if (!got) return kNoAnswer;
      right &= *got == encode(d, kClaimed[i]);
      words.push_back(value_text(d, got));
    }
    values.add(right);
    const Result* r = find_total(report, f.name, std::string(name(d)));
    if (r == nullptr || !r->statistics.max_ulp) return fmt::format("{}", fmt::join(words, ", "));
    const std::uint64_t lost =
        count_category(report, f, d, "flushed") + count_category(report, f, d, "vanished");
    lossless.add(r->categories.empty() && r->lost_points == 0 &&
                 *r->statistics.max_ulp <= kStableUlps);
    std::string cell = fmt::format("{}; {} of {}; {}", fmt::join(words, ", "), lost, r->points,
                                   six(*r->statistics.max_ulp));
    if (d == headline)
      said.push_back(fmt::format("{} loses {} of {} results ({}), max {} ulps", f.name, lost,
                                 r->points, r->evidence, six(*r->statistics.max_ulp)));
    return cell;
  });
  if (values.asked == 0) return std::nullopt;
  a.verdict = values.verdict();
  if (a.verdict == kHolds && lossless.passed < lossless.asked) a.verdict = kLimited;
  a.answer = fmt::format(
      "{} dtypes give the values claimed, {} lose no result and keep within {} ulps. In {}: {}.",
      values.text(), lossless.text(), kStableUlps, name(headline),
      said.empty() ? "not measured" : listed(said));
  return a;
}

std::optional<TextbookAnswer> decision(Probe& probe, const Report&) {
  const std::vector<Form> forms = probe.forms("sigmoid");
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{"T13",
                   "the prediction σ(z) > 0.5 is the decision z > 0",
                   "",
                   "",
                   dtype_columns("σ(z) > 0.5 is not z > 0"),
                   {{"correctly rounded"}},
                   "./run eval --op sigmoid --dtype f32 -- 1e-8"};
  for (const Dtype d : kDtypes) a.rows[0].push_back(inputs_text(d, rounded_half(d)));
  Tried same, mostly;
  std::vector<std::string> said;
  add_form_rows(a, forms, [&](const Form& f, Dtype d) -> std::string {
    Search s;
    s.dtype = d;
    s.within = whole_line(d);
    s.holds = [d](Bits z, Bits got) { return (decode(d, got) > 0.5) != (decode(d, z) > 0); };
    const auto where = probe.where(f, s);
    if (!where) return kNoAnswer;
    same.add(where->empty());
    mostly.add(count(*where) < format(d).infinity() / 2);  // of the positive inputs
    if (d == headline) said.push_back(fmt::format("{} {}", f.name, inputs_text(d, *where)));
    return inputs_text(d, *where);
  });
  if (same.asked == 0) return std::nullopt;
  a.verdict = same.passed == same.asked ? kHolds : mostly.passed > 0 ? kLimited : kWrong;
  a.answer = fmt::format(
      "The correctly rounded {} σ decides otherwise for {}; the kernels: {} (f16 and bf16: every "
      "input asked; f32 and f64: counted from the threshold).",
      name(headline), a.rows[0][1 + static_cast<std::size_t>(headline)], listed(said));
  return a;
}

}  // namespace ulpaudit::textbook
