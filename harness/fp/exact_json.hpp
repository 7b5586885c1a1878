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

/// Parses text that nests at most 32 deep: copies of values that lie ten thousands deep, which
/// nlohmann makes even in reading some of them, overflow the stack. Throws its exceptions.
template <class Json>
Json parse_shallow(const std::string& text) {
  constexpr int kDeepest = 32;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"')
      quoted = !quoted;
    else if (quoted)
      i += c == '\\' ? 1 : 0;
    else
      depth += (c == '[' || c == '{') ? 1 : (c == ']' || c == '}') ? -1 : 0;
    if (depth > kDeepest)
      throw Json::other_error::create(501, fmt::format("nested more than {} deep", kDeepest),
                                      nullptr);
  }
  return Json::parse(text);
}

}  // namespace ulpaudit
