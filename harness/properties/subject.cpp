// Runs trials.
#include "properties/subject.hpp"

#include <algorithm>
#include <numeric>

namespace ulpaudit {
namespace {

template <class T>
void pack_as(const std::vector<Bits>& from, void* to) {
  std::transform(from.begin(), from.end(), static_cast<T*>(to),
                 [](Bits b) { return static_cast<T>(b); });
}
void pack(Dtype d, const std::vector<Bits>& from, void* to) {
  const int width = format(d).width;
  if (width == 16) return pack_as<std::uint16_t>(from, to);
  if (width == 32) return pack_as<std::uint32_t>(from, to);
  pack_as<Bits>(from, to);
}

template <class T>
std::vector<Bits> unpack_as(const void* from, std::size_t n) {
  const T* p = static_cast<const T*>(from);
  return std::vector<Bits>(p, p + n);
}
std::vector<Bits> unpack(Dtype d, const void* from, std::size_t n) {
  const int width = format(d).width;
  return width == 16   ? unpack_as<std::uint16_t>(from, n)
         : width == 32 ? unpack_as<std::uint32_t>(from, n)
                       : unpack_as<Bits>(from, n);
}

}  // namespace

Subject::Subject(std::string name, Session& session, std::size_t kernel, OpId op, Dtype d,
                 const KernelContract& contract)
    : name_(std::move(name)),
      session_(session),
      kernel_(kernel),
      contract_(contract),
      alphabet_(alphabet(op, d)) {}

Answer Subject::run(const Trial& t) {
  Answer a;
  if (t.fresh) session_.restart();
  pack(dtype(), t.z, session_.z());
  if (two_arguments()) pack(dtype(), t.y, session_.y());
  a.outcome = session_.run_staged(kernel_, dtype(), t.z.size(), two_arguments(), t.stage);
  using Kind = Outcome::Kind;
  if (a.outcome.kind == Kind::ok) {
    a.out = unpack(dtype(), session_.out(), t.z.size());
  } else {
    if (a.outcome.kind == Kind::hung) ++hangs_;
    if (a.outcome.kind != Kind::failed) ++ends_;
  }
  return a;
}

const void* Subject::line(Bits first, std::uint64_t n, Bits y) {
  const auto fill = [&](auto zero) {
    using T = decltype(zero);
    std::iota(static_cast<T*>(session_.z()), static_cast<T*>(session_.z()) + n,
              static_cast<T>(first));
    if (two_arguments()) std::fill_n(static_cast<T*>(session_.y()), n, static_cast<T>(y));
  };
  const int width = format(dtype()).width;
  if (width == 16)
    fill(std::uint16_t{});
  else if (width == 32)
    fill(std::uint32_t{});
  else
    fill(Bits{});
  const Outcome o = session_.run(kernel_, dtype(), n, two_arguments());
  if (o.kind == Outcome::Kind::ok) return session_.out();
  ++ends_;
  return nullptr;
}

std::optional<Bits> Subject::single(Bits z, Bits y) {
  const auto [found, fresh] = singles_.try_emplace({z, y});
  if (fresh) {
    Trial t;
    t.stage.edge = Stage::Edge::start;  // aligned to whatever a kernel may wish
    t.z = {z};
    if (two_arguments()) t.y = {y};
    const Answer a = run(t);
    if (!a.out.empty()) found->second = a.out[0];
  }
  return found->second;
}

}  // namespace ulpaudit
