// Contracts from TOML.
// SPDX-License-Identifier: Apache-2.0
#include "contract/contract.hpp"

#include "contract/reader.hpp"
#include "contract/rules.hpp"

namespace ulpaudit {
namespace {

const std::vector<std::string_view> kDtypeNames = {"f16", "bf16", "f32", "f64"};

/// Every region of some op.
std::vector<std::string_view> region_names(std::vector<std::string_view> names) {
  for (int i = 0; i < kRegionCount; ++i) names.push_back(name(static_cast<Region>(i)));
  return names;
}

class KernelReader {
 public:
  KernelReader(const Reader& r, const toml::table& t) : r_(r), t_(t) {}

  KernelContract read() {
    r_.only_keys(t_, {"name",
                      "monotone",
                      "correctly_rounded",
                      "flush_subnormals",
                      "zero_sign",
                      "quiet_nan",
                      "symmetric",
                      "clean_flags",
                      "same_under_ftz",
                      "same_under_any_rounding",
                      "keeps_threads",
                      "in_place",
                      "outside_labels",
                      "domain",
                      "training",
                      "max_ulp",
                      "max_absolute",
                      "max_relative",
                      "bias",
                      "throughput",
                      "expected_failure"});
    k_.name = r_.string(t_, "name");
    mention(Mention::kernel, *t_.get("name"), k_.name);
    k_.monotone = r_.boolean(t_, "monotone");
    k_.flush_subnormals = r_.boolean(t_, "flush_subnormals");
    k_.zero_sign = r_.boolean(t_, "zero_sign");
    k_.quiet_nan = r_.boolean(t_, "quiet_nan");
    k_.clean_flags = r_.boolean(t_, "clean_flags");
    k_.under_ftz = r_.boolean(t_, "same_under_ftz");
    k_.any_rounding = r_.boolean(t_, "same_under_any_rounding");
    k_.keeps_threads = r_.boolean(t_, "keeps_threads");
    k_.same_training = r_.word(t_, "training", {"same_as_reference"}) == "same_as_reference";
    k_.exactly_symmetric = r_.word(t_, "symmetric", {"exact"}) == "exact";
    if (k_.exactly_symmetric) mention(Mention::rule, *t_.get("symmetric"), "symmetry.exact");
    k_.correctly_rounded = dtypes(t_, "correctly_rounded");
    k_.in_place = r_.names(
        t_, "in_place", {"z", "y"},
        [&](const toml::node& n, const std::string& name) { mention(Mention::buffer, n, name); });
    outside_labels();
    domain();
    k_.max_ulp = budgets("max_ulp", " of ulps", {"all"});
    k_.max_absolute = budgets("max_absolute", "", {"all"});
    k_.max_relative = budgets("max_relative", "", {"all"});
    k_.bias = budgets("bias", " of ulps", {"all", "typical"});
    if (const toml::node* n = t_.get("throughput")) speed(r_.table(*n, "throughput"));
    expected_failures();
    return std::move(k_);
  }

 private:
  void mention(Mention::Kind kind, const toml::source_region& at, std::string name) {
    k_.mentions.push_back({kind, std::move(name), static_cast<int>(at.begin.line),
                           static_cast<int>(at.begin.column)});
  }
  void mention(Mention::Kind kind, const toml::node& at, std::string name) {
    mention(kind, at.source(), std::move(name));
  }

  /// A key that names a dtype; it is remembered.
  std::string dtype(const toml::key& key) {
    const std::string name(key.str());
    if (!dtype_from_name(name)) r_.fail_name(key.source(), "dtype", name, kDtypeNames);
    mention(Mention::dtype, key.source(), name);
    return name;
  }

  std::set<std::string> dtypes(const toml::table& t, std::string_view key) {
    return r_.names(t, key, kDtypeNames, [&](const toml::node& n, const std::string& name) {
      mention(Mention::dtype, n, name);
    });
  }

  void outside_labels() {
    const std::string v = r_.word(t_, "outside_labels", {"nan", "clamp", "extrapolate"});
    if (v.empty()) return;
    k_.outside_labels = v == "nan"     ? OutsideLabels::nan
                        : v == "clamp" ? OutsideLabels::clamp
                                       : OutsideLabels::extrapolate;
    mention(Mention::rule, *t_.get("outside_labels"), "value.outside_labels");
  }

  std::pair<double, double> interval(const toml::node& n) const {
    const toml::array* a = n.as_array();
    if (a == nullptr || a->size() != 2) r_.fail(n, "'domain' must be two numbers, [first, last]");
    const auto lo = (*a)[0].value<double>(), hi = (*a)[1].value<double>();
    if (!lo || !hi || !(*lo <= *hi))
      r_.fail(n, "'domain' must be two numbers [first, last], first <= last");
    return {*lo, *hi};
  }
  void domain() {
    const toml::node* n = t_.get("domain");
    if (n == nullptr) return;
    if (!n->is_table()) {
      k_.domain["all"] = interval(*n);
      return;
    }
    for (const auto& [key, value] : *n->as_table()) k_.domain[dtype(key)] = interval(value);
  }

  Budgets budgets(std::string_view key, std::string_view unit,
                  const std::vector<std::string_view>& more) {
    Budgets out;
    const toml::node* n = t_.get(key);
    if (n == nullptr) return out;
    const std::vector<std::string_view> known = region_names(more);
    for (const auto& [name, value] : r_.table(*n, key)) {
      const std::string d = dtype(name);
      if (!value.is_table()) {
        out[d]["all"] = r_.budget(value, unit);
        continue;
      }
      for (const auto& [region, budget] : *value.as_table()) {
        if (std::find(known.begin(), known.end(), region.str()) == known.end())
          r_.fail_name(region.source(), "region", region.str(), known);
        if (std::find(more.begin(), more.end(), region.str()) == more.end())
          mention(Mention::region, region.source(), std::string(region.str()));
        out[d][std::string(region.str())] = r_.budget(budget, unit);
      }
    }
    return out;
  }

  void speed(const toml::table& t) {
    std::vector<std::string_view> known = {"against", "uniform", "subnormal", "bits"};
    known.insert(known.end(), kDtypeNames.begin(), kDtypeNames.end());
    r_.only_keys(t, known);
    SpeedPromise& p = k_.throughput;
    for (const auto& [key, value] : t) {
      const std::string_view k = key.str();
      if (k == "against") continue;
      if (dtype_from_name(k)) {
        p.at_most[dtype(key)] = r_.ratio(value);
        continue;
      }
      for (const auto& [d, most] : r_.table(value, k))
        p.slow_inputs[std::string(k)][dtype(d)] = r_.ratio(most);
    }
    if (!p.at_most.empty() || t.contains("against")) {
      p.against = r_.string(t, "against");
      if (p.against != "memcpy" && p.against.find('/') == std::string::npos)
        r_.fail(*t.get("against"), "'against' names no kernel; accepted: memcpy, plugin/kernel");
      if (p.at_most.empty()) r_.fail(t, "throughput promises nothing for any dtype");
    }
    if (p.at_most.empty() && p.slow_inputs.empty())
      r_.fail(t, "throughput promises nothing for any dtype");
  }

  void expected_failures() {
    const toml::node* n = t_.get("expected_failure");
    if (n == nullptr) return;
    if (!n->is_array()) r_.fail(*n, "expected_failure must be an array of tables");
    for (const toml::node& item : *n->as_array())
      k_.expected_failures.push_back(expected(r_.table(item, "expected_failure")));
  }

  ExpectedFailure expected(const toml::table& t) {
    r_.only_keys(t, {"rule", "dtypes", "regions", "reason"});
    ExpectedFailure e;
    e.rule = r_.string(t, "rule");
    const toml::node& at = *t.get("rule");
    if (!may_be_expected(e.rule)) {
      std::vector<std::string_view> known;
      for (const Rule& rule : rules())
        if (may_be_expected(rule.id)) known.push_back(rule.id);
      if (find_rule(e.rule) != nullptr)
        r_.fail(at, fmt::format("'{}' is no failure of a kernel: it cannot be expected", e.rule));
      r_.fail_name(at.source(), "rule", e.rule, known);
    }
    mention(Mention::rule, at, e.rule);
    e.dtypes = dtypes(t, "dtypes");
    e.regions = r_.names(t, "regions", region_names({"all"}),
                         [&](const toml::node& node, const std::string& name) {
                           if (name != "all") mention(Mention::region, node, name);
                         });
    if (const toml::node* reason = t.get("reason"); reason != nullptr)
      if (const auto text = reason->value_exact<std::string>();
          text && text->find_first_not_of(" \t\n") == std::string::npos)
        r_.fail(*reason, "reason is empty: say why this failure is expected");
    e.reason = r_.string(t, "reason");
    return e;
  }

  /// What is found about the harness's own work is not to be excused.
  static bool may_be_expected(std::string_view rule) {
    return find_rule(rule) != nullptr && rule.rfind("check.", 0) != 0 &&
           rule.rfind("contract.", 0) != 0 && rule != "plugin.load";
  }

  const Reader& r_;
  const toml::table& t_;
  KernelContract k_;
};

/// The parser limits how deep values nest, not how many parts a dotted key has, and tables that lie
/// ten thousands deep overflow the stack when they are destroyed. A key ends with its line.
void check_dots(const std::string& text, const std::string& source) {
  constexpr int kMostDots = 64;
  int line = 1, dots = 0;
  for (const char c : text) {
    dots = c == '\n' ? 0 : dots + (c == '.' ? 1 : 0);
    line += c == '\n' ? 1 : 0;
    if (dots > kMostDots)
      throw BadContract(fmt::format("{}:{}: more than {} dots in a line", source, line, kMostDots));
  }
}

}  // namespace

bool ExpectedFailure::covers(std::string_view rule_id, std::string_view dtype,
                             std::string_view region) const {
  return rule == rule_id && (dtypes.empty() || dtypes.count(std::string(dtype)) != 0) &&
         (regions.empty() || regions.count("all") != 0 || regions.count(std::string(region)) != 0);
}

std::optional<std::pair<double, double>> KernelContract::domain_of(const std::string& dtype) const {
  for (const std::string& key : {dtype, std::string("all")})
    if (const auto found = domain.find(key); found != domain.end()) return found->second;
  return std::nullopt;
}

std::optional<std::pair<Bits, Bits>> numbers_in(Dtype d, std::pair<double, double> domain) {
  Bits lo = encode(d, domain.first), hi = encode(d, domain.second);
  if (decode(d, lo) < domain.first) lo = step(d, lo, 1);
  if (decode(d, hi) > domain.second) hi = step(d, hi, -1);
  // Either zero is the number 0.
  if (is_zero(d, lo)) lo = format(d).sign_bit();
  if (is_zero(d, hi)) hi = 0;
  if (ordinal(d, lo) > ordinal(d, hi)) return std::nullopt;
  return std::pair(lo, hi);
}

const KernelContract& Contract::of(const std::string& kernel) const {
  static const KernelContract nothing;
  const auto found = kernels.find(kernel);
  return found == kernels.end() ? nothing : found->second;
}

Contract parse_contract(const std::string& text, const std::string& source) {
  Contract contract;
  contract.source = source;
  if (text.empty()) return contract;
  check_dots(text, source);
  const Reader r(source);
  toml::table root;
  try {
    root = toml::parse(text, source);
  } catch (const toml::parse_error& e) {
    throw BadContract(fmt::format("{}:{}:{}: {}", source, e.source().begin.line,
                                  e.source().begin.column, e.description()));
  }
  r.only_keys(root, {"contract", "kernel"});
  const toml::node* version = root.get("contract");
  if (version == nullptr || version->value_exact<std::int64_t>() != 1)
    r.fail(version != nullptr ? *version : root,
           "'contract = 1' (the format's version) is missing");
  const toml::node* kernels = root.get("kernel");
  if (kernels == nullptr) return contract;
  if (!kernels->is_array()) r.fail(*kernels, "kernel must be an array of tables: [[kernel]]");
  for (const toml::node& n : *kernels->as_array()) {
    KernelContract k = KernelReader(r, r.table(n, "kernel")).read();
    if (contract.kernels.count(k.name) != 0)
      r.fail(n, fmt::format("a second contract for kernel '{}'", k.name));
    contract.kernels.emplace(k.name, std::move(k));
  }
  return contract;
}

}  // namespace ulpaudit
