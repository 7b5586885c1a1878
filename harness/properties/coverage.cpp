// Coverage of a check.
// SPDX-License-Identifier: Apache-2.0
#include "properties/coverage.hpp"

#include <algorithm>

#include "contract/rules.hpp"

namespace ulpaudit {
namespace {

bool is(const Subject& s, std::string_view op) { return info(s.op()).name == op; }

/// Rules that `check` judges: by the behaviour of calls, by values.
bool judged_by_check(const Rule& r) {
  const auto starts = [&](std::string_view prefix) { return r.id.rfind(prefix, 0) == 0; };
  if (starts("batch.") || starts("environment.") || starts("determinism.")) return true;
  if (starts("value.") || starts("symmetry") || r.id == "consistency.f32") return true;
  return starts("plugin.") && r.id != "plugin.load";
}

/// Why no case asked for the rule.
std::string reason(const Subject& s, std::string_view rule) {
  const KernelContract& k = s.contract();
  const bool program = s.plugin().program;
  if (rule == "value.threshold") return "the op has no decision threshold";
  if (rule.rfind("symmetry", 0) == 0)
    return is(s, "bce_with_logits_grad") ? "the op has no such symmetry"
           : rule == "symmetry.exact" ? "the contract does not promise it (symmetric = \"exact\")"
                                      : "no input and its mirror image were chosen";
  if (rule == "value.wrong_zero") return "the contract does not promise it (zero_sign)";
  if (rule == "value.signalling_nan") return "the contract does not promise it (quiet_nan)";
  if (rule == "value.outside_labels")
    return s.two_arguments() ? "the contract says nothing of them (outside_labels)"
                             : "the op has no label";
  if (rule == "value.exact") return "no zero was chosen";
  if (rule == "batch.in_place") return "neither the kernel nor its contract says that it can";
  if (rule == "environment.under_ftz" && !k.under_ftz)
    return "the contract does not promise it (same_under_ftz)";
  if (rule == "environment.under_rounding" && !k.any_rounding)
    return "the contract does not promise it (same_under_any_rounding)";
  if (rule == "consistency.f32") return "for f16 and bf16 kernels that are there in f32 too";
  if (rule == "determinism.other_kernels") return "the plug-in has no other kernel or dtype";
  if (program) return "the worker is a program that does not offer it";
  return "no such case was chosen";
}

}  // namespace

void RuleCounts::ask(const std::vector<std::string>& rules, std::uint64_t n) {
  for (const std::string& r : rules) cases_[r].asked += n;
}
void RuleCounts::answer(const std::vector<std::string>& rules, std::uint64_t n) {
  for (const std::string& r : rules) cases_[r].answered += n;
}
void RuleCounts::merge(const RuleCounts& other) {
  for (const auto& [rule, c] : other.cases_) {
    cases_[rule].asked += c.asked;
    cases_[rule].answered += c.answered;
  }
  for (const auto& [rule, why] : other.reasons_) reasons_.emplace(rule, why);
  if (!other.why_.empty()) stop(other.why_);
}

void RuleCounts::explain(const Subject& subject) {
  for (const Rule& r : rules())
    if (judged_by_check(r)) reasons_[std::string(r.id)] = reason(subject, r.id);
}

std::vector<RuleCoverage> RuleCounts::rows(const std::vector<std::string>& broken) const {
  std::vector<RuleCoverage> out;
  for (const auto& [id, why_not] : reasons_) {
    const auto found = cases_.find(id);
    const Cases c = found == cases_.end() ? Cases{} : found->second;
    const bool known = std::find(broken.begin(), broken.end(), id) != broken.end();
    if (known)
      out.push_back({id, "checked", std::max<std::uint64_t>(c.answered, 1), c.asked, ""});
    else if (c.asked == 0)
      out.push_back({id, "not_applicable", 0, 0, why_not});
    else if (c.answered < c.asked)
      out.push_back(
          {id, "stopped", c.answered, c.asked, why_.empty() ? "not all came back" : why_});
    else
      out.push_back({id, "checked", c.answered, c.asked, ""});
  }
  std::stable_sort(out.begin(), out.end(), [](const RuleCoverage& a, const RuleCoverage& b) {
    return find_rule(a.rule) < find_rule(b.rule);
  });
  return out;
}

std::vector<std::string> rules_about(const Subject& subject, const Trial& t) {
  const Stage& s = t.stage;
  const bool program = subject.plugin().program;
  const auto offered = [&](const char* rule) {
    return !program || subject.plugin().offers_rule(rule);
  };
  std::vector<std::string> out = {"plugin.crash", "plugin.exit", "plugin.hang", "plugin.status",
                                  "plugin.protocol"};
  const auto add = [&](bool applies, const char* rule) {
    if (applies) out.emplace_back(rule);
  };
  if (t.z.empty()) {
    out.emplace_back("batch.empty");
    return out;
  }
  const bool place = s.in_place || s.in_place_y;
  const bool off =
      s.edge == Stage::Edge::start && (s.z_offset != 0 || s.y_offset != 0 || s.out_offset != 0);
  for (const char* rule : {"batch.length", "batch.position", "batch.neighbours"})
    out.emplace_back(rule);
  add(off || (!program && s.edge == Stage::Edge::end), "batch.alignment");
  add(!s.readable && offered("batch.read_outside"), "batch.read_outside");
  add(true, "batch.write_outside");
  add(!place, "batch.input_changed");
  add(!place, "batch.not_written");
  add(place, "batch.in_place");
  for (const char* rule : {"environment.rounding_mode", "environment.ftz_daz",
                           "environment.exception_masks", "environment.x87"})
    add(offered(rule), rule);
  add(s.flags_up && offered("environment.flags"), "environment.flags");
  add(s.flush, "environment.under_ftz");
  add(s.rounding != Stage::Rounding::nearest, "environment.under_rounding");
  if (s.process)
    for (const char* rule :
         {"environment.output", "environment.signal_handler", "environment.thread",
          "environment.locale", "environment.working_directory", "environment.umask",
          "environment.process"})
      add(offered(rule), rule);
  add(s.repeats > 1 && s.threads == 1, "determinism.repeat");
  add(true, "determinism.memory");
  add(s.threads > 1, "determinism.threads");
  add(t.fresh && offered("determinism.first_call"), "determinism.first_call");
  add(t.others, "determinism.other_kernels");
  return out;
}

std::vector<std::string> rules_about_value(const Subject& subject, Bits z, Bits y) {
  const Dtype d = subject.dtype();
  const KernelContract& k = subject.contract();
  std::vector<std::string> out;
  const auto add = [&](bool applies, const char* rule) {
    if (applies) out.emplace_back(rule);
  };
  const bool nan = is_nan(d, z) || is_nan(d, y);
  add(nan, "value.lost_nan");
  for (const char* rule :
       {"value.new_nan", "value.wrong_infinity", "value.finite_for_infinite", "value.wrong_sign",
        "value.nonzero_for_zero", "value.flushed", "value.vanished", "value.out_of_range"})
    add(!nan, rule);
  if (!in_domain(subject.op(), d, y)) return {"value.outside_labels"};
  add(k.zero_sign && !nan, "value.wrong_zero");
  add(k.quiet_nan && nan, "value.signalling_nan");
  add(is_zero(d, z) && !is_nan(d, y), "value.exact");
  add(is(subject, "sigmoid") && !is_nan(d, z), "value.threshold");
  const bool mirrored = is_finite(d, z) && !is(subject, "bce_with_logits_grad") &&
                        subject.letters().admitted.z(d, negate(d, z));
  add(mirrored, "symmetry");
  add(mirrored && k.exactly_symmetric, "symmetry.exact");
  return out;
}

}  // namespace ulpaudit
