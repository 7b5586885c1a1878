// The plug-ins at hand, opened and described, and the choice among their kernels.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "sweep/engine.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {

/// One kernel, known to the host.
struct Offer {
  Implementation about;  ///< as the report shows it
  std::size_t kernel = 0;
  std::optional<OpId> op;  ///< empty: an op that this version does not know
  std::vector<Dtype> dtypes;
  bool device_arrays = false;  ///< of KernelInfo
};

struct BrokenPlugin {
  std::string path, reason;
};

struct Catalog {
  std::vector<Offer> offers;
  /// By path, of plug-ins with kernels for a device: the start of their worker takes long.
  std::map<std::string, std::unique_ptr<Session>> device_sessions;
  std::vector<BrokenPlugin> broken;
  Contracts contracts;
  std::map<std::string, std::string> contract_texts;  ///< by plug-in
  /// Files that each plug-in's worker loaded with it.
  std::map<std::string, std::vector<std::string>> libraries{};
  std::vector<std::string> plugin_names;
};

/// Opens every plug-in that is found or named. A plug-in that cannot be used is listed, not thrown.
Catalog open_catalog(const Options& o);

/// Ops and dtypes that the globs choose; throws UsageError for an unknown name.
std::vector<OpId> chosen_ops(const Options& o);
std::vector<Dtype> chosen_dtypes(const Options& o);

/// One job per chosen op and dtype that has at least one available implementation.
struct InputDefaults {
  std::uint64_t points = 20000;
  std::uint64_t searched_points = 10'000'000;
  bool f64_search = false;
  bool f32_unary_exhaustive = false;
  bool f32_labels_exhaustive = false;  ///< two-argument ops over f32, each default label
  bool all_16bit_labels = false;       ///< every pair of f16 and bf16
};
std::vector<Job> make_jobs(const Catalog& catalog, const Options& o, const InputDefaults& defaults);

/// The implementations of the report: those that the globs choose; and their plug-ins' contracts.
std::vector<Implementation> chosen_implementations(const Catalog& catalog, const Options& o);
std::vector<ContractText> chosen_contracts(const Catalog& catalog, const Options& o);

}  // namespace ulpaudit
