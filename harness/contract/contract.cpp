// Contracts from TOML.
#include "contract/contract.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>

#include "contract/rules.hpp"

namespace ulpaudit {
namespace {

/// Reads tables and says precisely where something is wrong.
class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  [[noreturn]] void fail(const toml::node& at, const std::string& what) const {
    throw BadContract(fmt::format("{}:{}:{}: {}", source_, at.source().begin.line,
                                  at.source().begin.column, what));
  }

  void only_keys(const toml::table& t, const std::vector<std::string_view>& known) const {
    for (const auto& [key, value] : t)
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        fail(value,
             fmt::format("unknown key '{}'; accepted: {}", key.str(), fmt::join(known, ", ")));
  }

  const toml::table& table(const toml::node& n, std::string_view what) const {
    if (!n.is_table()) fail(n, fmt::format("{} must be a table", what));
    return *n.as_table();
  }

  std::string string(const toml::table& t, std::string_view key) const {
    const toml::node* n = t.get(key);
    if (n == nullptr) fail(t, fmt::format("'{}' is missing", key));
    const auto v = n->value_exact<std::string>();
    if (!v || v->empty()) fail(*n, fmt::format("'{}' must be a text", key));
    return *v;
  }

  bool boolean(const toml::table& t, std::string_view key) const {
    const toml::node* n = t.get(key);
    if (n == nullptr) return false;
    const auto v = n->value_exact<bool>();
    if (!v) fail(*n, fmt::format("'{}' must be true or false", key));
    return *v;
  }

  template <class Valid>
  std::set<std::string> names(const toml::table& t, std::string_view key, Valid valid,
                              std::string_view accepted) const {
    std::set<std::string> out;
    const toml::node* n = t.get(key);
    if (n == nullptr) return out;
    if (!n->is_array()) fail(*n, fmt::format("'{}' must be an array of texts", key));
    for (const toml::node& item : *n->as_array()) {
      const auto v = item.value_exact<std::string>();
      if (!v || !valid(*v))
        fail(item, fmt::format("unknown entry in '{}'; accepted: {}", key, accepted));
      out.insert(*v);
    }
    return out;
  }

  double budget(const toml::node& n) const {
    const auto v = n.value<double>();
    if (!v || !(*v >= 0) || !std::isfinite(*v)) fail(n, "a budget must be a number of ulps >= 0");
    return *v;
  }

 private:
  const std::string& source_;
};

constexpr std::string_view kDtypeNames = "f16, bf16, f32, f64";
bool is_dtype(std::string_view s) { return dtype_from_name(s).has_value(); }
bool is_region(std::string_view s) { return s == "all" || region_from_name(s).has_value(); }

std::map<std::string, std::map<std::string, double>> read_budgets(const Reader& r,
                                                                  const toml::table& t) {
  std::map<std::string, std::map<std::string, double>> out;
  for (const auto& [key, value] : t) {
    const std::string dtype(key.str());
    if (!is_dtype(dtype))
      r.fail(value, fmt::format("unknown dtype '{}'; accepted: {}", dtype, kDtypeNames));
    if (!value.is_table()) {
      out[dtype]["all"] = r.budget(value);
      continue;
    }
    for (const auto& [region, budget] : *value.as_table()) {
      if (!is_region(region.str()))
        r.fail(budget, fmt::format("unknown region '{}'", region.str()));
      out[dtype][std::string(region.str())] = r.budget(budget);
    }
  }
  return out;
}

SpeedPromise read_speed(const Reader& r, const toml::table& t) {
  SpeedPromise p;
  p.against = r.string(t, "against");
  if (p.against != "memcpy" && p.against.find('/') == std::string::npos)
    r.fail(*t.get("against"), "'against' names no kernel; accepted: memcpy, plugin/kernel");
  for (const auto& [key, value] : t) {
    if (key.str() == "against") continue;
    if (!is_dtype(key.str()))
      r.fail(value, fmt::format("unknown key '{}'; accepted: against, {}", key.str(), kDtypeNames));
    const auto ratio = value.value<double>();
    if (!ratio || !(*ratio > 0) || !std::isfinite(*ratio))
      r.fail(value, "a throughput promise must be a ratio of times > 0");
    p.at_most[std::string(key.str())] = *ratio;
  }
  if (p.at_most.empty()) r.fail(t, "throughput promises nothing for any dtype");
  return p;
}

ExpectedFailure read_expected(const Reader& r, const toml::table& t) {
  r.only_keys(t, {"rule", "dtypes", "regions", "reason"});
  ExpectedFailure e;
  e.rule = r.string(t, "rule");
  if (find_rule(e.rule) == nullptr) {
    std::vector<std::string_view> known;
    for (const Rule& rule : rules()) known.push_back(rule.id);
    r.fail(*t.get("rule"),
           fmt::format("unknown rule '{}'; accepted: {}", e.rule, fmt::join(known, ", ")));
  }
  e.dtypes = r.names(t, "dtypes", is_dtype, kDtypeNames);
  e.regions = r.names(t, "regions", is_region, "all and the names of regions");
  e.reason = r.string(t, "reason");
  return e;
}

KernelContract read_kernel(const Reader& r, const toml::table& t) {
  r.only_keys(t, {"name", "monotone", "correctly_rounded", "flush_subnormals", "clean_flags",
                  "same_under_ftz", "same_under_any_rounding", "keeps_threads", "training",
                  "max_ulp", "throughput", "expected_failure"});
  KernelContract k;
  k.name = r.string(t, "name");
  k.monotone = r.boolean(t, "monotone");
  k.flush_subnormals = r.boolean(t, "flush_subnormals");
  k.clean_flags = r.boolean(t, "clean_flags");
  k.under_ftz = r.boolean(t, "same_under_ftz");
  k.any_rounding = r.boolean(t, "same_under_any_rounding");
  k.keeps_threads = r.boolean(t, "keeps_threads");
  if (const toml::node* n = t.get("training")) {
    k.same_training = r.string(t, "training") == "same_as_reference";
    if (!k.same_training) r.fail(*n, "unknown 'training'; accepted: same_as_reference");
  }
  k.correctly_rounded = r.names(t, "correctly_rounded", is_dtype, kDtypeNames);
  if (const toml::node* n = t.get("max_ulp")) k.max_ulp = read_budgets(r, r.table(*n, "max_ulp"));
  if (const toml::node* n = t.get("throughput"))
    k.throughput = read_speed(r, r.table(*n, "throughput"));
  if (const toml::node* n = t.get("expected_failure")) {
    if (!n->is_array()) r.fail(*n, "expected_failure must be an array of tables");
    for (const toml::node& item : *n->as_array())
      k.expected_failures.push_back(read_expected(r, r.table(item, "expected_failure")));
  }
  return k;
}

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
         (regions.empty() || region == "all" || regions.count(std::string(region)) != 0);
}

const KernelContract& Contract::of(const std::string& kernel) const {
  static const KernelContract nothing;
  const auto found = kernels.find(kernel);
  return found == kernels.end() ? nothing : found->second;
}

Contract parse_contract(const std::string& text, const std::string& source) {
  Contract contract;
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
    KernelContract k = read_kernel(r, r.table(n, "kernel"));
    if (contract.kernels.count(k.name) != 0)
      r.fail(n, fmt::format("a second contract for kernel '{}'", k.name));
    contract.kernels.emplace(k.name, std::move(k));
  }
  return contract;
}

}  // namespace ulpaudit
