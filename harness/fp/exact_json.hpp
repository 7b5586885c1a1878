// SPDX-License-Identifier: Apache-2.0
// JSON from others: integers are read exactly or refused (by itself nlohmann's reader makes 2^64 -
// 1 of -1, cuts 2^32 to 0, and casts 1e300 to an integer, which is undefined), deep nesting is
// refused.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ulpaudit {

template <class T, class = void>
struct ExactSerializer : nlohmann::adl_serializer<T, void> {};

/// Throws nlohmann's type_error where the value is no integer of the type.
template <class T>
struct ExactSerializer<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>>
    : nlohmann::adl_serializer<T, void> {
  template <class Json>
  static void from_json(const Json& j, T& v) {
    const auto* u = j.template get_ptr<const typename Json::number_unsigned_t*>();
    const auto* i = j.template get_ptr<const typename Json::number_integer_t*>();
    if (u != nullptr && std::in_range<T>(*u))
      v = static_cast<T>(*u);
    else if (u == nullptr && i != nullptr && std::in_range<T>(*i))
      v = static_cast<T>(*i);
    else
      throw Json::type_error::create(
          302,
          fmt::format("type must be integer from {} to {}, but is {}",
                      std::numeric_limits<T>::min(), std::numeric_limits<T>::max(),
                      j.is_number() ? j.dump() : j.type_name()),
          &j);
  }
};

/// `Map`: std::map, or nlohmann::ordered_map, which keeps the order of writing.
template <template <class, class, class...> class Map>
using ExactJson = nlohmann::basic_json<Map, std::vector, std::string, bool, std::int64_t,
                                       std::uint64_t, double, std::allocator, ExactSerializer>;

namespace detail {

/// One pass over JSON text, before it is parsed. Text that is no JSON is left to the parser.
template <class Json>
class JsonGuard {
 public:
  explicit JsonGuard(const std::string& text) : text_(text) {}

  void run() {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"') {
        const std::size_t end = end_of_text(i + 1);
        if (!open_.empty() && open_.back().key_next) add_key(text_.substr(i + 1, end - i - 1));
        i = end;
      } else if (c == '[' || c == '{') {
        open_.push_back({c == '{', c == '{', {}});
        if (open_.size() > kDeepest) refuse(fmt::format("nested more than {} deep", kDeepest));
      } else if (c == ']' || c == '}') {
        if (!open_.empty()) open_.pop_back();
      } else if (c == ',' && !open_.empty()) {
        open_.back().key_next = open_.back().object;
      }
    }
  }

 private:
  static constexpr std::size_t kDeepest = 32, kMostMembers = 10000;
  struct Open {
    bool object, key_next;
    std::unordered_set<std::string> keys;
  };

  [[noreturn]] static void refuse(const std::string& why) {
    throw Json::other_error::create(501, why, nullptr);
  }
  /// The place of the quote that ends the text.
  std::size_t end_of_text(std::size_t i) const {
    while (i < text_.size() && text_[i] != '"') i += text_[i] == '\\' ? 2 : 1;
    return std::min(i, text_.size());
  }
  void add_key(std::string key) {
    Open& object = open_.back();
    object.key_next = false;
    if (key.find('\\') != key.npos) key = Json::parse('"' + key + '"').template get<std::string>();
    if (object.keys.size() == kMostMembers)
      refuse(fmt::format("an object with more than {} members", kMostMembers));
    if (!object.keys.insert(key).second) refuse(fmt::format("the member '{}' is there twice", key));
  }

  const std::string& text_;
  std::vector<Open> open_;
};

}  // namespace detail

/// Parses text that nests at most 32 deep: copies of values that lie ten thousands deep, which
/// nlohmann makes even in reading some of them, overflow the stack. A member that is there twice
/// is refused, since a reader would see one of the two; so is an object of more than 10,000, which
/// nlohmann takes quadratic time for. Throws its exceptions.
template <class Json>
Json parse_shallow(const std::string& text) {
  detail::JsonGuard<Json>(text).run();
  return Json::parse(text);
}

}  // namespace ulpaudit
