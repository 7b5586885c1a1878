// Staged and timed calls of programs, set up by the host.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/hosted_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "plugin/call_times.hpp"
#include "plugin/poison.hpp"

namespace ulpaudit {
namespace {

constexpr unsigned char kCanary = 0xc5;
constexpr std::uint64_t kCanaries = 256;  ///< bytes on each side of `out`
/// Each is a message and its reply, some 50 us.
constexpr std::uint32_t kMostRepeats = 300;

using Bytes = std::vector<unsigned char>;

class Hosted {
 public:
  Hosted(const HostedBuffers& b, const Stage& stage, const CallPlainly& call)
      : b_(b),
        stage_(stage),
        call_(call),
        n_(stage.tile != 0 ? std::min(stage.tile, b.capacity / b.width) : b.n),
        bytes_(n_ * b.width),
        given_(b.n * b.width),
        z_(b.z, b.z + given_) {
    if (b.two_arguments) y_.assign(b.y, b.y + given_);
  }

  Outcome run() {
    if (const std::string why = refusal(stage_, b_.two_arguments); !why.empty())
      return {Outcome::Kind::failed, why, 0};
    Outcome o = once(stage_.out_fill);
    if (o.kind != Outcome::Kind::ok) return o;
    const Bytes first(result(), result() + bytes_);
    if (!in_place() && bytes_ != 0 && !find_unwritten(o)) return o;
    const std::uint32_t repeats = std::min(stage_.repeats, kMostRepeats);
    for (std::uint32_t k = 2; k <= repeats; ++k) {
      const Outcome again = once(stage_.out_fill);
      if (again.kind != Outcome::Kind::ok) return again;
      if (differs(first, k, o)) break;
    }
    if (stage_.tile != 0 && o.unwritten == 0) compare_tiles(first, o);
    std::copy(z_.begin(), z_.end(), b_.z);
    std::copy(y_.begin(), y_.end(), b_.y);
    std::copy_n(first.begin(), std::min(given_, bytes_), b_.out);
    return o;
  }

 private:
  unsigned char* z() const { return b_.z + stage_.z_offset; }
  unsigned char* y() const { return b_.y + stage_.y_offset; }
  unsigned char* out() const { return b_.out + stage_.out_offset; }
  unsigned char* result() const { return stage_.in_place ? z() : stage_.in_place_y ? y() : out(); }
  bool in_place() const { return stage_.in_place || stage_.in_place_y; }

  void lay(const Bytes& from, unsigned char* to) const {
    for (std::uint64_t done = 0; done < bytes_ && given_ != 0; done += given_)
      std::memcpy(to + done, from.data(), std::min(given_, bytes_ - done));
  }
  bool lies(const Bytes& given, const unsigned char* at) const {
    for (std::uint64_t done = 0; done < bytes_ && given_ != 0; done += given_)
      if (std::memcmp(at + done, given.data(), std::min(given_, bytes_ - done)) != 0) return false;
    return true;
  }

  /// Where the filling of `out` is left, a call on another one tells whether the kernel returns it.
  /// false: that call did not come back, and is the outcome.
  bool find_unwritten(Outcome& o) {
    const Untouched untouched(out(), n_, b_.width, poison_of_bytes(stage_.out_fill, b_.width));
    if (!untouched.any()) return true;
    const auto other = static_cast<std::uint8_t>(stage_.out_fill ^ 0x5a);
    Outcome again = once(other);
    if (again.kind != Outcome::Kind::ok) {
      o = std::move(again);
      return false;
    }
    const Untouched::Answer a = untouched.left_by_both(out(), poison_of_bytes(other, b_.width));
    if (a.count == 0) return true;
    o.unwritten = a.count;
    o.poison = poison_of_bytes(stage_.out_fill, b_.width);
    add_not_written(o, a, n_, b_.n == 0 ? 0 : a.first % b_.n);
    return true;
  }

  Outcome once(std::uint8_t fill) {
    lay(z_, z());
    if (b_.two_arguments) lay(y_, y());
    std::memset(out() - kCanaries, kCanary, kCanaries);
    std::memset(out(), fill, bytes_);
    std::memset(out() + bytes_, kCanary, kCanaries);
    Outcome o = call_({n_, stage_.z_offset, stage_.y_offset, stage_.out_offset, stage_.in_place,
                       stage_.in_place_y});
    if (o.kind != Outcome::Kind::ok) return o;
    if (!stage_.in_place && !lies(z_, z()))
      o.facts.push_back({"batch.input_changed", "writes to z, an input", 0});
    if (b_.two_arguments && !stage_.in_place_y && !lies(y_, y()))
      o.facts.push_back({"batch.input_changed", "writes to y, an input", 0});
    const auto whole = [](const unsigned char* p) {
      return std::all_of(p, p + kCanaries, [](unsigned char c) { return c == kCanary; });
    };
    if (!whole(out() - kCanaries))
      o.facts.push_back({"batch.write_outside", "wrote in front of out", 0});
    if (!whole(out() + bytes_))
      o.facts.push_back({"batch.write_outside", "wrote behind the end of out", 0});
    return o;
  }

  std::string hex(const unsigned char* results, std::uint64_t element) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, results + element * b_.width, b_.width);
    return fmt::format("0x{:0{}x}", bits, 2 * b_.width);
  }

  bool differs(const Bytes& first, std::uint32_t k, Outcome& o) const {
    const auto at = std::mismatch(first.begin(), first.end(), result()).first;
    if (at == first.end()) return false;
    const auto element = static_cast<std::uint64_t>(at - first.begin()) / b_.width;
    o.facts.push_back({"determinism.repeat",
                       fmt::format("call {} gives {} for element {}, the first one gave {}", k,
                                   hex(result(), element), element, hex(first.data(), element)),
                       element});
    return true;
  }

  void compare_tiles(const Bytes& results, Outcome& o) const {
    const unsigned char* first = results.data();
    for (std::uint64_t done = given_; done < bytes_ && given_ != 0; done += given_) {
      const std::uint64_t part = std::min(given_, bytes_ - done);
      const auto at = std::mismatch(first, first + part, first + done).first;
      if (at == first + part) continue;
      const std::uint64_t element = static_cast<std::uint64_t>(at - first) / b_.width;
      const std::uint64_t far = element + done / b_.width;
      o.facts.push_back(
          {"batch.length",
           fmt::format("of {} elements, number {} gives {}, number {} with the same input {}", n_,
                       far, hex(first, far), element, hex(first, element)),
           element});
      return;
    }
  }

  const HostedBuffers& b_;
  const Stage& stage_;
  const CallPlainly& call_;
  std::uint64_t n_, bytes_, given_;
  Bytes z_, y_;
};

}  // namespace

Outcome stage_by_host(const HostedBuffers& buffers, const Stage& stage, const CallPlainly& call) {
  return Hosted(buffers, stage, call).run();
}

Outcome time_by_host(const HostedBuffers& b, const Timing& timing, const CallPlainly& call) {
  if (b.n == 0 || timing.elements == 0 || timing.elements * b.width > b.capacity)
    return {Outcome::Kind::failed,
            fmt::format("{} elements are not one batch, and the program does not offer timing",
                        timing.elements),
            0};
  const std::uint64_t bytes = timing.elements * b.width, period = b.n * b.width;
  for (unsigned char* buffer : {b.z, b.y})
    for (std::uint64_t done = period; done < bytes; done += period)
      std::memcpy(buffer + done, buffer, std::min(period, bytes - done));
  const std::uint64_t windows = std::max<std::uint64_t>(1, period / bytes);
  Outcome total = call({timing.elements});  // not timed: code and tables come near
  if (total.kind != Outcome::Kind::ok) return total;
  CallTimes times;
  do {
    const std::uint64_t at = times.calls() % windows * bytes;
    const Outcome one = call({timing.elements, at, at});
    if (one.kind != Outcome::Kind::ok) return one;
    if (one.nanoseconds == 0)
      return {Outcome::Kind::failed, "the program says 0 nanoseconds, so it cannot be timed", 0};
    times.add(one.nanoseconds);
  } while (!times.enough(timing.nanoseconds, 100'000));
  times.into(total);
  return total;
}

}  // namespace ulpaudit
