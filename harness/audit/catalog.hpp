// The plug-ins at hand, opened and described, and the choice among their kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/choice.hpp"
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
Catalog open_catalog(const Request& request);

/// One job per chosen op and dtype that has at least one available implementation.
std::vector<Job> make_jobs(const Catalog& catalog, const Request& request);

/// The implementations of the report: those that the globs choose; and their plug-ins' contracts.
std::vector<Implementation> chosen_implementations(const Catalog& catalog, const Request& request);
std::vector<ContractText> chosen_contracts(const Catalog& catalog, const Request& request);

}  // namespace ulpaudit
