// What lies in `out` before a call, so that an element which is not written shows: a pattern that
// differs from call to call, and a second call that tells a result from what was left lying.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "plugin/description.hpp"

namespace ulpaudit {

/// A signalling NaN: arithmetic never returns one. Each call of the function gives another payload
/// than the one before.
Bits next_poison(Dtype d);
/// The bits of an element of `width` bytes, each of which is `byte`.
Bits poison_of_bytes(std::uint8_t byte, std::uint64_t width);

/// Fills n elements of `width` bytes with one pattern.
void fill_with(void* out, std::uint64_t n, std::uint64_t width, Bits pattern);

/// Where the results of a call are equal to the pattern that lay there before it.
class Untouched {
 public:
  Untouched(const void* out, std::uint64_t n, std::uint64_t width, Bits pattern);
  bool any() const { return !places_.empty(); }
  /// The first place that was not written, and their number.
  struct Answer {
    std::uint64_t first = 0, count = 0;
  };
  /// After a second call on `other`, places that hold that one were not written.
  Answer left_by_both(const void* out, Bits other) const { return settle(out, other, true); }
  /// As above, and those that hold something else than the pattern: a kernel that returns a
  /// signalling NaN does so twice, so that they were left by the first call.
  Answer left_by_either(const void* out, Bits other) const { return settle(out, other, false); }

 private:
  Answer settle(const void* out, Bits other, bool both) const;
  std::uint64_t n_, width_;
  Bits pattern_;
  std::vector<std::uint64_t> places_;  ///< the first ones
};

/// Adds the fact batch.not_written; `element` is the place in the batch as it was given.
void add_not_written(Outcome& o, const Untouched::Answer& unwritten, std::uint64_t n,
                     std::uint64_t element);

/// Calls `call` (an Outcome of nothing) on a poisoned `out`, where the bytes of n elements lie. Of
/// the two calls that it may take, the first one's results are left there; elements that were not
/// written hold Outcome::poison then.
template <class Call>
Outcome call_on_poison(Dtype d, std::uint64_t n, void* out, Call call) {
  const auto width = static_cast<std::uint64_t>(format(d).bytes());
  const Bits pattern = next_poison(d);
  fill_with(out, n, width, pattern);
  Outcome o = call();
  if (o.kind != Outcome::Kind::ok) return o;
  const Untouched untouched(out, n, width, pattern);
  if (!untouched.any()) return o;
  const auto* bytes = static_cast<const unsigned char*>(out);
  const std::vector<unsigned char> results(bytes, bytes + n * width);
  const Bits other = next_poison(d);
  fill_with(out, n, width, other);
  Outcome again = call();
  if (again.kind != Outcome::Kind::ok) return again;
  const Untouched::Answer answer = untouched.left_by_either(out, other);
  std::memcpy(out, results.data(), results.size());
  if (answer.count == 0) return o;
  o.unwritten = answer.count;
  o.poison = pattern;
  add_not_written(o, answer, n, answer.first);
  return o;
}

}  // namespace ulpaudit
