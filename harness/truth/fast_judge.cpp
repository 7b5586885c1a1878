// The fast judge for f16, bf16 and f32, on this machine's vectors.
// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "truth/fast_judge.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>

#include "truth/fast_judge-inl.h"
#include "truth/fast_judge.hpp"
#include "truth/load_double-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ulpaudit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <Part kPart, class T>
void ZPart(const T* z, int kind, std::size_t n, double* zd, double* part) {
  const D d;
  const V far = PartOf<kPart>(Set(kLargestA));
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V v = LoadDouble(z + i, kind);
    hn::StoreU(v, d, zd + i);
    hn::StoreU(PartAt<kPart>(v, far), d, part + i);
  }
}

template <Part kPart>
void CombineAll(double y, double fault, const double* zd, const double* part, std::size_t n,
                const FastValues& out) {
  const D d;
  const V factor = Set(fault);
  const Label<kPart> label(y);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V w = hn::Mul(factor, hn::LoadU(d, part + i));
    const Value v = label.Combine(hn::LoadU(d, zd + i), w);
    hn::StoreU(v.hi, d, out.hi + i);
    hn::StoreU(v.lo, d, out.lo + i);
    hn::StoreU(v.delta, d, out.delta + i);
  }
}

/// Rows of one z each. The same values as one by one: where the short way is
/// for some lanes only, the long one has a low part of 0 to add.
template <Part kPart>
void CombineRows(const double* labels, std::size_t width, double fault, const double* zd,
                 const double* part, std::size_t n, const FastValues& out) {
  const D d;
  const V factor = Set(fault);
  for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
    const bool exact =
        std::all_of(labels + j, labels + j + hn::Lanes(d), &Label<kPart>::TakesTheShortWay);
    const Label<kPart> label(hn::LoadU(d, labels + j), exact);
    for (std::size_t i = 0; i < n; ++i) {
      const V w = hn::Mul(factor, Set(part[i]));
      const Value v = label.Combine(Set(zd[i]), w);
      const std::size_t to = i * width + j;
      hn::StoreU(v.hi, d, out.hi + to);
      hn::StoreU(v.lo, d, out.lo + to);
      hn::StoreU(v.delta, d, out.delta + to);
    }
  }
}

template <class T>
void ZPartOf(int op, const T* z, int kind, std::size_t n, double* zd, double* part) {
  switch (op) {
    case 0:
      return ZPart<Part::sigmoid>(z, kind, n, zd, part);
    case 1:
      return ZPart<Part::sigmoid_grad>(z, kind, n, zd, part);
    case 2:
      return ZPart<Part::loss>(z, kind, n, zd, part);
    default:
      return ZPart<Part::grad>(z, kind, n, zd, part);
  }
}
void ZPart16(int op, const std::uint16_t* z, int kind, std::size_t n, double* zd, double* part) {
  ZPartOf(op, z, kind, n, zd, part);
}
void ZPart32(int op, const std::uint32_t* z, std::size_t n, double* zd, double* part) {
  ZPartOf(op, z, 0, n, zd, part);
}
void CombineOf(int op, double y, double fault, const double* zd, const double* part, std::size_t n,
               const FastValues& out) {
  switch (op) {
    case 0:
      return CombineAll<Part::sigmoid>(y, fault, zd, part, n, out);
    case 1:
      return CombineAll<Part::sigmoid_grad>(y, fault, zd, part, n, out);
    case 2:
      return CombineAll<Part::loss>(y, fault, zd, part, n, out);
    default:
      return CombineAll<Part::grad>(y, fault, zd, part, n, out);
  }
}

void RowsOf(int op, const double* labels, std::size_t width, double fault, const double* zd,
            const double* part, std::size_t n, const FastValues& out) {
  return op == 2 ? CombineRows<Part::loss>(labels, width, fault, zd, part, n, out)
                 : CombineRows<Part::grad>(labels, width, fault, zd, part, n, out);
}

const char* TargetHere() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace ulpaudit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <array>
#include <cmath>

namespace ulpaudit {
namespace {

HWY_EXPORT(ZPart16);
HWY_EXPORT(ZPart32);
HWY_EXPORT(CombineOf);
HWY_EXPORT(RowsOf);
HWY_EXPORT(TargetHere);

double g_fault = 1.0;

}  // namespace

int fast_judge_formula(OpId op) {
  static const std::array<std::string_view, 4> names = {"sigmoid", "sigmoid_grad",
                                                        "bce_with_logits", "bce_with_logits_grad"};
  for (int i = 0; i < 4; ++i)
    if (names[static_cast<std::size_t>(i)] == info(op).name) return i;
  return -1;
}

void set_fast_judge_fault(double factor) { g_fault = factor; }
double fast_judge_fault() { return g_fault; }

bool fast_judge_covers(OpId op) { return fast_judge_formula(op) >= 0; }

void fast_z_part(OpId op, Dtype d, const void* z, std::size_t n, double* zd, double* part) {
  if (d == Dtype::f32) HWY_DYNAMIC_DISPATCH(ZPart32)
  (fast_judge_formula(op), static_cast<const std::uint32_t*>(z), n, zd, part);
  else HWY_DYNAMIC_DISPATCH(ZPart16)(fast_judge_formula(op), static_cast<const std::uint16_t*>(z),
                                     d == Dtype::bf16 ? 1 : 0, n, zd, part);
}

void fast_combine(OpId op, double y, const double* zd, const double* part, std::size_t n,
                  const FastValues& out) {
  HWY_DYNAMIC_DISPATCH(CombineOf)(fast_judge_formula(op), y, g_fault, zd, part, n, out);
}

void fast_combine_rows(OpId op, const std::vector<double>& labels, const double* zd,
                       const double* part, std::size_t n, const FastValues& out) {
  HWY_DYNAMIC_DISPATCH(RowsOf)
  (fast_judge_formula(op), labels.data(), labels.size(), g_fault, zd, part, n, out);
}

/// t = a·c + log1p(e^-a), so |t - a·2^k| <= a·|c - 2^k| + e^-a. A t just below a power of two has
/// half its ulp, hence 2^-23 here.
std::optional<int> far_scale(OpId op, Dtype d, Bits label, Bits first, Bits last) {
  const bool negative = is_negative(d, first);
  if (info(op).name != "bce_with_logits" || negative != is_negative(d, last)) return std::nullopt;
  const double y = decode(d, label);
  double c = negative ? y : 1 - y, off = 0;
  if (!negative && 1 - c != y) {  // 1 - y is no double
    c = 1;
    off = y;
  }
  int exponent = 0;
  if (std::frexp(c, &exponent) != 0.5) return std::nullopt;  // 0 too
  const double a = std::fabs(decode(d, first)), b = std::fabs(decode(d, last));
  const double nearest = std::min(a, b), farthest = std::max(a, b);
  const double smallest = nearest * c;
  if (!(smallest >= decode(d, format(d).min_normal())) || !std::isfinite(farthest))
    return std::nullopt;
  const double ulp = std::ldexp(1.0, std::ilogb(smallest) - format(d).p + 1);
  // exp and these products are right to 2^-50.
  if (!(farthest * off + 1.01 * std::exp(-nearest) < 0.99 * 0x1p-23 * ulp)) return std::nullopt;
  return exponent - 1;
}

const char* fast_judge_target() { return HWY_DYNAMIC_DISPATCH(TargetHere)(); }

bool decide(Dtype d, double hi, double lo, double delta, Truth& t) {
  if (!(delta >= 0) || hi == 0) return false;
  const Format& f = format(d);
  const double s = std::fabs(hi), l = hi < 0 ? -lo : lo;
  // |t| just below a power of two belongs to the binade below.
  const int k = exponent_of(l < 0 ? std::nextafter(s, 0.0) : s);
  t.q = ulp_exponent(d, k);
  const double ulp = exp2i(t.q);
  // Precise enough for the error, and not across a number or a midpoint.
  if (delta > ulp * 0x1p-21) return false;
  const double units = s / ulp;  // exact
  double m = std::nearbyint(units);
  double off = units - m;  // exact, |off| <= 1/2
  const double low = l / ulp, bound = delta / ulp;
  if (std::fabs(off) == 0.5 && (low > 0) == (off > 0) && low != 0) {
    m += 2 * off;
    off = -off;
  }
  const double v = off + low;
  const double toward = off != 0 ? off : low;  // the side on which t lies of the number m
  const double to_midpoint = (0.5 - std::fabs(off)) - (toward > 0 ? low : -low);
  if (std::fabs(v) <= bound || std::fabs(to_midpoint) <= bound) return false;
  t.kind = TruthKind::finite;
  t.negative = hi < 0;
  t.side = v > 0 ? 1 : -1;
  const Bits mag =
      static_cast<Bits>(m) + (static_cast<Bits>(t.q - f.min_ulp_exponent()) << (f.p - 1));
  t.rounded = mag | (t.negative ? f.sign_bit() : 0);
  t.ulps = {units, low};
  return true;
}

}  // namespace ulpaudit
#endif  // HWY_ONCE
