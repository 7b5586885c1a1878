// What a textbook's claim is found to be: TextbookAnswer::verdict.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ulpaudit {

inline constexpr char kHolds[] = "holds";
inline constexpr char kLimited[] = "holds with a limit";
inline constexpr char kWrong[] = "wrong";

}  // namespace ulpaudit
