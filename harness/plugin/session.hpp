// The host's side of one plug-in: describe it and run batches, in a worker process or (for a
// debugger) in this one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "plugin/description.hpp"
#include "plugin/device_arrays.hpp"
#include "plugin/stage.hpp"
#include "plugin/timing.hpp"

namespace ulpaudit {

struct SessionOptions {
  bool isolate = true;                        ///< false: load the plug-in into this process
  std::chrono::milliseconds deadline{20000};  ///< for each batch; loading may take 4 times as long
  std::uint64_t memory_limit_mib = 8192;      ///< data the plug-in may take beyond its start
  std::string worker;  ///< path of ulpaudit-worker; empty: beside this program
};

/// The program that runs plug-ins under these options.
std::string worker_path(const SessionOptions& options);

/// The most elements that one call of run takes: 2^18, and room for a few more in front.
inline constexpr std::uint64_t kBatchCapacity = (std::uint64_t{1} << 18) + 512;

/// Not thread-safe: one session per thread.
class Session {
 public:
  virtual ~Session() = default;
  const PluginInfo& info() const { return info_; }
  // Buffers of kBatchCapacity elements of 8 bytes, shared with the worker.
  void* z() const { return z_; }
  void* y() const { return y_; }
  void* out() const { return out_; }
  /// Runs kernel `index` on the first n elements of the buffers. A worker that died is started
  /// again by the next call. A call that comes back is of kind ok even if it broke rules, which are
  /// its facts: where Outcome::unwritten is not 0 (batch.not_written), not all of `out` is results.
  virtual Outcome run(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments) = 0;
  /// As run, on guarded copies of the buffers, as the stage says.
  virtual Outcome run_staged(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                             const Stage& stage) = 0;
  /// As run, on arrays in a device's memory that the kernel (device_arrays) opens.
  virtual Outcome run_on_device(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                                const DeviceArrays& arrays) = 0;
  /// Times calls on arrays made from the first n elements of the buffers.
  virtual Outcome run_timed(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                            const Timing& timing) = 0;
  /// Ends the worker, so that the next call is the first one of a fresh process.
  virtual void restart() = 0;
  /// For each batch from now on; loading a plug-in keeps that of the options.
  void set_deadline(std::chrono::milliseconds d) { deadline_ = d; }
  std::chrono::milliseconds deadline() const { return deadline_; }
  /// Another limit ends the worker: it holds from the next call on. Not without a worker.
  virtual void set_memory_limit(std::uint64_t mib) { (void)mib; }
  virtual std::uint64_t memory_limit() const { return 0; }  ///< MiB; 0: none

 protected:
  PluginInfo info_;
  void* z_ = nullptr;
  void* y_ = nullptr;
  void* out_ = nullptr;

 private:
  std::chrono::milliseconds deadline_{20000};
};

/// Throws LoadError where the plug-in cannot be loaded or its worker dies or hangs while loading.
std::unique_ptr<Session> open_session(const std::string& path, const SessionOptions& options);

/// Plug-in files beside this program (plugins/ and ../lib/ulpaudit/plugins) and in the folders of
/// ULPAUDIT_PLUGIN_PATH, sorted by name.
std::vector<std::string> discover_plugins();
/// The folder that holds this program.
std::string program_folder();

}  // namespace ulpaudit
