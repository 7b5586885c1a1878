// report.json: writing, reading, refusing what is not one.
// SPDX-License-Identifier: Apache-2.0
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

/// Writes to a temporary file beside `path`, or beside what its links lead to, then renames:
/// nothing is ever half-written. Devices and pipes are written directly. Throws std::runtime_error
/// with the reason of the system; not where a reader went away.
void write_file(const std::string& path, const std::string& content);
/// Throws what write_file will throw, as far as that is known before the work is done.
void check_writable(const std::string& path);
std::string read_file(const std::string& path);

}  // namespace ulpaudit
