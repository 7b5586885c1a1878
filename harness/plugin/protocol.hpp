// The worker's protocol: lines of JSON (docs/worker-protocol.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "plugin/description.hpp"
#include "plugin/device_arrays.hpp"
#include "plugin/foreign_text.hpp"
#include "plugin/stage.hpp"
#include "plugin/timing.hpp"

namespace ulpaudit::protocol {

inline constexpr int kVersion = 1;
// File descriptors of a worker: requests in, replies out, the data file.
inline constexpr int kRequestFd = 3, kReplyFd = 4, kDataFd = 5;
inline constexpr std::size_t kLongestLine = 4u << 20;

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(harmless(text)) {}
};

/// Offsets are bytes into the data file; y is absent for unary ops.
struct RunRequest {
  std::uint64_t id = 0;
  std::size_t kernel = 0;  ///< index into the description
  Dtype dtype = Dtype::f32;
  std::uint64_t n = 0, z = 0, out = 0;
  std::optional<std::uint64_t> y;
  std::optional<Stage> stage;
  std::optional<Timing> timing;  ///< not with a stage
  /// Instead of z, y and out in the data file: y says only whether the op takes labels.
  std::optional<DeviceArrays> device;
  std::uint64_t deadline_ms = 0;  ///< the worker may end itself when it passes; 0: none
};

struct Request {
  enum class Kind : std::uint8_t { describe, run, stop } kind = Kind::stop;
  RunRequest run;
};

std::string describe_request();
std::string run_request(const RunRequest& r);
std::string stop_request();
Request parse_request(const std::string& line);

std::string description_reply(const PluginInfo& info);
std::string load_error_reply(const std::string& message);
/// An outcome of kind `crashed` says that the worker ends.
std::string done_reply(std::uint64_t id, const Outcome& o);

/// Throws Error where the line is not a description, with the worker's own words if it reports one.
PluginInfo parse_description(const std::string& line);
Outcome parse_done(const std::string& line, std::uint64_t id);

}  // namespace ulpaudit::protocol
