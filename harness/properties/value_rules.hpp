// Rules about values at one input, or at an input and its mirror image: by the final judge.
#pragma once

#include "properties/violation.hpp"

namespace ulpaudit {

/// Every value rule that the kernel breaks at (z, y). `promises` alone: the contract's budgets
/// count too.
class ValueRules {
 public:
  explicit ValueRules(Subject& subject);

  std::vector<Violation> judge(Bits z, Bits y);
  /// Inputs that the rules speak of: exact values, the decision threshold and its neighbours.
  std::vector<std::pair<Bits, Bits>> set_pieces() const;

 private:
  struct Scored;
  void accuracy(Bits z, Bits y, Bits got);
  void exact(Bits z, Bits y, Bits got);
  void threshold(Bits z, Bits got);
  void symmetry(Bits z, Bits y, Bits got);
  const std::vector<RegionSpan>& spans(Bits y);
  Region region(Bits z, Bits y);
  /// The contract's budget there, in ulps; nothing where it promises none.
  std::optional<double> budget(Bits z, Bits y);
  void add(const char* rule, std::string message, bool promised, Bits got);

  Subject& subject_;
  Dtype d_;
  OpId op_;
  Bits threshold_ = 0;  ///< sigmoid: the smallest z at which it rounds above one half
  std::map<Bits, std::vector<RegionSpan>> spans_;
  std::vector<Violation> out_;
};

}  // namespace ulpaudit
