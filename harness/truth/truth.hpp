// What is known for certain about the true value of an op at one input.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "ops/op.hpp"

namespace ulpaudit {

enum class TruthKind : std::uint8_t { nan, infinite, zero, finite };

/// The true value t relative to the numbers of the dtype.
struct Truth {
  TruthKind kind = TruthKind::nan;
  bool negative = false;
  std::int8_t side = 0;  ///< sign of |t| - |rounded|; 0 only where t is a number of the dtype
  int q = 0;             ///< ulp(t) = 2^q (finite)
  Bits rounded = 0;      ///< encoding of t rounded to nearest, ties to even
  DoubleDouble ulps;     ///< |t| / ulp(t), within 2^-47 of itself (finite)
};

/// The precision that decides every point was reached without a decision: a fault of ours.
class Undecided : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Interval arithmetic on MPFR over a ladder of precisions, and the exact dyadic beside t where
/// precision cannot decide. The label is ignored by unary ops. A label outside [0, 1] is no part of
/// an op's domain (in_domain), but its formula has a value there, which this gives: what a kernel
/// that "extrapolates" returns.
Truth final_judge(OpId op, Dtype d, Bits z, Bits y);

/// t to `digits` significant decimal digits, certified; "inf", "nan"; below MPFR's exponents, as a
/// power of ten.
std::string true_digits(OpId op, Dtype d, Bits z, Bits y, int digits);

/// The other neighbour of t: with `rounded` the two numbers around t; `rounded` itself where exact.
Bits other_neighbour(Dtype d, const Truth& t);

}  // namespace ulpaudit
