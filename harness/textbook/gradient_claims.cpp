// The textbook's claims about the gradient of sigmoid: T3, T4.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "textbook/claims.hpp"
#include "textbook/table.hpp"
#include "truth/truth.hpp"

namespace ulpaudit::textbook {
namespace {

OpId gradient() { return *op_from_name("sigmoid_grad"); }

/// "z ≤ -20 (true 2e-9); z ≥ 20 (true 2e-9)"; "never"; '-' without an answer.
std::string onsets_text(Dtype d, const Probe::Onset& left, const Probe::Onset& right) {
  if (!left.answered || !right.answered) return kNoAnswer;
  std::vector<std::string> words;
  for (const auto& [onset, sign] : {std::pair(left, "≤"), std::pair(right, "≥")})
    if (onset.z)
      words.push_back(fmt::format("z {} {} (true {:.3g})", sign,
                                  edge_text(d, *onset.z, onset.frayed),
                                  true_value(gradient(), d, *onset.z)));
  return words.empty() ? kNever : fmt::format("{}", fmt::join(words, "; "));
}

/// What one σ′ kernel does at 0 and in its tails.
struct Maximum {
  std::string at_zero = kNoAnswer, vanished = kNoAnswer, lost = kNoAnswer;
  bool quarter = false;
  bool clean = false;  ///< neither vanished nor lost
};

Maximum maximum_of(Probe& probe, const Form& f, Dtype d, const Tail& left, const Tail& right) {
  Maximum m;
  const auto at_zero = probe.ask(f, d, Bits{0});
  const auto zero_left = probe.zero_from(f, d, left), zero_right = probe.zero_from(f, d, right);
  const auto lost_left = probe.lost_from(f, d, left), lost_right = probe.lost_from(f, d, right);
  m.at_zero = value_text(d, at_zero);
  m.vanished = onsets_text(d, zero_left, zero_right);
  m.lost = onsets_text(d, lost_left, lost_right);
  m.quarter = at_zero && *at_zero == encode(d, 0.25);
  m.clean = !zero_left.z && !zero_right.z && !lost_left.z && !lost_right.z;
  return m;
}

constexpr int kLayers = 64;
/// Beyond the textbook's depths, so that f64's end is seen as well (538 layers at z = 0).
constexpr int kDeepest = 2048;

/// s, s·s, …: each product rounded once to the dtype.
std::vector<Bits> products(Dtype d, Bits s) {
  std::vector<Bits> p = {s};
  while (p.size() < kDeepest) p.push_back(encode(d, decode(d, p.back()) * decode(d, s)));
  return p;
}

/// The first numbers of layers with a product below the normal numbers, and with the product 0.
struct Depth {
  int subnormal, zero;
  std::string text() const { return layers(subnormal) + ", " + layers(zero); }

 private:
  static std::string layers(int n) {
    return n <= kDeepest ? std::to_string(n) : fmt::format("> {}", kDeepest);
  }
};

Depth depth_of(Dtype d, const std::vector<Bits>& p) {
  const auto first = [&](Bits below) {
    const auto at =
        std::find_if(p.begin(), p.end(), [&](Bits b) { return magnitude(d, b) < below; });
    return static_cast<int>(at - p.begin()) + 1;
  };
  return {first(format(d).min_normal()), first(1)};
}

/// The same for t^L, rounded once at the end. The logarithm is exact for t = 1/4; else t^L lies far
/// enough from these two borders.
Depth true_depth(Dtype d, double t) {
  Depth depth{1, 1};
  while (depth.subnormal * std::log2(t) >= format(d).emin) ++depth.subnormal;
  while (depth.zero * std::log2(t) > format(d).min_ulp_exponent() - 1) ++depth.zero;
  return depth;
}

bool has_claimed_digits(double three, double four) {
  return fmt::format("{:.3f} {:.3f}", three, four) == "0.016 0.004";
}

/// σ′ of one form at one z in each dtype, multiplied up.
using Chains = std::array<std::vector<Bits>, kDtypes.size()>;

Chains chains_of(Probe& probe, const Form& f, double z) {
  Chains c;
  for (std::size_t i = 0; i < kDtypes.size(); ++i)
    if (const auto s = probe.ask(f, kDtypes[i], encode(kDtypes[i], z)))
      c[i] = products(kDtypes[i], *s);
  return c;
}

constexpr double kLogits[] = {0, 2};

void add_layer_rows(TextbookAnswer& a, const std::string& form, const std::vector<Chains>& chains) {
  for (const int layers : {1, 2, 3, 4, 8, 13, 16, 32, kLayers}) {
    std::vector<std::string> cells = {form, std::to_string(layers)};
    for (std::size_t k = 0; k < chains.size(); ++k) {
      const double t = true_value(gradient(), Dtype::f64, encode(Dtype::f64, kLogits[k]));
      cells.push_back(fmt::format("{:.5g}", std::pow(t, layers)));
      for (std::size_t i = 0; i < kDtypes.size(); ++i) {
        const std::vector<Bits>& p = chains[k][i];
        cells.push_back(p.empty() ? kNoAnswer
                                  : fmt::format("{:.5g}", decode(kDtypes[i], p[layers - 1U])));
      }
    }
    a.rows.push_back(std::move(cells));
  }
}

std::vector<std::string> true_depth_row() {
  std::vector<std::string> cells = {"true product, rounded once", "subnormal, 0 from"};
  for (const double z : kLogits) {
    const double t = true_value(gradient(), Dtype::f64, encode(Dtype::f64, z));
    cells.emplace_back();
    for (const Dtype d : kDtypes) cells.push_back(true_depth(d, t).text());
  }
  return cells;
}

std::vector<std::string> depth_row(const Form& f, const std::vector<Chains>& chains) {
  std::vector<std::string> cells = {f.name, "subnormal, 0 from"};
  for (const Chains& c : chains) {
    cells.emplace_back();
    for (std::size_t i = 0; i < kDtypes.size(); ++i)
      cells.push_back(c[i].empty() ? kNoAnswer : depth_of(kDtypes[i], c[i]).text());
  }
  return cells;
}

/// What the chains at z = 0, of all kernels, say about the claim.
struct Attenuation {
  Tried digits, lasting;
  std::array<std::set<int>, kDtypes.size()> depths;

  void add(const Chains& c) {
    for (std::size_t i = 0; i < kDtypes.size(); ++i) {
      if (c[i].empty()) continue;
      digits.add(has_claimed_digits(decode(kDtypes[i], c[i][2]), decode(kDtypes[i], c[i][3])));
      const int zero = depth_of(kDtypes[i], c[i]).zero;
      lasting.add(zero > kLayers);
      depths[i].insert(zero);
    }
  }
  std::string ends() const {
    std::vector<std::string> said;
    for (std::size_t i = 0; i < kDtypes.size(); ++i)
      if (!depths[i].empty())
        said.push_back(fmt::format("{} in {}", fmt::join(depths[i], " or "), name(kDtypes[i])));
    return listed(said);
  }
};

}  // namespace

std::optional<TextbookAnswer> gradient_maximum(Probe& probe, const Report& report) {
  const std::vector<Form> forms = probe.forms("sigmoid_grad");
  const Dtype headline = headline_dtype(forms);
  TextbookAnswer a{"T3",
                   "σ′ = σ(1-σ) has its maximum 0.25 at z = 0 and approaches 0 at ±∞",
                   "",
                   "",
                   {"form", "dtype", "σ′(0)", "0 though the correctly rounded is normal",
                    "wrong by half and more"},
                   {},
                   "./run sweep --op sigmoid_grad"};
  Tried quarter, clean;
  std::uint64_t above = 0;
  std::vector<std::string> said;
  for (const Dtype d : kDtypes) {
    const Tail left = normal_tail(gradient(), d, 0, -1), right = normal_tail(gradient(), d, 0, 1);
    for (const Form& f : forms) {
      if (!f.has(d)) continue;
      const Maximum m = maximum_of(probe, f, d, left, right);
      a.rows.push_back({f.name, std::string(name(d)), m.at_zero, m.vanished, m.lost});
      if (m.at_zero == kNoAnswer) continue;
      quarter.add(m.quarter);
      clean.add(m.clean);
      above += count_category(report, f, d, "out_of_range");
      if (d == headline && !m.clean)
        said.push_back(fmt::format("{} is 0 for {}, wrong by half and more for {}", f.name,
                                   m.vanished, m.lost));
    }
  }
  if (quarter.asked == 0) return std::nullopt;
  const bool all = clean.passed == clean.asked && above == 0;
  a.verdict = quarter.passed == 0                      ? kWrong
              : quarter.passed == quarter.asked && all ? kHolds
                                                       : kLimited;
  a.answer = fmt::format(
      "{} kernels (each dtype counted) give 0.25 at 0; {} results in the sweep lie outside [0, "
      "0.25]. "
      "{} keep digits in the tails for as long as the true value is a normal number; in {} {}.",
      quarter.text(), above, clean.text(), name(headline), said.empty() ? "all do" : listed(said));
  return a;
}

std::optional<TextbookAnswer> attenuation(Probe& probe, const Report&) {
  TextbookAnswer a{
      "T4",
      "three sigmoid layers attenuate a gradient by up to 0.25^3 = 0.016, four by 0.25^4 = "
      "0.004, so deep sigmoid networks do not train (here: the product of σ′ alone)",
      "",
      "",
      {"σ′ by", "layers"},
      {},
      "./run eval --op sigmoid_grad -- 0"};
  for (const double z : kLogits) {
    a.columns.push_back(fmt::format("true, z = {}", z));
    for (const Dtype d : kDtypes) a.columns.push_back(fmt::format("{}, z = {}", name(d), z));
  }
  Attenuation found;
  for (const Form& f : probe.forms("sigmoid_grad")) {
    std::vector<Chains> chains;
    for (const double z : kLogits) chains.push_back(chains_of(probe, f, z));
    if (a.rows.empty()) {
      add_layer_rows(a, f.name, chains);
      a.rows.push_back(true_depth_row());
    }
    a.rows.push_back(depth_row(f, chains));
    found.add(chains.front());
  }
  if (found.digits.asked == 0) return std::nullopt;
  const double t = true_value(gradient(), Dtype::f64, 0);
  const bool kept =
      found.digits.passed == found.digits.asked && found.lasting.passed == found.lasting.asked;
  a.verdict = !has_claimed_digits(std::pow(t, 3), std::pow(t, 4)) ? kWrong
              : kept                                              ? kHolds
                                                                  : kLimited;
  a.answer = fmt::format(
      "The true products at z = 0 are {} and {}, and {} kernels (each dtype counted) give them. "
      "Multiplied in the dtype, the product at z = 0 is exactly 0 from this many layers on: {}.",
      six(std::pow(t, 3)), six(std::pow(t, 4)), found.digits.text(), found.ends());
  return a;
}

}  // namespace ulpaudit::textbook
