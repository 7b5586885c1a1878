// The CUDA kernels. Compiled twice: as it stands, and with -use_fast_math for Form::fast_math
// (CUDA_FAST_MATH), which is the naive forms alone.
// SPDX-License-Identifier: Apache-2.0
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "launch.hpp"
#include "ops.hpp"
#include "vector.hpp"

namespace cuda_ops {
namespace {

constexpr int kThreads = 256;

#if !defined(CUDA_FAST_MATH)
// The intrinsics: a few ulps and flushed subnormals for a fraction of the instructions.
struct Fast {
  static __device__ float exp(float x) { return __expf(x); }
  static __device__ float log1p(float x) { return __logf(1.0f + x); }
  static __device__ float tanh(float x) {
    const float e = __expf(-2.0f * fabsf(x));
    return copysignf(__fdividef(1.0f - e, 1.0f + e), x);
  }
};

// One instruction each, as near as vector.hpp asks (PTX); the double's reciprocal takes and gives
// the upper half of the bits.
struct Vector : Precise {
  static __device__ float exp2(float x) {
    asm("ex2.approx.ftz.f32 %0, %0;" : "+f"(x));
    return x;
  }
  static __device__ float reciprocal(float x) {
    asm("rcp.approx.ftz.f32 %0, %0;" : "+f"(x));
    return x;
  }
  static __device__ double reciprocal(double x) {
    asm("rcp.approx.ftz.f64 %0, %0;" : "+d"(x));
    return x;
  }
};
#endif

// Computed in float, or double for double; rounded once.
__device__ float widen(__half x) { return __half2float(x); }
__device__ float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ float widen(float x) { return x; }
__device__ void narrow(float x, __half& out) { out = __float2half_rn(x); }
__device__ void narrow(float x, __nv_bfloat16& out) { out = __float2bfloat16_rn(x); }
__device__ void narrow(float x, float& out) { out = x; }
#if !defined(CUDA_FAST_MATH)  // which changes nothing in double
__device__ double widen(double x) { return x; }
__device__ void narrow(double x, double& out) { out = x; }
#endif

template <class Formula, class Math, class T>
__device__ auto wide(const T& z, const T& y) {
  return Formula::template of<Math>(widen(z), widen(y));
}

template <class Formula, class Math, class T>
__global__ void each(const T* z, const T* y, T* out, std::size_t n) {
  const std::size_t i = blockIdx.x * std::size_t{kThreads} + threadIdx.x;
  if (i < n) narrow(wide<Formula, Math>(z[i], y[i]), out[i]);
}

#if !defined(CUDA_FAST_MATH)
// Two at a time: one instruction rounds a pair.
__device__ void narrow(const float* x, __half* out) {
  *reinterpret_cast<__half2*>(out) = __floats2half2_rn(x[0], x[1]);
}
__device__ void narrow(const float* x, __nv_bfloat16* out) {
  *reinterpret_cast<__nv_bfloat162*>(out) = __floats2bfloat162_rn(x[0], x[1]);
}
template <class T>
__device__ void narrow(const T* x, T* out) {
  out[0] = x[0], out[1] = x[1];
}

// 16 bytes a thread; pointers are aligned to that, as cudaMalloc's are. The last thread does the
// tail.
template <class T>
struct alignas(16) Pack {
  T at[16 / sizeof(T)];
};
// Blocks of threads on a processor: 6 leave each thread 40 registers, as with 32 ptxas loads y when
// it has worked on z; the stable forms in double are at most 3 % below a copy with 8 and 11 % with 6.
template <class Formula, class T>
constexpr int kBlocks = sizeof(T) == 8 && !std::is_same_v<Formula, LongBce> ? 8 : 6;
template <class Formula, class Math, class T>
__global__ void __launch_bounds__(kThreads, (kBlocks<Formula, T>))
    packs(const T* z, const T* y, T* out, std::size_t n) {
  constexpr std::size_t kMany = 16 / sizeof(T);
  const std::size_t i = (blockIdx.x * std::size_t{kThreads} + threadIdx.x) * kMany;
  if (i >= n) return;
  if (i + kMany > n) {
    for (std::size_t j = i; j < n; ++j) narrow(wide<Formula, Math>(z[j], y[j]), out[j]);
    return;
  }
  const auto zs = *reinterpret_cast<const Pack<T>*>(z + i);
  const auto ys = *reinterpret_cast<const Pack<T>*>(y + i);
  Pack<T> results;
  decltype(widen(*z)) wides[kMany];
#pragma unroll
  for (std::size_t j = 0; j < kMany; ++j) wides[j] = wide<Formula, Math>(zs.at[j], ys.at[j]);
#pragma unroll
  for (std::size_t j = 0; j < kMany; j += 2) narrow(wides + j, results.at + j);
  *reinterpret_cast<Pack<T>*>(out + i) = results;
}
#endif

// A formula of one argument has z for a y it does not look at.
template <class T, class Kernel>
void start(Kernel* kernel, const Call& c, std::size_t per_thread) {
  const std::size_t threads = (c.n + per_thread - 1) / per_thread;
  kernel<<<static_cast<unsigned>((threads + kThreads - 1) / kThreads), kThreads>>>(
      static_cast<const T*>(c.z), static_cast<const T*>(c.y != nullptr ? c.y : c.z),
      static_cast<T*>(c.out), c.n);
}

template <class T, class Naive, class Stable, class Vectored>
bool by_form(const Call& c) {
#if defined(CUDA_FAST_MATH)
  if (c.form != Form::fast_math) return false;
  start<T>(each<Naive, Precise, T>, c, 1);
  return true;
#else
  switch (c.form) {
    case Form::naive:
      start<T>(each<Naive, Precise, T>, c, 1);
      return true;
    case Form::stable:
      start<T>(each<Stable, Precise, T>, c, 1);
      return true;
    case Form::vector:
      start<T>(packs<Vectored, Vector, T>, c, 16 / sizeof(T));
      return true;
    case Form::fast:
      if constexpr (sizeof(T) < sizeof(double)) {
        start<T>(each<Stable, Fast, T>, c, 1);
        return true;
      }
      return false;
    default:
      return false;
  }
#endif
}

template <class T>
bool by_op(const Call& c) {
  switch (c.op) {
    case Op::sigmoid:
      return by_form<T, NaiveSigmoid, StableSigmoid, VectorSigmoid<T>>(c);
    case Op::sigmoid_grad:
      return by_form<T, NaiveSigmoidGrad, StableSigmoidGrad, VectorSigmoidGrad<T>>(c);
    case Op::bce:
      return by_form<T, NaiveBce, StableBce, VectorBce<T>>(c);
    case Op::bce_grad:
      return by_form<T, NaiveBceGrad, StableBceGrad, VectorBceGrad<T>>(c);
  }
  return false;
}

}  // namespace

#if defined(CUDA_FAST_MATH)
bool launch_fast_math(const Call& c) {
#else
bool launch(const Call& c) {
#endif
  switch (c.dtype) {  // ULPAUDIT_F16 …
    case 1:
      return by_op<__half>(c);
    case 2:
      return by_op<__nv_bfloat16>(c);
    case 4:
      return by_op<float>(c);
    case 8:
#if !defined(CUDA_FAST_MATH)
      return by_op<double>(c);
#endif
    default:
      return false;
  }
}

}  // namespace cuda_ops
