// What a plug-in says about itself, as plain data, and how a call to it can end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fp/format.hpp"

namespace ulpaudit {

struct KernelInfo {
  std::string name, op, formula, requirement, unavailable;
  std::vector<Dtype> dtypes;
  bool deterministic = false, in_place = false, elementwise = false;
};

struct PluginInfo {
  std::string path, name, version, build, contract;
  std::vector<KernelInfo> kernels;
};

/// How one batch ended.
struct Outcome {
  enum class Kind : std::uint8_t {
    ok,
    failed,    ///< the kernel returned a status other than OK
    crashed,   ///< the worker was ended by a signal
    exited,    ///< the worker ended by itself
    hung,      ///< the deadline passed
    protocol,  ///< the worker's reply was not one
    load       ///< the plug-in could not be loaded again
  };
  Kind kind = Kind::ok;
  std::string message;
  std::uint64_t nanoseconds = 0;  ///< time inside the kernel
};

}  // namespace ulpaudit
