// A trial: the inputs and the setting of one call, as text and back; what a shrunk counterexample
// is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fp/bits.hpp"
#include "plugin/stage.hpp"

namespace ulpaudit {

struct Trial {
  std::vector<Bits> z;
  std::vector<Bits> y;  ///< as many as z; empty for unary ops
  Stage stage;
  bool fresh = false;      ///< the call is the first one of a new process
  bool others = false;     ///< right after calls of the plug-in's other kernels and dtypes
  bool unguarded = false;  ///< in the buffers of sweeps: no guard pages, and nothing of the stage

  bool operator==(const Trial&) const = default;
};

/// Elements of the call: more than z holds where they are tiled.
inline std::uint64_t length(const Trial& t) {
  return t.stage.tile != 0 ? t.stage.tile : t.z.size();
}

/// "z=0x3f800000*17,0x40000000..0x4000ffff edge=start z_offset=4": inputs with run lengths, runs of
/// neighbours by their ends, and what differs from a plain call.
std::string to_text(Dtype d, const Trial& t);

/// Throws std::invalid_argument, which names what is wrong and what is accepted.
Trial parse_trial(Dtype d, const std::string& text);

/// The setting in words for a finding: "17 elements, z 4 bytes off, in place".
std::string in_words(const Trial& t);

}  // namespace ulpaudit
