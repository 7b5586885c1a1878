// Plug-in `simd`: vector kernels with Google Highway. Each target of the machine is a kernel of its
// own, `sigmoid@avx2` and so on; plain `sigmoid` is the best of them.
// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "arrays-inl.h"
#include "bce-inl.h"
#include "sigmoid-inl.h"
#include "table.hpp"

namespace simd {
namespace HWY_NAMESPACE {

template <class Op>
inline constexpr Row kRow{Run<Op, F16>, Run<Op, Bf16>, Run<Op, Native<float>>,
                          Run<Op, Native<double>>};

// Of the target that this is compiled for, which says so itself. A constant, as no code of a target
// may run before it is known to be there.
constexpr Table kTable {
  HWY_TARGET, kRow<Sigmoid>, kRow<SigmoidGrad>, kRow<Bce>, kRow<BceGrad>,
#if HWY_NATIVE_FMA
      kRow<BceGradFast>
};
#else
  {
  }
};
#endif

}  // namespace HWY_NAMESPACE
}  // namespace simd

#if HWY_ONCE

#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"

#include <unistd.h>

namespace simd {

std::size_t past_the_caches() {
#ifdef _SC_LEVEL3_CACHE_SIZE
  static const long last = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
#else
  constexpr long last = 0;
#endif
  return last > 0 ? static_cast<std::size_t>(last) / 4 * 3 : std::size_t{32} << 20;
}

namespace {

#if HWY_TARGETS & HWY_SSE4
#define SIMD_SSE4 N_SSE4::kTable
#else
#define SIMD_SSE4 Table()
#endif
#if HWY_TARGETS & HWY_AVX2
#define SIMD_AVX2 N_AVX2::kTable
#else
#define SIMD_AVX2 Table()
#endif
#if HWY_TARGETS & HWY_AVX3
#define SIMD_AVX3 N_AVX3::kTable
#else
#define SIMD_AVX3 Table()
#endif
#if HWY_TARGETS & HWY_NEON
#define SIMD_NEON N_NEON::kTable
#else
#define SIMD_NEON Table()
#endif

// One target: its kernels, and why they cannot run where they cannot.
struct Target {
  std::int64_t bit;
  const char* needs;
  const char* why_not_here;
  Table table;

  // nullptr: it runs here.
  const char* why_not() const {
    if (table.target == 0) return "not in this build: another architecture or compiler";
    if (table.target != bit) return "compiled for another target than it is named after";
    return (hwy::SupportedTargets() & bit) != 0 ? nullptr : why_not_here;
  }
};

constexpr Target kSse4{HWY_SSE4, "SSE4.2", "needs SSE4.2, AES and CLMUL", SIMD_SSE4};
constexpr Target kAvx2{HWY_AVX2, "AVX2", "needs AVX2, FMA, BMI2 and F16C", SIMD_AVX2};
constexpr Target kAvx3{HWY_AVX3, "AVX-512", "needs AVX-512 (F, CD, BW, DQ, VL)", SIMD_AVX3};
constexpr Target kNeon{HWY_NEON, "NEON", "needs NEON", SIMD_NEON};

// The best target here, else whatever the compiler may assume.
const Table& best() {
  for (const Target* target : {&kAvx3, &kAvx2, &kSse4, &kNeon})
    if (target->why_not() == nullptr) return target->table;
  return HWY_STATIC_DISPATCH(kTable);
}

using ulpaudit::bf16;
using ulpaudit::f16;

ArrayKernel* pick(const Row& row, const f16*) { return row.f16; }
ArrayKernel* pick(const Row& row, const bf16*) { return row.bf16; }
ArrayKernel* pick(const Row& row, const float*) { return row.f32; }
ArrayKernel* pick(const Row& row, const double*) { return row.f64; }

auto unary(const char* name, const char* op, const char* formula, const Row& row) {
  return ulpaudit::unary_arrays(
             name, op, formula,
             [row](const auto* z, auto* out, std::size_t n) { pick(row, z)(z, nullptr, out, n); })
      .tags(ulpaudit::shim::kElementTags);
}

auto binary(const char* name, const char* op, const char* formula, const Row& row) {
  return ulpaudit::binary_arrays(name, op, formula,
                                 [row](const auto* z, const auto* y, auto* out, std::size_t n) {
                                   pick(row, z)(z, y, out, n);
                                 })
      .tags(ulpaudit::shim::kElementTags);
}

auto sigmoid(const char* name, const Table& t) {
  return unary(name, "sigmoid", "1/(1+2^k*P), 2^k*P = e^-z (SSE4: e^-|z|, 1-s for z >= 0)",
               t.sigmoid);
}
auto sigmoid_grad(const char* name, const Table& t) {
  return unary(name, "sigmoid_grad",
               "1/(2^k*P+2+2^-k/P), 2^k*P = e^|z| (SSE4: 2^-k/(P+2s+s^2/P), s = 2^-k)",
               t.sigmoid_grad);
}
auto bce(const char* name, const Table& t) {
  return binary(name, "bce_with_logits", "|z|*c+2*atanh(e/(2+e)), e = exp(-|z|), c = z<0 ? y : 1-y",
                t.bce);
}
auto bce_grad(const char* name, const Table& t) {
  return binary(name, "bce_with_logits_grad",
                "|z|<1: (P-s)/(P+s)/2+(1/2-y), else (1-y)-s/(P+s) or s/(P+s)-y, in two parts",
                t.bce_grad);
}

auto bce_grad_fast(const char* name, const Table& t) {
  return binary(name, "bce_with_logits_grad",
                "(1-y-y*e)/(1+e), e = exp(-z); y > 1/2: of -z and 1-y", t.bce_grad_fast)
      .needs("FMA", t.bce_grad_fast.f32 == nullptr ? "needs FMA" : nullptr);
}

template <class Kernel>
auto on(const Target& target, Kernel (*kernel)(const char*, const Table&), const char* name) {
  return kernel(name, target.table).needs(target.needs, target.why_not());
}

}  // namespace
}  // namespace simd

ULPAUDIT_PLUGIN("simd", "1.0", kContract, simd::sigmoid("sigmoid", simd::best()),
                simd::sigmoid_grad("sigmoid_grad", simd::best()), simd::bce("bce", simd::best()),
                simd::bce_grad("bce_grad", simd::best()),
                simd::bce_grad_fast("bce_grad_fast", simd::best()),
                simd::on(simd::kSse4, simd::sigmoid, "sigmoid@sse4"),
                simd::on(simd::kAvx2, simd::sigmoid, "sigmoid@avx2"),
                simd::on(simd::kAvx3, simd::sigmoid, "sigmoid@avx3"),
                simd::on(simd::kNeon, simd::sigmoid, "sigmoid@neon"),
                simd::on(simd::kSse4, simd::sigmoid_grad, "sigmoid_grad@sse4"),
                simd::on(simd::kAvx2, simd::sigmoid_grad, "sigmoid_grad@avx2"),
                simd::on(simd::kAvx3, simd::sigmoid_grad, "sigmoid_grad@avx3"),
                simd::on(simd::kNeon, simd::sigmoid_grad, "sigmoid_grad@neon"),
                simd::on(simd::kSse4, simd::bce, "bce@sse4"),
                simd::on(simd::kAvx2, simd::bce, "bce@avx2"),
                simd::on(simd::kAvx3, simd::bce, "bce@avx3"),
                simd::on(simd::kNeon, simd::bce, "bce@neon"),
                simd::on(simd::kSse4, simd::bce_grad, "bce_grad@sse4"),
                simd::on(simd::kAvx2, simd::bce_grad, "bce_grad@avx2"),
                simd::on(simd::kAvx3, simd::bce_grad, "bce_grad@avx3"),
                simd::on(simd::kNeon, simd::bce_grad, "bce_grad@neon"),
                simd::on(simd::kAvx2, simd::bce_grad_fast, "bce_grad_fast@avx2"),
                simd::on(simd::kAvx3, simd::bce_grad_fast, "bce_grad_fast@avx3"),
                simd::on(simd::kNeon, simd::bce_grad_fast, "bce_grad_fast@neon"))

#endif  // HWY_ONCE
