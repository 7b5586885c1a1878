// ulpaudit diff: where two kernels, or two builds of one plug-in, give other bits.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "audit/catalog.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "fp/text.hpp"
#include "plugin/program.hpp"
#include "record/json.hpp"
#include "record/json_values.hpp"
#include "reports/text.hpp"
#include "score/witness.hpp"
#include "sweep/kernel_diff.hpp"
#include "sweep/results.hpp"

namespace ulpaudit {
namespace {

struct DiffOptions {
  Options shared;
  std::string a, b;
  bool exit_code = false;
};

/// What A or B names: kernels, and their plug-in's file.
struct Side {
  std::string text;
  std::vector<Offer> offers;
};

/// "plugin/kernel" (a glob), "FILE.so", "FILE.so:kernel" or "exec:COMMAND".
Side open_side(const std::string& text, const Request& request) {
  Request mine = request;
  const std::size_t so = text.rfind(".so");
  const bool program = program_command(text).has_value();
  const bool file = program || (so != text.npos && (so + 3 == text.size() || text[so + 3] == ':'));
  if (file) {
    mine.plugins = {program ? text : text.substr(0, so + 3)};
    mine.given_alone = true;
  }
  const std::string kernel = file && !program && so + 3 < text.size() ? text.substr(so + 4) : "";
  const Catalog catalog = open_catalog(mine);
  if (file && !catalog.broken.empty()) throw DiffFailed(catalog.broken[0].reason);
  Side side{text, {}};
  for (const Offer& offer : catalog.offers) {
    const bool named = file ? kernel.empty() || matches({kernel}, offer.about.kernel)
                            : matches({text}, offer.about.name);
    if (named && offer.op && offer.about.unavailable.empty()) side.offers.push_back(offer);
  }
  if (side.offers.empty())
    throw UsageError(
        fmt::format("'{}' names no kernel that can run; accepted: plugin/kernel, "
                    "FILE.so, FILE.so:kernel, exec:COMMAND ('ulpaudit list' shows what there is)",
                    text));
  return side;
}

struct Pair {
  const Offer *a, *b;
  Dtype d;
};

/// Kernels of the same op and dtype: the only ones of both sides, or those of the same name.
std::vector<Pair> pairs_of(const Side& a, const Side& b, const Request& request) {
  std::vector<Pair> pairs;
  const std::vector<OpId> ops = chosen_ops(request);
  const bool single = a.offers.size() == 1 && b.offers.size() == 1;
  for (const Offer& x : a.offers)
    for (const Offer& y : b.offers) {
      if (x.op != y.op || (!single && x.about.kernel != y.about.kernel)) continue;
      if (std::find(ops.begin(), ops.end(), *x.op) == ops.end()) continue;
      for (const Dtype d : chosen_dtypes(request)) {
        const auto has = [d](const Offer& offer) {
          return std::find(offer.dtypes.begin(), offer.dtypes.end(), d) != offer.dtypes.end();
        };
        if (has(x) && has(y)) pairs.push_back({&x, &y, d});
      }
    }
  return pairs;
}

std::string distance_text(std::uint64_t distance) {
  if (distance == std::numeric_limits<std::uint64_t>::max()) return "NaN in one";
  return fmt::format("{} {} apart", thousands(distance), distance == 1 ? "number" : "numbers");
}

/// Which of the two is nearer to the truth: "A", "B", "both alike".
std::string nearer(const Witness& a, const Witness& b) {
  if (!a.error_ulps || !b.error_ulps) return a.error_ulps ? "A" : b.error_ulps ? "B" : "neither";
  const double x = std::abs(*a.error_ulps), y = std::abs(*b.error_ulps);
  return x < y ? "A" : y < x ? "B" : "both alike";
}

std::string error_text(const Witness& w) {
  return w.error_ulps ? fmt::format("{} ulp off", ulps(std::abs(*w.error_ulps)))
                      : "no number of ulps";
}

class Printer {
 public:
  Printer(const Pair& p, const KernelDiff& d) : p_(p), d_(d), op_(*p.a->op) {}

  std::string text(bool exhaustive) const {
    std::string out = fmt::format("{} {}: {} against {}\n", info(op_).name, name(p_.d),
                                  p_.a->about.name, p_.b->about.name);
    for (const auto& [kernel, fact] : d_.facts) out += fmt::format("  ! {}: {}\n", kernel, fact);
    if (d_.different == 0)
      return out + fmt::format("  the same bits on {}{}\n\n", counted(d_.points, "input"),
                               exhaustive ? ", every one" : "");
    out += fmt::format("  {} of {}{} give other bits ({})\n", thousands(d_.different),
                       counted(d_.points, "input"), exhaustive ? ", every one," : "",
                       percent(static_cast<double>(d_.different) / static_cast<double>(d_.points)));
    std::uint64_t below = 0;
    for (const auto& [border, n] : d_.distances) {
      out += fmt::format("    {:>14} {}\n", thousands(n),
                         border == below + 1 ? distance_text(border)
                                             : fmt::format("up to {}", distance_text(border)));
      below = border;
    }
    if (d_.nan_in_one != 0)
      out += fmt::format("    {:>14} NaN in one of them\n", thousands(d_.nan_in_one));
    for (const auto& [region, r] : d_.regions)
      out += fmt::format("  {}: {}, first at {}\n", name(region), thousands(r.different),
                         place(*r.first));
    out += "  furthest apart:\n";
    for (const DifferentBits& x : d_.worst) {
      const Witness a = make_witness(op_, p_.d, {x.z, x.y, x.a});
      const Witness b = make_witness(op_, p_.d, {x.z, x.y, x.b});
      out += fmt::format(
          "    {}: {}\n      A {} ({}), {}\n      B {} ({}), {}\n      nearer to the "
          "truth ({}): {}\n",
          place(x), distance_text(x.distance), a.got.decimal, a.got.bits, error_text(a),
          b.got.decimal, b.got.bits, error_text(b), a.true_value, nearer(a, b));
    }
    return out + "\n";
  }

  Json json(bool exhaustive) const {
    Json j = {{"op", info(op_).name},
              {"dtype", name(p_.d)},
              {"a", p_.a->about.name},
              {"b", p_.b->about.name},
              {"a_build", p_.a->about.build_id},
              {"b_build", p_.b->about.build_id},
              {"evidence", exhaustive ? "exhaustive" : "sampled"},
              {"points", d_.points},
              {"different", d_.different},
              {"nan_in_one", d_.nan_in_one}};
    if (!d_.facts.empty()) j["facts"] = d_.facts;
    j["distances"] = Json::array();
    for (const auto& [border, n] : d_.distances) j["distances"].push_back({border, n});
    j["regions"] = Json::array();
    for (const auto& [region, r] : d_.regions)
      j["regions"].push_back(
          {{"region", name(region)}, {"different", r.different}, {"first", witnesses(*r.first)}});
    j["worst"] = Json::array();
    for (const DifferentBits& x : d_.worst) j["worst"].push_back(witnesses(x));
    return j;
  }

 private:
  std::string place(const DifferentBits& x) const {
    std::string out = fmt::format("z = {} ({})", decimal(p_.d, x.z), bits_text(p_.d, x.z));
    if (info(op_).arity == 2)
      out += fmt::format(", y = {} ({})", decimal(p_.d, x.y), bits_text(p_.d, x.y));
    return out;
  }
  Json witnesses(const DifferentBits& x) const {
    const Witness a = make_witness(op_, p_.d, {x.z, x.y, x.a});
    const Witness b = make_witness(op_, p_.d, {x.z, x.y, x.b});
    Json j;
    j["a"] = a;
    j["b"] = b;
    j["nearer"] = nearer(a, b);
    return j;
  }

  const Pair& p_;
  const KernelDiff& d_;
  OpId op_;
};

Exit run(const DiffOptions& c) {
  const Options& o = c.shared;
  const Request request = o.request();
  if (o.search) throw UsageError("diff has no --search: inputs are --exhaustive or sampled");
  if (!o.checkpoint.empty()) throw UsageError("diff keeps no checkpoint");
  chosen_ops(request);
  chosen_dtypes(request);
  Json all = Json::array();
  bool same = true;
  try {
    const Side a = open_side(c.a, request), b = open_side(c.b, request);
    const std::vector<Pair> pairs = pairs_of(a, b, request);
    if (pairs.empty()) {
      tell(
          "'{}' and '{}' have no kernel of the same op and dtype, so nothing was "
          "compared",
          c.a, c.b);
      return Exit::nothing;
    }
    catch_interrupts();
    for (const Pair& p : pairs) {
      const InputPlan plan =
          make_plan(*p.a->op, p.d, choose_inputs(request, *p.a->op, p.d, 200000, false, false));
      ProgressCallback progress = request.begin_progress("million evaluations");
      const KernelDiff d =
          diff_kernels(plan, {p.a->about.name, p.a->about.path, p.a->kernel},
                       {p.b->about.name, p.b->about.path, p.b->kernel}, request.session(),
                       request.thread_count(), g_interrupted, progress);
      progress = nullptr;
      const bool exhaustive = plan.exhaustive && !plan.lo && !g_interrupted;
      same = same && d.different == 0;
      if (o.json)
        all.push_back(Printer(p, d).json(exhaustive));
      else
        put("{}", Printer(p, d).text(exhaustive));
      if (g_interrupted) break;
    }
  } catch (const DiffFailed& e) {
    tell("{}", e.what());
    return Exit::plugin;
  }
  if (o.json) put("{}", json_lines(Json{{"diffs", all}}));
  if (g_interrupted) return Exit::interrupted;
  return c.exit_code && !same ? Exit::finding : Exit::fine;
}

}  // namespace

Command add_diff(CLI::App& parser) {
  auto o = std::make_shared<DiffOptions>();
  CLI::App* c =
      parser.add_subcommand("diff", "where two kernels, or two builds of one, give other bits");
  c->add_option("A", o->a, "plugin/kernel, FILE.so, FILE.so:kernel or exec:COMMAND")->required();
  c->add_option("B", o->b, "likewise")->required();
  c->add_flag("--exit-code", o->exit_code, "end with 1 where bits differ");
  add_selection_options(*c, o->shared);
  c->remove_option(c->get_option("--impl"));
  add_input_options(*c, o->shared);
  add_run_options(*c, o->shared);
  add_output_options(*c, o->shared);
  c->footer("Example: ulpaudit diff old/my_kernel.so new/my_kernel.so --dtype f32 --exhaustive");
  return {c, [o] { return run(*o); }};
}

}  // namespace ulpaudit
