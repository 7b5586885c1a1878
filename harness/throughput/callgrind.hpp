// Instructions of a call, counted by valgrind's callgrind: where the machine has no counters.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "plugin/session.hpp"

namespace ulpaudit {

/// Has workers run under callgrind. They are slow, and know no AVX-512: kernels choose AVX2 there.
class Callgrind {
 public:
  /// Throws std::runtime_error where there is no valgrind, or no room for its files.
  explicit Callgrind(const SessionOptions& options);
  ~Callgrind();
  Callgrind(const Callgrind&) = delete;
  Callgrind& operator=(const Callgrind&) = delete;

  /// For the sessions whose calls are to be counted.
  const SessionOptions& options() const { return options_; }
  /// Instructions of the last timed call of such a session; nothing where it had none.
  std::optional<std::uint64_t> take_count() const;

 private:
  std::filesystem::path folder_;
  SessionOptions options_;
};

}  // namespace ulpaudit
