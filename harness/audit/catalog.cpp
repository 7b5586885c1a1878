// The plug-ins at hand.
// SPDX-License-Identifier: Apache-2.0
#include "audit/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "plugin/loader.hpp"
#include "plugin/program.hpp"
#include "record/fnv.hpp"
#include "record/json.hpp"

namespace ulpaudit {
namespace {

/// FNV-1a over the file: names a build of a plug-in. Of a program: over its command, what it says
/// of itself, and those words that are files (a script, say).
std::string build_hash(const PluginInfo& plugin) {
  std::uint64_t h = fnv1a("");
  const auto add = [&h](const std::string& text) { h = fnv1a(text, h); };
  if (const auto command = program_command(plugin.path)) {
    for (const std::string& word : words_of(*command)) {
      std::error_code error;
      if (std::filesystem::is_socket(word, error)) continue;  // of a Python that audits its own
      add(std::filesystem::is_regular_file(word, error) ? read_file(word) : word);
    }
    add(plugin.version + '\n' + plugin.build);
  } else {
    add(read_file(plugin.path));
  }
  return fmt::format("{:016x}", h);
}

/// The contract of a plug-in, whose names are all there.
Contract contract_for(const std::string& text, const std::string& source,
                      const std::vector<OfferedKernel>& kernels) {
  Contract contract = parse_contract(text, source);
  check_contract(contract, kernels);
  return contract;
}

std::vector<OfferedKernel> kernels_of(const PluginInfo& plugin) {
  std::vector<OfferedKernel> out;
  for (const KernelInfo& k : plugin.kernels) {
    out.push_back({k.name, k.op, {}});
    for (const Dtype d : k.dtypes) out.back().dtypes.emplace_back(name(d));
  }
  return out;
}

Offer make_offer(const PluginInfo& plugin, std::size_t i, const std::string& build_id, bool given,
                 const std::string& contract) {
  const KernelInfo& k = plugin.kernels[i];
  Offer offer;
  offer.kernel = i;
  offer.op = op_from_name(k.op);
  offer.dtypes = k.dtypes;
  offer.device_arrays = k.device_arrays;
  Implementation& a = offer.about;
  a.name = plugin.name + "/" + k.name;
  a.plugin = plugin.name;
  a.kernel = k.name;
  a.op = k.op;
  a.formula = k.formula;
  a.version = plugin.version;
  a.build = plugin.build;
  a.requirement = k.requirement;
  a.path = plugin.path;
  if (given) a.given_path = plugin.path;
  a.given_contract = contract;
  a.build_id = build_id;
  a.unavailable = k.unavailable;
  if (!offer.op && a.unavailable.empty())
    a.unavailable = fmt::format("op '{}' is not known to this ulpaudit", k.op);
  for (Dtype d : k.dtypes) a.dtypes.emplace_back(name(d));
  if (k.deterministic) a.tags.emplace_back("deterministic");
  if (k.in_place) a.tags.emplace_back("in_place");
  if (k.elementwise) a.tags.emplace_back("elementwise");
  if (k.on_device) a.tags.emplace_back("on_device");
  return offer;
}

void open_plugin(const std::string& path, const Request& request, Catalog& catalog) {
  try {
    std::unique_ptr<Session> session = open_session(path, request.session());
    const PluginInfo& plugin = session->info();
    if (std::find(catalog.plugin_names.begin(), catalog.plugin_names.end(), plugin.name) !=
        catalog.plugin_names.end())
      throw LoadError(fmt::format("{}: a plug-in named '{}' is already loaded", path, plugin.name));
    catalog.contracts[plugin.name] =
        contract_for(plugin.contract, plugin.name + " (contract)", kernels_of(plugin));
    catalog.contract_texts[plugin.name] = plugin.contract;
    catalog.libraries[plugin.name] = plugin.libraries;
    catalog.plugin_names.push_back(plugin.name);
    const std::string build_id = build_hash(plugin);
    const bool given =
        std::find(request.plugins.begin(), request.plugins.end(), path) != request.plugins.end();
    for (std::size_t i = 0; i < plugin.kernels.size(); ++i)
      catalog.offers.push_back(make_offer(plugin, i, build_id, given, request.contract));
    const bool for_device =
        std::any_of(plugin.kernels.begin(), plugin.kernels.end(),
                    [](const KernelInfo& k) { return k.device_arrays && k.unavailable.empty(); });
    if (for_device) catalog.device_sessions[path] = std::move(session);
  } catch (const LoadError& e) {
    catalog.broken.push_back({path, e.what()});
  } catch (const BadContract& e) {
    catalog.broken.push_back({path, e.what()});
  }
}

/// One without any of the dtypes that were asked for is not asked for; of one that describes none,
/// it cannot be said.
bool chosen(const Offer& offer, const Request& request) {
  const std::vector<std::string>& dtypes = offer.about.dtypes;
  return matches(request.ops, offer.about.op) && matches(request.impls, offer.about.name) &&
         (dtypes.empty() || std::any_of(dtypes.begin(), dtypes.end(), [&](const std::string& d) {
            return matches(request.dtypes, d);
          }));
}

/// The inputs that are asked for and of which the kernel's contract speaks; nothing where these are
/// none.
std::optional<InputChoice> within_domain(const Catalog& catalog, const Offer& offer, Dtype d,
                                         InputChoice c) {
  const KernelContract& k = catalog.contracts.at(offer.about.plugin).of(offer.about.kernel);
  const auto domain = k.domain_of(std::string(name(d)));
  if (!domain) return c;
  const auto numbers = numbers_in(d, *domain);
  if (!numbers) return std::nullopt;
  if (!c.lo || ordinal(d, *c.lo) < ordinal(d, numbers->first)) c.lo = numbers->first;
  if (!c.hi || ordinal(d, *c.hi) > ordinal(d, numbers->second)) c.hi = numbers->second;
  if (ordinal(d, *c.lo) > ordinal(d, *c.hi)) return std::nullopt;
  return c;
}

/// --contract FILE stands in for the contract of the one plug-in that is chosen.
void override_contract(const Request& request, Catalog& catalog) {
  if (request.contract.empty()) return;
  std::string content;
  try {
    content = read_file(request.contract);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
  std::vector<std::string> plugins;
  for (const Offer& offer : catalog.offers)
    if (chosen(offer, request) &&
        std::find(plugins.begin(), plugins.end(), offer.about.plugin) == plugins.end())
      plugins.push_back(offer.about.plugin);
  if (plugins.size() != 1)
    throw UsageError(
        fmt::format("--contract goes with one plug-in, and {} are chosen; choose with "
                    "--impl 'PLUGIN/*'",
                    plugins.size()));
  try {
    std::vector<OfferedKernel> kernels;
    for (const Offer& offer : catalog.offers)
      if (offer.about.plugin == plugins[0])
        kernels.push_back({offer.about.kernel, offer.about.op, offer.about.dtypes});
    catalog.contracts[plugins[0]] = contract_for(content, request.contract, kernels);
    catalog.contract_texts[plugins[0]] = content;
  } catch (const BadContract& e) {
    throw UsageError(e.what());
  }
}

/// False for a plug-in beside the program that the globs rule out by its file's name, which is the
/// plug-in's: loading a large library takes half a second, and each command would.
bool may_be_chosen(const std::string& path, const Request& request) {
  if (request.impls.empty() || path.rfind(program_folder(), 0) != 0) return true;
  const std::string plugin = std::filesystem::path(path).stem().string();
  if (plugin == request.also_load) return true;
  return std::any_of(request.impls.begin(), request.impls.end(), [&](const std::string& glob) {
    const std::size_t slash = glob.find('/');
    return slash == std::string::npos || matches({glob.substr(0, slash)}, plugin);
  });
}

}  // namespace

Catalog open_catalog(const Request& request) {
  Catalog catalog;
  for (const std::string& path : request.plugins) open_plugin(path, request, catalog);
  if (request.given_alone && !request.plugins.empty() && request.impls.empty()) {
    override_contract(request, catalog);
    return catalog;
  }
  for (const std::string& path : discover_plugins()) {
    if (!may_be_chosen(path, request)) continue;
    const auto same = [&](const std::string& named) {
      std::error_code error;
      return std::filesystem::equivalent(named, path, error);
    };
    if (std::none_of(request.plugins.begin(), request.plugins.end(), same))
      open_plugin(path, request, catalog);
  }
  override_contract(request, catalog);
  return catalog;
}

std::vector<Job> make_jobs(const Catalog& catalog, const Request& request) {
  const InputDefaults& defaults = request.defaults;
  std::vector<Job> jobs;
  const std::vector<Dtype> dtypes = chosen_dtypes(request);
  for (OpId op : chosen_ops(request)) {
    for (Dtype d : dtypes) {
      const bool unary = info(op).arity == 1;
      const bool exhaustive = d == Dtype::f32 && (unary ? defaults.f32_unary_exhaustive
                                                        : defaults.f32_labels_exhaustive);
      Request inputs = request;
      if (defaults.all_16bit_labels && format(d).width == 16 && request.labels.empty())
        inputs.labels = {"all"};
      const bool search = request.search || (defaults.f64_search && d == Dtype::f64);
      const std::uint64_t points = search ? defaults.searched_points : defaults.points;
      // Kernels that promise something of the same z share a job, so that they get the same inputs.
      std::map<std::pair<std::optional<Bits>, std::optional<Bits>>, Job> by_domain;
      for (const Offer& offer : catalog.offers) {
        if (offer.op != op || !chosen(offer, request) || !offer.about.unavailable.empty()) continue;
        if (std::find(offer.dtypes.begin(), offer.dtypes.end(), d) == offer.dtypes.end()) continue;
        const auto choice = within_domain(catalog, offer, d,
                                          choose_inputs(inputs, op, d, points, exhaustive, search));
        if (!choice) continue;
        Job& job = by_domain[{choice->lo, choice->hi}];
        if (job.targets.empty()) {
          InputChoice c = *choice;
          c.rows = fast_judge_covers(op);
          job.plan = make_plan(op, d, c);
        }
        job.targets.push_back(
            {offer.about.name, offer.about.path, offer.kernel, offer.device_arrays});
      }
      for (auto& [domain, job] : by_domain) jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

std::vector<Implementation> chosen_implementations(const Catalog& catalog, const Request& request) {
  std::vector<Implementation> out;
  for (const Offer& offer : catalog.offers)
    if (chosen(offer, request)) out.push_back(offer.about);
  return out;
}

std::vector<ContractText> chosen_contracts(const Catalog& catalog, const Request& request) {
  std::map<std::string, std::string> texts;
  for (const Offer& offer : catalog.offers)
    if (chosen(offer, request))
      texts[offer.about.plugin] = catalog.contract_texts.at(offer.about.plugin);
  std::vector<ContractText> out;
  for (const auto& [plugin, text] : texts) out.push_back({plugin, text});
  return out;
}

}  // namespace ulpaudit
