// Loads a plug-in into this process and checks that it keeps the boundary's rules. The worker uses
// it, and --isolate off.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "plugin/description.hpp"
#include "plugin/device_arrays.hpp"
#include "plugin/foreign_text.hpp"
#include "plugin/plugin.h"
#include "plugin/timing.hpp"

namespace ulpaudit {

/// What plain calls find on the stack below them: a Stage's default.
inline constexpr std::uint8_t kStackFill = 0;

/// The file cannot be used as a plug-in; the text names the file and the reason.
class LoadError : public std::runtime_error {
 public:
  explicit LoadError(const std::string& text) : std::runtime_error(harmless(text)) {}
};

class LoadedPlugin {
 public:
  explicit LoadedPlugin(const std::string& path);
  ~LoadedPlugin();
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;

  const PluginInfo& info() const { return info_; }
  /// What loading it changed.
  void set_facts(std::vector<Fact> facts) { info_.facts = std::move(facts); }
  /// Runs kernel number `index`; buffers hold n elements of the dtype, y is null for unary ops.
  /// `stack`: what each byte of the stack is below the call, where given.
  Outcome run(std::size_t index, Dtype d, std::uint64_t n, const void* z, const void* y, void* out,
              std::optional<std::uint8_t> stack = std::nullopt) const;
  /// Of a kernel with `device_arrays`, on the first n elements of these.
  Outcome run_on_device(std::size_t index, Dtype d, std::uint64_t n, const DeviceArrays& arrays,
                        bool two_arguments) const;
  /// Of a kernel on a device: calls of `timing.elements` elements, made from the n at z and y, as
  /// its device's clock has them.
  Outcome time(std::size_t index, Dtype d, std::uint64_t n, const void* z, const void* y,
               const Timing& timing) const;

 private:
  void* handle_ = nullptr;
  const ulpaudit_plugin* plugin_ = nullptr;
  PluginInfo info_;
};

}  // namespace ulpaudit
