// The rules that an audit checks: ids and statements. docs/properties.md lists them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace ulpaudit {

struct Rule {
  std::string_view id, statement;
  std::string_view applies;  ///< "all", or the ops
  /// universal: an error for every kernel. by contract: an error where the contract promises it.
  std::string_view binding;
  bool property;  ///< found by `check`, beside the sweep over inputs
};

const std::vector<Rule>& rules();

/// Null for an unknown id.
const Rule* find_rule(std::string_view id);

}  // namespace ulpaudit
