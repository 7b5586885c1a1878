// SPDX-License-Identifier: Apache-2.0
// The judge of device/device_judge.hpp on the CPU, lane after lane, by the code that a device
// runs: linked in place of the real one, it shows a whole sweep "on a device" where there is none.
// Handles hold addresses of this process.
#include <algorithm>
#include <cstring>

#include "device/count_lane-inl.h"

namespace ulpaudit {
namespace {

namespace lane = HWY_NAMESPACE;

/// Memory that costs nothing until it is written to.
using Array = std::unique_ptr<std::uint32_t[]>;

DeviceHandle handle_of(const Array& array) {
  DeviceHandle h{};
  const void* at = array.get();
  std::memcpy(h.data(), &at, sizeof at);
  return h;
}

}  // namespace

struct DeviceJudge::Memory {
  Array z, y, out;
  DeviceArrays arrays;
};

bool DeviceJudge::built() { return true; }
DeviceJudge::DeviceJudge() : memory_(std::make_unique<Memory>()) {
  Memory& m = *memory_;
  for (Array* a : {&m.z, &m.y, &m.out}) a->reset(new std::uint32_t[kMostChunks * kStride]);
  m.arrays = {handle_of(m.z), handle_of(m.y), handle_of(m.out)};
}
DeviceJudge::~DeviceJudge() = default;
std::string DeviceJudge::name() const { return "emulated"; }
const DeviceArrays& DeviceJudge::arrays() const { return memory_->arrays; }

void DeviceJudge::fill(std::span<const DeviceRun> chunks, std::optional<std::uint32_t> y) {
  Memory& m = *memory_;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const std::int64_t first = chunks[c].first, last = first + chunks[c].n - 1;
    for (std::uint64_t j = 0; j < kStride; ++j) {
      // In front of the chunk stands the input before it, behind it its last one.
      const std::int64_t o = std::clamp(first + static_cast<std::int64_t>(j - kFront),
                                        std::max<std::int64_t>(first - 1, 0), last);
      const std::uint64_t at = c * kStride + j;
      m.z[at] = lane::EncodingAt(static_cast<std::uint32_t>(o));
      if (y) m.y[at] = *y;
      m.out[at] = lane::IsNan(m.z[at]) ? 0 : ~std::uint32_t{0};
    }
  }
}

DeviceBatch DeviceJudge::count(const DeviceTask& task, std::span<const DeviceStretch> stretches) {
  DeviceBatch b;
  b.histograms.assign(kRegionCount, std::vector<std::uint64_t>(kHistogramBins));
  b.counts.resize(stretches.size());
  lane::with_judge(task, [&](const auto& judge) {
    std::vector<std::uint32_t> slow_of_chunk(kMostChunks);
    for (std::uint32_t k = 0; k < stretches.size(); ++k) {
      const DeviceStretch& s = stretches[k];
      const std::uint32_t* got = memory_->out.get() + s.at;
      // As threads do: strands of lanes, merged.
      for (std::uint32_t strand = 0; strand < 3; ++strand) {
        LaneSums mine;
        for (std::uint32_t i = strand; i < s.n; i += 3) {
          const std::uint32_t before = i != 0 || s.preceded ? *(got + i - 1) : 0;
          const lane::LaneFate fate = judge.Count(s, i, got[i], before, mine, [&](Kind kind) {
            lane::AddLane(b.counts[k].kinds[static_cast<int>(kind)], i);
          });
          if (fate.bin >= 0) ++b.histograms[s.region][static_cast<std::size_t>(fate.bin)];
          if (fate.slow && slow_of_chunk[s.chunk]++ < kMostSlow) b.slow.push_back({k, i, got[i]});
        }
        lane::Merge(b.counts[k].sums, mine);
      }
      lane::FetchResults(got, b.counts[k]);
    }
    for (std::uint32_t c = 0; c < kMostChunks; ++c)
      if (slow_of_chunk[c] > kMostSlow) b.refused.push_back(c);
  });
  return b;
}

DeviceValues DeviceJudge::values(const DeviceTask& task, std::span<const std::uint32_t> z) {
  DeviceValues v;
  lane::with_judge(task, [&](const auto& judge) {
    for (std::uint32_t bits : z) {
      const lane::Value value = judge.ValueAt(lane::Decoded(bits));
      v.hi.push_back(value.hi.raw);
      v.lo.push_back(value.lo.raw);
      v.delta.push_back(value.delta.raw);
    }
  });
  return v;
}

}  // namespace ulpaudit
