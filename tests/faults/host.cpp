// The right kernels of the fault corpus: in double where that decides the rounding, else in x87's
// 64 bits as an exact part and a rest that are rounded once.
// SPDX-License-Identifier: Apache-2.0
#include "host.hpp"

#include <cmath>
#include <cstring>
#include <ulpaudit/half.hpp>

namespace corpus {
namespace {

struct Format {
  int width, p;
};

constexpr Format format(std::uint32_t dtype) {
  switch (dtype) {
    case ULPAUDIT_F16:
      return {16, 11};
    case ULPAUDIT_BF16:
      return {16, 8};
    case ULPAUDIT_F32:
      return {32, 24};
    default:
      return {64, 53};
  }
}

constexpr Bits sign_bit(Format f) { return Bits{1} << (f.width - 1); }
constexpr Bits infinity(Format f) { return sign_bit(f) - (Bits{1} << (f.p - 1)); }
constexpr Bits magnitude(Format f, Bits bits) { return bits & (sign_bit(f) - 1); }

using Wide = long double;

/// The result as main + rest, not yet added.
struct Sum {
  Wide main, rest;
};

/// e^-a without underflow: what is cut off lies below half the smallest subnormal.
Wide decay(Wide a) { return std::exp(a < 11000 ? -a : Wide(-11000)); }

/// z/4 - z^3/48 + …; where the second term is lost, it still breaks ties: the result is below z/4.
Wide half_tanh_of_half(Wide z) {
  if (std::fabs(z) < 0x1p-31L) return std::nextafter(z / 4, Wide(0));
  const Wide m = std::expm1(-z);
  return -m / (2 * (2 + m));
}

/// For every z and y but NaN, in forms in which nothing cancels.
Sum evaluate(Op op, Wide z, Wide y) {
  const Wide a = std::fabs(z);
  const bool core = a < 1;
  const Wide e = decay(a), s = e / (1 + e);
  const Wide t = core ? half_tanh_of_half(z) : Wide(0);
  switch (op) {
    case Op::sigmoid:
      if (std::isinf(z)) return {Wide(z > 0 ? 1 : 0), 0};
      if (core) return {0.5L, t};
      return z > 0 ? Sum{1, -s} : Sum{s, 0};
    case Op::sigmoid_grad:
      if (std::isinf(z)) return {0, 0};
      return core ? Sum{0.25L, -t * t} : Sum{s / (1 + e), 0};
    case Op::bce: {
      const Wide c = z < 0 ? y : 1 - y;
      if (std::isinf(z)) return {c == 0 ? Wide(0) : a, 0};
      return {a * c, std::log1p(e)};
    }
    default:
      if (std::isinf(z)) return {z > 0 ? 1 - y : -y, 0};
      if (core) return {0.5L - y, t};
      return z > 0 ? Sum{1 - y, -s} : Sum{-y, s};
  }
}

bool even(Wide x) {
  std::uint64_t significand;
  std::memcpy(&significand, &x, sizeof significand);
  return (significand & 1) == 0;
}
bool even(double x) { return (ulpaudit::detail::bit_copy<std::uint64_t>(x) & 1) == 0; }

/// Rounded to odd: no later rounding to fewer digits sees it as a tie that it was not.
Wide sum_to_odd(Sum v) {
  const Wide s = v.main + v.rest;
  if (std::isinf(s)) return s;
  const Wide b = s - v.main;
  const Wide error = (v.main - (s - b)) + (v.rest - b);
  if (error == 0 || !even(s)) return s;
  return std::nextafter(s, error > 0 ? Wide(INFINITY) : Wide(-INFINITY));
}

double double_to_odd(Wide x) {
  // Far below every 16- and 32-bit format, and no underflow on the way.
  if (x != 0 && std::fabs(x) < 0x1p-1000L) return x > 0 ? 0x1p-1000 : -0x1p-1000;
  const auto d = static_cast<double>(x);
  const Wide error = x - static_cast<Wide>(d);
  if (std::isinf(d) || error == 0 || !even(d)) return d;
  return std::nextafter(d, error > 0 ? double(INFINITY) : double(-INFINITY));
}

}  // namespace

int bytes(std::uint32_t dtype) { return format(dtype).width / 8; }

Bits load(std::uint32_t dtype, const void* buffer, std::uint64_t i) {
  Bits bits = 0;
  const auto size = static_cast<std::size_t>(bytes(dtype));
  std::memcpy(&bits, static_cast<const char*>(buffer) + i * size, size);
  return bits;
}

void store(std::uint32_t dtype, void* buffer, std::uint64_t i, Bits value) {
  const auto size = static_cast<std::size_t>(bytes(dtype));
  std::memcpy(static_cast<char*>(buffer) + i * size, &value, size);
}

double number(std::uint32_t dtype, Bits bits) {
  if (is_nan(dtype, bits)) return double(NAN);
  const Format f = format(dtype);
  return ulpaudit::detail::bit_copy<double>(ulpaudit::detail::widen_to_double(bits, f.width, f.p));
}

Bits rounded(std::uint32_t dtype, double value) {
  const Format f = format(dtype);
  return ulpaudit::detail::narrow_double(ulpaudit::detail::bit_copy<std::uint64_t>(value), f.width,
                                         f.p);
}

bool is_nan(std::uint32_t dtype, Bits bits) {
  return magnitude(format(dtype), bits) > infinity(format(dtype));
}
bool is_infinite(std::uint32_t dtype, Bits bits) {
  return magnitude(format(dtype), bits) == infinity(format(dtype));
}
bool is_finite(std::uint32_t dtype, Bits bits) {
  return magnitude(format(dtype), bits) < infinity(format(dtype));
}
bool is_subnormal(std::uint32_t dtype, Bits bits) {
  const Format f = format(dtype);
  return magnitude(f, bits) != 0 && magnitude(f, bits) < Bits{1} << (f.p - 1);
}
Bits quiet_nan(std::uint32_t dtype) {
  return infinity(format(dtype)) | Bits{1} << (format(dtype).p - 2);
}
Bits infinity(std::uint32_t dtype) { return infinity(format(dtype)); }

Bits nudged(std::uint32_t dtype, Bits bits) {
  const Format f = format(dtype);
  const Bits m = magnitude(f, bits);
  return m > Bits{1} << (f.p - 1) && m < infinity(f) ? bits - 1 : bits;
}

double approximate(Op op, double z, double y) {
  const double a = std::fabs(z);
  const double e = std::exp(a < 700 ? -a : -700.0), s = e / (1 + e);
  switch (op) {
    case Op::sigmoid:
      return z >= 0 ? 1 / (1 + e) : s;
    case Op::sigmoid_grad:
      return s / (1 + e);
    case Op::bce:
      return a * (z < 0 ? y : 1 - y) + std::log1p(e);
    default:
      return z > 0 ? (1 - y) - s : s - y;
  }
}

Bits right(Op op, std::uint32_t dtype, Bits z, Bits y) {
  const bool two = op == Op::bce || op == Op::bce_grad;
  const Bits quiet = Bits{1} << (format(dtype).p - 2);
  if (is_nan(dtype, z)) return z | quiet;
  if (two && is_nan(dtype, y)) return y | quiet;
  const double x = number(dtype, z), label = two ? number(dtype, y) : 0;
  if (dtype == ULPAUDIT_F64)
    return rounded(dtype, static_cast<double>(sum_to_odd(evaluate(op, x, label))));
  if (!is_infinite(dtype, z)) {
    const double v = approximate(op, x, label);
    // The gradient's terms are at most 1 in size, so that its error stays below 2^-52.
    if (op != Op::bce_grad || std::fabs(v) > 0x1p-5) {
      const Bits low = rounded(dtype, v * (1 - 0x1p-46)), high = rounded(dtype, v * (1 + 0x1p-46));
      if (low == high) return low;
    }
  }
  return rounded(dtype, double_to_odd(sum_to_odd(evaluate(op, x, label))));
}

}  // namespace corpus
