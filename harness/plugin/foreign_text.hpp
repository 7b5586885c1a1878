// Text that kernels and programs gave, made harmless where it comes in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ulpaudit {

/// One line of UTF-8 without control characters: line ends and tabs are spaces, other control
/// characters and broken bytes are \xNN or \uNNNN; marks that turn the direction of writing are
/// among them. What a CI runner would take for a command ("::error::" at the start, "##[") is taken
/// apart by a space.
std::string harmless(std::string_view text);

/// What is wrong with the name of a plug-in or kernel, as "has '/'"; empty where nothing is.
std::string fault_of_name(std::string_view name);
/// What a name may be.
inline constexpr std::string_view kAcceptedNames =
    "UTF-8 without '/' and control characters, such as 'sigmoid@avx2'";

}  // namespace ulpaudit
