// The table that make_key_sums.cpp prints.
// SPDX-License-Identifier: Apache-2.0
#include "score/key_sums.hpp"

namespace ulpaudit {

#if defined(ULPAUDIT_KEY_SUMS)
namespace {
constexpr std::uint64_t kTable[] = {
#include ULPAUDIT_KEY_SUMS
};
static_assert(sizeof kTable / sizeof *kTable == kKeyRuns);
}  // namespace
const std::uint64_t* const kKeySums = kTable;
#else
const std::uint64_t* const kKeySums = nullptr;
#endif

}  // namespace ulpaudit
