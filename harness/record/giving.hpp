// How a command gets to know an implementation's plug-in again.
#pragma once

#include <string>

#include "record/report.hpp"

namespace ulpaudit {

/// The text as one word of a shell: in apostrophes.
std::string quoted(const std::string& text);

/// "--plugin 'FILE' ", "--exec 'COMMAND' " (a given_path "exec:COMMAND"), or nothing where the
/// plug-in is found by itself.
std::string giving(const Implementation& i);

}  // namespace ulpaudit
