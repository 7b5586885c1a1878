// The list of ops. A new op is one new file and one entry here.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <utility>

#include "ops/bce_with_logits.hpp"
#include "ops/bce_with_logits_grad.hpp"
#include "ops/sigmoid.hpp"
#include "ops/sigmoid_grad.hpp"

namespace ulpaudit {

template <class... Ops>
struct OpList {
  static constexpr int size = sizeof...(Ops);
  /// visit(id, f) calls f with a value of the op's type.
  template <class F>
  static auto visit(OpId id, F&& f) {
    return visit_from<0, F, Ops...>(static_cast<int>(id), std::forward<F>(f));
  }

 private:
  template <int I, class F, class Op, class... Rest>
  static auto visit_from(int i, F&& f) {
    if (i == I) return f(Op{});
    if constexpr (sizeof...(Rest) > 0)
      return visit_from<I + 1, F, Rest...>(i, std::forward<F>(f));
    else
      throw std::logic_error("op index out of range");
  }
};

using AllOps = OpList<Sigmoid, SigmoidGrad, BceWithLogits, BceWithLogitsGrad>;

}  // namespace ulpaudit
