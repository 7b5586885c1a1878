// Options that take a number.
// SPDX-License-Identifier: Apache-2.0
#include "cli/number_option.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>

namespace ulpaudit {
namespace {

/// NaN lies in no bounds.
template <class T>
bool read(const std::string& text, T lo, T hi, T& v) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  return error == std::errc{} && end == text.data() + text.size() && v >= lo && v <= hi;
}

template <class T>
CLI::Option* add(CLI::App& c, const std::string& name, T& v, T lo, T hi,
                 const std::string& description, const std::string& kind) {
  const std::string accepted = fmt::format("{} from {} to {}", kind, lo, hi);
  return c
      .add_option_function<std::string>(
          name,
          [&v, lo, hi, name, accepted](const std::string& text) {
            T read_value{};
            if (!read(text, lo, hi, read_value))
              throw CLI::ValidationError(fmt::format("{} '{}'; accepted: {}", name, text, accepted),
                                         CLI::ExitCodes::ValidationError);
            v = read_value;
          },
          description)
      ->type_name("NUMBER")
      ->default_function([&v] { return fmt::format("{}", v); });
}

}  // namespace

CLI::Option* add_whole(CLI::App& c, const std::string& name, std::uint64_t& v, std::uint64_t lo,
                       std::uint64_t hi, const std::string& description, const std::string& unit) {
  return add(c, name, v, lo, hi, description, "a whole number" + unit);
}

CLI::Option* add_whole(CLI::App& c, const std::string& name, int& v, int lo, int hi,
                       const std::string& description) {
  return add(c, name, v, lo, hi, description, "a whole number");
}

CLI::Option* add_real(CLI::App& c, const std::string& name, double& v, double lo, double hi,
                      const std::string& description, const std::string& unit) {
  return add(c, name, v, lo, hi, description, "a number" + unit);
}

CLI::Option* add_seed(CLI::App& c, std::uint64_t& v, const std::string& description) {
  return add_whole(c, "--seed", v, 0, ~std::uint64_t{0}, description)->capture_default_str();
}

}  // namespace ulpaudit
