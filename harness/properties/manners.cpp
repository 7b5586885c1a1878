// Judges trials against single elements.
#include "properties/manners.hpp"

#include <fmt/format.h>
#include <rapidcheck/Random.h>

#include <algorithm>

#include "fp/text.hpp"
#include "inputs/plan.hpp"
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
    const Answer a = subject_.run(trial_);
    for (const Fact& f : a.outcome.facts) {
      // A race that shows in the first call of a process alone is the first call's.
      const bool first = trial_.fresh && f.rule == "determinism.threads";
      add(first ? "determinism.first_call" : f.rule, f.text,
          std::min<std::size_t>(f.element, trial_.z.empty() ? 0 : trial_.z.size() - 1),
          std::nullopt);
      if (f.rule == "environment.thread" && subject_.contract().keeps_threads)
        out_.back().promised = false;
    }
    if (a.outcome.kind != Outcome::Kind::ok) {
      if (a.outcome.facts.empty()) ended(a.outcome);
      return std::move(out_);
    }
    flags(a);
    compare(a.out);
    return std::move(out_);
  }

 private:
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
    change(t.stage);
    return t;
  }
  /// Buffers that end at a guard page begin where their length puts them.
  bool misaligned() const {
    const Stage& s = trial_.stage;
    const bool guarded = !subject_.plugin().program;
    return (guarded && s.edge == Stage::Edge::end) || s.z_offset != 0 || s.y_offset != 0 ||
           s.out_offset != 0;
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
    if (o.kind == Kind::crashed && misaligned() && subject_.run(aligned()).outcome.kind == Kind::ok)
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
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::optional<Bits> want = subject_.single(trial_.z[i], y(i));
      if (!want || same(d_, *want, out[i])) continue;
      return differs(i, out, *want);
    }
  }

  void differs(std::size_t i, const std::vector<Bits>& out, Bits want) {
    const auto says = [&](const std::string& how) {
      return fmt::format("{} gives {} ({}) {}, alone it gives {} ({})", input(i),
                         decimal(d_, out[i]), bits_text(d_, out[i]), how, decimal(d_, want),
                         bits_text(d_, want));
    };
    const Stage& s = trial_.stage;
    const auto gives = [&](const Trial& t) {
      const Answer a = subject_.run(t);
      return a.out.size() > i ? std::optional(a.out[i]) : std::nullopt;
    };
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
    if (!s.in_place) {
      // Written at all? Another filling of the buffer tells.
      Trial other = trial_;
      other.fresh = false;
      other.stage.out_fill = static_cast<std::uint8_t>(~s.out_fill);
      const std::optional<Bits> then = gives(other);
      if (then && !same(d_, *then, out[i])) {
        const bool fills =
            out[i] == filled_with(s.out_fill) && *then == filled_with(other.stage.out_fill);
        return fills ? add("batch.not_written",
                           fmt::format("element {} of {} is not written ({})", i, trial_.z.size(),
                                       input(i)),
                           i, out[i])
                     : memory_or_repeat(i, *then, out, says("once"));
      }
    } else if (right(gives(with([](Stage& x) { x.in_place = false; })))) {
      return report("batch.in_place", "in place");
    }
    if (const auto again = gives(trial_); again && !same(d_, *again, out[i]))
      return report("determinism.repeat", "once and something else the next time");
    // Neither the first call nor the threads are to blame where a quiet call gives the same.
    Trial quiet = trial_;
    quiet.fresh = false;
    quiet.stage.threads = quiet.stage.repeats = 1;
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
                    fmt::format("as element {} of {} beside other values", i, out.size()));
    const bool all =
        std::all_of(a.out.begin(), a.out.end(), [&](Bits b) { return same(d_, b, a.out[0]); });
    report(all ? "batch.length" : "batch.position",
           fmt::format("as element {} of {}", i, out.size()));
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

/// n inputs from a small pool in an order of its own for each n, so that each value comes at many
/// places beside many others, and few single elements have to be run.
class Pool {
 public:
  Pool(Subject& subject, std::uint64_t seed) : subject_(subject), seed_(seed) {
    const Alphabet& a = subject.letters();
    const rc::Gen<Trial> gen = batches(a, 1);
    rc::Random random(seed);
    constexpr int kSize = 96;
    for (int i = 0; i < kSize; ++i) add(gen(random.split(), 100).value());
    for (Bits z : a.landmarks)
      if (members_.size() < 160) add_plain(z);
  }
  Trial take(std::size_t n, bool finite = false) {
    Trial t;
    while (t.z.size() < n) {
      const auto& [z, y] = members_[random_word(seed_, word_++) % members_.size()];
      if (finite && (!is_finite(subject_.dtype(), z) || !is_finite(subject_.dtype(), y))) continue;
      t.z.push_back(z);
      if (subject_.two_arguments()) t.y.push_back(y);
    }
    return t;
  }
  Trial uniform(std::size_t n) {
    Trial t = take(1);
    t.z.assign(n, t.z[0]);
    if (!t.y.empty()) t.y.assign(n, t.y[0]);
    return t;
  }

 private:
  void add(const Trial& t) { members_.emplace_back(t.z[0], t.y.empty() ? 0 : t.y[0]); }
  void add_plain(Bits z) {
    const auto& labels = subject_.letters().labels;
    members_.emplace_back(z, labels[members_.size() % labels.size()]);
  }
  Subject& subject_;
  std::uint64_t seed_, word_ = 0;
  std::vector<std::pair<Bits, Bits>> members_;
};

constexpr std::size_t kWidest = 16;  ///< elements of the widest vector of f32 (AVX-512)

}  // namespace

std::vector<Violation> judge_manners(Subject& subject, const Trial& trial) {
  return Manners(subject, trial).judge();
}

std::vector<Trial> set_pieces(Subject& subject, std::uint64_t seed, bool huge) {
  Pool pool(subject, seed);
  const auto size = static_cast<std::uint32_t>(format(subject.dtype()).bytes());
  std::vector<Trial> out;
  const auto add = [&](Trial t, auto change) {
    change(t.stage);
    out.push_back(std::move(t));
  };
  const auto plain = [](Stage&) {};
  const auto at_start = [](Stage& s) { s.edge = Stage::Edge::start; };
  // First, since it is: the first call of a process, from several threads.
  for (int i = 0; i < 3; ++i) {
    Trial t = pool.take(64);
    t.fresh = true;
    add(std::move(t), [](Stage& s) { s.threads = 4; });
  }
  // What the first call of a process leaves behind in it.
  {
    Trial t = pool.take(64);
    t.fresh = true;
    add(std::move(t), [](Stage& s) { s.process = true; });
  }
  // Lengths, one value and many, against both ends of the memory.
  add({}, plain);
  std::vector<std::size_t> lengths;
  for (std::size_t n = 1; n <= 3 * kWidest + 1; ++n) lengths.push_back(n);
  lengths.insert(lengths.end(), {63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 1023, 1025, 4099});
  for (std::size_t n : lengths) {
    add(pool.take(n), plain);
    add(pool.take(n), at_start);
    add(pool.uniform(n), plain);
  }
  // What only writes back what it read outside shows where that can be read.
  for (std::size_t n : {1u, 2u, 3u, 5u, 8u, 13u, 16u, 17u, 37u, 64u, 100u})
    for (auto edge : {Stage::Edge::start, Stage::Edge::end})
      add(pool.take(n), [&](Stage& x) {
        x.edge = edge;
        x.readable = true;
      });
  // What changes in the process; flags.
  for (std::size_t n : {1u, 37u, 300u}) {
    add(pool.take(n), [](Stage& s) { s.process = true; });
    add(pool.take(n, true), [](Stage& s) { s.process = true; });
    add(pool.take(n), [](Stage& s) { s.flags_up = true; });
  }
  for (int i = 0; i < 40; ++i) add(pool.take(1, true), plain);
  // Alignment to the element alone, of all buffers and of each.
  for (std::uint32_t k : {1u, 2u, 3u, 5u, 7u, 15u})
    for (std::size_t n : {5u, 37u, 200u})
      add(pool.take(n), [&](Stage& s) {
        at_start(s);
        s.z_offset = s.out_offset = s.y_offset = k * size;
      });
  for (int which = 0; which < (subject.two_arguments() ? 3 : 2); ++which)
    add(pool.take(67), [&](Stage& s) {
      at_start(s);
      (which == 0 ? s.z_offset : which == 1 ? s.out_offset : s.y_offset) = size;
    });
  if (subject.about().in_place)
    for (std::size_t n : {1u, 5u, 16u, 37u, 200u, 5000u})
      add(pool.take(n), [](Stage& s) { s.in_place = true; });
  // What lay in memory before.
  for (std::uint8_t fill : {0x00, 0x3f, 0x5a, 0xff})
    for (std::size_t n : {1u, 37u, 200u})
      add(pool.take(n), [&](Stage& s) {
        s.out_fill = fill;
        s.stack_fill = static_cast<std::uint8_t>(0xff - fill);
      });
  // The caller's floating-point environment, where the contract speaks of it.
  if (subject.contract().under_ftz)
    for (std::size_t n : {1u, 37u, 200u}) add(pool.take(n), [](Stage& s) { s.flush = true; });
  if (subject.contract().any_rounding)
    for (auto mode : {Stage::Rounding::up, Stage::Rounding::down, Stage::Rounding::zero})
      for (std::size_t n : {1u, 37u, 200u}) add(pool.take(n), [&](Stage& s) { s.rounding = mode; });
  // Many calls, from one thread and from several.
  add(pool.take(37), [](Stage& s) { s.repeats = 2500; });
  add(pool.take(500), [](Stage& s) {
    s.threads = 4;
    s.repeats = 40;
  });
  // Long batches: the inputs over and over; 61 is prime to all vector widths.
  for (std::uint64_t n : {70'003u, (1u << 17) + 5u})
    add(pool.take(61), [&](Stage& s) { s.tile = n; });
  if (huge) add(pool.take(61), [&](Stage& s) { s.tile = (std::uint64_t{1} << 31) / size + 17; });
  return out;
}

}  // namespace ulpaudit
