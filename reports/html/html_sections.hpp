// The sections of report.html, in their order. Each gives HTML, empty where there is nothing to
// show.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "record/report.hpp"

namespace ulpaudit::html {

/// Headline numbers and verdicts.
std::string headline(const Report& report);
std::string findings(const Report& report);
/// Implementation × op × dtype, coloured by the largest error.
std::string matrix(const Report& report);
/// Curve, histogram, regions and special values of each total.
std::string details(const Report& report);
/// The section about training, empty where nothing was trained.
std::string training(const Report& report);
std::string textbook(const Report& report);
/// Evidence, and who judged.
std::string evidence(const Report& report);
/// Command line, context, implementations.
std::string reproduce(const Report& report);

/// The section about what changed since an earlier report.
std::string changes(const Report& report, const Report& before);
/// The earlier result of the same implementation, op and dtype; null where there is none, or it is
/// the same.
const Result* before_of(const Report& before, const Result& total);

/// What the page's script draws, as JSON that is safe inside <script>. `before` may be null.
std::string data(const Report& report, const Report* before);

/// The place of a total in the report, as an anchor: "r12".
std::string anchor(const Report& report, const Result& total);

}  // namespace ulpaudit::html
