// Runs kernels on batches and survives them.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/batch_runner.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>

#include "fp/storage.hpp"
#include "plugin/loader.hpp"

namespace ulpaudit {

/// The rule of calls that left results unwritten.
constexpr std::string_view kNotWritten = "batch.not_written";

std::string loss_kind(const Outcome& o) {
  switch (o.kind) {
    case Outcome::Kind::ok:
      break;
    case Outcome::Kind::failed:
      return "status";
    case Outcome::Kind::crashed:
      return "crash";
    case Outcome::Kind::exited:
      return "exit";
    case Outcome::Kind::hung:
      return "hang";
    case Outcome::Kind::protocol:
      return "protocol";
    case Outcome::Kind::load:
      return "load";
  }
  const auto unwritten = std::find_if(o.facts.begin(), o.facts.end(),
                                      [](const Fact& f) { return f.rule == kNotWritten; });
  return unwritten == o.facts.end() ? "" : unwritten->rule;
}

namespace {

void fill_labels(Dtype d, void* y, Bits label, std::uint64_t n) {
  constexpr std::uint64_t kPart = 1024;
  with_storage(d, [&](auto zero) {
    using T = decltype(zero);
    T* to = static_cast<T*>(y);
    const std::uint64_t part = std::min(n, kPart);
    std::fill_n(to, part, static_cast<T>(label));
    for (std::uint64_t i = part; i < n; i += part)  // memcpy is the faster loop
      std::memcpy(to + i, to, std::min(part, n - i) * sizeof(T));
  });
}

/// `points` of the stretch are missing: 0 or all of them.
Loss lost_stretch(const Batch& b, std::uint64_t offset, std::uint64_t count, std::string kind,
                  std::string message, std::uint64_t points) {
  const Case at = PackedCases{b.dtype, b.y, b.z, b.z, b.labels}(offset);
  Loss loss{std::move(kind), std::move(message), 1, points, {at.z, at.y, 0}, count, at.z, at.z};
  for (std::uint64_t i = offset; i < offset + count; ++i) {
    const Bits z = load(b.dtype, b.z, i);
    if (ordinal(b.dtype, z) < ordinal(b.dtype, loss.low)) loss.low = z;
    if (ordinal(b.dtype, z) > ordinal(b.dtype, loss.high)) loss.high = z;
  }
  return loss;
}

/// What the outcome says of itself.
std::string words_of(const Outcome& o) {
  if (o.kind != Outcome::Kind::ok) return o.message;
  for (const Fact& f : o.facts)
    if (f.rule == kNotWritten) return f.text;
  return "";
}

using Clock = std::chrono::steady_clock;

}  // namespace

Loss not_again(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
               const char* way) {
  return lost_stretch(b, offset, count, loss_kind(o), words_of(o) + ", and not again " + way, 0);
}

void BatchRunner::run(const Batch& batch, const Consume& consume, Accumulator& losses) {
  try {
    session(true);
  } catch (const LoadError& e) {
    losses.lost_points += batch.n;
    losses.add_loss(batch.dtype, lost_stretch(batch, 0, batch.n, "load", e.what(), batch.n));
    return;
  }
  for (std::uint64_t offset = 0; offset < batch.n; offset += kBatchCapacity)
    run_stretch(batch, offset, std::min(kBatchCapacity, batch.n - offset), consume, losses);
}

Outcome BatchRunner::run_once(const Batch& batch, const Consume& consume, Accumulator& losses) {
  if (budget_.spent()) return {Outcome::Kind::failed, "its worker ended too often", 0};
  if (batch.n > budget_.most_elements())
    return {Outcome::Kind::failed, "so many elements end its worker", 0};
  try {
    session(true);
  } catch (const LoadError& e) {
    return {Outcome::Kind::failed, e.what(), 0};
  }
  Outcome o = call(batch, 0, batch.n, true);
  if (loss_kind(o).empty()) {
    tell_facts(batch, 0, batch.n, o, losses);
    consume(0, batch.n, out_);
  } else if (o.kind == Outcome::Kind::ok) {
    o.kind = Outcome::Kind::failed;
    o.message = words_of(o);
  }
  return o;
}

/// The lane's own one, or one that waits for a hang no longer than it has to.
/// MiB, of the sessions that are used to search.
constexpr std::uint64_t kQuickMemory = 128;

Session& BatchRunner::session(bool patient) {
  if (patient && !budget_.hung()) return sessions_.of(target_.plugin_path);
  if (!quick_) {
    SessionOptions options = sessions_.options();
    options.deadline = std::min(options.deadline, budget_.patience());
    // What fills memory without end fills this much soon.
    if (options.memory_limit_mib != 0)
      options.memory_limit_mib = std::min<std::uint64_t>(options.memory_limit_mib, kQuickMemory);
    try {
      quick_ = open_session(target_.plugin_path, options);
    } catch (const LoadError&) {  // it may take longer to load than that
      return sessions_.of(target_.plugin_path);
    }
  }
  return *quick_;
}

Outcome BatchRunner::call(const Batch& b, std::uint64_t offset, std::uint64_t count, bool patient) {
  Session& s = session(patient);
  const auto bytes = static_cast<std::uint64_t>(format(b.dtype).bytes());
  const bool two = info(b.op).arity == 2;
  std::memcpy(s.z(), static_cast<const char*>(b.z) + offset * bytes, count * bytes);
  if (two && b.labels != nullptr)
    std::memcpy(s.y(), static_cast<const char*>(b.labels) + offset * bytes, count * bytes);
  else if (two)
    fill_labels(b.dtype, s.y(), b.y, count);
  Outcome o = s.run(target_.kernel, b.dtype, count, two);
  out_ = s.out();
  if (o.kind == Outcome::Kind::hung) budget_.set_hung();
  if (o.kind == Outcome::Kind::ok) budget_.learn_speed(o.nanoseconds, count);
  return o;
}

/// Of facts about the environment there is one for each rule, whatever the number of batches.
void BatchRunner::tell_facts(const Batch& b, std::uint64_t offset, std::uint64_t count,
                             const Outcome& o, Accumulator& losses) {
  for (const Fact& f : o.facts) {
    const std::uint64_t at = offset + std::min(f.element, count - 1);
    Loss loss = lost_stretch(b, at, 1, f.rule, f.text, 0);
    loss.length = count;
    losses.add_loss(b.dtype, std::move(loss));
  }
}

void BatchRunner::give_up(const Batch& b, std::uint64_t offset, std::uint64_t count,
                          Accumulator& losses) {
  Loss loss = lost_stretch(b, offset, count, budget_.spent_by(),
                           "not run any further: its worker ended too often", count);
  loss.batches = 0;
  loss.length = ~std::uint64_t{0};  // any other says more
  loss.not_run = count;
  losses.lost_points += count;
  losses.add_loss(b.dtype, std::move(loss));
}

void BatchRunner::run_stretch(const Batch& b, std::uint64_t offset, std::uint64_t count,
                              const Consume& consume, Accumulator& losses) {
  if (count == 0) return;
  if (budget_.spent()) return give_up(b, offset, count, losses);
  if (const std::uint64_t most = budget_.most_elements(); count > most) {
    for (std::uint64_t at = 0; at < count; at += most)
      run_stretch(b, offset + at, std::min(most, count - at), consume, losses);
    return;
  }
  const bool known_to_hang = budget_.hung();
  const auto start = Clock::now();
  const Outcome o = call(b, offset, count, true);
  const std::string kind = loss_kind(o);
  if (kind.empty()) {
    tell_facts(b, offset, count, o, losses);
    return consume(offset, count, out_);
  }
  // The first hang has cost a whole deadline, which none other does.
  if (o.kind != Outcome::Kind::hung || known_to_hang) budget_.spend(kind, Clock::now() - start);
  go_on(b, offset, count, o, consume, losses);
}

/// Batches of fewer elements cost more than their results are worth.
constexpr std::uint64_t kLeastBatch = 1024;

void BatchRunner::go_on(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
                        const Consume& consume, Accumulator& losses) {
  const std::string kind = loss_kind(o);
  const std::uint64_t end = offset + count;
  const Located at = locate(b, offset, count, o);
  if (!at.again && !at.in_time) {
    losses.lost_points += count;
    return losses.add_loss(b.dtype, lost_stretch(b, offset, count, kind, words_of(o), count));
  }
  if (!at.again) {
    losses.add_loss(b.dtype, not_again(b, offset, count, o, "when the batch was run in parts"));
    const Outcome once_more = call(b, offset, count, false);
    if (loss_kind(once_more).empty()) return consume(offset, count, out_);
    if (count == 1) return give_up(b, offset, count, losses);
    run_stretch(b, offset, count / 2, consume, losses);
    return run_stretch(b, offset + count / 2, count - count / 2, consume, losses);
  }
  const std::string words = words_of(at.outcome);
  if (at.in_time && at.count > kLeastBatch) {  // the number of elements does it: fewer at once
    losses.add_loss(b.dtype, lost_stretch(b, at.first, at.count, kind, words, 0));
    budget_.lower_most_elements(at.count / 2);
    return run_stretch(b, offset, count, consume, losses);
  }
  const std::uint64_t behind =
      at.count == 1 ? end_of_run(b, at.first, end, kind) : at.first + at.count;
  const std::uint64_t lost = behind - at.first;
  Loss loss = lost_stretch(b, at.first, lost, kind, words, lost);
  loss.length = at.count;
  losses.lost_points += lost;
  losses.add_loss(b.dtype, std::move(loss));
  run_stretch(b, offset, at.first - offset, consume, losses);
  run_stretch(b, behind, end - behind, consume, losses);
}

/// The shortest stretch found that ends as `o` did: of inputs that did before, an eighth while that
/// does, then cut from both ends.
BatchRunner::Located BatchRunner::locate(const Batch& b, std::uint64_t offset, std::uint64_t count,
                                         const Outcome& o) {
  const std::string kind = loss_kind(o);
  const bool first = budget_.first_of(kind);
  const auto start = Clock::now();
  Located at = {offset, count, false, true, o};
  const auto in_time = [&] {
    const EndBudget::Time spent = Clock::now() - start;
    // Hangs are waited for, and cost the same on any machine; the others take work.
    const auto most = budget_.shrink_time() * (o.kind == Outcome::Kind::hung ? 1 : 2);
    return at.in_time = at.in_time && spent < (first ? most : budget_.left());
  };
  const auto ends = [&](std::uint64_t from, std::uint64_t n) {
    if (n == 0 || !in_time()) return false;
    Outcome again = call(b, from, n, false);
    // What fills memory may not come far within the little patience of the search.
    if (again.kind == Outcome::Kind::hung && o.message.find("MiB of memory") != std::string::npos)
      again = o;
    if (loss_kind(again) != kind) return false;
    // How long it was waited for at first is what the finding says.
    if (again.kind == Outcome::Kind::hung) again.message = o.message;
    at.first = from;
    at.count = n;
    at.again = true;
    at.outcome = std::move(again);
    return true;
  };
  const auto one_of_parts_ends = [&] {  // most parts come back, which takes no time
    const std::uint64_t from = at.first, end = from + at.count, part = (at.count + 7) / 8;
    for (std::uint64_t i = from; i < end; i += part)
      if (ends(i, std::min(part, end - i))) return true;
    return false;
  };
  const std::vector<Bits> known = budget_.ends_at(kind);
  for (std::uint64_t i = offset; !known.empty() && !at.again && i < offset + count; ++i)
    if (std::find(known.begin(), known.end(), load(b.dtype, b.z, i)) != known.end()) ends(i, 1);
  while (at.count > 1 && one_of_parts_ends()) {
  }
  for (std::uint64_t step = at.count / 4; step > 0 && at.count > 1 && in_time();) {
    const std::uint64_t from = at.first, n = at.count;
    if (n > step && (ends(from, n - step) || ends(from + step, n - step))) continue;
    step /= 2;
  }
  if (!at.again) ends(offset, count);
  if (at.again && at.count == 1) budget_.add_end(kind, load(b.dtype, b.z, at.first));
  if (first)
    budget_.found(kind);
  else
    budget_.spend(kind, Clock::now() - start);
  return at;
}

/// Behind the inputs from `first` on that end the worker each: the run of them is taken to have no
/// gaps.
std::uint64_t BatchRunner::end_of_run(const Batch& b, std::uint64_t first, std::uint64_t end,
                                      const std::string& kind) {
  const auto start = Clock::now();
  const auto ends = [&](std::uint64_t i) {
    return Clock::now() - start < budget_.left() && !loss_kind(call(b, i, 1, false)).empty();
  };
  std::uint64_t last = first, step = 1;
  while (last + step < end && ends(last + step)) {
    last += step;
    step *= 2;
  }
  // The next one is behind the run, or beyond what was tried.
  std::uint64_t behind = std::min(end, last + step);
  while (behind - last > 1) {
    const std::uint64_t mid = last + (behind - last) / 2;
    (ends(mid) ? last : behind) = mid;
  }
  budget_.spend(kind, Clock::now() - start);
  return behind;
}

}  // namespace ulpaudit
