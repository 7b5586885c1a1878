// SPDX-License-Identifier: Apache-2.0
// For plug-ins with CUDA kernels: arrays of another process in the device's memory, by the handles
// of ulpaudit_device_batch. Header-only; needs CUDA's run-time library.
//
//   template <class T>
//   void run_on_device(const ulpaudit_device_batch& b) const {   // of a kernel's function object
//     static ulpaudit::cuda::SharedArray z, out;
//     my_kernel<<<…>>>(static_cast<const T*>(z.of(b.z)), static_cast<T*>(out.of(b.out)), b.n);
//     ulpaudit::cuda::check(cudaDeviceSynchronize(), "running the kernel");
//   }
//   … ulpaudit::unary_arrays<float>(…).takes_device_arrays()
#pragma once

#include <cuda_runtime_api.h>

#include <cstring>
#include <stdexcept>
#include <string>

namespace ulpaudit::cuda {

/// Throws std::runtime_error with what was being done and CUDA's own words.
inline void check(cudaError_t error, const char* doing) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string(doing) + ": " + cudaGetErrorString(error));
}

/// Open until another array is asked for. Not thread-safe.
class SharedArray {
 public:
  /// Of the 64 bytes of a cudaIpcMemHandle_t.
  void* of(const unsigned char* handle) {
    if (at_ != nullptr && std::memcmp(&handle_, handle, sizeof handle_) == 0) return at_;
    if (at_ != nullptr) check(cudaIpcCloseMemHandle(at_), "cudaIpcCloseMemHandle");
    at_ = nullptr;
    std::memcpy(&handle_, handle, sizeof handle_);
    check(cudaIpcOpenMemHandle(&at_, handle_, cudaIpcMemLazyEnablePeerAccess),
          "cudaIpcOpenMemHandle");
    return at_;
  }

 private:
  cudaIpcMemHandle_t handle_ = {};
  void* at_ = nullptr;
};

}  // namespace ulpaudit::cuda
