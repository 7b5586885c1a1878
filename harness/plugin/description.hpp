// What a plug-in says about itself, as plain data, and how a call to it can end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fp/format.hpp"

namespace ulpaudit {

/// Something that a plug-in did and should not: a rule's id, one sentence, where it shows.
struct Fact {
  std::string rule, text;
  std::uint64_t element = 0;  ///< index into the batch
};

struct KernelInfo {
  std::string name, op, formula, requirement, unavailable;
  std::vector<Dtype> dtypes;
  bool deterministic = false, in_place = false, elementwise = false;
  bool on_device = false;      ///< it times itself, by the clock of a device
  bool device_arrays = false;  ///< it takes arrays of another process in the device's memory
};

struct PluginInfo {
  std::string path, name, version, build, contract;
  std::vector<KernelInfo> kernels;
  std::vector<Fact> facts;               ///< of loading it
  std::vector<std::string> libraries{};  ///< files that were loaded with it, and the worker's own
  /// A program (--exec). What `offers` does not name, the host does in the data file, or nobody.
  bool program = false;
  std::vector<std::string> offers;  ///< "timing", and rules whose stages the program can set up
  bool offers_rule(std::string_view rule) const {
    return std::find(offers.begin(), offers.end(), rule) != offers.end();
  }
};

/// A sentence where two kernels have one name; empty where none have.
std::string name_used_twice(const std::vector<KernelInfo>& kernels);

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
  std::vector<Fact> facts{};      ///< of every call that came back
  // Of a staged call:
  unsigned raised = 0;  ///< exception flags, as plugin/environment.hpp names them
  // Of a plain call that is ok and did not write everything (fact batch.not_written): the number of
  // elements, and what lies in `out` where they are. The results beside them are the kernel's.
  std::uint64_t unwritten = 0;
  Bits poison = 0;
  // Of a timed call:
  std::uint64_t calls = 0;         ///< that took `nanoseconds` in all
  std::uint64_t instructions = 0;  ///< of one call; 0: not counted here
};

}  // namespace ulpaudit
