// What a sweep over every input says of symmetry and the decision threshold: pairs that need not be
// run again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "contract/contract.hpp"
#include "fp/bits.hpp"
#include "ops/op.hpp"
#include "record/report.hpp"

namespace ulpaudit {

/// Did the report's sweep run every input of the implementation, and do its errors leave no room
/// for a breach of `symmetry` with the label y (ignored by unary ops), nor of `value.threshold`
/// beyond near_decision()? The sum of two errors bounds what two results differ by. Speaks of f32.
bool symmetric_by_sweep(const Report& report, const std::string& implementation, OpId op, Dtype d,
                        const KernelContract& contract, Bits y);

/// The largest z >= 0 at which a decision may be wrong all the same; nothing where the op has none.
std::optional<Bits> near_decision(OpId op, Dtype d);

}  // namespace ulpaudit
