# Writes version.hpp, at build time so that the commit is the one that is built; only when it changed.
# SPDX-License-Identifier: Apache-2.0
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse --short=10 HEAD OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
// Made by cmake/Version.cmake.
#pragma once
namespace ulpaudit {
inline constexpr char kVersion[] = "@VERSION@";
inline constexpr char kCommit[] = "@commit@";
inline constexpr char kCompiler[] = "@COMPILER@";
inline constexpr char kFlags[] = "@FLAGS@";
}  // namespace ulpaudit
]] @ONLY)
