// What sums are seldom asked for.
// SPDX-License-Identifier: Apache-2.0
#include "record/sum.hpp"

#include <boost/multiprecision/cpp_int.hpp>

namespace ulpaudit {
namespace {

using boost::multiprecision::cpp_int;

cpp_int whole(const std::array<std::uint64_t, 4>& limbs) {
  cpp_int out = 0;
  for (std::size_t i = limbs.size(); i-- > 0;) out = (out << 64) | limbs[i];
  return (limbs.back() >> 63) != 0 ? out - (cpp_int(1) << 256) : out;
}

}  // namespace

double Sum::to_double() const { return whole(limbs_).convert_to<double>(); }
std::string Sum::str() const { return whole(limbs_).str(); }

std::optional<Sum> sum_from_text(std::string_view text) {
  constexpr std::size_t kMostDigits = 76;  // 10^76 < 2^255
  const bool minus = text.substr(0, 1) == "-";
  const std::string_view digits = text.substr(minus ? 1 : 0);
  if (digits.empty() || digits.size() > kMostDigits ||
      digits.find_first_not_of("0123456789") != digits.npos)
    return std::nullopt;
  if (digits[0] == '0' && digits.size() > 1) return std::nullopt;  // another way to write it
  cpp_int rest{std::string(digits)};
  Sum out;
  for (unsigned bits = 0; bits < 256; bits += 64) {
    out += Sum(static_cast<std::uint64_t>(rest & ~std::uint64_t{0})) << bits;
    rest >>= 64;
  }
  return minus ? -out : out;
}

}  // namespace ulpaudit
