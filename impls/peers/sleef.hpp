// SLEEF's functions with 1.0 ulp, on vectors of the instruction set that is compiled for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sleef.h>

#include "vectors.hpp"

namespace peers {
namespace {

#if defined(__AVX512F__)
#define SLEEF_F(name) Sleef_##name##f16_u10avx512f
#define SLEEF_D(name) Sleef_##name##d8_u10avx512f
#elif defined(__AVX2__)
#define SLEEF_F(name) Sleef_##name##f8_u10avx2
#define SLEEF_D(name) Sleef_##name##d4_u10avx2
#elif defined(__aarch64__)
#define SLEEF_F(name) Sleef_##name##f4_u10advsimd
#define SLEEF_D(name) Sleef_##name##d2_u10advsimd
#endif

struct Math {
  static Vf exp(Vf v) { return (Vf)SLEEF_F(exp)(v); }
  static Vd exp(Vd v) { return (Vd)SLEEF_D(exp)(v); }
  static Vf log1p(Vf v) { return (Vf)SLEEF_F(log1p)(v); }
  static Vd log1p(Vd v) { return (Vd)SLEEF_D(log1p)(v); }
  static Vf tanh(Vf v) { return (Vf)SLEEF_F(tanh)(v); }
  static Vd tanh(Vd v) { return (Vd)SLEEF_D(tanh)(v); }
};

}  // namespace
}  // namespace peers
