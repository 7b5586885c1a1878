// What a plug-in must leave as it was: the floating-point environment, signal handlers, threads,
// the output streams.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plugin/description.hpp"
#include "plugin/stage.hpp"

namespace ulpaudit {

/// Exception flags as a mask of our own, the same on every machine.
inline constexpr unsigned kInvalid = 1, kDivideByZero = 2, kOverflow = 4, kUnderflow = 8,
                          kInexact = 16;

class Environment {
 public:
  /// The floating-point state of the calling thread now, and where asked for that of the process.
  static Environment now(bool process);

  /// What differs from `before`, but for the exception flags. Threads that end within a moment are
  /// not counted.
  std::vector<Fact> changed_since(const Environment& before) const;
  unsigned flags() const { return flags_; }

  /// Floating-point state (not the rest) of this thread as it was.
  void restore() const;

 private:
  int rounding_ = 0;
  std::uint64_t control_ = 0;  ///< MXCSR without flags; FPCR
  std::uint16_t x87_control_ = 0, x87_tags_ = 0xffff;
  unsigned flags_ = 0;
  std::array<std::uintptr_t, 65> handlers_{};
  std::size_t threads_ = 0;
  std::int64_t printed_ = 0;
};

/// "to nearest", …: a rounding mode as fegetround gives it.
const char* rounding_name(int mode);

/// The floating-point state that the stage asks for, from the next instruction on.
void enter(const Stage& stage);

/// Clears the exception flags, or raises them all.
void set_flags(bool up);

}  // namespace ulpaudit
