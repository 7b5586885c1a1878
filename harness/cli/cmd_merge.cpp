// ulpaudit merge: the shards of one run into the report of the whole.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "audit/audit.hpp"
#include "audit/catalog.hpp"
#include "audit/context.hpp"
#include "audit/verify_replays.hpp"
#include "cli/commands.hpp"
#include "cli/report_files.hpp"
#include "record/json.hpp"
#include "record/merge.hpp"
#include "sweep/results.hpp"
#include "textbook/answers.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {
namespace {

std::vector<ShardFile> read_shards(const std::vector<std::string>& files) {
  std::vector<ShardFile> shards;
  for (const std::string& file : files) {
    try {
      shards.push_back({file, from_json(read_file(file))});
    } catch (const BadReport& e) {
      throw UsageError(fmt::format("'{}' is not a report: {}", file, e.what()));
    } catch (const std::runtime_error& e) {
      throw UsageError(e.what());
    }
  }
  return shards;
}

const Offer& offer_of(const Catalog& catalog, const Report& report, const std::string& name) {
  const auto offer = std::find_if(catalog.offers.begin(), catalog.offers.end(),
                                  [&](const Offer& o) { return o.about.name == name; });
  const auto asked = std::find_if(report.implementations.begin(), report.implementations.end(),
                                  [&](const Implementation& i) { return i.name == name; });
  const std::string build = asked == report.implementations.end() ? "" : asked->build_id;
  if (offer == catalog.offers.end())
    throw UsageError(
        fmt::format("the textbook's claims need '{}' of build {}, which is not found "
                    "here (--plugin FILE.so)",
                    name, build));
  if (offer->about.build_id != build)
    throw UsageError(fmt::format("the textbook's claims need '{}' of build {}; '{}' is of build {}",
                                 name, build, offer->about.path, offer->about.build_id));
  return *offer;
}

/// The claims rest on figures of the whole and on kernels asked here, of the builds that were run.
void answer_textbook(const Request& request, Report& report) {
  const Catalog catalog = open_catalog(request);
  std::vector<Job> jobs;
  for (const Result& r : report.results) {
    if (r.region != "all") continue;
    const Offer& offer = offer_of(catalog, report, r.implementation);
    const OpId op = op_from_name(r.op).value();
    const Dtype d = dtype_from_name(r.dtype).value();
    if (jobs.empty() || jobs.back().plan.op != op || jobs.back().plan.dtype != d) {
      jobs.emplace_back();
      jobs.back().plan.op = op;
      jobs.back().plan.dtype = d;
    }
    jobs.back().targets.push_back({offer.about.name, offer.about.path, offer.kernel});
  }
  SessionPool sessions(request.session());
  append_textbook(jobs, sessions, report);
}

Contracts contracts_of(const Report& report) {
  Contracts contracts;
  for (const ContractText& c : report.contracts) {
    try {
      contracts[c.plugin] = parse_contract(c.text, c.plugin + " (contract)");
    } catch (const BadContract& e) {
      throw UsageError(e.what());
    }
  }
  return contracts;
}

Exit run(const Options& o, const std::vector<std::string>& files) {
  check_output(o);
  const Request request = o.request();
  Report report;
  try {
    report = merge_shards(read_shards(files));
  } catch (const BadMerge& e) {
    throw UsageError(e.what());
  }
  report.run.argv = make_volatile(request).argv;
  derive_results(true, report);
  if (report.context.profile != kSweepProfile) answer_textbook(request, report);
  const Contracts contracts = contracts_of(report);
  judge_report(contracts, report.context.profile != kSweepProfile, report);
  verify_replays(request, report);
  give_verdicts(contracts, report);
  name_program(report);
  give_report(o, report);
  return exit_of(report);
}

}  // namespace

Command add_merge(CLI::App& parser) {
  auto o = std::make_shared<Options>();
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* c = parser.add_subcommand("merge", "shards of one run into the report of the whole");
  c->add_option("files", *files, "report.json of every shard, in any order")->required();
  c->add_option("--plugin", o->plugins,
                "a plug-in of an audit besides those found (repeatable; sweeps need none)")
      ->type_name("FILE.so");
  c->add_option("-o,--output", o->output,
                "folder for report.html, report.json, report.md and junit.xml");
  add_output_options(*c, *o);
  c->footer("Example: ulpaudit merge shard0/report.json shard1/report.json -o whole");
  return {c, [o, files] { return run(*o, *files); }};
}

}  // namespace ulpaudit
