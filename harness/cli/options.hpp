// Options that commands share, as the user gave them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "inputs/plan.hpp"
#include "plugin/session.hpp"
#include "record/report.hpp"

namespace CLI {
class App;
}

namespace ulpaudit {

/// What the user asked for cannot be: exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

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
  std::uint64_t memory_limit_mib = 8192;
  std::string isolate = "on";
  // output
  std::string output;
  bool json = false, quiet = false;
  std::string color = "auto";

  bool use_color() const;
  bool show_progress() const;
  int thread_count() const;
  SessionOptions session() const;
};

void add_selection_options(CLI::App& command, Options& o);
void add_input_options(CLI::App& command, Options& o);
/// Threads and time limit, and the next two.
void add_run_options(CLI::App& command, Options& o);
void add_checkpoint_options(CLI::App& command, Options& o);
void add_contract_option(CLI::App& command, Options& o);
void add_output_options(CLI::App& command, Options& o);

/// Does any of the globs match? No globs match all.
bool matches(const std::vector<std::string>& globs, const std::string& name);

/// Refuses globs that match none of the known names, naming these.
void check_globs(const std::vector<std::string>& globs, const std::vector<std::string>& known,
                 const std::string& what);

/// Those of `all` whose names the globs choose; throws UsageError for a glob that chooses none.
template <class T, std::size_t N>
std::vector<T> chosen(const T (&all)[N], const std::vector<std::string>& globs, const char* what) {
  std::vector<std::string> known;
  std::vector<T> out;
  for (const T x : all) {
    known.emplace_back(name(x));
    if (matches(globs, known.back())) out.push_back(x);
  }
  check_globs(globs, known, what);
  return out;
}

/// The inputs that the options choose for an op and dtype. Throws UsageError.
InputChoice choose_inputs(const Options& o, OpId op, Dtype d, std::uint64_t default_points,
                          bool default_exhaustive, bool default_search);

Shard parse_shard(const std::string& text);

}  // namespace ulpaudit
