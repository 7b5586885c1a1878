// Highway's own Exp, Log1p and Tanh (hwy/contrib/math), on the target that is compiled for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hwy/contrib/math/math-inl.h>

#include "vectors.hpp"

namespace peers {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Without AES and CLMUL, say, Highway takes an older target in silence.
#if defined(__AVX512F__)
static_assert(HWY_STATIC_TARGET == HWY_AVX3, "compiled for another target than named");
#elif defined(__AVX2__)
static_assert(HWY_STATIC_TARGET == HWY_AVX2, "compiled for another target than named");
#endif

template <class T>
using Tag = hn::FixedTag<T, kBytes / sizeof(T)>;

#define HIGHWAY_CALL(name, Name)                                                          \
  static Vf name(Vf v) { return (Vf)hn::Name(Tag<float>(), hn::Vec<Tag<float>>{v}).raw; } \
  static Vd name(Vd v) { return (Vd)hn::Name(Tag<double>(), hn::Vec<Tag<double>>{v}).raw; }
struct Math {
  HIGHWAY_CALL(exp, Exp)
  HIGHWAY_CALL(log1p, Log1p)
  HIGHWAY_CALL(tanh, Tanh)
};

}  // namespace
}  // namespace peers
