// What holds of every description.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/description.hpp"

#include <fmt/format.h>

#include <map>

namespace ulpaudit {

std::string name_used_twice(const std::vector<KernelInfo>& kernels) {
  std::map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const auto [at, fresh] = first.emplace(kernels[i].name, i);
    if (!fresh)
      return fmt::format("kernels {} and {} are both named '{}'; accepted: each name once",
                         at->second, i, kernels[i].name);
  }
  return "";
}

}  // namespace ulpaudit
