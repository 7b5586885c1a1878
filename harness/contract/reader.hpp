// Reads TOML tables and says precisely where something is wrong.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "contract/contract.hpp"
#include "contract/nearest.hpp"

namespace ulpaudit {

class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  [[noreturn]] void fail(const toml::source_region& at, const std::string& what) const {
    throw BadContract(fmt::format("{}:{}:{}: {}", source_, at.begin.line, at.begin.column, what));
  }
  [[noreturn]] void fail(const toml::node& at, const std::string& what) const {
    fail(at.source(), what);
  }
  /// `name` is none of the `known` ones.
  template <class Names>
  [[noreturn]] void fail_name(const toml::source_region& at, std::string_view what,
                              std::string_view name, const Names& known) const {
    fail(at, fmt::format("unknown {} '{}'{}{} accepted: {}", what, name, did_you_mean(name, known),
                         did_you_mean(name, known).empty() ? ";" : "", fmt::join(known, ", ")));
  }

  void only_keys(const toml::table& t, const std::vector<std::string_view>& known) const {
    for (const auto& [key, value] : t)
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        fail_name(key.source(), "key", key.str(), known);
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

  /// One of a few words; empty where the key is not there.
  std::string word(const toml::table& t, std::string_view key,
                   const std::vector<std::string_view>& known) const {
    const toml::node* n = t.get(key);
    if (n == nullptr) return "";
    const std::string v = string(t, key);
    if (std::find(known.begin(), known.end(), v) == known.end())
      fail_name(n->source(), fmt::format("'{}'", key), v, known);
    return v;
  }

  bool boolean(const toml::table& t, std::string_view key) const {
    const toml::node* n = t.get(key);
    if (n == nullptr) return false;
    const auto v = n->value_exact<bool>();
    if (!v) fail(*n, fmt::format("'{}' must be true or false", key));
    return *v;
  }

  /// An array of names, each handed on with its place.
  template <class Each>
  std::set<std::string> names(const toml::table& t, std::string_view key,
                              const std::vector<std::string_view>& known, Each each) const {
    std::set<std::string> out;
    const toml::node* n = t.get(key);
    if (n == nullptr) return out;
    if (!n->is_array()) fail(*n, fmt::format("'{}' must be an array of texts", key));
    for (const toml::node& item : *n->as_array()) {
      const auto v = item.value_exact<std::string>();
      if (!v)
        fail(item,
             fmt::format("an entry in '{}' is no text; accepted: {}", key, fmt::join(known, ", ")));
      if (std::find(known.begin(), known.end(), *v) == known.end())
        fail_name(item.source(), fmt::format("entry in '{}':", key), *v, known);
      out.insert(*v);
      each(item, *v);
    }
    return out;
  }

  /// A number >= 0 of `unit`.
  double budget(const toml::node& n, std::string_view unit) const {
    const auto v = n.value<double>();
    if (!v || !(*v >= 0) || !std::isfinite(*v))
      fail(n, fmt::format("a budget must be a number{} >= 0", unit));
    return *v;
  }

  double ratio(const toml::node& n) const {
    const auto v = n.value<double>();
    if (!v || !(*v > 0) || !std::isfinite(*v))
      fail(n, "a throughput promise must be a ratio of times > 0");
    return *v;
  }

 private:
  const std::string& source_;
};

}  // namespace ulpaudit
