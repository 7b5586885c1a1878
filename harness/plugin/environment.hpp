// What a plug-in must leave as it was: the floating-point environment, locale, working directory,
// umask, signal handlers, threads, processes, the output streams.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <array>

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/description.hpp"
#include "plugin/stage.hpp"

namespace ulpaudit {

/// Exception flags as a mask of our own, the same on every machine.
inline constexpr unsigned kInvalid = 1, kDivideByZero = 2, kOverflow = 4, kUnderflow = 8,
                          kInexact = 16;

/// How much is looked at, each with what stands before it.
enum class Watch : std::uint8_t {
  arithmetic,    ///< the calling thread's floating-point state: some 0.1 us
  surroundings,  ///< locale, working directory, umask: some 2 us; not while other threads call
  process        ///< signal handlers, threads, processes, output
};

class Environment {
 public:
  static Environment now(Watch watch);

  /// What differs from `before`, but for the exception flags. Threads that end within a moment are
  /// not counted.
  std::vector<Fact> changed_since(const Environment& before) const;
  unsigned flags() const { return flags_; }
  /// The same, with the exception flags that are raised now.
  Environment with_flags_now() const;

  /// As it was: the floating-point state of this thread and the surroundings, where these were
  /// watched; not the rest.
  void restore() const;
  /// Ends the processes that were begun after this. Only in a worker (watch_processes_below).
  void end_new_processes() const;

 private:
  Watch watch_ = Watch::arithmetic;
  int rounding_ = 0;
  std::uint64_t control_ = 0;  ///< MXCSR without flags; FPCR
  std::uint16_t x87_control_ = 0, x87_tags_ = 0xffff;
  unsigned flags_ = 0;
  std::array<std::uintptr_t, 65> handlers_{};
  std::string locale_, folder_;
  void* thread_locale_ = nullptr;
  mode_t umask_ = 0;
  std::size_t threads_ = 0;
  std::vector<pid_t> processes_;  ///< sorted
  std::int64_t printed_ = 0;
};

/// Orphans of this process become children of that one, its parent: where a kernel's processes are
/// looked for. Without it only this process's own children are.
void watch_processes_below(pid_t guard);

/// "to nearest", …: a rounding mode as fegetround gives it.
const char* rounding_name(int mode);

/// The floating-point state that the stage asks for, from the next instruction on.
void enter(const Stage& stage);

/// Clears the exception flags, or raises them all.
void set_flags(bool up);

}  // namespace ulpaudit
