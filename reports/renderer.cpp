// The table of renderers and the choice among them.
// SPDX-License-Identifier: Apache-2.0
#include "reports/renderer.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace ulpaudit {

const std::vector<Renderer>& renderers() {
#define ULPAUDIT_ROW(NAME, DESCRIPTION) Renderer{#NAME, DESCRIPTION, render_##NAME},
  static const std::vector<Renderer> all = {ULPAUDIT_RENDERERS(ULPAUDIT_ROW)};
#undef ULPAUDIT_ROW
  return all;
}

std::string render(const Report& report, std::string_view format, const RenderOptions& options) {
  std::string accepted;
  for (const Renderer& r : renderers()) {
    if (r.name == format) return r.function(report, options);
    accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", r.name);
  }
  throw std::invalid_argument(fmt::format("unknown format '{}'; accepted: {}", format, accepted));
}

}  // namespace ulpaudit
