// The judge on a CUDA device.
// SPDX-License-Identifier: Apache-2.0
#include "device/device_judge.hpp"

#include <cuda_runtime.h>
#include "truth/simd-inl.h"

#include <algorithm>
#include <stdexcept>

#include "device/count_lane-inl.h"

namespace ulpaudit {
namespace {

namespace lane = HWY_NAMESPACE;
using lane::LaneJudge;
using lane::Part;

constexpr int kThreads = 256;
constexpr std::uint32_t kRegions = kRegionCount;

void check(cudaError_t error, const char* doing) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("the judge on the GPU, ") + doing + ": " +
                             cudaGetErrorString(error));
}

/// Device memory of n elements; never larger than it was asked to be first.
template <class T>
class Array {
 public:
  Array() = default;
  ~Array() { cudaFree(at_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* of(std::size_t n) {
    if (n <= size_) return at_;
    cudaFree(at_);
    at_ = nullptr;
    size_ = 0;
    check(cudaMalloc(&at_, n * sizeof(T)), "allocating memory");
    size_ = n;
    return at_;
  }
  T* data() const { return at_; }

 private:
  T* at_ = nullptr;
  std::size_t size_ = 0;
};

template <class T>
T* upload(Array<T>& to, std::span<const T> from) {
  T* at = to.of(std::max<std::size_t>(1, from.size()));
  check(cudaMemcpy(at, from.data(), from.size_bytes(), cudaMemcpyHostToDevice), "copying to it");
  return at;
}

template <class T>
std::vector<T> download(const T* from, std::size_t n) {
  std::vector<T> to(n);
  check(cudaMemcpy(to.data(), from, n * sizeof(T), cudaMemcpyDeviceToHost), "counting");
  return to;
}

__global__ void fill_inputs(const DeviceRun* runs, std::uint64_t stride, std::uint64_t front,
                            std::uint32_t* z, std::uint32_t* out) {
  const DeviceRun run = runs[blockIdx.y];
  const std::uint64_t j = blockIdx.x * std::uint64_t{kThreads} + threadIdx.x;
  if (j >= stride) return;
  // Elements in front of the chunk hold the input before it, those behind it its last one.
  const std::int64_t first = run.first == 0 ? 0 : std::int64_t{run.first} - 1;
  const std::int64_t last = std::int64_t{run.first} + run.n - 1;
  const std::int64_t o = min(
      max(std::int64_t{run.first} + static_cast<std::int64_t>(j) - static_cast<std::int64_t>(front),
          first),
      last);
  z[blockIdx.y * stride + j] = lane::EncodingAt(static_cast<std::uint32_t>(o));
  // What no kernel may leave: NaN, but for a NaN.
  out[blockIdx.y * stride + j] = lane::IsNan(z[blockIdx.y * stride + j]) ? 0 : ~0u;
}

__global__ void fill_labels(std::uint32_t y, std::uint64_t n, std::uint32_t* to) {
  const std::uint64_t i = blockIdx.x * std::uint64_t{kThreads} + threadIdx.x;
  if (i < n) to[i] = y;
}

/// What the thread `distance` lanes further in the warp has counted.
__device__ LaneSums from_lane(const LaneSums& mine, int distance) {
  constexpr int kWords = sizeof(LaneSums) / 4;
  LaneSums theirs;
  const auto* from = reinterpret_cast<const unsigned*>(&mine);
  auto* to = reinterpret_cast<unsigned*>(&theirs);
#pragma unroll
  for (int i = 0; i < kWords; ++i) to[i] = __shfl_down_sync(~0u, from[i], distance);
  return theirs;
}

struct Counts {
  StretchCount* of_stretch;
  unsigned long long* histograms;  // by region
  SlowLane* slow;
  std::uint32_t* slow_lanes;  // listed
  std::uint32_t* slow_of_chunk;
};

/// A block of threads for each stretch.
template <Part kPart>
__global__ void __launch_bounds__(kThreads)
    count_stretches(LaneJudge<kPart> judge, const DeviceStretch* stretches,
                    const std::uint32_t* out, Counts counts) {
  __shared__ std::uint32_t histogram[kHistogramBins];
  __shared__ LaneKind kinds[kKinds];
  __shared__ LaneSums of_warp[kThreads / 32];
  for (int i = threadIdx.x; i < kHistogramBins; i += kThreads) histogram[i] = 0;
  if (threadIdx.x < kKinds) kinds[threadIdx.x] = {};
  __syncthreads();
  const DeviceStretch s = stretches[blockIdx.x];
  const std::uint32_t* got = out + s.at;
  LaneSums mine;
  std::uint32_t lowest_bin = 0;  // most lanes of most kernels: not through shared memory
  for (std::uint32_t i = threadIdx.x; i < s.n; i += kThreads) {
    const auto add = [&](Kind k) {
      LaneKind& kind = kinds[static_cast<int>(k)];
      atomicAdd(&kind.n, 1u);
      atomicMin(&kind.first, i);
      atomicMax(&kind.last, i);
    };
    const std::uint32_t before = i != 0 || s.preceded ? *(got + i - 1) : 0;
    const std::uint32_t result = got[i];
    const lane::LaneFate fate = judge.Count(s, i, result, before, mine, add);
    if (fate.bin == 0) ++lowest_bin;
    if (fate.bin > 0) atomicAdd(&histogram[fate.bin], 1u);
    if (fate.slow && atomicAdd(&counts.slow_of_chunk[s.chunk], 1u) < kMostSlow)
      counts.slow[atomicAdd(counts.slow_lanes, 1u)] = {blockIdx.x, i, result};
  }
  if (lowest_bin != 0) atomicAdd(&histogram[0], lowest_bin);
  for (int distance = 16; distance > 0; distance /= 2) lane::Merge(mine, from_lane(mine, distance));
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = mine;
  __syncthreads();
  if (threadIdx.x == 0) {
    StretchCount all;
    for (const LaneSums& w : of_warp) lane::Merge(all.sums, w);
    for (int k = 0; k < kKinds; ++k) all.kinds[k] = kinds[k];
    lane::FetchResults(got, all);
    counts.of_stretch[blockIdx.x] = all;
  }
  for (int i = threadIdx.x; i < kHistogramBins; i += kThreads)
    if (histogram[i] != 0)
      atomicAdd(&counts.histograms[s.region * kHistogramBins + i],
                static_cast<unsigned long long>(histogram[i]));
}

template <Part kPart>
__global__ void values_at(LaneJudge<kPart> judge, const std::uint32_t* z, std::uint32_t n,
                          double* values) {
  const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= n) return;
  const lane::Value v = judge.ValueAt(lane::Decoded(z[i]));
  values[i] = v.hi.raw;
  values[n + i] = v.lo.raw;
  values[2 * n + i] = v.delta.raw;
}

unsigned blocks_for(std::uint64_t n) {
  return static_cast<unsigned>((n + kThreads - 1) / kThreads);
}

}  // namespace

struct DeviceJudge::Memory {
  Array<std::uint32_t> z, y, out, sample, slow_numbers;
  Array<DeviceRun> runs;
  Array<DeviceStretch> stretches;
  Array<StretchCount> counts;
  Array<unsigned long long> histograms;
  Array<SlowLane> slow;
  Array<double> values;
  DeviceArrays arrays;
  std::string name;
};

bool DeviceJudge::built() { return true; }

DeviceJudge::DeviceJudge() : memory_(std::make_unique<Memory>()) {
  Memory& m = *memory_;
  const auto handle_of = [](Array<std::uint32_t>& array) {
    cudaIpcMemHandle_t ipc;
    check(cudaIpcGetMemHandle(&ipc, array.of(kMostChunks * kStride)), "sharing its memory");
    DeviceHandle handle;
    static_assert(sizeof ipc == sizeof handle);
    memcpy(handle.data(), &ipc, sizeof ipc);
    return handle;
  };
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "asking for its name");
  m.name = properties.name;
  m.arrays = {handle_of(m.z), handle_of(m.y), handle_of(m.out)};
}

DeviceJudge::~DeviceJudge() = default;

std::string DeviceJudge::name() const { return memory_->name; }

const DeviceArrays& DeviceJudge::arrays() const { return memory_->arrays; }

void DeviceJudge::fill(std::span<const DeviceRun> chunks, std::optional<std::uint32_t> y) {
  Memory& m = *memory_;
  const dim3 blocks(blocks_for(kStride), static_cast<unsigned>(chunks.size()));
  fill_inputs<<<blocks, kThreads>>>(upload(m.runs, chunks), kStride, kFront, m.z.data(),
                                    m.out.data());
  check(cudaGetLastError(), "starting to make the inputs");
  if (y) {
    const std::uint64_t n = elements(chunks.size());
    fill_labels<<<blocks_for(n), kThreads>>>(*y, n, m.y.data());
    check(cudaGetLastError(), "starting to make the labels");
  }
  check(cudaDeviceSynchronize(), "making the inputs");
}

DeviceBatch DeviceJudge::count(const DeviceTask& task, std::span<const DeviceStretch> stretches) {
  Memory& m = *memory_;
  DeviceBatch batch;
  if (stretches.empty()) return batch;
  const auto n = static_cast<unsigned>(stretches.size());
  const Counts counts = {m.counts.of(n), m.histograms.of(kRegions * kHistogramBins),
                         m.slow.of(kMostChunks * kMostSlow), m.slow_numbers.of(1 + kMostChunks),
                         m.slow_numbers.data() + 1};
  check(cudaMemset(counts.histograms, 0, kRegions * kHistogramBins * 8), "clearing counts");
  check(cudaMemset(counts.slow_lanes, 0, (1 + kMostChunks) * 4), "clearing counts");
  const DeviceStretch* at = upload(m.stretches, stretches);
  lane::with_judge(task, [&](const auto& judge) {
    count_stretches<<<n, kThreads>>>(judge, at, m.out.data(), counts);
  });
  check(cudaGetLastError(), "starting to count");
  const auto slow = download(counts.slow_lanes, 1 + kMostChunks);
  for (std::uint32_t c = 0; c < kMostChunks; ++c)
    if (slow[1 + c] > kMostSlow) batch.refused.push_back(c);
  if (!batch.refused.empty()) return batch;
  batch.counts = download(counts.of_stretch, n);
  batch.slow = download(counts.slow, slow[0]);
  const auto bins = download(counts.histograms, kRegions * kHistogramBins);
  for (auto i = bins.begin(); i != bins.end(); i += kHistogramBins)
    batch.histograms.emplace_back(i, i + kHistogramBins);
  return batch;
}

DeviceValues DeviceJudge::values(const DeviceTask& task, std::span<const std::uint32_t> z) {
  Memory& m = *memory_;
  const auto n = static_cast<std::uint32_t>(z.size());
  DeviceValues v;
  if (n == 0) return v;
  const std::uint32_t* at = upload(m.sample, z);
  double* to = m.values.of(3 * std::size_t{n});
  lane::with_judge(
      task, [&](const auto& judge) { values_at<<<blocks_for(n), kThreads>>>(judge, at, n, to); });
  check(cudaGetLastError(), "starting to take values");
  const std::vector<double> all = download(to, 3 * std::size_t{n});
  const auto part = [&](std::size_t k) {
    return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(k * n),
                               all.begin() + static_cast<std::ptrdiff_t>((k + 1) * n));
  };
  v.hi = part(0);
  v.lo = part(1);
  v.delta = part(2);
  return v;
}

}  // namespace ulpaudit
