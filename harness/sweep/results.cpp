// From counts to results.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/results.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fp/text.hpp"
#include "record/replay.hpp"
#include "score/witness.hpp"
#include "truth/score.hpp"

namespace ulpaudit {
namespace {

constexpr std::size_t kPlotPoints = 400;
constexpr std::size_t kLabelsListed = 32;

/// What the report says of the job's inputs.
Result blank_result(const Job& job, const Target& target) {
  const Dtype d = job.plan.dtype;
  Result r;
  r.implementation = target.name;
  r.op = info(job.plan.op).name;
  r.dtype = name(d);
  const auto side = [d](const std::optional<Bits>& b) { return b ? decimal(d, *b) : ""; };
  if (job.plan.lo || job.plan.hi) r.range = side(job.plan.lo) + ":" + side(job.plan.hi);
  if (info(job.plan.op).arity == 1) return r;
  r.label_count = job.plan.labels.size();
  for (std::size_t i = 0; i < std::min(kLabelsListed, job.plan.labels.size()); ++i)
    r.labels.push_back(number(d, job.plan.labels[i]));
  return r;
}

/// The raw figures of the total.
Result raw_total(const Job& job, const Target& target, const Accumulator& a) {
  const Dtype d = job.plan.dtype;
  const OpId op = job.plan.op;
  Result r = blank_result(job, target);
  r.region = "all";
  for (const Tally& x : a.regions) r.raw.merge(d, x);
  r.raw_curve = a.curve;
  r.raw_search = a.search;
  r.inputs = {job.plan.exhaustive, job.plan.points, job.plan.seed, plan_hash(job.plan)};
  for (const Loss& l : a.losses) add_loss(d, r.losses, l);
  r.lost_points = a.lost_points;
  r.digest = fmt::format("{:016x}", a.digest);
  r.judged = {a.judged.fast, a.judged.final_judge, a.judged.cross_checked, a.judged.disagreements};
  r.monotone.pairs = a.monotone.pairs;
  r.monotone.violations = a.monotone.violations;
  if (a.monotone.violations != 0) {
    r.monotone.lower = make_witness(op, d, a.monotone.lower);
    r.monotone.upper = make_witness(op, d, a.monotone.upper);
    r.monotone.last = number(d, a.monotone.last);
  }
  return r;
}

CategoryRow category_row(OpId op, Dtype d, std::string_view name, const Counter& c) {
  return {std::string(name), c.count, make_witness(op, d, c.first), number(d, c.last)};
}

/// Everything of a row that follows from its raw figures, but for the evidence.
void derive_row(OpId op, Dtype d, Result& r) {
  const Tally& t = r.raw;
  r.points = t.points;
  r.statistics = derive(d, t, r.region == "all" ? &r.raw_curve : nullptr);
  if (t.max_abs.set) {
    r.max = make_witness(op, d, t.max_abs.at);
    r.max_signed = make_witness(op, d, t.max_signed.at);
    r.min_signed = make_witness(op, d, t.min_signed.at);
    // Sums and comparisons are quantised; the reported maximum is the witness's exact error.
    // (A damaged shard may name a witness that has none.)
    if (r.max->error_ulps) r.statistics.max_ulp = std::abs(*r.max->error_ulps);
    r.statistics.max_signed = r.max_signed->error_ulps;
    r.statistics.min_signed = r.min_signed->error_ulps;
  }
  for (int i = 0; i < kCategoryCount; ++i) {
    const Counter& c = t.categories[static_cast<std::size_t>(i)];
    if (c.count != 0)
      r.categories.push_back(category_row(op, d, name(static_cast<Category>(i)), c));
  }
  if (t.wrong_zero.count != 0) r.wrong_zero = category_row(op, d, "wrong_zero", t.wrong_zero);
  for (std::size_t i = 0; i < t.histogram.size(); ++i)
    if (t.histogram[i] != 0)
      r.histogram.emplace_back(histogram_upper(static_cast<int>(i)), t.histogram[i]);
  if (r.region != "all") return;
  r.curve = plot_curve(d, r.raw_curve, kPlotPoints);
  r.search = summarise(d, r.raw_search, info(op).arity == 2);
}

/// What a call did that came back: the loss names its rule.
bool is_rule(const Loss& l) { return l.kind.find('.') != std::string::npos; }

std::string loss_message(const Loss& l) {
  if (is_rule(l) && l.points == 0) return fmt::format("{} (in a batch of {})", l.message, l.length);
  // Nothing but batches that were not tried: a run of one shard may have no others.
  const std::string where = l.batches == 0 ? ""
                            : l.length == 1
                                ? "at one input, alone; "
                                : fmt::format("shortest batch of {} inputs; ", l.length);
  const std::string rest =
      l.not_run == 0
          ? ""
          : fmt::format(", {} of them not tried, as the time for going on was spent", l.not_run);
  return fmt::format("{} ({}{} point{} not measured{})", l.message, where, l.points,
                     l.points == 1 ? " was" : "s were", rest);
}

Finding finding_of(OpId op, Dtype d, const Result& total, const Loss& l, const Report& report) {
  Finding f = make_finding(is_rule(l) ? l.kind : "plugin." + l.kind, "sweep", total.implementation,
                           total.op, total.dtype);
  f.message = loss_message(l);
  f.count = is_rule(l) && l.points == 0 ? l.batches : l.points;
  f.range = {number(d, l.low), number(d, l.high)};
  if (l.length != ~std::uint64_t{0}) f.witness_length = l.length;
  Witness w;
  w.z = number(d, l.first.z);
  if (info(op).arity == 2) w.y = number(d, l.first.y);
  w.got = {"none", "none", "none"};
  const Truth t = final_judge(op, d, l.first.z, l.first.y);
  w.expected = number(d, t.rounded);
  w.true_value = true_digits(op, d, l.first.z, l.first.y, kWitnessDigits);
  f.witness = w;
  const Replay replay(report, total.implementation, total.dtype);
  // Of several inputs, whatever they are, as far as one line can tell.
  f.replay = l.length > 1 ? replay.check_case(fmt::format("z={}*{}{} unguarded", w.z.bits, l.length,
                                                          w.y ? " y=" + w.y->bits : ""))
                          : replay.eval(total.op, w);
  return f;
}

/// What was not written comes first: all other figures of the kernel are to be read with it.
void append_losses(OpId op, Dtype d, const Result& total, Report& report) {
  for (const bool unwritten : {true, false})
    for (const Loss& l : total.losses)
      if ((l.kind == "batch.not_written") == unwritten)
        report.findings.push_back(finding_of(op, d, total, l, report));
}

}  // namespace

void append_results(const Job& job, const std::vector<SpotChecks>& checks, Report& report) {
  for (std::size_t t = 0; t < job.targets.size(); ++t) {
    const Target& target = job.targets[t];
    const Accumulator& a = job.results[t];
    const SpotChecks& check = checks.at(t);
    report.results.push_back(raw_total(job, target, a));
    report.results.back().special_values = check.special_values;
    for (Region region : regions_of(job.plan.op)) {
      const Tally& x = a.regions[static_cast<std::size_t>(region)];
      if (x.points == 0) continue;
      Result r = blank_result(job, target);
      r.region = name(region);
      r.raw = x;
      if (const auto at = check.reversed.find(region); at != check.reversed.end())
        r.reversed = at->second;
      report.results.push_back(std::move(r));
    }
  }
}

void derive_results(bool whole, Report& report) {
  std::string evidence = "sampled";
  for (Result& r : report.results) {
    const OpId op = op_from_name(r.op).value();
    const Dtype d = dtype_from_name(r.dtype).value();
    derive_row(op, d, r);
    if (r.region == "all") {
      evidence = whole && r.inputs.exhaustive && r.lost_points == 0 ? "exhaustive" : "sampled";
      append_losses(op, d, r, report);
    }
    r.evidence = evidence;
  }
}

}  // namespace ulpaudit
