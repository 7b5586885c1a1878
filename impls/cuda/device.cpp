// Copies a batch to the device and back, and asks what there is.
// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <cuda_runtime_api.h>
#include <sys/resource.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <ulpaudit/cuda.hpp>

namespace cuda_ops {
namespace {

using ulpaudit::cuda::check;

/// Device memory that grows and stays: a batch follows the other.
class Memory {
 public:
  void* of(std::size_t bytes) {
    if (bytes > size_) {
      check(cudaFree(at_), "cudaFree");
      at_ = nullptr;
      size_ = 0;
      check(cudaMalloc(&at_, bytes), "cudaMalloc");
      size_ = bytes;
    }
    return at_;
  }

 private:
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

/// One for all threads: `check` calls from several.
struct Memories {
  std::mutex in_use;
  Memory z, y, out;
  ulpaudit::cuda::SharedArray shared_z, shared_y, shared_out;
};
Memories& memory() {
  static Memories m;
  return m;
}
struct Alone {
  std::lock_guard<std::mutex> lock{memory().in_use};
};

void start(const Call& c) {
  if (!(c.form == Form::fast_math ? launch_fast_math(c) : launch(c)))
    throw std::runtime_error("no such CUDA kernel in this dtype");
  check(cudaGetLastError(), "starting the kernel");
}

/// `bytes` on the device, made of the `period` bytes at `from` over and over.
const void* tiled(Memory& memory, const void* from, std::size_t bytes, std::size_t period) {
  auto* to = static_cast<char*>(memory.of(bytes));
  std::size_t done = std::min(bytes, period);
  check(cudaMemcpy(to, from, done, cudaMemcpyHostToDevice), "copying the inputs");
  while (done < bytes) {  // doubled: whole periods lie there
    const std::size_t more = std::min(done, bytes - done);
    check(cudaMemcpy(to + done, to, more, cudaMemcpyDeviceToDevice), "repeating the inputs");
    done += more;
  }
  return to;
}

/// A point in the device's work.
class Event {
 public:
  Event() { check(cudaEventCreate(&at_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(at_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record() const { check(cudaEventRecord(at_), "cudaEventRecord"); }
  double nanoseconds_since(const Event& earlier) const {
    float milliseconds = 0;
    check(cudaEventSynchronize(at_), "running the kernel");
    check(cudaEventElapsedTime(&milliseconds, earlier.at_, at_), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e6;
  }

 private:
  cudaEvent_t at_ = nullptr;
};

}  // namespace

const char* why_no_device() {
  static const std::string why = [] {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaSuccess && count > 0) return std::string();
    if (error == cudaSuccess) return std::string("no CUDA device");
    std::string text = std::string("no CUDA device: ") + cudaGetErrorString(error);
    // CUDA reserves as much address space as host and device have memory.
    struct rlimit limit = {};
    if (error == cudaErrorMemoryAllocation && ::getrlimit(RLIMIT_AS, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY)
      text += " (try --memory-limit 0)";
    return text;
  }();
  return why.empty() ? nullptr : why.c_str();
}

void run_on_device(Op op, Form form, std::uint32_t dtype, std::size_t size, const void* z,
                   const void* y, void* out, std::size_t n) {
  const Alone alone;
  const std::size_t bytes = n * size;
  Call c = {op, form, dtype, memory().z.of(bytes), nullptr, memory().out.of(bytes), n};
  check(cudaMemcpy(memory().z.of(bytes), z, bytes, cudaMemcpyHostToDevice), "copying z");
  if (y != nullptr) {
    c.y = memory().y.of(bytes);
    check(cudaMemcpy(memory().y.of(bytes), y, bytes, cudaMemcpyHostToDevice), "copying y");
  }
  start(c);
  check(cudaMemcpy(out, c.out, bytes, cudaMemcpyDeviceToHost), "running the kernel");
}

void run_on_arrays(Op op, Form form, const ulpaudit_device_batch& b) {
  const Alone alone;
  Memories& m = memory();
  const void* y = b.y != nullptr ? m.shared_y.of(b.y) : nullptr;
  start({op, form, b.dtype, m.shared_z.of(b.z), y, m.shared_out.of(b.out), b.n});
  check(cudaDeviceSynchronize(), "running the kernel");
}

void time_on_device(Op op, Form form, std::size_t size, ulpaudit_timing& t) {
  constexpr int kCalls = 4;  // between two readings of the clock: their cost vanishes
  const Alone alone;
  const std::size_t bytes = t.elements * size, period = t.n * size;
  Call c = {op,        form,
            t.dtype,   tiled(memory().z, t.z, bytes, period),
            nullptr,   memory().out.of(bytes),
            t.elements};
  if (t.y != nullptr) c.y = tiled(memory().y, t.y, bytes, period);
  const auto call = [&] {
    if ((t.flags & ULPAUDIT_TIME_COPY) != 0)
      check(cudaMemcpyAsync(c.out, c.z, bytes, cudaMemcpyDeviceToDevice), "copying");
    else
      start(c);
  };
  const Event before, after;
  call();
  t.calls = 0;
  t.spent = 0;
  do {
    before.record();
    for (int i = 0; i < kCalls; ++i) call();
    after.record();
    t.spent += after.nanoseconds_since(before);
    t.calls += kCalls;
  } while (t.spent < static_cast<double>(t.nanoseconds));
}

}  // namespace cuda_ops
