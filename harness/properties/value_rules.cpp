// Value rules.
// SPDX-License-Identifier: Apache-2.0
#include "properties/value_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fp/text.hpp"
#include "inputs/plan.hpp"

namespace ulpaudit {
namespace {

/// Results of mirrored inputs may differ by so many ulps where the contract gives no budget.
constexpr double kMirrorUlps = 64;
/// A decision may be late or early by this factor where correct rounding is not promised.
constexpr double kThresholdSlack = 4;

bool is(OpId op, const char* name) { return info(op).name == name; }

double ulp_of(Dtype d, double v) {
  const Format& f = format(d);
  return exp2i(std::max(f.emin, v > 0 ? exponent_of(v) : f.emin) - f.p + 1);
}

/// a - b, or of two that should add up to 1 what the sum is off, without error.
double asymmetry(bool sums_to_one, double a, double b) {
  if (!sums_to_one) return a - b;
  const double sum = a + b, high = std::max(a, b), low = std::min(a, b);
  return (sum - 1) + (low - (sum - high));
}

/// Without a branch on the numbers. SumsToOne: sigmoid, whose decision is yes from element `yes`
/// on.
template <bool SumsToOne>
bool all_mirrored(const std::uint32_t* got, const std::uint32_t* other, std::size_t n,
                  double budget, std::size_t yes) {
  constexpr Bits exponent_field = 0x7ff0000000000000u;
  bool all = true;
  for (std::size_t i = 0; i < n; ++i) {
    const auto a = static_cast<double>(detail::bit_copy<float>(got[i]));
    const auto b = static_cast<double>(detail::bit_copy<float>(other[i]));
    const double larger = std::max(std::fabs(a), std::fabs(b));
    const double power = detail::bit_copy<double>(
        detail::bit_copy<Bits>(std::max(larger, 0x1p-126)) & exponent_field);
    bool fine = std::fabs(asymmetry(SumsToOne, a, b)) <= budget * (power * 0x1p-23);
    fine &= larger <= static_cast<double>(std::numeric_limits<float>::max());
    if (SumsToOne) fine &= ((a > 0.5) == (i >= yes)) & !(b > 0.5);
    all &= fine;
  }
  return all;
}

Bits quiet_bit(Dtype d) { return format(d).quiet_nan() ^ format(d).infinity(); }

/// In bits too where the decimals are the same.
std::string got_and_expected(Dtype d, Bits got, Bits expected) {
  const std::string a = decimal(d, got), b = decimal(d, expected);
  if (a != b) return fmt::format("got {}, expected {}", a, b);
  return fmt::format("got {} ({}), expected {} ({})", a, bits_text(d, got), b,
                     bits_text(d, expected));
}

constexpr std::uint64_t kOutsidePoints = 200;

std::vector<Bits> typical_and_special(Dtype d) {
  const Bits inf = format(d).infinity();
  std::vector<Bits> out = {encode(d, 0.5), inf, negate(d, inf)};
  for (double z : {-3.0, 0.0, -0.0, 40.0, -40.0, 1.0, 1000.0}) out.push_back(encode(d, z));
  out.push_back(format(d).max_finite());
  out.push_back(1);
  out.push_back(format(d).quiet_nan());
  return out;
}

/// In 16 bits all of them; else those with few bits set, and others at random.
std::vector<Bits> nan_labels(Dtype d) {
  const Format& f = format(d);
  std::vector<Bits> out = {f.quiet_nan(), negate(d, f.quiet_nan())};
  const Bits payloads = (Bits{1} << f.mantissa_bits()) - 1;
  if (f.width == 16) {
    for (Bits b = f.infinity() + 1; b <= f.infinity() + payloads; ++b) {
      out.push_back(b);
      out.push_back(negate(d, b));
    }
    return out;
  }
  constexpr int kRandom = 100;
  for (int i = 0; i < f.mantissa_bits(); ++i)
    for (const Bits b : {Bits{1} << i, payloads ^ (Bits{1} << i), payloads >> i}) {
      out.push_back(f.infinity() | b);
      out.push_back(negate(d, f.infinity() | b));
    }
  for (std::uint64_t i = 0; i < kRandom; ++i) {
    const Bits payload = random_word(0, i) & payloads;
    out.push_back(f.infinity() | (payload != 0 ? payload : 1));
  }
  return out;
}

std::vector<Bits> labels_outside(Dtype d) {
  const Bits one = encode(d, 1.0), inf = format(d).infinity();
  std::vector<Bits> out = {one + 1, negate(d, 1), inf, negate(d, inf)};
  for (double y : {-0.5, -1.0, 1.5, 2.0, -3.0, 100.0}) out.push_back(encode(d, y));
  return out;
}

/// The smallest z > 0 at which sigmoid rounds above one half.
Bits decision_threshold(OpId op, Dtype d) {
  const Bits half = encode(d, 0.5);
  Bits no = 0, yes = encode(d, 1.0);
  while (yes - no > 1) {
    const Bits mid = no + (yes - no) / 2;
    (final_judge(op, d, mid, 0).rounded > half ? yes : no) = mid;
  }
  return yes;
}

}  // namespace

ValueRules::ValueRules(Subject& subject)
    : subject_(subject), d_(subject.dtype()), op_(subject.op()) {
  sums_to_one_ = is(op_, "sigmoid");
  if (sums_to_one_) threshold_ = decision_threshold(op_, d_);
  least_budget_ = kMirrorUlps;
  const auto dtype = subject.contract().max_ulp.find(std::string(ulpaudit::name(d_)));
  if (dtype != subject.contract().max_ulp.end())
    for (const auto& [region, ulps] : dtype->second) least_budget_ = std::min(least_budget_, ulps);
  if (subject.contract().exactly_symmetric) least_budget_ = 0;
}

std::vector<Violation> ValueRules::judge(Bits z, Bits y) {
  const std::optional<Bits> got = subject_.single(z, y);
  if (!got) return {};  // how it ended is told elsewhere
  std::vector<Violation> found = judge_result(z, y, *got);
  out_.clear();
  if (promised_at(z) && in_domain(op_, d_, y) && is_finite(d_, z) && is_finite(d_, *got))
    symmetry(z, y, *got);
  found.insert(found.end(), out_.begin(), out_.end());
  return found;
}

std::vector<Violation> ValueRules::judge_result(Bits z, Bits y, Bits got) {
  out_.clear();
  if (!promised_at(z)) return out_;
  at_region_ = ulpaudit::name(region(z, y));
  if (!in_domain(op_, d_, y)) {
    outside_labels(z, y, got);
    return out_;
  }
  accuracy(z, y, got);
  exact(z, y, got);
  if (threshold_ != 0 && !is_nan(d_, z)) threshold(z, got);
  return out_;
}

/// Nothing is promised of a z outside the contract's domain.
bool ValueRules::promised_at(Bits z) const {
  const auto domain = subject_.contract().domain_of(std::string(ulpaudit::name(d_)));
  const double v = decode(d_, z);
  return !domain || is_nan(d_, z) || (v >= domain->first && v <= domain->second);
}

std::vector<std::pair<Bits, Bits>> ValueRules::set_pieces() const {
  std::vector<std::pair<Bits, Bits>> out;
  for (Bits y : subject_.letters().labels)
    for (Bits z : {Bits{0}, format(d_).sign_bit()}) out.emplace_back(z, y);
  if (subject_.two_arguments()) {
    const std::vector<Bits> z = typical_and_special(d_);
    std::size_t turn = 0;
    for (const Bits y : nan_labels(d_)) {
      out.emplace_back(z[0], y);
      out.emplace_back(z[1 + turn++ % (z.size() - 1)], y);
    }
    for (const Bits at : z) out.emplace_back(at, format(d_).quiet_nan());
    // A label that is -0 is the label 0.
    for (const Bits at : z) out.emplace_back(at, format(d_).sign_bit());
    if (subject_.contract().outside_labels != OutsideLabels::unspecified)
      for (const Bits y : labels_outside(d_))
        for (std::uint64_t i = 0; i < kOutsidePoints; ++i)
          out.emplace_back(i < z.size() ? z[i] : random_word(y, i) & format(d_).mask(), y);
  }
  if (threshold_ != 0)
    for (double factor : {1e-3, 0.1, 0.24, 1.0, 4.1, 16.0, 1e3})
      for (int k = -4; k <= 4; ++k) {
        const Bits z = step(d_, encode(d_, decode(d_, threshold_) * factor), k);
        out.emplace_back(z, 0);
        out.emplace_back(negate(d_, z), 0);
      }
  // Mirror images at typical logits.
  for (Bits y : subject_.letters().labels)
    for (double z : {0.01, 0.3, 1.0, 1.7, 3.0, 6.5, 12.0, 25.0}) out.emplace_back(encode(d_, z), y);
  const Admitted& admitted = subject_.letters().admitted;
  out.erase(std::remove_if(out.begin(), out.end(),
                           [&](const auto& p) {
                             return !admitted.z(d_, p.first) ||
                                    (subject_.two_arguments() && !admitted.y(p.second));
                           }),
            out.end());
  return out;
}

void ValueRules::add(const char* rule, std::string message, bool promised, Bits got) {
  out_.push_back({rule, std::move(message), promised, 0, got, false, at_region_});
}

const std::vector<RegionSpan>& ValueRules::spans(Bits y) {
  const auto [found, fresh] = spans_.try_emplace(y);
  if (fresh) found->second = region_spans(op_, d_, y);
  return found->second;
}

Region ValueRules::region(Bits z, Bits y) {
  const std::uint64_t o = ordinal(d_, z);
  const auto& s = spans(y);
  const auto at = std::lower_bound(s.begin(), s.end(), o,
                                   [](const RegionSpan& x, std::uint64_t v) { return x.last < v; });
  return at == s.end() || o < at->first ? Region::special : at->region;
}

std::optional<double> ValueRules::budget(const Budgets& budgets, Bits z, Bits y) {
  const auto dtype = budgets.find(std::string(ulpaudit::name(d_)));
  if (dtype == budgets.end()) return std::nullopt;
  std::optional<double> least;
  for (const std::string& r : {std::string("all"), std::string(ulpaudit::name(region(z, y)))})
    if (const auto b = dtype->second.find(r); b != dtype->second.end())
      least = std::min(least.value_or(b->second), b->second);
  return least;
}

void ValueRules::accuracy(Bits z, Bits y, Bits got) {
  const Truth t = final_judge(op_, d_, z, y);
  const Score s = score(op_, d_, t, got);
  const auto text = [&] { return got_and_expected(d_, got, t.rounded); };
  const KernelContract& k = subject_.contract();
  if (s.wrong_zero && k.zero_sign)
    add("value.wrong_zero",
        fmt::format("got {}, and the true value is {}", decimal(d_, got),
                    t.negative ? "negative" : "positive"),
        true, got);
  if (k.quiet_nan && is_nan(d_, got) && (got & quiet_bit(d_)) == 0)
    add("value.signalling_nan", fmt::format("got {}, a signalling NaN", bits_text(d_, got)), true,
        got);
  if (s.category != Category::none) {
    const bool permitted = s.category == Category::flushed && k.flush_subnormals;
    if (!permitted)
      add(fmt::format("value.{}", ulpaudit::name(s.category)).c_str(), text(), true, got);
  }
  if (!s.correctly_rounded && k.correctly_rounded.count(std::string(ulpaudit::name(d_))) != 0)
    add("accuracy.correctly_rounded", text() + "; correct rounding is promised", true, got);
  if (s.measured) budgets(z, y, got, t, s);
}

void ValueRules::budgets(Bits z, Bits y, Bits got, const Truth& t, const Score& s) {
  const KernelContract& k = subject_.contract();
  const std::string text = got_and_expected(d_, got, t.rounded);
  const double error = std::fabs(s.error_ulps);
  const auto over = [&](const char* rule, const Budgets& budgets, double value, const char* unit) {
    const std::optional<double> most = budget(budgets, z, y);
    if (!most || value <= *most) return;
    add(rule, fmt::format("{}: {:.6g}{}, promised at most {:.6g}", text, value, unit, *most), true,
        got);
  };
  over("accuracy.max_ulp", k.max_ulp, error, " ulp");
  over("accuracy.absolute", k.max_absolute, std::ldexp(error, t.q), " absolute");
  // Beside a subnormal true value no number need be near in this sense.
  if (t.kind == TruthKind::finite && magnitude(d_, t.rounded) >= format(d_).min_normal())
    over("accuracy.relative", k.max_relative, error / t.ulps.hi, " relative");
  const double half = std::sqrt(exp2i(format(d_).p));
  const std::optional<double> most = budget(z, y);
  if (error > half && region(z, y) != Region::crossing && !(most && error <= *most))
    add("accuracy.half_lost",
        fmt::format("{}: {:.6g} ulp, more than half of the digits", text, error), true, got);
}

/// What the contract says of labels outside [0, 1].
void ValueRules::outside_labels(Bits z, Bits y, Bits got) {
  const OutsideLabels what = subject_.contract().outside_labels;
  if (what == OutsideLabels::unspecified) return;
  if (what == OutsideLabels::nan || is_nan(d_, z)) {
    if (!is_nan(d_, got))
      add("value.outside_labels", fmt::format("got {}, promised is NaN", decimal(d_, got)), true,
          got);
    return;
  }
  if (what == OutsideLabels::extrapolate && !is_finite(d_, y)) return;
  const Bits label = what != OutsideLabels::clamp ? y
                     : is_negative(d_, y)         ? Bits{0}
                                                  : encode(d_, 1.0);
  const Truth t = final_judge(op_, d_, z, label);
  const Score s = score(op_, d_, t, got);
  const std::optional<double> most = budget(z, is_negative(d_, y) ? 0 : encode(d_, 1.0));
  const bool range_alone =
      what == OutsideLabels::extrapolate &&
      (s.category == Category::out_of_range || s.category == Category::flushed);
  const double error = std::fabs(s.error_ulps);
  if ((s.category == Category::none || range_alone) &&
      (!s.measured || s.correctly_rounded || error <= most.value_or(kMirrorUlps)))
    return;
  add("value.outside_labels",
      fmt::format("{} ({}), as the contract says of y = {}", got_and_expected(d_, got, t.rounded),
                  what == OutsideLabels::clamp ? "the value at the nearest label in [0, 1]"
                                               : "the formula's value",
                  decimal(d_, y)),
      true, got);
}

void ValueRules::exact(Bits z, Bits y, Bits got) {
  if (!is_zero(d_, z) || is_nan(d_, y)) return;
  double want = 0;
  if (is(op_, "sigmoid")) {
    want = 0.5;
  } else if (is(op_, "sigmoid_grad")) {
    want = 0.25;
  } else {
    // grad: ½-y where it is a number of the dtype. bce: ln 2, rounded correctly or within budget.
    const Truth t = final_judge(op_, d_, z, y);
    const bool inexact = t.side != 0;
    if (is(op_, "bce_with_logits_grad") && inexact) return;
    if (is(op_, "bce_with_logits")) {
      const std::optional<double> b = budget(z, y);
      const Score s = score(op_, d_, t, got);
      if (!s.measured || s.correctly_rounded || !b || std::fabs(s.error_ulps) <= *b) return;
    }
    want = decode(d_, t.rounded);
  }
  if (!is_nan(d_, got) && decode(d_, got) == want) return;
  add("value.exact",
      fmt::format("got {}, which is exactly {} there", decimal(d_, got),
                  decimal(d_, encode(d_, want))),
      true, got);
}

void ValueRules::threshold(Bits z, Bits got) {
  if (is_nan(d_, got)) return;
  const bool above = decode(d_, got) > 0.5;
  const double at = decode(d_, z), border = decode(d_, threshold_);
  if (above == (at >= border)) return;
  const bool strict =
      subject_.contract().correctly_rounded.count(std::string(ulpaudit::name(d_))) != 0;
  const bool far = above ? at < border / kThresholdSlack : at > border * kThresholdSlack;
  if (!strict && !far) return;
  add("value.threshold",
      fmt::format("{} {} one half, and the true value {} one half from z = {} on", decimal(d_, got),
                  above ? "is above" : "is not above", "rounds above", decimal(d_, threshold_)),
      true, got);
}

std::optional<std::pair<Bits, Bits>> ValueRules::mirror(Bits z, Bits y) const {
  if (is(op_, "bce_with_logits_grad") || !is_finite(d_, z)) return std::nullopt;
  if (!is(op_, "bce_with_logits")) return std::pair{negate(d_, z), Bits{0}};
  if (!is_finite(d_, y)) return std::nullopt;
  // 1-y must be a number of the dtype: then both differences are exact.
  const double yd = decode(d_, y), other = 1 - yd;
  const Bits mirror_y = encode(d_, other);
  if (decode(d_, mirror_y) != other || 1 - other != yd) return std::nullopt;
  return std::pair{negate(d_, z), mirror_y};
}

bool ValueRules::plainly_mirrored(Bits z, Bits got, Bits other) const {
  if (!is_finite(d_, got) || !is_finite(d_, other)) return false;
  const double a = decode(d_, got), b = decode(d_, other);
  if (threshold_ != 0 && ((a > 0.5) != (z >= threshold_) || b > 0.5)) return false;
  // Within the least budget of the larger result: no need to look the regions up.
  const double larger = std::max(std::fabs(a), std::fabs(b));
  return std::fabs(asymmetry(sums_to_one_, a, b)) <= least_budget_ * ulp_of(d_, larger);
}

bool ValueRules::plainly_mirrored(Bits z, const std::uint32_t* got, const std::uint32_t* other,
                                  std::size_t n) const {
  // From this element on, the decision is yes.
  const std::size_t yes = threshold_ > z ? threshold_ - z : 0;
  return sums_to_one_ ? all_mirrored<true>(got, other, n, least_budget_, yes)
                      : all_mirrored<false>(got, other, n, least_budget_, yes);
}

void ValueRules::symmetry(Bits z, Bits y, Bits got) {
  const auto at = mirror(z, y);
  if (!at || !subject_.letters().admitted.z(d_, at->first)) return;
  const std::optional<Bits> other = subject_.single(at->first, at->second);
  if (other && is_finite(d_, *other)) compare_mirrored(z, y, got, *at, *other);
}

void ValueRules::compare_mirrored(Bits z, Bits y, Bits got, const std::pair<Bits, Bits>& at,
                                  Bits other) {
  const double off = std::fabs(asymmetry(sums_to_one_, decode(d_, got), decode(d_, other)));
  const double a = std::fabs(decode(d_, got)), b = std::fabs(decode(d_, other));
  const std::optional<double> ba = budget(z, y), bb = budget(at.first, at.second);
  // Of the true values' ulps, at most: results within their budgets are never refused here.
  const auto most = [&](double v, double ulps) {
    return ulps * ulp_of(d_, v + 2 * ulps * ulp_of(d_, v));
  };
  if (subject_.contract().exactly_symmetric && (sums_to_one_ ? off != 0 : got != other))
    add("symmetry.exact",
        fmt::format("{} ({}) at z = {} and {} ({}) at z = {}{}", decimal(d_, got),
                    bits_text(d_, got), decimal(d_, z), decimal(d_, other), bits_text(d_, other),
                    decimal(d_, at.first),
                    sums_to_one_ ? " do not add up to 1" : " are not the same bits"),
        true, got);
  const double allowed =
      ba && bb ? most(a, *ba) + most(b, *bb) : kMirrorUlps * ulp_of(d_, std::max(a, b));
  if (off <= allowed) return;
  add("symmetry",
      fmt::format("{} at z = {} and {} at z = {}{}: {:.4g} ulp apart", decimal(d_, got),
                  decimal(d_, z), decimal(d_, other), decimal(d_, at.first),
                  sums_to_one_ ? " do not add up to 1" : " are not the same",
                  off / ulp_of(d_, std::max(a, b))),
      true, got);
}

std::vector<Violation> ValueRules::judge_mirrored(Bits z, Bits y, Bits got,
                                                  const std::pair<Bits, Bits>& at, Bits other) {
  out_.clear();
  if (is_finite(d_, got) && is_finite(d_, other)) compare_mirrored(z, y, got, at, other);
  return out_;
}

std::vector<Violation> ValueRules::judge_decision(Bits z, Bits got) {
  out_.clear();
  if (threshold_ != 0) threshold(z, got);
  return out_;
}

}  // namespace ulpaudit
