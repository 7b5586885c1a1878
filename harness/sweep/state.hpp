// Counts as bytes and back, whole and exact: for checkpoints and for other processes of a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "score/accumulator.hpp"

namespace ulpaudit {

class StateWriter {
 public:
  void number(std::uint64_t v);
  void real(double v);
  void text(std::string_view s);
  void counts(const Accumulator& a);
  void counts(const std::vector<Accumulator>& all);
  std::string take() { return std::move(out_); }

 private:
  void sum(const Sum& s);
  void at(const Case& c);
  void counter(const Counter& c);
  void extreme(const Extreme& e);
  void tally(const Tally& t);
  void bin(const CurveBin& b);
  std::string out_;
};

/// The bytes end before the state does, or hold what cannot be.
class BadState : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : left_(bytes) {}
  std::uint64_t number();
  /// A count of things that take at least one byte each.
  std::size_t size();
  double real();
  std::string text();
  Accumulator counts();
  std::vector<Accumulator> all_counts();
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view bytes(std::size_t n);
  Sum sum();
  Case at();
  Counter counter();
  Extreme extreme();
  Tally tally();
  CurveBin bin();
  std::string_view left_;
};

}  // namespace ulpaudit
