// Workloads and sizes.
// SPDX-License-Identifier: Apache-2.0
#include "throughput/batches.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "inputs/plan.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// In (0, 1).
double unit(std::uint64_t word) { return (static_cast<double>(word >> 12) + 0.5) * 0x1p-52; }

/// Standard normal, by Box and Muller.
double normal(std::uint64_t a, std::uint64_t b) {
  return std::sqrt(-2 * std::log(unit(a))) * std::cos(2 * M_PI * unit(b));
}

/// What the system tells of a cache; `otherwise` where it tells nothing.
std::uint64_t cache_bytes(int name, std::uint64_t otherwise) {
  const long bytes = ::sysconf(name);
  return bytes > 0 ? static_cast<std::uint64_t>(bytes) : otherwise;
}

/// The inputs whose result is subnormal, with label 0.
std::optional<RegionSpan> subnormal_results(OpId op, Dtype d) {
  for (const RegionSpan& s : region_spans(op, d, 0))
    if (s.region == Region::subnormal) return s;
  return std::nullopt;
}

}  // namespace

std::string_view name(Workload d) {
  constexpr std::string_view names[] = {"typical", "uniform", "subnormal", "bits"};
  return names[static_cast<std::size_t>(d)];
}

std::string_view name(Level l) {
  constexpr std::string_view names[] = {"L1", "L2", "DRAM", "device"};
  return names[static_cast<std::size_t>(l)];
}

std::uint64_t elements_of(Level l, Dtype d, int arrays) {
  std::uint64_t bytes = 0;
  switch (l) {
    case Level::l1:
      bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10) / 2;
      break;
    case Level::l2:
      bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10) / 2;
      break;
    case Level::dram:
      bytes = std::clamp(4 * cache_bytes(_SC_LEVEL3_CACHE_SIZE, 32 * kMiB), 128 * kMiB, 512 * kMiB);
      break;
    case Level::device:
      bytes = 1024 * kMiB;
  }
  const std::uint64_t most =
      bytes / static_cast<std::uint64_t>(arrays) / static_cast<std::uint64_t>(format(d).bytes());
  std::uint64_t n = 1;
  while (2 * n <= most) n *= 2;
  return n;
}

std::vector<TimedInput> timed_inputs(OpId op, Dtype d, Workload workload, std::uint64_t seed,
                                     std::uint64_t n) {
  const auto subnormal = subnormal_results(op, d);
  std::vector<TimedInput> out(n);
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t a = random_word(seed, 2 * i), b = random_word(seed, 2 * i + 1);
    const Bits between = encode(d, unit(b));  // of labels: 0 to 1
    switch (workload) {
      case Workload::typical:
        out[i] = {encode(d, 4 * normal(a, b)), (a & 1) != 0 ? encode(d, 1.0) : 0};
        break;
      case Workload::uniform:
        out[i] = {encode(d, 40 * unit(a) - 20), between};
        break;
      case Workload::subnormal:
        if (subnormal)
          out[i].z =
              from_ordinal(d, subnormal->first + a % (subnormal->last - subnormal->first + 1));
        break;
      case Workload::bits:
        out[i] = {a & format(d).mask(), between};
    }
  }
  return out;
}

}  // namespace ulpaudit
