// What an op is: the vocabulary shared by the op files and by everything that asks about ops.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fp/bits.hpp"

namespace ulpaudit {

/// Index into the list of ops (ops/list.hpp).
enum class OpId : std::uint8_t {};

/// Part of an op's domain with figures of its own. Borders are found per dtype and label.
enum class Region : std::uint8_t {
  special,     ///< z or y is NaN, or z is infinite
  underflow,   ///< the result rounds to 0
  subnormal,   ///< the result rounds to a subnormal
  crossing,    ///< BCE gradient: |t| < ¼ min(y, 1-y)
  left_tail,   ///< z <= -1
  tail,        ///< sigma': |z| >= 1; loss: t < ¼
  core,        ///< |z| < 1; loss: ¼ <= t <= 4
  right_tail,  ///< z >= 1
  large,       ///< loss: t > 4
  saturated,   ///< the result rounds to the limit of the op (1; for the BCE gradient -y or 1-y)
};
inline constexpr int kRegionCount = 10;
std::string_view name(Region r);
std::optional<Region> region_from_name(std::string_view text);

/// t = r + epsilon with r an exact dyadic, epsilon != 0 of sign `sign`, |epsilon| < 2^log2_bound.
template <class T>
struct Anchor {
  T r;
  int sign;
  std::int64_t log2_bound;
};

/// An exact result: NaN, an infinity, or a dyadic number.
template <class T>
struct Exact {
  enum class Kind : std::uint8_t { nan, plus_infinity, number } kind;
  T number;
};

/// The closed interval that every result lies in.
struct Range {
  double lo, hi;
};

/// A maximal run of inputs, in order, that lie in one region.
struct RegionSpan {
  std::uint64_t first, last;  ///< ordinals of z
  Region region;
};

struct OpInfo {
  std::string_view name;
  int arity;  ///< 1: z; 2: z and a label y in [0, 1]
  std::string_view formula;
  Range range;
};

int op_count();
OpId op_at(int i);
const OpInfo& info(OpId op);
inline std::string_view name(OpId op) { return info(op).name; }
std::optional<OpId> op_from_name(std::string_view text);

/// Is y inside the domain of the op? (Always so for unary ops and for a NaN label.)
bool in_domain(OpId op, Dtype d, Bits y);

/// Spans that cover every non-NaN z in order, for a fixed label (ignored by unary ops).
std::vector<RegionSpan> region_spans(OpId op, Dtype d, Bits y);
/// The regions that the op has.
const std::vector<Region>& regions_of(OpId op);

/// Sign of dt/dz at finite z: the direction in which a monotone kernel moves; 0 at and near an
/// extremum, where the sign is not certain.
int trend(OpId op, double z, double y);

/// Does t, to 50 digits, round to the same number at finite a and b? (To choose inputs by: the
/// judges decide what no number of digits does.)
bool rounds_alike(OpId op, Dtype d, Bits y, Bits a, Bits b);

/// Encodings of z around which kernels tend to break, in order, without duplicates: zeros, ±1,
/// borders of the format, region borders, where exp overflows or vanishes, zeros of the op.
std::vector<Bits> landmarks(OpId op, Dtype d, Bits y);

/// Labels that two-argument ops are swept over unless told otherwise, -0 among them; {0} for unary
/// ops.
std::vector<Bits> default_labels(OpId op, Dtype d);
/// Every label in [0, 1], -0 first.
std::vector<Bits> all_labels(OpId op, Dtype d);

}  // namespace ulpaudit
