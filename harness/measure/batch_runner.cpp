// Runs kernels on batches and survives them.
#include "measure/batch_runner.hpp"

#include <algorithm>
#include <cstring>

#include "plugin/loader.hpp"

namespace ulpaudit {

const char* loss_kind(Outcome::Kind k) {
  switch (k) {
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
    default:
      return "load";
  }
}

namespace {

template <class T>
void fill_label(void* y, Bits label, std::uint64_t n) {
  constexpr std::uint64_t kPart = 1024;
  T* to = static_cast<T*>(y);
  const std::uint64_t part = std::min(n, kPart);
  std::fill_n(to, part, static_cast<T>(label));
  for (std::uint64_t i = part; i < n; i += part)  // memcpy is the faster loop
    std::memcpy(to + i, to, std::min(part, n - i) * sizeof(T));
}

void fill_labels(Dtype d, void* y, Bits label, std::uint64_t n) {
  switch (format(d).width) {
    case 16:
      return fill_label<std::uint16_t>(y, label, n);
    case 32:
      return fill_label<std::uint32_t>(y, label, n);
    default:
      return fill_label<std::uint64_t>(y, label, n);
  }
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

}  // namespace

Loss not_again(const Batch& b, std::uint64_t offset, std::uint64_t count, const Outcome& o,
               const char* way) {
  return lost_stretch(b, offset, count, loss_kind(o.kind), o.message + ", and not again " + way, 0);
}

void BatchRunner::run(const Batch& batch, const Consume& consume, Accumulator& losses) {
  try {
    session_ = &sessions_.of(target_.plugin_path);
  } catch (const LoadError& e) {
    losses.lost_points += batch.n;
    losses.add_loss(batch.dtype, lost_stretch(batch, 0, batch.n, "load", e.what(), batch.n));
    return;
  }
  for (std::uint64_t offset = 0; offset < batch.n; offset += kBatchCapacity)
    run_stretch(batch, offset, std::min(kBatchCapacity, batch.n - offset), consume, losses);
}

Outcome BatchRunner::run_once(const Batch& batch, const Consume& consume) {
  if (ends_left_.load() <= 0) return {Outcome::Kind::failed, "its worker ended too often", 0};
  try {
    session_ = &sessions_.of(target_.plugin_path);
  } catch (const LoadError& e) {
    return {Outcome::Kind::failed, e.what(), 0};
  }
  Outcome o = run_whole(batch, 0, batch.n, consume);
  if (o.kind != Outcome::Kind::ok) --ends_left_;
  return o;
}

Outcome BatchRunner::run_whole(const Batch& b, std::uint64_t offset, std::uint64_t count,
                               const Consume& consume) {
  Session& session = *session_;
  const auto bytes = static_cast<std::uint64_t>(format(b.dtype).bytes());
  const bool two = info(b.op).arity == 2;
  std::memcpy(session.z(), static_cast<const char*>(b.z) + offset * bytes, count * bytes);
  if (two && b.labels != nullptr)
    std::memcpy(session.y(), static_cast<const char*>(b.labels) + offset * bytes, count * bytes);
  else if (two)
    fill_labels(b.dtype, session.y(), b.y, count);
  Outcome o = session.run(target_.kernel, b.dtype, count, two);
  if (o.kind == Outcome::Kind::ok) consume(offset, count, session.out());
  return o;
}

void BatchRunner::run_stretch(const Batch& b, std::uint64_t offset, std::uint64_t count,
                              const Consume& consume, Accumulator& losses) {
  Outcome o;
  if (ends_left_.load() > 0) {
    o = run_whole(b, offset, count, consume);
    if (o.kind == Outcome::Kind::ok) return;
    --ends_left_;
  } else {
    o = {Outcome::Kind::failed, "not run any further: its worker ended too often", 0};
    losses.lost_points += count;
    return;
  }
  const bool halve = o.kind == Outcome::Kind::crashed || o.kind == Outcome::Kind::exited;
  if (halve && count > 1 && ends_left_.load() > 0) {
    const std::uint64_t lost = losses.lost_points;
    run_stretch(b, offset, count / 2, consume, losses);
    run_stretch(b, offset + count / 2, count - count / 2, consume, losses);
    if (losses.lost_points != lost) return;
    losses.add_loss(b.dtype, not_again(b, offset, count, o, "when the batch was run in halves"));
    return;
  }
  losses.lost_points += count;
  losses.add_loss(b.dtype, lost_stretch(b, offset, count, loss_kind(o.kind), o.message, count));
}

}  // namespace ulpaudit
