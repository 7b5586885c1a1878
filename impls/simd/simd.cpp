// Plug-in `simd`: vector kernels with Google Highway. Each target of the machine is a kernel of its
// own, `sigmoid@avx2` and so on; plain `sigmoid` is the best of them.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "sigmoid-inl.h"

#if HWY_ONCE

#include <ulpaudit/plugin.hpp>

#include "contract_text.hpp"

namespace simd {
namespace {

using Function = void (*)(const float*, float*, std::size_t);

// One target: where it cannot run here, `why_not` says so.
struct Target {
  std::int64_t bit;
  const char* needs;
  const char* why_not;
  Function sigmoid;  // nullptr: not in this build
};

#if HWY_TARGETS & HWY_SSE4
#define SIMD_SSE4 N_SSE4::SigmoidF32
#else
#define SIMD_SSE4 nullptr
#endif
#if HWY_TARGETS & HWY_AVX2
#define SIMD_AVX2 N_AVX2::SigmoidF32
#else
#define SIMD_AVX2 nullptr
#endif
#if HWY_TARGETS & HWY_AVX3
#define SIMD_AVX3 N_AVX3::SigmoidF32
#else
#define SIMD_AVX3 nullptr
#endif
#if HWY_TARGETS & HWY_NEON
#define SIMD_NEON N_NEON::SigmoidF32
#else
#define SIMD_NEON nullptr
#endif
constexpr Target kSse4{HWY_SSE4, "SSE4.2", "needs SSE4.2, AES and CLMUL", SIMD_SSE4};
constexpr Target kAvx2{HWY_AVX2, "AVX2", "needs AVX2, FMA, BMI2 and F16C", SIMD_AVX2};
constexpr Target kAvx3{HWY_AVX3, "AVX-512", "needs AVX-512 (F, CD, BW, DQ, VL)", SIMD_AVX3};
constexpr Target kNeon{HWY_NEON, "NEON", "needs NEON and AES", SIMD_NEON};

// nullptr: it runs here.
const char* why_not(const Target& target) {
  if (target.sigmoid == nullptr) return "not in this build: another architecture or compiler";
  return (hwy::SupportedTargets() & target.bit) != 0 ? nullptr : target.why_not;
}

// The best target here, else whatever the compiler may assume.
Function best() {
  for (const Target* target : {&kAvx3, &kAvx2, &kSse4, &kNeon})
    if (why_not(*target) == nullptr) return target->sigmoid;
  return HWY_STATIC_DISPATCH(SigmoidF32);
}

auto kernel(const char* name, Function f) {
  return ulpaudit::unary_arrays<float>(
             name, "sigmoid", "s = 2^-k/(2^-k+e^(|z|-k*ln2)), 1-s for z >= 0",
             [f](const float* z, float* out, std::size_t n) { f(z, out, n); })
      .tags(ulpaudit::shim::kElementTags);
}

auto kernel(const char* name, const Target& target) {
  return kernel(name, target.sigmoid).needs(target.needs, why_not(target));
}

}  // namespace
}  // namespace simd

ULPAUDIT_PLUGIN("simd", "1.0", kContract, simd::kernel("sigmoid", simd::best()),
                simd::kernel("sigmoid@sse4", simd::kSse4),
                simd::kernel("sigmoid@avx2", simd::kAvx2),
                simd::kernel("sigmoid@avx3", simd::kAvx3),
                simd::kernel("sigmoid@neon", simd::kNeon))

#endif  // HWY_ONCE
