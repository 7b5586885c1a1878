// The table of rules.
// SPDX-License-Identifier: Apache-2.0
#include "contract/rules.hpp"

#include <algorithm>

namespace ulpaudit {

const std::vector<Rule>& rules() {
  constexpr std::string_view all = "all", universal = "universal", promised = "by contract";
  constexpr std::string_view sigmoid = "sigmoid";
  constexpr std::string_view unless = "universal, unless the contract permits it";
  constexpr std::string_view elementwise = "kernels that say they are elementwise";
  constexpr std::string_view deterministic = "kernels that say they are deterministic";
  static const std::vector<Rule> table = {
      {"accuracy.max_ulp", "The error stays within the contract's budget of its region.", all,
       promised, false},
      {"accuracy.correctly_rounded", "Every result is the correctly rounded one.", all, promised,
       false},
      {"accuracy.half_lost",
       "At least half of the digits are right: the error is at most 2^(p/2) ulp outside "
       "`crossing`.",
       all, "universal, unless a budget of the contract covers it", false},
      {"accuracy.bias",
       "The mean signed error stays within the contract's budget of its region, and weighted by "
       "typical logits.",
       all, "by contract (bias)", false},
      {"accuracy.absolute", "The absolute error stays within the contract's budget.", all,
       "by contract (max_absolute)", false},
      {"accuracy.relative", "The relative error stays within the contract's budget.", all,
       "by contract (max_relative)", false},
      {"monotone.reversed",
       "Results do not fall over a whole region in which the op rises, or rise "
       "where it falls.",
       all, universal, false},
      {"monotone", "Results never move against the op's own direction.", all, promised, false},
      {"value.new_nan", "No NaN where the true value is a number or an infinity.", all, universal,
       false},
      {"value.lost_nan", "NaN in either argument gives NaN.", all, universal, false},
      {"value.wrong_infinity", "No infinity where the true value is finite.", all, universal,
       false},
      {"value.finite_for_infinite", "An infinity where the true value is infinite.", all, universal,
       false},
      {"value.wrong_sign", "The result has the sign of the true value.", all, universal, false},
      {"value.nonzero_for_zero", "A zero where the true value is zero.", all, universal, false},
      {"value.flushed", "No zero where the correctly rounded result is subnormal.", all, unless,
       false},
      {"value.vanished", "No zero where the correctly rounded result is a normal number.", all,
       universal, false},
      {"value.out_of_range", "The result lies in the op's range.", all, universal, false},
      {"value.wrong_zero", "A zero has the sign of the true value, or of its limit.", all,
       "by contract (zero_sign), else reported", false},
      {"value.signalling_nan", "A NaN result is a quiet one.", all, "by contract (quiet_nan)",
       true},
      {"value.outside_labels",
       "A label outside [0, 1] gives NaN, the value at the nearest label, or the formula's value, "
       "as "
       "the contract says.",
       "bce_with_logits, bce_with_logits_grad", "by contract (outside_labels)", true},
      {"value.exact",
       "sigmoid(±0) = 1/2, sigmoid'(±0) = 1/4, the BCE gradient at ±0 is 1/2 - y "
       "where that is a number, the loss there is ln 2 rounded or within budget.",
       all, universal, true},
      {"value.threshold",
       "sigmoid(z) > 1/2 where z is above the dtype's threshold (within a "
       "factor of 4; exactly so where correct rounding is promised).",
       sigmoid, universal, true},
      {"symmetry",
       "sigmoid(z) + sigmoid(-z) = 1, sigmoid'(z) = sigmoid'(-z), bce(z, y) = "
       "bce(-z, 1-y), within the sum of the two budgets (64 ulp without a contract).",
       "sigmoid, sigmoid_grad, bce_with_logits", universal, true},
      {"symmetry.exact",
       "sigmoid'(z) and sigmoid'(-z) are the same bits, as are bce(z, y) and bce(-z, 1-y); "
       "sigmoid(z) + sigmoid(-z) is 1 without error.",
       "sigmoid, sigmoid_grad, bce_with_logits", "by contract (symmetric = \"exact\")", true},
      {"batch.length", "The same input gives the same bits in a batch of any length.", elementwise,
       universal, true},
      {"batch.position", "The same input gives the same bits at every place in a batch.",
       elementwise, universal, true},
      {"batch.neighbours", "The same input gives the same bits whatever lies beside it.",
       elementwise, universal, true},
      {"batch.alignment",
       "The same input gives the same bits, and no crash, in buffers that are "
       "aligned to the element alone.",
       elementwise, universal, true},
      {"batch.empty", "A batch of no elements touches nothing.", all, universal, true},
      {"batch.read_outside", "Nothing is read outside the buffers.", all, universal, true},
      {"batch.write_outside", "Nothing is written outside the buffers.", all, universal, true},
      {"batch.input_changed", "Inputs are not written to.", all, universal, true},
      {"batch.not_written", "Every element of the output is written.", all, universal, true},
      {"batch.in_place",
       "Where the kernel or its contract (in_place) says that it can run in place, the results are "
       "the same.",
       "kernels that say they can", universal, true},
      {"environment.rounding_mode", "The rounding mode is as it was, after loading and each call.",
       all, universal, true},
      {"environment.ftz_daz", "FTZ and DAZ are as they were, after loading and each call.", all,
       universal, true},
      {"environment.exception_masks", "The exception masks are as they were.", all, universal,
       true},
      {"environment.x87", "The x87 control word is as it was, and its registers are free.", all,
       universal, true},
      {"environment.flags",
       "No exception flag is cleared; by contract, none of invalid, divide by "
       "zero, overflow is raised where inputs and results are finite.",
       all, "universal for clearing, by contract (clean_flags) for raising", true},
      {"environment.under_ftz", "With FTZ and DAZ on, the results are the same.", all,
       "by contract (same_under_ftz)", true},
      {"environment.under_rounding", "Under every rounding mode, the results are the same.", all,
       "by contract (same_under_any_rounding)", true},
      {"environment.output", "Nothing is printed.", all, universal, true},
      {"environment.signal_handler", "No signal handler is changed.", all, universal, true},
      {"environment.thread", "No thread is left behind.", all,
       "universal, unless the contract permits it (keeps_threads)", true},
      {"environment.locale", "The locale is as it was.", all, universal, true},
      {"environment.working_directory", "The working directory is as it was.", all, universal,
       true},
      {"environment.umask", "The file mode creation mask is as it was.", all, universal, true},
      {"environment.process", "No process is left behind.", all, universal, true},
      {"determinism.repeat", "The same batch gives the same bits, however often it is run.",
       deterministic, universal, true},
      {"determinism.memory", "Results do not depend on what lay in the output or on the stack.",
       deterministic, universal, true},
      {"determinism.threads", "Several threads that call at once get the same bits.", deterministic,
       universal, true},
      {"determinism.first_call", "So do they in the first call of a fresh process.", deterministic,
       universal, true},
      {"determinism.other_kernels",
       "Nor does it matter that other kernels of the plug-in, or other dtypes, were called before.",
       deterministic, universal, true},
      {"consistency.f32", "f16 and bf16 results are the same plug-in's f32 results, rounded once.",
       all, "reported, never an error", true},
      {"training.same_as_reference",
       "Networks trained with the kernel end as with exact kernels of its dtype: as the reference, "
       "or with a drift, NaN or stall that exact kernels have too.",
       all, "by contract (training)", false},
      {"throughput.ratio",
       "An element takes at most so many times as long as with another kernel, or memcpy, in the "
       "same run (typical inputs in L1).",
       all, "by contract (throughput)", false},
      {"plugin.crash", "No batch ends the worker by a signal.", all, universal, false},
      {"plugin.exit", "No batch ends the process.", all, universal, false},
      {"plugin.hang", "Every batch comes back within the deadline.", all, universal, false},
      {"plugin.status", "No batch is refused, and no exception crosses the boundary.", all,
       universal, false},
      {"plugin.protocol", "The worker speaks its protocol.", all, universal, false},
      {"plugin.load", "The plug-in can be loaded and describes itself well.", all, universal,
       false},
      {"check.stopped", "Every rule that was asked for was checked to its end.", all,
       "makes the verdict incomplete", false},
      {"check.not_applicable", "A rule that cannot be checked of this kernel is named.", all,
       "reported, never an error", false},
      {"contract.expected_failure_passed",
       "A failure that the contract expects occurs where every input is run.", all,
       "reported; the gate fails", false},
  };
  return table;
}

const Rule* find_rule(std::string_view id) {
  const auto found =
      std::find_if(rules().begin(), rules().end(), [&](const Rule& r) { return r.id == id; });
  return found == rules().end() ? nullptr : &*found;
}

}  // namespace ulpaudit
