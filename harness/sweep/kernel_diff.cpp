// Comparing two kernels bit by bit.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/kernel_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <tuple>

#include "fp/storage.hpp"
#include "plugin/loader.hpp"
#include "plugin/session_pool.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kWorst = 10;
constexpr std::uint64_t kBatch = std::uint64_t{1} << 18;
constexpr std::uint64_t kApart = std::numeric_limits<std::uint64_t>::max();

bool further(const DifferentBits& a, const DifferentBits& b) {
  return std::tuple(~a.distance, a.place, a.y) < std::tuple(~b.distance, b.place, b.y);
}
bool before(const DifferentBits& a, const DifferentBits& b) {
  return std::tuple(a.y, a.place) < std::tuple(b.y, b.place);
}

void offer(KernelDiff& d, const DifferentBits& x) {
  if (d.worst.size() == kWorst && !further(x, d.worst.back())) return;
  d.worst.insert(std::upper_bound(d.worst.begin(), d.worst.end(), x, further), x);
  if (d.worst.size() > kWorst) d.worst.pop_back();
}

/// The upper border of the bin: a power of two.
std::uint64_t bin_of(std::uint64_t distance) {
  std::uint64_t border = 1;
  while (border < distance && border < kApart / 2) border *= 2;
  return border < distance ? kApart : border;
}

void add(KernelDiff& to, const KernelDiff& from) {
  to.points += from.points;
  to.different += from.different;
  to.nan_in_one += from.nan_in_one;
  to.facts.insert(from.facts.begin(), from.facts.end());
  for (const auto& [region, r] : from.regions) {
    RegionDiff& x = to.regions[region];
    x.different += r.different;
    if (r.first && (!x.first || before(*r.first, *x.first))) x.first = r.first;
  }
  for (const auto& [border, n] : from.distances) to.distances[border] += n;
  for (const DifferentBits& x : from.worst) offer(to, x);
}

/// One thread's part.
class Lane {
 public:
  Lane(const InputPlan& plan, const Target& a, const Target& b, const SessionOptions& options)
      : plan_(plan),
        a_(a),
        b_(b),
        sessions_(options),
        width_(static_cast<std::size_t>(format(plan.dtype).bytes())) {}

  void run(const Chunk& chunk) {
    const Segment& segment = plan_.segments[chunk.segment];
    spans_ = region_spans(plan_.op, plan_.dtype, segment.y);
    for (std::uint64_t i = 0; i < chunk.count; i += kBatch)
      batch(segment, chunk.first + i, std::min(kBatch, chunk.count - i));
  }
  const KernelDiff& found() const { return found_; }

 private:
  void batch(const Segment& s, std::uint64_t first, std::uint64_t n) {
    z_.resize(n * width_);
    plan_.fill(s, first, n, z_.data());
    results_.resize(n * width_);
    std::memcpy(results_.data(), call(a_, s.y, n), n * width_);
    const void* other = call(b_, s.y, n);
    found_.points += n;
    if (std::memcmp(results_.data(), other, n * width_) == 0) return;
    for (std::uint64_t i = 0; i < n; ++i) {
      const Bits a = load(plan_.dtype, results_.data(), i), b = load(plan_.dtype, other, i);
      if (a != b) differ(load(plan_.dtype, z_.data(), i), s.y, a, b);
    }
  }

  /// The results, in the session's buffer.
  const void* call(const Target& t, Bits y, std::uint64_t n) {
    Session& session = sessions_.of(t.plugin_path);
    std::memcpy(session.z(), z_.data(), n * width_);
    const bool two = info(plan_.op).arity == 2;
    if (two)
      for (std::uint64_t i = 0; i < n; ++i)
        std::memcpy(static_cast<char*>(session.y()) + i * width_, &y, width_);
    const Outcome o = session.run(t.kernel, plan_.dtype, n, two);
    const auto failed = [&](const std::string& why) {
      return DiffFailed(
          fmt::format("{} ({}) {}: {}", t.name, t.plugin_path, name(plan_.dtype), why));
    };
    if (o.kind != Outcome::Kind::ok) throw failed(o.message);
    for (const Fact& f : o.facts) {
      // Nothing can be compared with what was not written.
      if (f.rule == "batch.not_written") throw failed(f.text);
      found_.facts.insert({t.name, f.rule + ": " + f.text});
    }
    return session.out();
  }

  void differ(Bits z, Bits y, Bits a, Bits b) {
    const Dtype d = plan_.dtype;
    const bool a_nan = is_nan(d, a), b_nan = is_nan(d, b);
    if (a_nan && b_nan) return;
    DifferentBits x = {z, y, a, b, kApart, ordinal(d, z)};
    ++found_.different;
    if (a_nan || b_nan) {
      ++found_.nan_in_one;
    } else {
      const std::uint64_t oa = ordinal(d, a), ob = ordinal(d, b);
      x.distance = oa > ob ? oa - ob : ob - oa;
      ++found_.distances[bin_of(x.distance)];
    }
    RegionDiff& r = found_.regions[region_of(x.place)];
    ++r.different;
    if (!r.first || before(x, *r.first)) r.first = x;
    offer(found_, x);
  }

  Region region_of(std::uint64_t place) const {
    for (const RegionSpan& s : spans_)
      if (s.first <= place && place <= s.last) return s.region;
    return Region::special;
  }

  const InputPlan& plan_;
  const Target &a_, &b_;
  SessionPool sessions_;
  std::size_t width_;
  std::vector<RegionSpan> spans_;
  std::vector<char> z_, results_;
  KernelDiff found_;
};

}  // namespace

KernelDiff diff_kernels(const InputPlan& plan, const Target& a, const Target& b,
                        const SessionOptions& options, int threads, const std::atomic<bool>& stop,
                        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  KernelDiff all;
  std::uint64_t done = 0;
  const auto lane = [&] {
    try {
      Lane mine(plan, a, b, options);
      for (std::size_t i = next++; i < plan.chunks.size() && !stop; i = next++) {
        mine.run(plan.chunks[i]);
        const std::lock_guard lock(mutex);
        done += plan.chunks[i].count;
        if (progress) progress(done, plan.points);
      }
      const std::lock_guard lock(mutex);
      add(all, mine.found());
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = plan.chunks.size();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(lane);
  lane();
  for (std::thread& t : others) t.join();
  if (failure) std::rethrow_exception(failure);
  return all;
}

}  // namespace ulpaudit
