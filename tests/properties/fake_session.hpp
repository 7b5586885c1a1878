// A session without a plug-in, for tests of the property rules: a function gives the results, and a
// test says how each call ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "names.hpp"
#include "plugin/session.hpp"
#include "properties/subject.hpp"
#include "truth/truth.hpp"

namespace ulpaudit::test {

/// One call, as the kernel sees it.
struct Call {
  std::vector<Bits> z, y, out;  ///< out: the results, which a test may change
  Stage stage;
  bool staged = false;       ///< false: in the buffers of sweeps
  std::uint64_t number = 0;  ///< in its process, from 1
};

class FakeSession : public Session {
 public:
  /// The result at one input.
  std::function<Bits(Bits z, Bits y)> element;
  /// How a call ends; it may change the results. By default well.
  std::function<Outcome(Call&)> behaviour;
  std::vector<Call> calls;       ///< all of them
  std::uint64_t restarts = 0;    ///< that were asked for
  std::uint64_t of_process = 0;  ///< calls since the process began

  explicit FakeSession(KernelInfo kernel) {
    info_.name = "fake";
    info_.kernels = {std::move(kernel)};
    z_ = z_room_.data();
    y_ = y_room_.data();
    out_ = out_room_.data();
  }
  PluginInfo& plugin() { return info_; }

  Outcome run(std::size_t, Dtype d, std::uint64_t n, bool two) override {
    return answer(d, n, two, Stage(), false);
  }
  Outcome run_staged(std::size_t, Dtype d, std::uint64_t n, bool two, const Stage& s) override {
    return answer(d, n, two, s, true);
  }
  Outcome run_on_device(std::size_t, Dtype, std::uint64_t, bool, const DeviceArrays&) override {
    return {Outcome::Kind::protocol, "no device here"};
  }
  Outcome run_timed(std::size_t, Dtype, std::uint64_t, bool, const Timing&) override {
    return {Outcome::Kind::protocol, "no clock here"};
  }
  void restart() override {
    ++restarts;
    of_process = 0;
  }

 private:
  Outcome answer(Dtype d, std::uint64_t n, bool two, const Stage& stage, bool staged) {
    Call c;
    c.stage = stage;
    c.staged = staged;
    c.number = of_process + 1;
    of_process += std::uint64_t{stage.repeats} * stage.threads;
    const auto size = static_cast<std::size_t>(format(d).bytes());
    for (std::size_t i = 0; i < n; ++i) {
      Bits z = 0, y = 0;
      std::memcpy(&z, static_cast<const char*>(z_) + i * size, size);
      if (two) std::memcpy(&y, static_cast<const char*>(y_) + i * size, size);
      c.z.push_back(z);
      if (two) c.y.push_back(y);
      c.out.push_back(element ? element(z, y) : 0);
    }
    const Outcome o = behaviour ? behaviour(c) : Outcome();
    for (std::size_t i = 0; i < n; ++i)
      std::memcpy(static_cast<char*>(out_) + i * size, &c.out[i], size);
    if (o.kind != Outcome::Kind::ok) of_process = 0;  // the worker has ended
    calls.push_back(std::move(c));
    return o;
  }

  std::vector<Bits> z_room_ = std::vector<Bits>(kBatchCapacity), y_room_ = z_room_,
                    out_room_ = z_room_;
};

/// A kernel under test with all that it refers to; right unless a test changes `session`.
struct Fake {
  OpId op;
  Dtype d;
  KernelContract contract;
  FakeSession session;
  Subject subject;

  explicit Fake(const std::string& op_name, Dtype dtype = Dtype::f32, const Admitted& chosen = {})
      : op(test::op(op_name)),
        d(dtype),
        session(about(op_name, dtype)),
        subject("fake/kernel", session, 0, op, dtype, contract, chosen) {
    session.element = [this](Bits z, Bits y) { return right(z, y); };
  }
  /// The correctly rounded result.
  Bits right(Bits z, Bits y = 0) {
    const auto [at, is_new] = known_.try_emplace({z, y});
    if (is_new) at->second = final_judge(op, d, z, y).rounded;
    return at->second;
  }

 private:
  static KernelInfo about(const std::string& op_name, Dtype dtype) {
    KernelInfo k;
    k.name = "kernel";
    k.op = op_name;
    k.dtypes = {dtype};
    k.deterministic = k.elementwise = true;
    return k;
  }

  std::map<std::pair<Bits, Bits>, Bits> known_;
};

}  // namespace ulpaudit::test
