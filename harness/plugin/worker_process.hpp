// The host's hold on one worker: its process, the streams of requests and replies, its log, and the
// bounds of its time and memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "plugin/description.hpp"

namespace ulpaudit {

/// A file descriptor that closes itself; numbers below 10 are left to the worker.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    reset();
    fd_ = std::exchange(o.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  void reset();
  /// Its number, which is no longer closed.
  int release() { return std::exchange(fd_, -1); }
  /// Takes over `fd` under a number of at least 10, close-on-exec. Throws LoadError where `fd` is
  /// negative or no number is left.
  static Fd raised(int fd, const char* what);

 private:
  int fd_ = -1;
};

/// Throws LoadError: a worker cannot be started, since `what` failed as errno says.
[[noreturn]] void cannot_start(const char* what);

class WorkerProcess {
 public:
  WorkerProcess() = default;
  ~WorkerProcess() { end(true); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  bool runs() const { return pid_ >= 0; }
  /// Starts the program of these words, with the data file. Throws LoadError.
  void start(const std::vector<std::string>& words, int data_fd);
  /// From now on it may use so much memory, shared memory included, beyond what it uses now; 0: no
  /// limit.
  void limit_memory(std::uint64_t mib);
  /// For the next request: memory that our own side of the worker takes for it.
  void allow(std::uint64_t bytes) { allowed_ = bytes; }
  /// Sends a request and waits for one line. An end of the worker, by itself or by the limits,
  /// becomes the outcome.
  Outcome exchange(const std::string& request, std::string& line,
                   std::chrono::milliseconds patience);
  /// Ends the worker and all that it started. Politely: by closing its stream of requests first.
  void end(bool politely);

 private:
  Outcome died();
  Outcome over_limit();
  void trim_log() const;
  std::string last_output() const;
  /// Whether the process is gone, waited for so long at most; its status then is in status_.
  bool gone_within(std::chrono::milliseconds time);

  Fd requests_, replies_, log_;
  Fd process_;        ///< a pidfd, where the system has them
  pid_t pid_ = -1;    ///< of the guard (plugin/guard.hpp)
  pid_t worker_ = 0;  ///< of the worker itself; 0: not known
  int status_ = 0;
  std::string pending_;
  std::chrono::steady_clock::time_point asked_{};  ///< when the last request was sent
  std::uint64_t limit_mib_ = 0, used_before_ = 0, allowed_ = 0;
};

}  // namespace ulpaudit
