// Spot checks.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/spot_checks.hpp"

#include <algorithm>

#include "score/witness.hpp"
#include "sweep/batch_runner.hpp"
#include "sweep/trend_probe.hpp"

namespace ulpaudit {
namespace {

std::vector<Bits> special_inputs(Dtype d) {
  const Format& f = format(d);
  std::vector<Bits> v;
  for (Bits b : {f.infinity(), f.max_finite(), encode(d, 1.0), Bits{1}, Bits{0}})
    v.push_back(negate(d, b));
  for (Bits b : {Bits{0}, Bits{1}, encode(d, 1.0), f.max_finite(), f.infinity(), f.quiet_nan()})
    v.push_back(b);
  return v;
}

std::vector<Witness> special_values(const Job& job, const Target& target, SessionPool& sessions,
                                    EndBudget& ends) {
  const Dtype d = job.plan.dtype;
  const OpId op = job.plan.op;
  const std::vector<Bits> inputs = special_inputs(d);
  std::vector<char> packed(inputs.size() * 8);
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    std::copy_n(reinterpret_cast<const char*>(&inputs[i]), bytes, packed.data() + i * bytes);
  std::vector<Bits> labels = {0};
  if (info(op).arity == 2) labels = {0, encode(d, 0.5), encode(d, 1.0)};
  std::vector<Witness> rows;
  for (Bits y : labels) {
    Accumulator ignored;  // losses here repeat those of the sweep
    BatchRunner(sessions, target, ends)
        .run(
            {op, d, y, packed.data(), inputs.size()},
            [&](std::uint64_t offset, std::uint64_t count, const void* out) {
              for (std::uint64_t i = 0; i < count; ++i)
                rows.push_back(make_witness(op, d, {inputs[offset + i], y, load(d, out, i)}));
            },
            ignored);
  }
  return rows;
}

}  // namespace

std::vector<SpotChecks> spot_checks(const Job& job, SessionPool& sessions) {
  std::vector<SpotChecks> all;
  for (std::size_t t = 0; t < job.targets.size(); ++t) {
    const Target& target = job.targets[t];
    const std::vector<Loss>& losses = job.results[t].losses;
    EndBudget ends;
    // How it ends was searched for in the sweep; that is told.
    if (!losses.empty()) ends.limit(std::chrono::milliseconds(100), std::chrono::milliseconds(150));
    // What hung, or filled the memory, is not given as much of either again.
    if (std::any_of(losses.begin(), losses.end(), [](const Loss& l) {
          return l.kind == "hang" || l.message.find("MiB of memory") != std::string::npos;
        }))
      ends.set_hung();
    std::vector<Witness> special = special_values(job, target, sessions, ends);
    all.push_back({std::move(special), reversed_regions(job, target, sessions, ends)});
  }
  return all;
}

}  // namespace ulpaudit
