// Ops by name and a seeded source of bits, for tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "ops/op.hpp"

namespace ulpaudit::test {

inline OpId op(const std::string& name) {
  if (const auto id = op_from_name(name)) return *id;
  throw std::invalid_argument("no op " + name);
}

/// What a failure prints about one input.
inline std::string at(OpId op, Dtype d, Bits z, Bits y) {
  const auto hex = [](Bits b) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(b));
    return std::string(text);
  };
  return std::string(info(op).name) + " " + std::string(name(d)) + " z=" + hex(z) + " y=" + hex(y);
}

/// splitmix64: the same bits on every machine.
class RandomBits {
 public:
  explicit RandomBits(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace ulpaudit::test
