// The fast judge: true values of many points at once, in vectorised double arithmetic, with a
// proven error bound (docs/fast-judge.md). Points that the bound leaves open go to the final judge.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "truth/truth.hpp"

namespace ulpaudit {

/// t lies in hi + lo ± delta, |lo| <= ulp(hi)/2. Not judged here (z or y is NaN, z is infinite, or
/// 0 where t is rational there, or t = 0): delta is NaN, and hi is; in f64 delta may be negative.
struct FastValues {
  double* hi;
  double* lo;
  double* delta;
};

/// Has the fast judge a formula for this op? (f64: fast_judge_f64.hpp.)
bool fast_judge_covers(OpId op);
/// Which of fast_judge-inl.h's parts it takes; -1: none.
int fast_judge_formula(OpId op);

/// f16, bf16, f32: what depends on z alone: zd receives z as double, part the op's function of z,
/// NaN where nothing is judged; delta is NaN there as well. n values each; arrays may be written up
/// to the next multiple of 16.
void fast_z_part(OpId op, Dtype d, const void* z, std::size_t n, double* zd, double* part);

/// The values for one label (ignored by unary ops).
void fast_combine(OpId op, double y, const double* zd, const double* part, std::size_t n,
                  const FastValues& out);

/// The values of n rows of one z each with these labels, a multiple of 8, in turn.
void fast_combine_rows(OpId op, const std::vector<double>& labels, const double* zd,
                       const double* part, std::size_t n, const FastValues& out);

/// The value as a Truth relative to the dtype, where its bound decides; false where it does not.
bool decide(Dtype d, double hi, double lo, double delta, Truth& t);

/// Where t is within 2^-22 ulp of |z|·2^k, a normal number, for every z from first to last (of one
/// sign; far out with the loss): k.
std::optional<int> far_scale(OpId op, Dtype d, Bits y, Bits first, Bits last);

/// Name of the SIMD target that is used here ("AVX2", …).
const char* fast_judge_target();

/// Tests only: a factor on the fast judge's results, to see a wrong one being found.
void set_fast_judge_fault(double factor);
double fast_judge_fault();

}  // namespace ulpaudit
