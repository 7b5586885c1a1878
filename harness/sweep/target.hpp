// A kernel to be run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace ulpaudit {

/// One kernel of one opened plug-in.
struct Target {
  std::string name;  ///< plugin/kernel
  std::string plugin_path;
  std::size_t kernel = 0;
  bool device_arrays = false;  ///< of KernelInfo
};

}  // namespace ulpaudit
