// SPDX-License-Identifier: Apache-2.0
// Which inputs a kernel is run on: exhaustive runs of the ordered line, stratified samples, lists
// of edges, binades to search. All but the inputs of a search, which follow from what the kernel
// returns, are a function of the plan and their index, so any part can be made anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ops/op.hpp"

namespace ulpaudit {

/// Labels of a row: pairs of one z with so many labels lie side by side, for the judge's vectors.
inline constexpr std::size_t kLabelRow = 8;

/// The unit of work and of reproducibility.
inline constexpr std::uint64_t kChunkInputs = std::uint64_t{1} << 20;

struct InputChoice {
  bool exhaustive = false;
  bool search = false;           ///< look for the largest error in every binade
  std::uint64_t points = 20000;  ///< stratified or searched points per label, where not exhaustive
  std::uint64_t seed = 1;
  int edge_ulps = 16;          ///< numbers on each side of each landmark
  std::optional<Bits> lo, hi;  ///< --range, both ends included; NaN is left out then
  std::vector<Bits> labels;    ///< of two-argument ops; {0} for unary ones
  /// Exhaustive pairs of 16 bits may be in rows.
  bool rows = false;
  bool nan_labels = false;  ///< and a few z with labels that are NaN, of several payloads
};

/// Equal parts of an interval of ordinals with one point in each.
struct Stratum {
  std::uint64_t first, size, points, before;  ///< before: points of the strata in front
};

/// Inputs with one label, in order of z; or rows of one z with kLabelRow labels each.
struct Segment {
  /// search: the strata are binades, a chunk each; its count is the budget.
  enum class Kind : std::uint8_t { run, strata, list, search, rows } kind = Kind::run;
  Bits y = 0;               ///< rows: the first label
  std::uint64_t first = 0;  ///< run, rows: ordinal of the first input
  std::uint64_t count = 0;
  std::vector<Bits> labels;     ///< rows: of each, ascending
  std::uint64_t seed = 0;       ///< strata, search
  std::vector<Stratum> strata;  ///< strata, search
  std::vector<Bits> list;       ///< list
};

struct Chunk {
  std::size_t segment;
  std::uint64_t first, count;  ///< inputs first .. first+count-1 of the segment
};

struct InputPlan {
  OpId op{};
  Dtype dtype = Dtype::f32;
  bool exhaustive = false;
  std::uint64_t seed = 1;
  std::optional<Bits> lo, hi;  ///< the range asked for
  std::vector<Bits> labels;
  std::vector<Segment> segments;
  std::vector<Chunk> chunks;
  std::uint64_t points = 0;

  /// Input number i of the segment; of a search, one that lies in the binade of its number i.
  Bits input(const Segment& s, std::uint64_t i) const;
  /// Its label.
  static Bits label(const Segment& s, std::uint64_t i) {
    return s.labels.empty() ? s.y : s.labels[i % s.labels.size()];
  }
  /// Writes inputs first .. first+n-1, whole rows where it has rows, as packed encodings of the
  /// dtype.
  void fill(const Segment& s, std::uint64_t first, std::uint64_t n, void* z) const;
};

/// Every number with at most `bits` significant bits and 2^-8 <= |z| <= 2^10, in order: where
/// kernels have their tables and branches (2, 3, -10.5). A sampled sweep of f32 or f64 runs these,
/// each with the number below and above, as far as --points allows: with fewer points, fewer bits.
inline constexpr int kTableBits = 8;
std::vector<Bits> table_points(Dtype d, int bits = kTableBits);

/// Point j of n, one in each of n equal parts of an interval of ordinals, by a random word.
std::uint64_t stratified_point(std::uint64_t first, std::uint64_t size, std::uint64_t n,
                               std::uint64_t j, std::uint64_t word);

/// The stratum that holds point i of the segment.
const Stratum& stratum_of(const Segment& s, std::uint64_t i);

/// Word i of the stream named by the seed (splitmix64 as a counter-based generator).
std::uint64_t random_word(std::uint64_t seed, std::uint64_t i);

InputPlan make_plan(OpId op, Dtype d, const InputChoice& choice);

/// Equal for plans of the same inputs in the same chunks: 16 hex digits.
std::string plan_hash(const InputPlan& plan);

}  // namespace ulpaudit
