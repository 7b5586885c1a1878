// Witnesses.
// SPDX-License-Identifier: Apache-2.0
#include "score/witness.hpp"

#include "fp/text.hpp"
#include "truth/score.hpp"

namespace ulpaudit {

Witness make_witness(OpId op, Dtype d, const Case& c) {
  const Truth t = final_judge(op, d, c.z, c.y);
  const Score s = score(op, d, t, c.got);
  Witness w;
  w.z = number(d, c.z);
  if (info(op).arity == 2) w.y = number(d, c.y);
  w.got = number(d, c.got);
  w.expected = number(d, t.rounded);
  w.true_value = true_digits(op, d, c.z, c.y, kWitnessDigits);
  if (t.kind == TruthKind::zero ? s.measured : t.kind == TruthKind::finite && is_finite(d, c.got))
    w.error_ulps = s.error_ulps;
  return w;
}

}  // namespace ulpaudit
