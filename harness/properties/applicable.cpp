// What can be checked of programs.
// SPDX-License-Identifier: Apache-2.0
#include "properties/applicable.hpp"

#include <algorithm>
#include <initializer_list>

#include "contract/rules.hpp"

namespace ulpaudit {
namespace {

/// What the host cannot see from outside: the program must offer it.
bool needs_the_program(std::string_view rule) {
  return rule == "batch.read_outside" || rule == "determinism.threads" ||
         rule == "determinism.first_call" || rule.rfind("environment.", 0) == 0;
}

bool any_offered(const PluginInfo& p, std::initializer_list<const char*> rules) {
  return std::any_of(rules.begin(), rules.end(), [&](const char* r) { return p.offers_rule(r); });
}

}  // namespace

Trial possible(const PluginInfo& plugin, Trial t) {
  if (!plugin.program) return t;
  Stage& s = t.stage;
  s.readable = false;
  if (s.edge == Stage::Edge::end) s.z_offset = s.y_offset = s.out_offset = 0;
  if (!plugin.offers_rule("determinism.threads")) s.threads = 1;
  if (!plugin.offers_rule("determinism.first_call")) t.fresh = false;
  if (!any_offered(plugin,
                   {"environment.output", "environment.signal_handler", "environment.thread"}))
    s.process = false;
  if (!plugin.offers_rule("environment.flags")) s.flags_up = false;
  if (!plugin.offers_rule("environment.under_ftz")) s.flush = false;
  if (!plugin.offers_rule("environment.under_rounding")) s.rounding = Stage::Rounding::nearest;
  return t;
}

std::vector<std::string> not_checked(const PluginInfo& plugin, const KernelInfo& kernel,
                                     const KernelContract& contract) {
  std::vector<std::string> out;
  if (!plugin.program) return out;
  for (const Rule& r : rules()) {
    if (!needs_the_program(r.id) || plugin.offers_rule(r.id)) continue;
    if (r.id == "environment.under_ftz" && !contract.under_ftz) continue;
    if (r.id == "environment.under_rounding" && !contract.any_rounding) continue;
    if (r.id.rfind("determinism.", 0) == 0 && !kernel.deterministic) continue;
    out.emplace_back(r.id);
  }
  return out;
}

}  // namespace ulpaudit
