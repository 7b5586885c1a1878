// The names in a contract against what the plug-in offers.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "contract/contract.hpp"
#include "contract/nearest.hpp"
#include "contract/rules.hpp"

namespace ulpaudit {
namespace {

/// Rules say "all", ops ("sigmoid, sigmoid_grad") or "kernels that …".
bool applies(const Rule& rule, const std::string& op) {
  const std::string list = fmt::format(", {}, ", rule.applies);
  return rule.applies == "all" || rule.applies.rfind("kernels ", 0) == 0 ||
         list.find(fmt::format(", {}, ", op)) != std::string::npos;
}

class Check {
 public:
  Check(const Contract& contract, const std::vector<OfferedKernel>& offered)
      : contract_(contract), offered_(offered) {}

  void kernel(const KernelContract& k) const {
    const auto at = std::find_if(offered_.begin(), offered_.end(),
                                 [&](const OfferedKernel& o) { return o.name == k.name; });
    for (const Mention& m : k.mentions) {
      if (m.kind == Mention::kernel) {
        if (at == offered_.end()) no_kernel(m);
        continue;
      }
      const auto op = op_from_name(at->op);
      switch (m.kind) {
        case Mention::dtype:
          known(m, "dtype", *at, at->dtypes);
          break;
        case Mention::region:
          if (op) known(m, "region", *at, region_names(*op));
          break;
        case Mention::rule:
          if (op && !applies(*find_rule(m.name), at->op))
            fail(m, fmt::format("rule '{}' is for {}, and kernel '{}' is for {}", m.name,
                                find_rule(m.name)->applies, at->name, at->op));
          break;
        case Mention::buffer:
          if (op && m.name == "y" && info(*op).arity == 1)
            fail(m, fmt::format("kernel '{}' has no buffer 'y': {} takes z alone; accepted: z",
                                at->name, at->op));
          break;
        case Mention::kernel:
          break;
      }
    }
  }

 private:
  [[noreturn]] void fail(const Mention& m, const std::string& what) const {
    throw BadContract(fmt::format("{}:{}:{}: {}", contract_.source, m.line, m.column, what));
  }

  [[noreturn]] void no_kernel(const Mention& m) const {
    std::vector<std::string> names;
    for (const OfferedKernel& o : offered_) names.push_back(o.name);
    fail(m, fmt::format("the plug-in has no kernel '{}'{}{} it has: {}", m.name,
                        did_you_mean(m.name, names), did_you_mean(m.name, names).empty() ? ";" : "",
                        fmt::join(names, ", ")));
  }

  static std::vector<std::string> region_names(OpId op) {
    std::vector<std::string> names;
    for (const Region r : regions_of(op)) names.emplace_back(name(r));
    return names;
  }

  void known(const Mention& m, std::string_view what, const OfferedKernel& kernel,
             const std::vector<std::string>& names) const {
    if (std::find(names.begin(), names.end(), m.name) != names.end()) return;
    const std::string near = did_you_mean(m.name, names);
    const std::string owner =
        what == "region" ? kernel.op : fmt::format("kernel '{}'", kernel.name);
    fail(m, fmt::format("{} has no {} '{}'{}{} it has: {}", owner, what, m.name, near,
                        near.empty() ? ";" : "", fmt::join(names, ", ")));
  }

  const Contract& contract_;
  const std::vector<OfferedKernel>& offered_;
};

}  // namespace

void check_contract(const Contract& contract, const std::vector<OfferedKernel>& offered) {
  const Check check(contract, offered);
  for (const auto& [name, kernel] : contract.kernels) check.kernel(kernel);
}

}  // namespace ulpaudit
