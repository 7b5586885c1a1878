// The ops of this plug-in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace exact {

enum class Op { kSigmoid, kSigmoidGrad, kBce, kBceGrad };

constexpr bool has_label(Op op) { return op == Op::kBce || op == Op::kBceGrad; }

}  // namespace exact
