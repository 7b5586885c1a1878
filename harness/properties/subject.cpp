// Runs trials.
// SPDX-License-Identifier: Apache-2.0
#include "properties/subject.hpp"
#include "fp/storage.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace ulpaudit {
namespace {

using std::chrono::milliseconds;

/// The first call of a process may have tables to make and threads to start: it is given this many
/// times as long.
constexpr int kFirstCallFactor = 3;
/// Of a kernel that is known to hang: so long each time, and so many seconds in all.
constexpr Patience kKnownToHang{1.0, milliseconds(150)};
/// Each of many calls in a row may take so many times as long as the slowest one before.
constexpr double kSlowCallFactor = 8;
/// But no less and no more; while none was timed, the most. On a GPU with 15 other processes 2,500
/// calls took more than 5 s.
constexpr double kLeastCallSeconds = 0.2e-3, kMostCallSeconds = 10e-3;
/// Other kernels that are called, with each dtype.
constexpr std::size_t kMostOthers = 16;
/// A batch may take so many times as long for an element as the slowest one before it.
constexpr double kSlowBatchFactor = 10;
/// Batches of as many elements tell how long an element takes.
constexpr std::uint64_t kTellingLength = 1000;
/// For inputs among which one is that hung.
constexpr milliseconds kBriefDeadline{100};

void pack(Dtype d, const std::vector<Bits>& from, void* to) {
  with_storage(d, [&](auto zero) {
    using T = decltype(zero);
    std::transform(from.begin(), from.end(), static_cast<T*>(to),
                   [](Bits b) { return static_cast<T>(b); });
  });
}

std::vector<Bits> unpack(Dtype d, const void* from, std::size_t n) {
  return with_storage(d, [&](auto zero) {
    const auto* p = static_cast<const decltype(zero)*>(from);
    return std::vector<Bits>(p, p + n);
  });
}

/// Calls of the kernel that a trial makes.
std::uint64_t calls_of(const Trial& t) {
  return std::uint64_t{t.stage.repeats} * t.stage.threads + (t.stage.threads > 1 ? 64 : 0);
}

/// Nothing but the buffers' place and filling: can be run in the buffers of sweeps as well.
bool plainly_staged(const Trial& t) {
  Stage plain, s = t.stage;
  s.edge = plain.edge;
  s.out_fill = plain.out_fill;
  s.readable = plain.readable;
  return s == plain;
}

}  // namespace

Subject::Subject(std::string name, Session& session, std::size_t kernel, OpId op, Dtype d,
                 const KernelContract& contract, const Admitted& choice)
    : name_(std::move(name)),
      session_(session),
      kernel_(kernel),
      contract_(contract),
      alphabet_(alphabet(op, d, choice)) {}

void Subject::restart() {
  session_.restart();
  calls_ = 0;
  ended_ = true;
}

void Subject::set_memory_limit(std::uint64_t mib) {
  if (mib == memory_limit()) return;
  restart();
  session_.set_memory_limit(mib);
}

Outcome Subject::call(const Trial& t) {
  pack(dtype(), t.z, session_.z());
  if (two_arguments()) pack(dtype(), t.y, session_.y());
  if (t.unguarded) return session_.run(kernel_, dtype(), t.z.size(), two_arguments());
  return session_.run_staged(kernel_, dtype(), t.z.size(), two_arguments(), t.stage);
}

void Subject::know(const Endings& endings) {
  endings_ = endings;
  if (endings.hangs) patience_ = kKnownToHang;
}

/// For its length and its calls, beyond the patience for any.
milliseconds Subject::time_for(const Trial& t) const {
  const double calls = static_cast<double>(calls_of(t));
  double seconds = kSlowBatchFactor * slowest_ * 1e-9 * static_cast<double>(length(t)) * calls;
  if (t.stage.repeats > 1)
    seconds += calls * (slowest_call_ == 0 ? kMostCallSeconds
                                           : std::clamp(kSlowCallFactor * slowest_call_,
                                                        kLeastCallSeconds, kMostCallSeconds));
  return milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

/// The first call of a process is given long, which costs nothing where it comes back: the call
/// behind it, which may hang, need not be waited for as long.
void Subject::warm_up() {
  session_.set_deadline(patience_.deadline * kFirstCallFactor);
  const auto start = Clock::now();
  ended_ = call(*harmless_).kind != Outcome::Kind::ok;
  ++calls_;
  patience_.seconds -= std::chrono::duration<double>(Clock::now() - start).count();
}

bool Subject::has_others() const {
  const auto& kernels = session_.info().kernels;
  return about().dtypes.size() > 1 ||
         std::any_of(kernels.begin(), kernels.end(), [&](const KernelInfo& k) {
           return &k != &about() && k.unavailable.empty() && op_from_name(k.op) &&
                  !k.dtypes.empty();
         });
}

/// Once each, on plain inputs; those that end the worker no second time.
void Subject::call_others() {
  const auto& kernels = session_.info().kernels;
  std::size_t left = kMostOthers;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    const std::optional<OpId> op = op_from_name(kernels[k].op);
    if (!op || !kernels[k].unavailable.empty()) continue;
    for (const Dtype d : kernels[k].dtypes) {
      if ((k == kernel_ && d == dtype()) || endings_of_others_.count({k, d}) != 0) continue;
      if (left-- == 0) return;
      std::vector<Bits> z, y;
      for (const double v : {-90.0, -3.0, -0.5, 0.0, 1e-3, 0.5, 2.0, 17.0, 40.0}) {
        z.push_back(encode(d, v));
        y.push_back(encode(d, 0.25));
      }
      pack(d, z, session_.z());
      const bool two = info(*op).arity == 2;
      if (two) pack(d, y, session_.y());
      session_.set_deadline(patience_.deadline * kFirstCallFactor);
      if (session_.run(k, d, z.size(), two).kind == Outcome::Kind::ok) continue;
      endings_of_others_.insert({k, d});
      restart();
    }
  }
}

Answer Subject::run_once(const Trial& t) {
  Answer a;
  const std::uint64_t calls = calls_of(t);
  const bool made_too_many = calls_ > endings_.most_calls - std::min(endings_.most_calls, calls);
  if (t.fresh || made_too_many) restart();
  if (ended_ && endings_.hangs && harmless_ && !t.fresh && !endings_.unstable &&
      endings_.most_calls == Endings().most_calls)
    warm_up();
  if (t.others) {
    call_others();
    ended_ = false;
  }
  const bool after_end = ended_;
  // A hang was waited for long enough once.
  const milliseconds deadline =
      endings_.hangs ? std::min(patience_.deadline, kKnownToHang.deadline) : patience_.deadline;
  session_.set_deadline(deadline * (after_end ? kFirstCallFactor : 1) + time_for(t));
  const auto start = Clock::now();
  a.outcome = call(t);
  const double spent = std::chrono::duration<double>(Clock::now() - start).count();
  if (a.outcome.kind == Outcome::Kind::ok && (!after_end || calls > 10) &&
      length(t) < kTellingLength)
    slowest_call_ = std::max(slowest_call_, spent / static_cast<double>(calls));
  if (a.outcome.kind == Outcome::Kind::ok && length(t) >= kTellingLength) {
    const double each = spent * 1e9 / static_cast<double>(length(t) * calls);
    slowest_ = std::max(slowest_, each);
    if (length(t) >= longest_timed_) {
      longest_timed_ = length(t);
      at_longest_ = each;
    }
  }
  calls_ += calls;
  using Kind = Outcome::Kind;
  ended_ = a.outcome.kind != Kind::ok;
  endings_.hangs = endings_.hangs || a.outcome.kind == Kind::hung;
  if (!ended_) {
    a.out = unpack(dtype(), session_.out(), t.z.size());
  } else {
    ++ends_;
    // What it allocated or locked before it failed would spoil the next calls.
    if (a.outcome.kind == Kind::failed) restart();
  }
  if (ended_)
    patience_.seconds -= std::chrono::duration<double>(Clock::now() - start).count() + 0.002;
  else if (after_end && (ends_ != 0 || made_too_many))
    patience_.seconds -= std::chrono::duration<double>(Clock::now() - start).count();
  return a;
}

Answer Subject::run(const Trial& t) {
  if (!endings_.guards_dropped || t.unguarded || t.z.empty()) return run_once(t);
  Trial free = t;
  if (plainly_staged(t)) {
    free.stage = {};
    free.unguarded = true;
    return run_once(free);
  }
  free.stage.readable = true;
  return run_once(free);
}

std::optional<Bits> Subject::single(Bits z, Bits y) {
  if (avoided(z, y)) return std::nullopt;
  const auto known = endings_.unstable ? singles_.end() : singles_.find({z, y});
  if (known != singles_.end()) return known->second;
  Trial t;
  t.stage.edge = Stage::Edge::start;  // aligned to whatever a kernel may wish
  t.z = {z};
  if (two_arguments()) t.y = {y};
  const auto filled_with = [&](std::uint8_t byte) {
    return (Bits{byte} * 0x0101010101010101u) & format(dtype()).mask();
  };
  Answer a = run(t);
  std::optional<Bits> got;
  if (!a.out.empty()) got = a.out[0];
  if (got && *got == filled_with(t.stage.out_fill)) {
    t.stage.out_fill = static_cast<std::uint8_t>(~t.stage.out_fill);
    a = run(t);
    if (a.out.empty() || a.out[0] == filled_with(t.stage.out_fill)) got.reset();
  }
  if (!endings_.unstable) singles_[{z, y}] = got;
  if (got) harmless_ = t;
  return got;
}

bool Subject::any_avoided(Bits first, std::uint64_t n, Bits y) const {
  const std::uint64_t a = ordinal(dtype(), first), b = ordinal(dtype(), first + n - 1);
  const std::uint64_t low = std::min(a, b), high = std::max(a, b);
  const auto spans = endings_.spans.find(y);
  const auto inside = [&](const std::pair<Bits, Bits>& input) {
    const std::uint64_t o = ordinal(dtype(), input.first);
    return input.second == y && o >= low && o <= high;
  };
  return std::any_of(endings_.inputs.begin(), endings_.inputs.end(), inside) ||
         (spans != endings_.spans.end() &&
          std::any_of(spans->second.begin(), spans->second.end(),
                      [&](const auto& s) { return s.first <= high && s.second >= low; }));
}

void Subject::run_line(Bits first, std::uint64_t n, Bits y, std::uint64_t offset, Line& into) {
  const auto size = static_cast<std::uint64_t>(format(dtype()).bytes());
  const auto fill = [&](auto zero) {
    using T = decltype(zero);
    std::iota(static_cast<T*>(session_.z()), static_cast<T*>(session_.z()) + n,
              static_cast<T>(first));
    if (two_arguments()) std::fill_n(static_cast<T*>(session_.y()), n, static_cast<T>(y));
  };
  const auto lose = [&] {
    into.missing.resize(into.packed.size() / size);
    std::fill_n(into.missing.begin() + static_cast<std::ptrdiff_t>(offset), n, true);
  };
  if (spent() || (n == 1 && avoided(first, y))) return lose();
  const auto halves = [&] {
    run_line(first, n / 2, y, offset, into);
    run_line(first + n / 2, n - n / 2, y, offset + n / 2, into);
  };
  if (n > 1 && any_avoided(first, n, y)) return halves();
  with_storage(dtype(), fill);
  if (calls_ >= endings_.most_calls) restart();
  const bool after_end = ended_;
  session_.set_deadline(patience_.deadline * (after_end ? kFirstCallFactor : 1));
  const auto start = Clock::now();
  const Outcome o = session_.run(kernel_, dtype(), n, two_arguments());
  ++calls_;
  ended_ = o.kind != Outcome::Kind::ok;
  const bool unwritten = std::any_of(o.facts.begin(), o.facts.end(),
                                     [](const Fact& f) { return f.rule == "batch.not_written"; });
  if (!ended_ && !unwritten) {
    std::memcpy(into.packed.data() + offset * size, session_.out(), n * size);
    return;
  }
  if (ended_) {
    ++ends_;
    patience_.seconds -= std::chrono::duration<double>(Clock::now() - start).count() + 0.002;
  }
  if (n == 1) {
    if (ended_) avoid(first, y);
    return lose();
  }
  if (unwritten) return lose();
  // A hang was waited for long enough once.
  const auto deadline = patience_.deadline;
  if (o.kind == Outcome::Kind::hung) patience_.deadline = kBriefDeadline;
  halves();
  patience_.deadline = deadline;
}

Subject::Line Subject::line(Bits first, std::uint64_t n, Bits y) {
  Line out;
  out.packed.resize(n * static_cast<std::uint64_t>(format(dtype()).bytes()));
  run_line(first, n, y, 0, out);
  return out;
}

bool Subject::avoided(Bits z, Bits y) const {
  if (endings_.inputs.empty()) return false;
  if (endings_.inputs.count({z, y}) != 0) return true;
  const auto spans = endings_.spans.find(y);
  if (spans == endings_.spans.end()) return false;
  const std::uint64_t o = ordinal(dtype(), z);
  return std::any_of(spans->second.begin(), spans->second.end(),
                     [o](const auto& s) { return s.first <= o && o <= s.second; });
}

void Subject::avoid(Bits z, Bits y) {
  if (avoided(z, y)) return;
  // Does it end between this one and its nearest neighbour too?
  std::optional<std::uint64_t> nearest;
  const std::uint64_t o = ordinal(dtype(), z);
  const auto distance = [o](std::uint64_t x) { return x > o ? x - o : o - x; };
  for (const auto& [other, label] : endings_.inputs) {
    const std::uint64_t x = ordinal(dtype(), other);
    if (label == y && (!nearest || distance(x) < distance(*nearest))) nearest = x;
  }
  endings_.inputs.insert({z, y});
  singles_[{z, y}] = std::nullopt;
  if (!nearest || distance(*nearest) < 2 || spent()) return;
  const std::uint64_t low = std::min(o, *nearest), high = std::max(o, *nearest);
  Trial middle;
  middle.z = {from_ordinal(dtype(), low + (high - low) / 2)};
  if (two_arguments()) middle.y = {y};
  middle.unguarded = true;
  if (run_once(middle).out.empty()) endings_.spans[y].emplace_back(low, high);
}

std::optional<Trial> Subject::avoiding(const Trial& t) const {
  Trial out = t;
  if (length(out) > endings_.longest) {
    if (endings_.longest == 0 && !t.z.empty()) return std::nullopt;
    if (out.stage.tile != 0)
      out.stage.tile = endings_.longest >= out.z.size() ? endings_.longest : 0;
    if (length(out) > endings_.longest) {
      out.z.resize(endings_.longest);
      if (!out.y.empty()) out.y.resize(endings_.longest);
    }
  }
  if (endings_.inputs.empty() || t.z.empty()) return out;
  std::optional<std::size_t> good;
  const auto y = [&](std::size_t i) { return out.y.empty() ? 0 : out.y[i]; };
  for (std::size_t i = 0; i < out.z.size() && !good; ++i)
    if (!avoided(out.z[i], y(i))) good = i;
  if (!good) return std::nullopt;
  for (std::size_t i = 0; i < out.z.size(); ++i) {
    if (!avoided(out.z[i], y(i))) {
      good = i;
      continue;
    }
    out.z[i] = out.z[*good];
    if (!out.y.empty()) out.y[i] = out.y[*good];
  }
  return out;
}

}  // namespace ulpaudit
