// The vectors of the instruction set that is compiled for, as the compiler's own types.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace peers {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

typedef float Vf __attribute__((vector_size(kBytes)));
typedef double Vd __attribute__((vector_size(kBytes)));

}  // namespace
}  // namespace peers
