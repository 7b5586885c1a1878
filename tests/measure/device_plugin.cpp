// Kernels that take a device's arrays, for the sweeps of device_sweep_test.cpp: right ones, and
// ones with faults of each kind. A handle holds an address of this process.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <stdexcept>
#include <ulpaudit/plugin.hpp>

namespace {

template <class T>
T* array(const unsigned char* handle) {
  void* at = nullptr;
  if (handle != nullptr) std::memcpy(&at, handle, sizeof at);
  return static_cast<T*>(at);
}

/// One function of z and y, over both kinds of arrays.
template <class F>
struct Kernel {
  F f;
  void operator()(const float* z, float* out, std::size_t n) const { run(z, nullptr, out, n); }
  void operator()(const float* z, const float* y, float* out, std::size_t n) const {
    run(z, y, out, n);
  }
  template <class T>
  void time(const T*, const T*, ulpaudit_timing&) const {
    throw std::runtime_error("not timed");
  }
  template <class T>
  void run_on_device(const ulpaudit_device_batch& b) const {
    run(array<const float>(b.z), array<const float>(b.y), array<float>(b.out), b.n);
  }
  void run(const float* z, const float* y, float* out, std::size_t n) const {
    for (std::size_t i = 0; i < n; ++i) out[i] = f(z[i], y != nullptr ? y[i] : 0);
  }
};

/// Right on the host, and on the device something else.
struct TwoFaced {
  bool fails, skips_nan;
  void operator()(const float* z, float* out, std::size_t n) const;
  template <class T>
  void run_on_device(const ulpaudit_device_batch& b) const;
};

float sigma(float z) {
  const float e = std::exp(-std::fabs(z));
  return (z < 0 ? e : 1.0f) / (1.0f + e);
}
std::uint32_t mixed(float z) {
  std::uint32_t b;
  std::memcpy(&b, &z, sizeof b);
  return (b ^ (b >> 15)) * 0x2c1b3c6du;
}

void TwoFaced::operator()(const float* z, float* out, std::size_t n) const {
  for (std::size_t i = 0; i < n; ++i) out[i] = sigma(z[i]);
}
template <class T>
void TwoFaced::run_on_device(const ulpaudit_device_batch& b) const {
  if (fails) throw std::runtime_error("not on a device");
  const T* z = array<const T>(b.z);
  T* out = array<T>(b.out);
  for (std::size_t i = 0; i < b.n; ++i)
    if (!skips_nan)
      out[i] = sigma(z[i] * 1.0001f);
    else if (z[i] == z[i])
      out[i] = sigma(z[i]);
}

template <class F>
auto unary(const char* name, const char* op, F f) {
  return ulpaudit::unary_arrays<float>(name, op, "", Kernel<F>{f}).takes_device_arrays();
}
template <class F>
auto binary(const char* name, const char* op, F f) {
  return ulpaudit::binary_arrays<float>(name, op, "", Kernel<F>{f}).takes_device_arrays();
}

/// Every result that a kernel can give, now and then.
float wild(float z, float right) {
  const std::uint32_t w = mixed(z);
  switch (w >> 21) {
    case 0:
      return std::nanf("");
    case 1:
      return HUGE_VALF;
    case 2:
      return -right;
    case 3:
      return 0.0f;
    case 4:
      return -0.0f;
    case 5:
      return right * 2;
    case 6:
      return right * 1e6f;
    case 7:
      return 1e30f;
    default:
      return right;
  }
}

}  // namespace

ULPAUDIT_PLUGIN(
    "device", "1", "", unary("sigmoid", "sigmoid", [](float z, float) { return sigma(z); }),
    unary("wild", "sigmoid", [](float z, float) { return wild(z, sigma(z)); }),
    unary("coarse", "sigmoid",
          [](float z, float) { return sigma(std::nearbyint(z * 4096) / 4096); }),
    unary("flushes", "sigmoid", [](float z, float) { return z < -87 ? 0.0f : sigma(z); }),
    unary("far", "sigmoid", [](float z, float) { return z < -87 ? 1e30f : sigma(z); }),
    unary("all_nan", "sigmoid", [](float, float) { return std::nanf(""); }),
    unary("minus_zero", "sigmoid", [](float z, float) { return z < -104 ? -0.0f : sigma(z); }),
    unary("grad", "sigmoid_grad",
          [](float z, float) {
            const float e = std::exp(-std::fabs(z));
            return e / ((1 + e) * (1 + e));
          }),
    binary("bce", "bce_with_logits",
           [](float z, float y) {
             return std::fabs(z) * (z < 0 ? y : 1 - y) + std::log1p(std::exp(-std::fabs(z)));
           }),
    binary("bce_grad", "bce_with_logits_grad", [](float z, float y) { return sigma(z) - y; }),
    ulpaudit::unary_arrays<float>("skips_nan", "sigmoid", "", TwoFaced{false, true})
        .takes_device_arrays(),
    ulpaudit::unary_arrays<float>("other", "sigmoid", "", TwoFaced{false, false})
        .takes_device_arrays(),
    ulpaudit::unary_arrays<float>("only_host", "sigmoid", "", TwoFaced{true, false})
        .takes_device_arrays(),
    unary("fails", "sigmoid", [](float, float) -> float { throw std::runtime_error("no"); }))
