// Options that commands share, as the user gave them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/request.hpp"

namespace CLI {
class App;
}

namespace ulpaudit {

struct Options {
  std::vector<std::string> ops, impls, dtypes;  ///< globs; empty: all
  std::vector<std::string> plugins;             ///< files, and addresses of programs (--exec)
  std::string also_load;  ///< a plug-in that is opened though no glob chooses it
  /// Where plug-ins are given and no --impl: these alone are chosen.
  bool given_alone = false;
  std::string contract;  ///< FILE
  // inputs
  std::string range;
  std::vector<std::string> labels;
  std::uint64_t points = 0;  ///< 0: the profile's
  bool exhaustive = false, search = false, huge = false;
  std::uint64_t seed = 1;
  std::string shard;
  // running
  int threads = 0;  ///< 0: one per core
  std::string judge = "auto";
  double time_limit = 0;
  std::string checkpoint;  ///< FILE
  bool resume = false;
  double checkpoint_every = 2;
  double deadline = 20;
  bool deadline_given = false;
  std::uint64_t memory_limit_mib = 8192;
  bool memory_limit_given = false;
  std::string isolate = "on";
  // output
  std::string output;
  bool json = false, quiet = false;
  std::string color = "auto";

  bool use_color() const;
  bool show_progress() const;
  /// Typed; of an audit's inputs and extras the defaults. Throws UsageError.
  Request request() const;
};

void add_selection_options(CLI::App& command, Options& o);
void add_input_options(CLI::App& command, Options& o);
/// Threads and time limit, and the next two.
void add_run_options(CLI::App& command, Options& o);
void add_checkpoint_options(CLI::App& command, Options& o);
void add_contract_option(CLI::App& command, Options& o);
void add_output_options(CLI::App& command, Options& o);

/// "I/N"; the empty text is the whole. Throws UsageError.
Shard parse_shard(const std::string& text);

}  // namespace ulpaudit
