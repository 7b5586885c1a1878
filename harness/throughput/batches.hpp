// What kernels are timed on: workloads, and sizes by where the arrays lie.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "ops/op.hpp"

namespace ulpaudit {

/// typical: logits, normal with standard deviation 4, labels 0 and 1. uniform: z in [-20, 20], y in
/// [0, 1]. subnormal: results are subnormal. bits: every bit pattern of z alike, y in [0, 1].
enum class Workload : std::uint8_t { typical, uniform, subnormal, bits };
inline constexpr Workload kWorkloads[] = {Workload::typical, Workload::uniform, Workload::subnormal,
                                          Workload::bits};
std::string_view name(Workload d);

/// Where the arrays of a call lie, when it is repeated; device: in the memory of the kernel's
/// device.
enum class Level : std::uint8_t { l1, l2, dram, device };
inline constexpr Level kLevels[] = {Level::l1, Level::l2, Level::dram, Level::device};
std::string_view name(Level l);

/// Elements of a call whose `arrays` arrays fill half of the cache; of DRAM: four times the last
/// cache, from 128 to 512 MiB; of a device: 1 GiB, more than its caches hold. A power of two.
std::uint64_t elements_of(Level l, Dtype d, int arrays);

struct TimedInput {
  Bits z, y;
};
/// n inputs of the stream that the seed names; of `subnormal`, zeros where no result is subnormal.
std::vector<TimedInput> timed_inputs(OpId op, Dtype d, Workload workload, std::uint64_t seed,
                                     std::uint64_t n);

}  // namespace ulpaudit
