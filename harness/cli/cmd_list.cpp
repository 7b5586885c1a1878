// ulpaudit list: ops, dtypes, plug-ins and implementations, and why one is not available here.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <nlohmann/json.hpp>

#include "audit/catalog.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"

namespace ulpaudit {
namespace {

using Json = nlohmann::ordered_json;

void print_table(const Catalog& catalog, const std::vector<Implementation>& chosen) {
  put("Ops\n");
  for (int i = 0; i < op_count(); ++i)
    put("  {:<22} {}\n", info(op_at(i)).name, info(op_at(i)).formula);
  put("\nDtypes\n");
  for (Dtype d : kDtypes)
    put("  {:<5} {} bits, precision {}, exponents {} to {}\n", name(d), format(d).width,
        format(d).p, format(d).emin, format(d).emax);
  put("\nImplementations\n");
  std::size_t width = 0;
  for (const Implementation& i : chosen) width = std::max(width, i.name.size());
  for (const Implementation& i : chosen) {
    put("  {:<{}}  {:<21} {:<17} {}\n", i.name, width, i.op,
        fmt::format("{}", fmt::join(i.dtypes, " ")), i.formula);
    if (!i.unavailable.empty())
      put("  {:<{}}  not available: {}\n", "", width, shown(i.unavailable));
  }
  for (const BrokenPlugin& b : catalog.broken) put("  not loaded: {}\n", shown(b.reason));
}

Json as_json(const Catalog& catalog, const std::vector<Implementation>& chosen) {
  Json j = {{"ops", Json::array()},
            {"dtypes", Json::array()},
            {"implementations", Json::array()},
            {"not_loaded", Json::array()}};
  for (int i = 0; i < op_count(); ++i)
    j["ops"].push_back({{"name", info(op_at(i)).name},
                        {"arity", info(op_at(i)).arity},
                        {"formula", info(op_at(i)).formula}});
  for (Dtype d : kDtypes)
    j["dtypes"].push_back({{"name", name(d)},
                           {"width", format(d).width},
                           {"precision", format(d).p},
                           {"emin", format(d).emin},
                           {"emax", format(d).emax}});
  for (const Implementation& i : chosen)
    j["implementations"].push_back({{"name", i.name},
                                    {"plugin", i.plugin},
                                    {"op", i.op},
                                    {"dtypes", i.dtypes},
                                    {"formula", i.formula},
                                    {"version", i.version},
                                    {"build", i.build},
                                    {"tags", i.tags},
                                    {"requires", i.requirement},
                                    {"path", i.path},
                                    {"unavailable", i.unavailable}});
  for (const BrokenPlugin& b : catalog.broken)
    j["not_loaded"].push_back({{"path", b.path}, {"reason", b.reason}});
  return j;
}

Exit run(const Options& o) {
  const Request request = o.request();
  chosen_ops(request);
  chosen_dtypes(request);
  const Catalog catalog = open_catalog(request);
  const std::vector<Implementation> chosen = chosen_implementations(catalog, request);
  if (o.json)
    put("{}\n", as_json(catalog, chosen).dump(1, ' ', false, Json::error_handler_t::replace));
  else
    print_table(catalog, chosen);
  if (!catalog.broken.empty()) {
    for (const BrokenPlugin& b : catalog.broken) tell("{}", b.reason);
    return Exit::plugin;
  }
  return chosen.empty() ? Exit::nothing : Exit::fine;
}

}  // namespace

Command add_list(CLI::App& parser) {
  auto o = std::make_shared<Options>();
  CLI::App* c = parser.add_subcommand("list", "ops, dtypes, plug-ins and implementations");
  add_selection_options(*c, *o);
  add_output_options(*c, *o);
  c->footer("Example: ulpaudit list --plugin ./my_kernel.so");
  return {c, [o] { return run(*o); }};
}

}  // namespace ulpaudit
