// Renderers of what the gate decided, by name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/gate_report.hpp"
#include "reports/renderer.hpp"

namespace ulpaudit {

/// "console", "md", "json", "junit" or "github" (annotations of a workflow run).
const std::vector<std::string>& gate_formats();

/// The format "junit", in a file of its own.
std::string gate_junit(const GateReport& gate, const RenderOptions& options);

/// Throws std::invalid_argument that names the accepted formats.
std::string render_gate(const GateReport& gate, std::string_view format,
                        const RenderOptions& options = {});

}  // namespace ulpaudit
