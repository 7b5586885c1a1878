// The vector functions of glibc (libmvec), by the names of the x86 vector ABI: glibc declares them
// to the compiler only, which calls them under -ffast-math.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vectors.hpp"

#if defined(__AVX512F__)
#define MVEC_F(name) _ZGVeN16v_##name##f
#define MVEC_D(name) _ZGVeN8v_##name
#elif defined(__AVX2__)
#define MVEC_F(name) _ZGVdN8v_##name##f
#define MVEC_D(name) _ZGVdN4v_##name
#endif
#define MVEC_DECLARE(name)                      \
  extern "C" peers::Vf MVEC_F(name)(peers::Vf); \
  extern "C" peers::Vd MVEC_D(name)(peers::Vd);
MVEC_DECLARE(exp)
MVEC_DECLARE(log1p)
MVEC_DECLARE(tanh)

namespace peers {
namespace {

struct Math {
  static Vf exp(Vf v) { return MVEC_F(exp)(v); }
  static Vd exp(Vd v) { return MVEC_D(exp)(v); }
  static Vf log1p(Vf v) { return MVEC_F(log1p)(v); }
  static Vd log1p(Vd v) { return MVEC_D(log1p)(v); }
  static Vf tanh(Vf v) { return MVEC_F(tanh)(v); }
  static Vd tanh(Vd v) { return MVEC_D(tanh)(v); }
};

}  // namespace
}  // namespace peers
