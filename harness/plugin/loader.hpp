// Loads a plug-in into this process and checks that it keeps the boundary's rules. The worker uses
// it, and --isolate off.
#pragma once

#include <stdexcept>
#include <string>

#include "plugin/description.hpp"
#include "plugin/device_arrays.hpp"
#include "plugin/plugin.h"
#include "plugin/timing.hpp"

namespace ulpaudit {

/// The file cannot be used as a plug-in; the text names the file and the reason.
class LoadError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class LoadedPlugin {
 public:
  explicit LoadedPlugin(const std::string& path);
  ~LoadedPlugin();
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;

  const PluginInfo& info() const { return info_; }
  /// Runs kernel number `index`; buffers hold n elements of the dtype, y is null for unary ops.
  /// `threw` of the outcome's message: an exception crossed the boundary.
  Outcome run(std::size_t index, Dtype d, std::uint64_t n, const void* z, const void* y,
              void* out) const;
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
