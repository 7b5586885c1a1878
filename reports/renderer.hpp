// Renderers of a Report, by name. A renderer shows what the record holds and computes nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

struct RenderOptions {
  bool color = false;
  int width = 100;                  ///< columns of the terminal; 0: no limit
  const Report* against = nullptr;  ///< an earlier report to show changes from: html alone does
};

/// Every renderer: X(NAME, DESCRIPTION) stands for render_NAME in a file of its own.
#define ULPAUDIT_RENDERERS(X)                                                          \
  X(console, "aligned tables for a terminal: figures, findings, verdicts")             \
  X(findings, "findings alone, a block each, with the command that replays it")        \
  X(md, "Markdown for GitHub: everything but the curves, details folded, below 1 MiB") \
  X(html, "one page with curves, tables and replay commands; needs no network")        \
  X(junit, "JUnit XML: a test case per implementation, op and dtype")                  \
  X(csv, "a row per implementation, op, dtype and region, all figures at full precision")

#define ULPAUDIT_DECLARE(NAME, DESCRIPTION) \
  std::string render_##NAME(const Report& report, const RenderOptions& options);
ULPAUDIT_RENDERERS(ULPAUDIT_DECLARE)
#undef ULPAUDIT_DECLARE

struct Renderer {
  std::string_view name, description;
  std::string (*function)(const Report&, const RenderOptions&);
};
const std::vector<Renderer>& renderers();

/// Throws std::invalid_argument that names the accepted formats.
std::string render(const Report& report, std::string_view format,
                   const RenderOptions& options = {});

}  // namespace ulpaudit
