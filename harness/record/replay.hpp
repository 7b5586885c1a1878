// Command lines that show again what a report says. They begin with "./run "; the program's real
// name is put there when the report is done.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "record/report.hpp"

namespace ulpaudit {

/// What each line begins with.
inline constexpr std::string_view kReplayProgram = "./run ";

/// The text as one word of a shell: in apostrophes.
std::string quoted(const std::string& text);

/// "--plugin 'FILE' ", "--exec 'COMMAND' " (a given_path "exec:COMMAND"), or nothing where the
/// plug-in is found by itself.
std::string giving(const Implementation& i);

/// "--impl 'plugin/kernel'", with the --plugin and --contract that it needs.
std::string choosing(const Report& r, const std::string& implementation);

/// Lines about one implementation in one dtype. `options` follow, where there are some.
class Replay {
 public:
  Replay(const Report& r, std::string implementation, std::string dtype);
  /// The input of a witness.
  std::string eval(const std::string& op, const Witness& w) const;
  std::string check(const std::string& options = "") const { return line("check", options); }
  /// One case, as to_text(Trial) writes it.
  std::string check_case(const std::string& text) const { return check("--case " + quoted(text)); }
  std::string sweep(const std::string& options = "") const { return line("sweep", options); }
  std::string bench(const std::string& options) const { return line("bench", options); }

 private:
  std::string line(const char* command, const std::string& options) const;
  std::string choosing_, dtype_;
};

/// A finding about a kernel in no region, count 1. `op` may be empty.
Finding make_finding(std::string rule, std::string phase, std::string implementation,
                     std::string op, std::string dtype);

}  // namespace ulpaudit
