// Runs trials.
#include "properties/subject.hpp"

#include <cstring>

namespace ulpaudit {
namespace {

void pack(Dtype d, const std::vector<Bits>& from, void* to) {
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  auto* p = static_cast<char*>(to);
  for (const Bits b : from) {
    std::memcpy(p, &b, bytes);
    p += bytes;
  }
}

std::vector<Bits> unpack(Dtype d, const void* from, std::size_t n) {
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  const auto* p = static_cast<const char*>(from);
  std::vector<Bits> out(n);
  for (Bits& b : out) {
    std::memcpy(&b, p, bytes);
    p += bytes;
  }
  return out;
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

std::vector<Bits> Subject::line(Bits first, std::uint64_t n, Bits y) {
  std::vector<Bits> z(n);
  for (std::uint64_t i = 0; i < n; ++i) z[i] = first + i;
  pack(dtype(), z, session_.z());
  if (two_arguments()) pack(dtype(), std::vector<Bits>(n, y), session_.y());
  const Outcome o = session_.run(kernel_, dtype(), n, two_arguments());
  if (o.kind == Outcome::Kind::ok) return unpack(dtype(), session_.out(), n);
  ++ends_;
  return {};
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
