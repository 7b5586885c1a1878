// Judges trials against single elements.
// SPDX-License-Identifier: Apache-2.0
#include "properties/manners.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fp/text.hpp"
#include "plugin/environment.hpp"
#include "truth/truth.hpp"

namespace ulpaudit {
namespace {

/// Any NaN equals any NaN.
bool same(Dtype d, Bits a, Bits b) { return a == b || (is_nan(d, a) && is_nan(d, b)); }

bool observed_only(const KernelInfo& k, const std::string& rule) {
  const auto starts = [&](const char* prefix) { return rule.rfind(prefix, 0) == 0; };
  if (starts("determinism.")) return !k.deterministic;
  for (const char* r : {"batch.length", "batch.position", "batch.neighbours", "batch.alignment"})
    if (rule == r) return !k.elementwise;
  return false;
}

class Manners {
 public:
  Manners(Subject& subject, const Trial& trial)
      : subject_(subject), d_(subject.dtype()), trial_(trial) {}

  std::vector<Violation> judge() {
    // What an element gives alone, before others are called: the call behind theirs is this one.
    for (std::size_t i = 0; trial_.others && i < trial_.z.size(); ++i)
      subject_.single(trial_.z[i], y(i));
    const Answer a = subject_.run(trial_);
    judge(a);
    for (Violation& v : out_) v.ended = a.outcome.kind != Outcome::Kind::ok;
    return std::move(out_);
  }

 private:
  void judge(const Answer& a) {
    for (const Fact& f : a.outcome.facts) {
      // A race that shows in the first call of a process alone is the first call's.
      const bool first = trial_.fresh && f.rule == "determinism.threads";
      const bool others = trial_.others && f.rule == "determinism.repeat";
      add(first    ? "determinism.first_call"
          : others ? "determinism.other_kernels"
                   : f.rule,
          f.text, std::min<std::size_t>(f.element, trial_.z.empty() ? 0 : trial_.z.size() - 1),
          std::nullopt);
      if (f.rule == "environment.thread" && subject_.contract().keeps_threads)
        out_.back().promised = false;
    }
    if (a.outcome.kind != Outcome::Kind::ok) {
      const bool told = std::any_of(a.outcome.facts.begin(), a.outcome.facts.end(),
                                    [](const Fact& f) { return f.rule.rfind("batch.", 0) == 0; });
      if (!told) ended(a.outcome);
      return;
    }
    // What is not written is no result: nothing else is read from this batch.
    if (!all_written(a)) return;
    flags(a);
    compare(a.out);
  }
  void add(const std::string& rule, std::string message, std::size_t element,
           std::optional<Bits> got) {
    out_.push_back(
        {rule, std::move(message), !observed_only(subject_.about(), rule), element, got});
  }

  std::string input(std::size_t i) const {
    std::string s = "z = " + decimal(d_, trial_.z[i]);
    if (!trial_.y.empty()) s += ", y = " + decimal(d_, trial_.y[i]);
    return s;
  }
  Bits y(std::size_t i) const { return trial_.y.empty() ? 0 : trial_.y[i]; }

  Trial with(void (*change)(Stage&)) const {
    Trial t = trial_;
    t.unguarded = false;
    change(t.stage);
    return t;
  }
  /// Buffers that end at a guard page begin where their length puts them.
  bool misaligned() const {
    const Stage& s = trial_.stage;
    const bool guarded = !subject_.plugin().program;
    return (guarded && !trial_.unguarded && s.edge == Stage::Edge::end) || s.z_offset != 0 ||
           s.y_offset != 0 || s.out_offset != 0;
  }
  Trial aligned() const {
    return with([](Stage& s) {
      s.edge = Stage::Edge::start;
      s.z_offset = s.y_offset = s.out_offset = 0;
    });
  }

  void ended(const Outcome& o) {
    using Kind = Outcome::Kind;
    if (trial_.z.empty() && o.kind == Kind::crashed)
      return add("batch.empty", "a batch of no elements: " + o.message, 0, std::nullopt);
    if (o.kind == Kind::crashed && misaligned() &&
        subject_.run(aligned()).outcome.kind == Kind::ok &&
        subject_.run(trial_).outcome.kind == Kind::crashed)
      return add("batch.alignment", "with its buffers aligned to the element alone: " + o.message,
                 0, std::nullopt);
    const char* rule = o.kind == Kind::crashed  ? "plugin.crash"
                       : o.kind == Kind::exited ? "plugin.exit"
                       : o.kind == Kind::hung   ? "plugin.hang"
                       : o.kind == Kind::failed ? "plugin.status"
                                                : "plugin.protocol";
    add(rule, o.message, 0, std::nullopt);
  }

  /// Invalid, divide-by-zero or overflow where every input and every true value is finite.
  void flags(const Answer& a) {
    const unsigned spurious = a.outcome.raised & (kInvalid | kDivideByZero | kOverflow);
    if (spurious == 0 || trial_.stage.flags_up || trial_.fresh) return;
    for (std::size_t i = 0; i < trial_.z.size(); ++i) {
      if (!is_finite(d_, trial_.z[i]) || !is_finite(d_, y(i)) || !is_finite(d_, a.out[i])) return;
      const TruthKind kind = final_judge(subject_.op(), d_, trial_.z[i], y(i)).kind;
      if (kind == TruthKind::infinite || kind == TruthKind::nan) return;
    }
    std::string names;
    for (const auto& [bit, name] :
         {std::pair{kInvalid, "invalid"}, std::pair{kDivideByZero, "divide by zero"},
          std::pair{kOverflow, "overflow"}})
      if ((spurious & bit) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
    add("environment.flags",
        fmt::format("raises {} though every input and result is finite", names), 0, std::nullopt);
    out_.back().promised = subject_.contract().clean_flags;
  }

  /// The first element that differs from what it gives alone, under the rule that fits.
  void compare(const std::vector<Bits>& out) {
    // Calls that are repeated are compared with each other.
    if (trial_.stage.repeats > 1 && trial_.stage.threads == 1) return;
    if (trial_.stage.tile != 0 && subject_.batches_differ()) return;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::optional<Bits> want = subject_.single(trial_.z[i], y(i));
      if (!want || same(d_, *want, out[i])) continue;
      return differs(i, out, *want);
    }
  }

  /// Element i of the trial run in a way that differs; nothing where it does not come back.
  std::optional<Bits> gives(const Trial& t, std::size_t i) {
    const Answer a = subject_.run(t);
    return a.out.size() > i ? std::optional(a.out[i]) : std::nullopt;
  }

  /// Where a result equals what lay in `out` before, another filling tells whether it was written.
  bool all_written(const Answer& a) {
    const auto told = std::find_if(
        out_.begin(), out_.end(), [](const Violation& v) { return v.rule == "batch.not_written"; });
    if (told != out_.end()) {
      out_ = {*told};
      return false;
    }
    const Stage& s = trial_.stage;
    if (s.in_place || s.in_place_y || trial_.unguarded) return true;
    const Bits fill = filled_with(s.out_fill);
    const auto first = std::find(a.out.begin(), a.out.end(), fill);
    if (first == a.out.end()) return true;
    Trial other = trial_;
    other.fresh = false;
    other.stage.out_fill = static_cast<std::uint8_t>(~s.out_fill);
    const Answer then = subject_.run(other);
    for (auto i = static_cast<std::size_t>(first - a.out.begin()); i < then.out.size(); ++i) {
      if (a.out[i] != fill || then.out[i] != filled_with(other.stage.out_fill)) continue;
      out_.clear();
      add("batch.not_written",
          fmt::format("element {} of {} is not written ({})", i, length(trial_), input(i)), i,
          a.out[i]);
      return false;
    }
    return true;
  }

  void differs(std::size_t i, const std::vector<Bits>& out, Bits want) {
    const auto says = [&](const std::string& how) {
      return fmt::format("{} gives {} ({}) {}, alone it gives {} ({})", input(i),
                         decimal(d_, out[i]), bits_text(d_, out[i]), how, decimal(d_, want),
                         bits_text(d_, want));
    };
    const Stage& s = trial_.stage;
    const auto gives = [&](const Trial& t) { return this->gives(t, i); };
    const auto right = [&](const std::optional<Bits>& b) { return b && same(d_, *b, want); };
    const auto report = [&](const char* rule, const std::string& how) {
      add(rule, says(how), i, out[i]);
    };
    if (s.rounding != Stage::Rounding::nearest) {
      if (subject_.contract().any_rounding)
        report("environment.under_rounding", "under another rounding mode");
      return;
    }
    if (s.flush) {
      if (subject_.contract().under_ftz) report("environment.under_ftz", "with FTZ and DAZ on");
      return;
    }
    // Neither the first call nor the threads are to blame where a quiet call gives the same.
    Trial quiet = trial_;
    quiet.fresh = quiet.others = false;
    quiet.stage.threads = quiet.stage.repeats = 1;
    if (trial_.others && right(gives(quiet)) && right(gives(quiet)))
      return report("determinism.other_kernels", "after calls of the plug-in's other kernels");
    if (s.threads > 1 && right(gives(quiet)) && right(gives(quiet)))
      return trial_.fresh ? report("determinism.first_call", "in the first call of a process")
                          : report("determinism.threads", "when several threads call");
    if (s.in_place || s.in_place_y) {
      if (right(gives(with([](Stage& x) { x.in_place = x.in_place_y = false; }))))
        return report("batch.in_place", s.in_place ? "in place" : "in place of y");
    } else {
      // Does another filling of `out` make the difference?
      Trial other = trial_;
      other.fresh = false;
      other.stage.out_fill = static_cast<std::uint8_t>(~s.out_fill);
      const std::optional<Bits> then = gives(other);
      if (then && !same(d_, *then, out[i])) return memory_or_repeat(i, *then, out, says("once"));
    }
    if (const auto again = gives(trial_); again && !same(d_, *again, out[i]))
      return report("determinism.repeat", "once and something else the next time");
    if (trial_.fresh || s.threads > 1) {
      const std::optional<Bits> then = gives(quiet);
      if (!then) return;
      if (!same(d_, *then, out[i]))
        return trial_.fresh ? report("determinism.first_call", "in the first call of a process")
                            : report("determinism.threads", "when several threads call");
    }
    if (s.stack_fill != 0 && right(gives(with([](Stage& x) { x.stack_fill = 0; }))))
      return report("determinism.memory", "with other bytes on the stack before");
    if (misaligned() && right(gives(aligned())))
      return report("batch.alignment", "with buffers that are aligned to the element alone");
    // The same input in every element: does the length or the place make the difference?
    Trial uniform = quiet;
    std::fill(uniform.z.begin(), uniform.z.end(), trial_.z[i]);
    if (!uniform.y.empty()) std::fill(uniform.y.begin(), uniform.y.end(), trial_.y[i]);
    const Answer a = subject_.run(uniform);
    if (a.out.empty() || same(d_, a.out[i], want))
      return report("batch.neighbours",
                    fmt::format("as element {} of {} beside other values", i, length(trial_)));
    const bool all =
        std::all_of(a.out.begin(), a.out.end(), [&](Bits b) { return same(d_, b, a.out[0]); });
    report(all ? "batch.length" : "batch.position",
           fmt::format("as element {} of {}", i, length(trial_)));
  }

  /// Two fillings of `out` gave two results: was it the filling, or does every call differ?
  void memory_or_repeat(std::size_t i, Bits then, const std::vector<Bits>& out,
                        const std::string& text) {
    Trial again = trial_;
    again.fresh = false;
    for (int k = 0; k < 3; ++k) {
      const Answer a = subject_.run(again);
      if (a.out.size() <= i || !same(d_, a.out[i], out[i]))
        return add("determinism.repeat", text + ", and something else another time", i, out[i]);
    }
    add("determinism.memory",
        fmt::format("{} depends on what lay in `out` before: {} or {}", input(i),
                    bits_text(d_, out[i]), bits_text(d_, then)),
        i, out[i]);
  }

  Bits filled_with(std::uint8_t byte) const {
    return (Bits{byte} * 0x0101010101010101u) & format(d_).mask();
  }

  Subject& subject_;
  Dtype d_;
  const Trial& trial_;
  std::vector<Violation> out_;
};

}  // namespace

std::vector<Violation> judge_manners(Subject& subject, const Trial& trial) {
  return Manners(subject, trial).judge();
}

}  // namespace ulpaudit
