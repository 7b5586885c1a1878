// Results by rule.
// SPDX-License-Identifier: Apache-2.0
#include "verdict/accuracy_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "fp/text.hpp"
#include "record/replay.hpp"

namespace ulpaudit {
namespace {

std::string input_text(const Witness& w) {
  return w.y ? fmt::format("z = {}, y = {}", w.z.decimal, w.y->decimal)
             : fmt::format("z = {}", w.z.decimal);
}

/// f64 results can be off by more ulps than a double holds.
std::string ulps_text(double v) {
  return std::isinf(v) ? "more than 1e308" : fmt::format("{:.6g}", v);
}

std::string category_text(const std::string& c) {
  if (c == "new_nan") return "NaN where the true value is a number";
  if (c == "lost_nan") return "a number where the input is NaN";
  if (c == "wrong_infinity") return "an infinity where the true value is finite";
  if (c == "finite_for_infinite") return "finite where the true value is infinite";
  if (c == "wrong_sign") return "the wrong sign";
  if (c == "nonzero_for_zero") return "not 0 where the true value is 0";
  if (c == "flushed") return "0 where the correctly rounded result is subnormal";
  if (c == "vanished") return "0 where the correctly rounded result is a normal number";
  return "outside the range of the op";
}

NumberRange range_of(const CategoryRow& c) { return {c.first.z, c.last}; }

/// How many inputs have an error of `ulps` or more, as far as the histogram tells. Its last bin is
/// of categories.
std::uint64_t beyond(const Result& r, double ulps) {
  const std::vector<std::uint64_t>& h = r.raw.histogram;
  std::uint64_t n = 0;
  for (std::size_t i = 1; i + 1 < h.size(); ++i)
    if (histogram_upper(static_cast<int>(i) - 1) >= ulps) n += h[i];
  return n;
}

/// From the first to the last bin of the curve that `counts`; nothing where there is no curve.
template <class Counts>
std::optional<NumberRange> stretch(const Result& r, Counts counts) {
  const Dtype d = *dtype_from_name(r.dtype);
  // Bins at the ends of the line hold NaN patterns too.
  const std::uint64_t highest = ordinal(d, format(d).infinity());
  const std::uint64_t lowest = ordinal(d, negate(d, format(d).infinity()));
  const auto at = [&](std::uint64_t o) {
    return number(d, from_ordinal(d, std::clamp(o, lowest, highest)));
  };
  std::optional<NumberRange> out;
  for (const auto& [name, bin] : r.raw_curve) {
    if (bin.points == 0 || !counts(bin)) continue;
    const BinSpan span = curve_span(d, std::uint64_t{name} << curve_shift(d));
    const Number last = at(span.last);
    if (out)
      out->last = last;
    else
      out = NumberRange{at(span.first), last};
  }
  return out;
}

/// Is the result there of a category (vanished, wrong sign, out of range), which has findings of
/// its own?
bool of_category(const Result& r, const Witness& w) {
  const Dtype d = *dtype_from_name(r.dtype);
  const OpId op = *op_from_name(r.op);
  const Bits got = parse_number(d, w.got.bits), right = parse_number(d, w.expected.bits);
  if (is_zero(d, got)) return !is_zero(d, right);
  if (is_negative(d, got) != is_negative(d, right)) return true;
  const double v = decode(d, got);
  return v < info(op).range.lo || v > info(op).range.hi;
}

/// The budget of a region, and that of all: null where there is none.
const double* budget_of(const Budgets& budgets, const std::string& dtype,
                        const std::string& region) {
  const auto d = budgets.find(dtype);
  if (d == budgets.end()) return nullptr;
  const auto limit = d->second.find(region);
  return limit == d->second.end() ? nullptr : &limit->second;
}

/// |computed - true| and the true value, as far as the witness tells them.
struct PlainError {
  long double absolute = 0, truth = 0;
};
std::optional<PlainError> plain_error(Dtype d, const Witness& w) {
  if (!w.error_ulps) return std::nullopt;
  char* end = nullptr;
  PlainError e;
  // "e^-3.39e+38" is no number, and below every number of every dtype.
  e.truth = w.true_value.rfind("e^", 0) == 0 ? 0 : std::strtold(w.true_value.c_str(), &end);
  if (!std::isfinite(e.truth)) return std::nullopt;
  int exponent = 0;
  if (e.truth != 0) std::frexp(e.truth, &exponent);
  const int k = e.truth == 0 ? format(d).emin : exponent - 1;
  e.absolute = std::ldexp(std::fabs(static_cast<long double>(*w.error_ulps)), ulp_exponent(d, k));
  return e;
}

class Rules {
 public:
  Rules(const Report& report, const Result& r, const KernelContract& k)
      : report_(report), r_(r), k_(k), d_(*dtype_from_name(r.dtype)) {}

  std::vector<Broken> run() {
    budget();
    bias();
    plain(k_.max_absolute, false);
    plain(k_.max_relative, true);
    if (r_.region == "all") {
      correctly_rounded();
      monotone();
      wrong_zero();
    } else {
      categories();
      half_lost();
      reversed();
    }
    return std::move(out_);
  }

 private:
  Broken& add(const std::string& rule, Severity severity, std::string message, std::uint64_t count,
              const std::optional<Witness>& witness,
              std::optional<NumberRange> range = std::nullopt) {
    Broken b;
    Finding& f = b.finding;
    f.rule = rule;
    f.severity = severity;
    f.implementation = r_.implementation;
    f.op = r_.op;
    f.dtype = r_.dtype;
    f.region = r_.region;
    f.message = std::move(message);
    f.count = count;
    f.witness = witness;
    f.range = std::move(range);
    return out_.emplace_back(std::move(b));
  }
  bool total() const { return r_.region == "all"; }
  template <class Breaks>
  Regions where(Breaks breaks) const {
    return total() ? regions_where(report_, r_, breaks) : Regions();
  }

  void budget() {
    const double* most = budget_of(k_.max_ulp, r_.dtype, r_.region);
    if (most == nullptr || !r_.statistics.max_ulp || *r_.statistics.max_ulp <= *most) return;
    const double limit = *most;
    add("accuracy.max_ulp", Severity::error,
        fmt::format("{} ulp at {}, promised at most {:.6g}", ulps_text(*r_.statistics.max_ulp),
                    input_text(*r_.max), limit),
        std::max<std::uint64_t>(1, beyond(r_, limit)), r_.max,
        stretch(
            r_,
            [limit](const CurveBin& b) { return b.max_signed > limit || b.min_signed < -limit; }))
        .where = where(
        [limit](const Result& x) { return x.statistics.max_ulp && *x.statistics.max_ulp > limit; });
  }

  void bias() {
    const auto judge = [&](const std::string& region, const std::optional<double>& mean) {
      const double* most = budget_of(k_.bias, r_.dtype, region);
      if (most == nullptr || !mean || std::fabs(*mean) <= *most) return;
      const double limit = *most;
      const bool typical = region == "typical";
      Broken& b = add("accuracy.bias", Severity::error,
                      fmt::format("the mean error{} is {:+.6g} ulp, promised at most {:.6g}",
                                  typical ? " over typical logits" : "", *mean, limit),
                      r_.points, std::nullopt);
      b.finding.replay = sweep();
      if (typical) b.finding.region = region;
      if (!typical)
        b.where = where([limit](const Result& x) {
          return x.statistics.bias && std::fabs(*x.statistics.bias) > limit;
        });
    };
    judge(r_.region, r_.statistics.bias);
    if (total() && r_.statistics.typical_logits)
      judge("typical", r_.statistics.typical_logits->bias);
  }

  /// The largest absolute or relative error among the witnesses that a sweep keeps, and where.
  std::pair<double, const Witness*> largest_plain(const Result& x, bool relative) const {
    std::pair<double, const Witness*> out{0, nullptr};
    const auto offer = [&](const Witness& w) {
      const auto e = plain_error(d_, w);
      if (!e) return;
      const bool normal =
          std::fabs(e->truth) >= std::ldexp(1.0L, static_cast<int>(format(d_).emin));
      if (relative && !normal) return;
      const auto v =
          static_cast<double>(relative ? e->absolute / std::fabs(e->truth) : e->absolute);
      if (v > out.first) out = {v, &w};
    };
    for (const std::optional<Witness>* w : {&x.max, &x.max_signed, &x.min_signed})
      if (*w) offer(**w);
    for (const CategoryRow& c : x.categories) offer(c.first);
    for (const Witness& w : x.special_values) offer(w);
    return out;
  }

  /// Absolute or relative budgets: by the witnesses that a sweep keeps. Its largest error in ulps
  /// bounds the relative one, within a factor of 2, where results are normal numbers.
  void plain(const Budgets& budgets, bool relative) {
    const double* most = budget_of(budgets, r_.dtype, r_.region);
    if (most == nullptr || !r_.statistics.max_ulp) return;
    const auto [largest, worst] = largest_plain(r_, relative);
    const char* rule = relative ? "accuracy.relative" : "accuracy.absolute";
    const char* what = relative ? "relative" : "absolute";
    if (worst != nullptr && largest > *most) {
      add(rule, Severity::error,
          fmt::format("the {} error at {} is {:.6g}, promised at most {:.6g}", what,
                      input_text(*worst), largest, *most),
          1, *worst)
          .where = where([&](const Result& x) { return largest_plain(x, relative).first > *most; });
      return;
    }
    // ulp(t) <= 2^(1-p) |t| for normal t; of an op within [-m, m] it is at most ulp(m).
    const double scale = relative ? std::ldexp(1.0, 1 - format(d_).p)
                                  : std::max(std::fabs(info(*op_from_name(r_.op)).range.lo),
                                             std::fabs(info(*op_from_name(r_.op)).range.hi)) *
                                        std::ldexp(1.0, 1 - format(d_).p);
    if (*r_.statistics.max_ulp * scale <= *most) return;
    Broken& b =
        add(rule, Severity::note,
            fmt::format("promised an {} error of at most {:.6g}; the sweep's largest error "
                        "in ulps does not decide it: ./run check judges every input it runs",
                        what, *most),
            1, std::nullopt);
    b.finding.replay = replay().check();
  }

  void correctly_rounded() {
    const std::uint64_t wrong = r_.points - r_.raw.correctly_rounded;
    if (k_.correctly_rounded.count(r_.dtype) == 0 || wrong == 0) return;
    add("accuracy.correctly_rounded", Severity::error,
        fmt::format("{} of {} results are not correctly rounded, though the contract promises it",
                    wrong, r_.points),
        wrong, r_.max,
        stretch(r_, [](const CurveBin& b) { return b.correctly_rounded != b.points; }))
        .where = where([](const Result& x) { return x.raw.correctly_rounded != x.points; });
  }

  void monotone() {
    if (r_.monotone.violations == 0) return;
    const Witness &lower = *r_.monotone.lower, &upper = *r_.monotone.upper;
    Broken& b =
        add("monotone", k_.monotone ? Severity::error : Severity::note,
            fmt::format("not monotone{}: at {} the result is {}, at {} it is {}",
                        k_.monotone ? ", though the contract promises it" : "", input_text(lower),
                        lower.got.decimal, input_text(upper), upper.got.decimal),
            r_.monotone.violations, lower, NumberRange{lower.z, *r_.monotone.last});
    b.finding.neighbour = upper;
    b.finding.replay = replay().check_case(
        fmt::format("z={},{}{}", lower.z.bits, upper.z.bits, lower.y ? " y=" + lower.y->bits : ""));
    if (k_.monotone) b.where = regions_between(r_, lower.z, *r_.monotone.last);
  }

  void wrong_zero() {
    if (!r_.wrong_zero) return;
    add("value.wrong_zero", k_.zero_sign ? Severity::error : Severity::note,
        fmt::format("zero of the wrong sign at {}", input_text(r_.wrong_zero->first)),
        r_.wrong_zero->count, r_.wrong_zero->first, range_of(*r_.wrong_zero))
        .where = where([](const Result& x) { return x.wrong_zero.has_value(); });
  }

  void categories() {
    for (const CategoryRow& c : r_.categories) {
      const bool permitted = c.category == "flushed" && k_.flush_subnormals;
      add("value." + c.category, permitted ? Severity::note : Severity::error,
          fmt::format("{}: at {} got {}, expected {}", category_text(c.category),
                      input_text(c.first), c.first.got.decimal, c.first.expected.decimal),
          c.count, c.first, range_of(c));
    }
  }

  /// Of results that are of no category: those have findings of their own.
  void half_lost() {
    if (r_.region == "crossing" || r_.region == "special" || !r_.statistics.max_ulp || !r_.max)
      return;
    const double limit = half_of_digits(d_);
    // An error of just the limit is none too many: where the largest is of a category and hides the
    // rest, whole bins of the histogram above the limit count.
    const bool hidden = of_category(r_, *r_.max);
    if (!hidden && *r_.statistics.max_ulp <= limit) return;
    const std::uint64_t counted = beyond(r_, hidden ? std::nextafter(limit, HUGE_VAL) : limit);
    const Witness* worst = nullptr;
    for (const std::optional<Witness>* w : {&r_.max, &r_.max_signed, &r_.min_signed})
      if (*w && (*w)->error_ulps && std::fabs(*(*w)->error_ulps) > limit && !of_category(r_, **w) &&
          (worst == nullptr || std::fabs(*(*w)->error_ulps) > std::fabs(*worst->error_ulps)))
        worst = &**w;
    if (worst == nullptr && counted == 0) return;
    // Where the largest error is of a category, the histogram bounds that of the rest.
    const double error = worst != nullptr ? std::fabs(*worst->error_ulps) : highest_bin();
    for (const std::string& region : {r_.region, std::string("all")})
      if (const double* most = budget_of(k_.max_ulp, r_.dtype, region);
          most != nullptr && *most >= error)
        return;
    Broken& b =
        add("accuracy.half_lost", Severity::error,
            worst != nullptr
                ? fmt::format("more than half of the digits are wrong: {} ulp at {} (half: {:.6g})",
                              ulps_text(error), input_text(*worst), limit)
                : fmt::format("more than half of the digits are wrong: up to {} ulp (half: {:.6g})",
                              ulps_text(error), limit),
            std::max<std::uint64_t>(1, counted),
            worst != nullptr ? std::optional(*worst) : std::nullopt);
    b.unless_told = true;
    if (worst == nullptr) b.finding.replay = sweep();
  }

  double highest_bin() const {
    const std::vector<std::uint64_t>& h = r_.raw.histogram;
    for (std::size_t i = h.size() - 1; i-- > 1;)
      if (h[i] != 0) return std::min(histogram_upper(static_cast<int>(i)), *r_.statistics.max_ulp);
    return *r_.statistics.max_ulp;
  }

  void reversed() {
    if (!r_.reversed) return;
    const Reversal& v = *r_.reversed;
    Broken& b =
        add("monotone.reversed", Severity::error,
            fmt::format("{} where the op {}: {} at {}, {} at {}, and {} of {} steps between",
                        v.rises ? "falls" : "rises", v.rises ? "rises" : "falls",
                        v.first.got.decimal, input_text(v.first), v.last.got.decimal,
                        input_text(v.last), v.against, v.steps),
            v.against, v.first, NumberRange{v.first.z, v.last.z});
    b.finding.neighbour = v.last;
  }

  std::string sweep() const {
    std::string options = r_.range.empty() ? "" : "--range=" + r_.range;
    if (r_.evidence == "exhaustive") options += options.empty() ? "--exhaustive" : " --exhaustive";
    return replay().sweep(options);
  }
  Replay replay() const { return {report_, r_.implementation, r_.dtype}; }

  const Report& report_;
  const Result& r_;
  const KernelContract& k_;
  const Dtype d_;
  std::vector<Broken> out_;
};

}  // namespace

double half_of_digits(Dtype d) { return std::exp2(format(d).p / 2.0); }

bool every_input(const Result& r, const KernelContract& k) {
  if (r.evidence != "exhaustive") return false;
  const OpId op = *op_from_name(r.op);
  const Dtype d = *dtype_from_name(r.dtype);
  if (!r.range.empty()) {
    const auto domain = k.domain_of(r.dtype);
    const auto promised = domain ? numbers_in(d, *domain) : std::nullopt;
    if (!promised || r.range != decimal(d, promised->first) + ":" + decimal(d, promised->second))
      return false;
  }
  return info(op).arity == 1 || r.label_count >= encode(d, 1.0) + 1;
}

std::vector<Broken> judge_result(const Report& report, const Result& r, const KernelContract& k) {
  if (!op_from_name(r.op) || !dtype_from_name(r.dtype)) return {};
  return Rules(report, r, k).run();
}

}  // namespace ulpaudit
