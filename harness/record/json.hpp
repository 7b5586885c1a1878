// report.json: writing, reading, refusing what is not one.
#pragma once

#include <stdexcept>
#include <string>

#include "record/report.hpp"

namespace ulpaudit {

/// The file is not a report that this version reads; the text says what was wrong and where.
class BadReport : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string to_json(const Report& report);
Report from_json(const std::string& text);

/// Writes to a temporary file beside `path`, then renames: nothing is ever half-written.
/// Throws std::runtime_error with the reason of the system.
void write_file(const std::string& path, const std::string& content);
std::string read_file(const std::string& path);

}  // namespace ulpaudit
