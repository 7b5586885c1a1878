// Options that take a number: whole text, inside its bounds, never NaN; the refusal says what is
// accepted.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ulpaudit {

/// "a whole number from 1 to 1024"; `unit` follows "whole number": " of MiB".
CLI::Option* add_whole(CLI::App& c, const std::string& name, std::uint64_t& v, std::uint64_t lo,
                       std::uint64_t hi, const std::string& description,
                       const std::string& unit = "");
CLI::Option* add_whole(CLI::App& c, const std::string& name, int& v, int lo, int hi,
                       const std::string& description);
/// `unit`: " of seconds", or nothing.
CLI::Option* add_real(CLI::App& c, const std::string& name, double& v, double lo, double hi,
                      const std::string& description, const std::string& unit = "");

/// Any 64 bits.
CLI::Option* add_seed(CLI::App& c, std::uint64_t& v, const std::string& description);

}  // namespace ulpaudit
