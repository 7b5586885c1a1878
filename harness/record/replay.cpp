// Replay lines.
// SPDX-License-Identifier: Apache-2.0
#include "record/replay.hpp"

#include <fmt/format.h>

#include <utility>

namespace ulpaudit {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string giving(const Implementation& i) {
  if (i.given_path.empty()) return "";
  constexpr std::string_view program = "exec:";
  if (i.given_path.compare(0, program.size(), program) == 0)
    return "--exec " + quoted(i.given_path.substr(program.size())) + " ";
  return "--plugin " + quoted(i.given_path) + " ";
}

std::string choosing(const Report& r, const std::string& implementation) {
  for (const Implementation& i : r.implementations)
    if (i.name == implementation)
      return fmt::format(
          "{}{}--impl {}", giving(i),
          i.given_contract.empty() ? "" : fmt::format("--contract {} ", quoted(i.given_contract)),
          quoted(implementation));
  return fmt::format("--impl {}", quoted(implementation));
}

Replay::Replay(const Report& r, std::string implementation, std::string dtype)
    : choosing_(choosing(r, implementation)), dtype_(std::move(dtype)) {}

std::string Replay::line(const char* command, const std::string& options) const {
  return fmt::format("{}{} {} --dtype {}{}{}", kReplayProgram, command, choosing_, dtype_,
                     options.empty() ? "" : " ", options);
}

std::string Replay::eval(const std::string& op, const Witness& w) const {
  return fmt::format("{}eval {} --op {} --dtype {} -- {}{}", kReplayProgram, choosing_, op, dtype_,
                     w.z.bits, w.y ? " " + w.y->bits : "");
}

Finding make_finding(std::string rule, std::string phase, std::string implementation,
                     std::string op, std::string dtype) {
  Finding f;
  f.rule = std::move(rule);
  f.phase = std::move(phase);
  f.implementation = std::move(implementation);
  f.op = std::move(op);
  f.dtype = std::move(dtype);
  f.region = "all";
  f.count = 1;
  return f;
}

}  // namespace ulpaudit
