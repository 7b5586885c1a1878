// Points that never came back.
// SPDX-License-Identifier: Apache-2.0
#include "record/loss.hpp"

#include <algorithm>

namespace ulpaudit {

void add_loss(Dtype d, std::vector<Loss>& losses, Loss loss) {
  const auto at = std::lower_bound(
      losses.begin(), losses.end(), loss.kind,
      [](const Loss& known, const std::string& kind) { return known.kind < kind; });
  if (at == losses.end() || at->kind != loss.kind) {
    losses.insert(at, std::move(loss));
    return;
  }
  at->batches += loss.batches;
  at->points += loss.points;
  at->not_run += loss.not_run;
  if (ordinal(d, loss.low) < ordinal(d, at->low)) at->low = loss.low;
  if (ordinal(d, loss.high) > ordinal(d, at->high)) at->high = loss.high;
  if (loss.length > at->length ||
      (loss.length == at->length && !CaseOrder{d}(loss.first, at->first)))
    return;
  at->first = loss.first;
  at->length = loss.length;
  at->message = std::move(loss.message);
}

}  // namespace ulpaudit
