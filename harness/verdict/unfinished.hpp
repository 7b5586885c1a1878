// What a run could not finish, and what it did not ask for, in sentences.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// Of one implementation; empty: everything that was asked for was done.
std::vector<std::string> unfinished_of(const Report& report, const Implementation& i);

/// "accuracy only; ./run check … checks buffers, lengths and threads"; empty: the run asked for
/// all.
std::string scope_of(const Report& report, const Implementation& i);

/// Why the report is only the part of a run that was done when it ended; empty: it is whole.
std::string ended_early(const Report& report);

}  // namespace ulpaudit
