// Value rules.
#include "properties/value_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fp/text.hpp"
#include "truth/score.hpp"

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
}

std::vector<Violation> ValueRules::judge(Bits z, Bits y) {
  out_.clear();
  const std::optional<Bits> got = subject_.single(z, y);
  if (!got) return {};  // how it ended is told elsewhere
  accuracy(z, y, *got);
  exact(z, y, *got);
  if (threshold_ != 0 && !is_nan(d_, z)) threshold(z, *got);
  if (is_finite(d_, z) && is_finite(d_, *got)) symmetry(z, y, *got);
  return out_;
}

std::vector<std::pair<Bits, Bits>> ValueRules::set_pieces() const {
  std::vector<std::pair<Bits, Bits>> out;
  for (Bits y : subject_.letters().labels)
    for (Bits z : {Bits{0}, format(d_).sign_bit()}) out.emplace_back(z, y);
  if (subject_.two_arguments())
    for (double z : {-3.0, 0.0, 0.5, 40.0})
      for (Bits y : {format(d_).quiet_nan(), format(d_).infinity() + 1})
        out.emplace_back(encode(d_, z), y);
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
  return out;
}

void ValueRules::add(const char* rule, std::string message, bool promised, Bits got) {
  out_.push_back({rule, std::move(message), promised, 0, got});
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

std::optional<double> ValueRules::budget(Bits z, Bits y) {
  const auto dtype = subject_.contract().max_ulp.find(std::string(ulpaudit::name(d_)));
  if (dtype == subject_.contract().max_ulp.end()) return std::nullopt;
  std::optional<double> least;
  for (const std::string& r : {std::string("all"), std::string(ulpaudit::name(region(z, y)))})
    if (const auto b = dtype->second.find(r); b != dtype->second.end())
      least = std::min(least.value_or(b->second), b->second);
  return least;
}

void ValueRules::accuracy(Bits z, Bits y, Bits got) {
  const Truth t = final_judge(op_, d_, z, y);
  const Score s = score(op_, d_, t, got);
  const auto text = [&] {
    return fmt::format("got {}, expected {}", decimal(d_, got), decimal(d_, t.rounded));
  };
  const KernelContract& k = subject_.contract();
  if (s.category != Category::none) {
    const bool permitted = s.category == Category::flushed && k.flush_subnormals;
    if (!permitted)
      add(fmt::format("value.{}", ulpaudit::name(s.category)).c_str(), text(), true, got);
  }
  if (!s.correctly_rounded && k.correctly_rounded.count(std::string(ulpaudit::name(d_))) != 0)
    add("accuracy.correctly_rounded", text() + ", correctly rounded as promised", true, got);
  if (!s.measured) return;
  const std::optional<double> b = budget(z, y);
  if (b && std::fabs(s.error_ulps) > *b)
    add("accuracy.max_ulp",
        fmt::format("{}: {:.6g} ulp, promised at most {:.6g}", text(), std::fabs(s.error_ulps), *b),
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
  const std::size_t yes = threshold_ == 0 ? 0 : threshold_ > z ? threshold_ - z : 0;
  return sums_to_one_ ? all_mirrored<true>(got, other, n, least_budget_, yes)
                      : all_mirrored<false>(got, other, n, least_budget_, yes);
}

void ValueRules::symmetry(Bits z, Bits y, Bits got) {
  const auto at = mirror(z, y);
  if (!at) return;
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
