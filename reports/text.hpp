// Figures and foreign strings as text that reads well and misleads nobody; for all renderers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ulpaudit {

/// Stands where there is no figure.
inline constexpr std::string_view kAbsent = "–";

/// "1,998,749"
std::string thousands(std::uint64_t n);

/// "1 point", "2 points"
std::string counted(std::uint64_t n, std::string_view noun);

/// An error in ulps: "0", "0.5", "12.3", "12,346", "1.2e7", "∞". Never shows 0.5 or 1, where
/// correct and faithful rounding end, for what is not. At the cap of the record's sums: "≥4.6e18".
std::string ulps(double v);
std::string ulps(const std::optional<double>& v);

/// "99.12%"; "100%" for all, "0%" for none, and for nothing else.
std::string percent(double share);

/// Control and direction characters as "\x1b", broken UTF-8 as "\xff": safe for a terminal.
std::string printable(std::string_view text);

/// Cut behind `bytes` at a character's border, with a mark that says so.
std::string clip(std::string text, std::size_t bytes);

/// A foreign string for one line of a report: printable, at most 600 bytes.
std::string shown(const std::string& foreign);

/// Columns of a terminal that UTF-8 text takes.
std::size_t display_width(std::string_view text);

/// Lines of at most `width` columns, broken at the space that ends a separator; a longer piece
/// stays whole. 0: one line.
std::vector<std::string> wrap(std::string_view text, std::size_t width,
                              std::string_view separator = " ");

}  // namespace ulpaudit
