// The vectors of the -inl files: Highway's, or those of one lane where ULPAUDIT_ONE_LANE is defined
// (CUDA code, and its test on the CPU). Included once per SIMD target, so without a guard.
// SPDX-License-Identifier: Apache-2.0
#if defined(ULPAUDIT_ONE_LANE)
#include "truth/one_lane.hpp"
#else
#include <hwy/highway.h>
#endif
