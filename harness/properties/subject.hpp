// The kernel under test in one dtype: runs trials, remembers what single elements give.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "contract/contract.hpp"
#include "plugin/session.hpp"
#include "properties/generators.hpp"
#include "properties/trial.hpp"

namespace ulpaudit {

struct Answer {
  Outcome outcome;
  std::vector<Bits> out;  ///< of the trial's elements; empty where the call did not end well
};

class Subject {
 public:
  /// The session outlives the subject.
  Subject(std::string name, Session& session, std::size_t kernel, OpId op, Dtype d,
          const KernelContract& contract);

  const std::string& name() const { return name_; }
  OpId op() const { return alphabet_.op; }
  Dtype dtype() const { return alphabet_.d; }
  const KernelContract& contract() const { return contract_; }
  const KernelInfo& about() const { return session_.info().kernels[kernel_]; }
  const PluginInfo& plugin() const { return session_.info(); }
  const Alphabet& letters() const { return alphabet_; }
  bool two_arguments() const { return info(alphabet_.op).arity == 2; }

  Answer run(const Trial& t);
  /// Packed results for encodings first .. first+n-1 with one label, good until the next call; null
  /// where they end the worker. n <= kBatchCapacity.
  const void* line(Bits first, std::uint64_t n, Bits y);
  /// What a batch of this one element gives; remembered. Nothing where it ends the worker.
  std::optional<Bits> single(Bits z, Bits y);

  /// Its worker was ended so often, or hung, that asking goes on costing time.
  bool worn_out() const { return ends_ >= kEnough || hangs_ >= 4; }
  int ends() const { return ends_; }
  static constexpr int kEnough = 150;  ///< ends of its worker

 private:
  std::string name_;
  Session& session_;
  std::size_t kernel_;
  const KernelContract& contract_;
  Alphabet alphabet_;
  std::map<std::pair<Bits, Bits>, std::optional<Bits>> singles_;
  int ends_ = 0, hangs_ = 0;
};

}  // namespace ulpaudit
