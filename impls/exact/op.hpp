// The ops of this plug-in.
#pragma once

namespace exact {

enum class Op { kSigmoid, kSigmoidGrad, kBce, kBceGrad };

constexpr bool has_label(Op op) { return op == Op::kBce || op == Op::kBceGrad; }

}  // namespace exact
