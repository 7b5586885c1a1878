// What can be checked of a kernel whose worker is a program (--exec): settings that neither the
// host nor the program can make are left out of trials, and the rules that need them are named.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "contract/contract.hpp"
#include "plugin/description.hpp"
#include "properties/trial.hpp"

namespace ulpaudit {

/// The trial without the settings that this worker cannot make.
Trial possible(const PluginInfo& plugin, Trial t);

/// Rules that would hold for the kernel and cannot be checked, in the order of rules().
std::vector<std::string> not_checked(const PluginInfo& plugin, const KernelInfo& kernel,
                                     const KernelContract& contract);

}  // namespace ulpaudit
