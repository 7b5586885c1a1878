// Inputs for parsers: entries of a corpus, each broken by a few seeded mutations.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ulpaudit::fuzz {

/// No input is longer: deeply nested ones overflow a stack below it, and hundreds are quick to
/// read.
inline constexpr std::size_t kLongestInput = 256 * 1024;

class Mutator {
 public:
  /// The same seed, run and corpus give the same input on every machine.
  Mutator(const std::vector<std::string>& corpus, std::uint64_t seed, std::uint64_t run)
      : corpus_(corpus), rng_(seed * 0x9e3779b97f4a7c15u + run) {}

  std::string next() {
    std::string s = pick(corpus_);
    // Half of the inputs keep their grammar mostly, so that they get past the first check.
    const bool gentle = below(2) == 0;
    for (std::uint64_t n = 1 + below(4); n > 0; --n) {
      gentle ? mutate_tokens(s) : mutate_bytes(s);
      if (s.size() > kLongestInput) s.resize(kLongestInput);
    }
    return s;
  }

 private:
  // std::uniform_int_distribution differs between libraries.
  std::uint64_t below(std::uint64_t n) { return rng_() % n; }
  template <class List>
  const typename List::value_type& pick(const List& list) {
    return list[below(list.size())];
  }
  /// Most ranges are short, some reach over all of the text.
  std::size_t length(std::size_t most) { return below(std::min(most, pick(kLengths)) + 1); }

  void mutate_tokens(std::string& s) {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        return replace_number(s);
      case 6:
      case 7:
      case 8:
        return swap_tokens(s);
      case 9:
        return repeat_token(s);
      case 10: {
        const Token t = token(s);
        const std::size_t depth = length(60'000);
        s.replace(t.at, t.n, std::string(depth, '[') + std::string(depth, ']'));
        return;
      }
      default:
        return replace_token(s);
    }
  }

  void mutate_bytes(std::string& s) {
    const std::size_t at = below(s.size() + 1);
    const std::size_t n = length(s.size() - at);
    switch (below(9)) {
      case 0:  // a bit
        if (at < s.size()) s[at] = static_cast<char>(s[at] ^ (1 << below(8)));
        return;
      case 1:  // a word of a binary format
        return overwrite_word(s, at);
      case 2:
        s.erase(at, n);
        return;
      case 3:  // a copy elsewhere
        s.insert(below(s.size() + 1), s.substr(at, n));
        return;
      case 4: {  // the rest is another entry's
        const std::string& other = pick(corpus_);
        s = s.substr(0, at) + other.substr(below(other.size() + 1));
        return;
      }
      case 5:
        s.resize(at);
        return;
      case 6:
        return nest(s, at);
      case 7:
        s.insert(at, pick(kGarbage));
        return;
      default:
        for (std::size_t i = 0; i < n % 16; ++i) s.insert(at, 1, static_cast<char>(below(256)));
        return;
    }
  }

  struct Token {
    std::size_t at, n;
  };
  static bool separates(char c) { return std::string_view("{}[]:,=\" \t\n*/").find(c) != kNone; }
  static constexpr std::size_t kNone = std::string_view::npos;

  /// The token at or behind a random place; empty where there is none.
  Token token(const std::string& s) {
    std::size_t at = below(s.size() + 1);
    while (at < s.size() && separates(s[at])) ++at;
    while (at > 0 && at < s.size() && !separates(s[at - 1])) --at;
    std::size_t end = at;
    while (end < s.size() && !separates(s[end])) ++end;
    return {at, end - at};
  }
  void replace_number(std::string& s) {
    constexpr std::string_view kDigits = "0123456789";
    std::size_t at = s.find_first_of(kDigits, below(s.size() + 1));
    if (at == kNone) return;
    while (at > 0 && kDigits.find(s[at - 1]) != kNone) --at;
    const std::size_t end = std::min(s.find_first_not_of("0123456789.eE+-xXabcdefp", at), s.size());
    s.replace(at, end - at, pick(kNumbers));
  }
  void swap_tokens(std::string& s) {
    Token a = token(s), b = token(s);
    if (a.at > b.at) std::swap(a, b);
    if (a.at + a.n > b.at) return;
    const std::string first = s.substr(a.at, a.n), second = s.substr(b.at, b.n);
    s.replace(b.at, b.n, first);
    s.replace(a.at, a.n, second);
  }
  void repeat_token(std::string& s) {
    const Token t = token(s);
    std::string text;
    for (std::uint64_t n = below(40); n > 0 && text.size() < kLongestInput; --n)
      text += s.substr(t.at, t.n);
    s.insert(t.at, text);
  }
  void replace_token(std::string& s) {
    const std::string& other = pick(corpus_);
    const Token from = token(other), to = token(s);
    s.replace(to.at, to.n, below(4) == 0 ? pick(kWords) : other.substr(from.at, from.n));
  }
  void nest(std::string& s, std::size_t at) {
    const std::string_view brackets = pick(kNests);
    std::string deep;
    for (std::size_t n = length(60'000); n > 0; --n) deep += brackets;
    s.insert(at, deep);
  }
  void overwrite_word(std::string& s, std::size_t at) {
    const std::uint64_t v = pick(kBinary);
    at -= at % 8;
    for (std::size_t i = 0; i < 8 && at + i < s.size(); ++i)
      s[at + i] = static_cast<char>(v >> (8 * i));
  }

  static constexpr std::array<std::size_t, 4> kLengths = {4, 32, 1000, kLongestInput};
  inline static const std::array<std::string, 26> kNumbers = {
      "0", "-1", "1", "-0", "0.5", "-0.0", "1e999", "-1e999", "1e-999", "nan", "NaN", "inf", "0x",
      "255", "256", "4095", "4294967296", "9223372036854775807", "-9223372036854775808",
      "18446744073709551615", "18446744073709551616", "08", "-", "0x1p-1074", "1e19",
      // More bits than the sums of a report hold.
      "99999999999999999999999999999999999999999999999999999999999999999999999999999"};
  inline static const std::array<std::string, 12> kWords = {
      "null", "true", "false", "[]", "{}", "", "all", "f64", "error", "sigmoid", "\\u0000", "1.x"};
  inline static const std::array<std::string, 8> kGarbage = {
      std::string(1, '\0'), "\xff\xfe",     "\xc0\x80",         "\xed\xa0\x80",
      "\xf4\x90\x80\x80",   "\xe2\x80\xae", "\xf0\x9f\x92\xa9", "\xef\xbb\xbf"};
  static constexpr std::array<std::string_view, 7> kNests = {"[",   "{\"a\":", "[[]",   "a.",
                                                             "{a=", "]",       "\"a\"."};
  static constexpr std::array<std::uint64_t, 8> kBinary = {
      0, 1, 0xff, 0x7fffffff, 0xffffffff, 0x7ff0000000000000, 0x8000000000000000, ~0ull};

  const std::vector<std::string>& corpus_;
  std::mt19937_64 rng_;
};

}  // namespace ulpaudit::fuzz
