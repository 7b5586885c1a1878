// Copies a batch to the device and back, and asks what there is.
#include "device.hpp"

#include <cuda_runtime_api.h>
#include <sys/resource.h>

#include <mutex>
#include <stdexcept>
#include <string>

namespace cuda_ops {
namespace {

void check(cudaError_t error, const char* doing) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string(doing) + ": " + cudaGetErrorString(error));
}

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
  static std::mutex alone;  // `check` calls from several threads
  static Memory z_memory, y_memory, out_memory;
  const std::lock_guard<std::mutex> lock(alone);
  const std::size_t bytes = n * size;
  Call c = {op, form, dtype, z_memory.of(bytes), nullptr, out_memory.of(bytes), n};
  check(cudaMemcpy(z_memory.of(bytes), z, bytes, cudaMemcpyHostToDevice), "copying z");
  if (y != nullptr) {
    c.y = y_memory.of(bytes);
    check(cudaMemcpy(y_memory.of(bytes), y, bytes, cudaMemcpyHostToDevice), "copying y");
  }
  if (!(form == Form::fast_math ? launch_fast_math(c) : launch(c)))
    throw std::runtime_error("no such CUDA kernel in this dtype");
  check(cudaGetLastError(), "starting the kernel");
  check(cudaMemcpy(out, c.out, bytes, cudaMemcpyDeviceToHost), "running the kernel");
}

}  // namespace cuda_ops
