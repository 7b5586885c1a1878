// Asking kernels, and searches along the line of inputs.
// SPDX-License-Identifier: Apache-2.0
#include "textbook/probe.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "plugin/loader.hpp"
#include "truth/score.hpp"

namespace ulpaudit {
namespace {

constexpr std::uint64_t kWhole = std::uint64_t{1} << 16;  ///< so many inputs are asked one by one
constexpr std::size_t kRemembered = 4096;                 ///< batches of this size and more
constexpr std::uint64_t kBetween = 32;                    ///< inputs asked between two that differ

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

/// At most `most` ordinals, evenly spaced, both ends among them.
std::vector<std::uint64_t> spaced(Stretch within, std::uint64_t most) {
  const std::uint64_t span = within.last - within.first;
  const std::uint64_t step = span == 0 ? 1 : (span - 1) / (most - 1) + 1;
  std::vector<std::uint64_t> v;
  for (std::uint64_t at = 0; at < span; at += step) {
    v.push_back(within.first + at);
    if (span - at <= step) break;  // at + step may not be a number of 64 bits
  }
  v.push_back(within.last);
  return v;
}

}  // namespace

Stretch finite_line(Dtype d) {
  const Bits max = format(d).max_finite();
  return {ordinal(d, negate(d, max)), ordinal(d, max)};
}

Stretch whole_line(Dtype d) {
  const Stretch finite = finite_line(d);
  return {finite.first - 1, finite.last + 1};
}

Probe::Probe(const std::vector<Job>& jobs, SessionPool& sessions)
    : jobs_(jobs), sessions_(sessions) {}

std::vector<Form> Probe::forms(std::string_view op) const {
  std::vector<Form> out;
  for (const Job& job : jobs_) {
    if (info(job.plan.op).name != op) continue;
    for (const Target& target : job.targets) {
      auto form = std::find_if(out.begin(), out.end(),
                               [&](const Form& f) { return f.name == target.name; });
      if (form == out.end()) {
        Form added;
        added.name = target.name;
        added.op = job.plan.op;
        try {
          const PluginInfo& plugin = sessions_.of(target.plugin_path).info();
          added.formula = without_spaces(plugin.kernels.at(target.kernel).formula);
        } catch (const LoadError&) {
          continue;  // the sweep has reported it
        }
        form = out.insert(out.end(), added);
      }
      form->targets[static_cast<std::size_t>(job.plan.dtype)] = &target;
    }
  }
  return out;
}

std::optional<std::vector<Bits>> Probe::ask(const Form& form, Dtype d, const std::vector<Bits>& z,
                                            Bits y) {
  const std::pair<std::string, Dtype> key(form.name, d);
  if (!form.has(d) || silent_.count(key) != 0) return std::nullopt;
  if (last_.target == key && last_.y == y && last_.z == z) return last_.out;
  const Target& target = *form.targets[static_cast<std::size_t>(d)];
  const auto bytes = static_cast<std::size_t>(format(d).bytes());
  std::vector<char> packed(z.size() * bytes);
  for (std::size_t i = 0; i < z.size(); ++i)
    std::memcpy(packed.data() + i * bytes, &z[i], bytes);  // little endian
  std::vector<Bits> out;
  Accumulator losses;
  EndBudget ends;
  try {
    BatchRunner(sessions_, target, ends)
        .run(
            {form.op, d, y, packed.data(), z.size()},
            [&](std::uint64_t, std::uint64_t n, const void* results) {
              for (std::uint64_t i = 0; i < n; ++i) out.push_back(load(d, results, i));
            },
            losses);
  } catch (const LoadError&) {
    losses.lost_points = z.size();
  }
  if (losses.lost_points != 0) {
    silent_.insert(key);
    return std::nullopt;
  }
  if (z.size() >= kRemembered) last_ = {key, y, z, out};
  return out;
}

std::optional<Bits> Probe::ask(const Form& form, Dtype d, Bits z, Bits y) {
  const auto got = ask(form, d, std::vector<Bits>{z}, y);
  if (!got) return std::nullopt;
  return got->front();
}

std::optional<std::vector<char>> Probe::mask(const Form& form, const Search& search,
                                             const std::vector<std::uint64_t>& ordinals) {
  std::vector<Bits> z;
  z.reserve(ordinals.size());
  for (const std::uint64_t o : ordinals) z.push_back(from_ordinal(search.dtype, o));
  const auto got = ask(form, search.dtype, z, search.y);
  if (!got) return std::nullopt;
  std::vector<char> holds(z.size());
  for (std::size_t i = 0; i < z.size(); ++i)
    holds[i] = static_cast<char>(search.holds(z[i], (*got)[i]));
  return holds;
}

/// The last input, towards `outside`, of the stretch that `inside` lies in.
std::optional<Probe::End> Probe::end_of(const Form& form, const Search& search,
                                        std::uint64_t inside, std::uint64_t outside) {
  const bool up = inside > outside;
  const auto gap = [&] { return up ? inside - outside : outside - inside; };
  bool frayed = false;
  while (gap() > 1) {
    const std::uint64_t n = std::min(kBetween, gap() - 1);
    const std::uint64_t step = gap() / (n + 1);
    std::vector<std::uint64_t> between;  // from `inside` outwards
    for (std::uint64_t i = 1; i <= n; ++i)
      between.push_back(up ? inside - i * step : inside + i * step);
    const auto holds = mask(form, search, between);
    if (!holds) return std::nullopt;
    const auto first_out = std::find(holds->begin(), holds->end(), char{0});
    const auto in = static_cast<std::size_t>(first_out - holds->begin());
    frayed |= std::find(first_out, holds->end(), char{1}) != holds->end();
    if (first_out != holds->end()) outside = between[in];
    if (in > 0) inside = between[in - 1];
  }
  return End{inside, frayed};
}

std::optional<Stretches> Probe::where_by_grid(const Form& form, const Search& search) {
  const std::vector<std::uint64_t> at = spaced(search.within, search.grid);
  const auto holds = mask(form, search, at);
  if (!holds) return std::nullopt;
  std::vector<std::pair<std::size_t, std::size_t>> runs;  // of the grid's indices
  for (std::size_t i = 0; i < at.size(); ++i) {
    if ((*holds)[i] == 0) continue;
    if (!runs.empty() && runs.back().second + 1 == i)
      runs.back().second = i;
    else
      runs.emplace_back(i, i);
  }
  const bool exact = at.size() == search.within.last - search.within.first + 1;
  if (!exact && runs.size() > kMostStretches) {
    const auto half = static_cast<std::ptrdiff_t>(kMostStretches / 2);
    runs.erase(runs.begin() + half, runs.end() - half);
  }
  Stretches out;
  for (const auto& [first, last] : runs) {
    const auto low = end_of(form, search, at[first], first > 0 ? at[first - 1] : at[first] - 1);
    const auto high =
        end_of(form, search, at[last], last + 1 < at.size() ? at[last + 1] : at[last] + 1);
    if (!low || !high) return std::nullopt;
    out.push_back({low->at, high->at, low->frayed, high->frayed});
  }
  return out;
}

std::optional<Stretches> Probe::where(const Form& form, const Search& search) {
  Search s = search;
  if (s.within.last - s.within.first < kWhole) s.grid = kWhole;
  return where_by_grid(form, s);
}

std::optional<Stretches> Probe::where_result(const Form& form, Dtype d,
                                             const std::function<bool(Bits got)>& holds, Bits y) {
  Search s;
  s.dtype = d;
  s.y = y;
  s.within = finite_line(d);
  s.holds = [&](Bits, Bits got) { return holds(got); };
  return where(form, s);
}

Probe::Onset Probe::onset(const Form& form, const Search& search, int side) {
  const auto found = where(form, search);
  if (!found) return {};
  if (found->empty()) return {true, std::nullopt, false};
  const Stretch s = side < 0 ? found->front() : found->back();
  const bool outer = side < 0 ? s.first == search.within.first : s.last == search.within.last;
  if (!outer) return {true, std::nullopt, false};
  return {true, from_ordinal(search.dtype, side < 0 ? s.last : s.first),
          side < 0 ? s.frayed_last : s.frayed_first};
}

Probe::Onset Probe::zero_from(const Form& form, Dtype d, const Tail& tail, Bits y) {
  Search s;
  s.dtype = d;
  s.within = tail.within;
  s.y = y;
  s.holds = [d](Bits, Bits got) { return is_zero(d, got); };
  return onset(form, s, tail.side);
}

Probe::Onset Probe::lost_from(const Form& form, Dtype d, const Tail& tail, Bits y) {
  Search s;
  s.dtype = d;
  s.within = tail.within;
  s.y = y;
  s.grid = 256;  // each input is judged by the final judge
  s.holds = [&, d, y](Bits z, Bits got) {
    return relative_error(form.op, d, z, y, got) >= kAllLost;
  };
  return onset(form, s, tail.side);
}

std::uint64_t count(const Stretches& stretches) {
  std::uint64_t n = 0;
  for (const Stretch& s : stretches) n += s.last - s.first + 1;
  return n;
}

std::uint64_t last_before(Stretch within, const std::function<bool(std::uint64_t)>& holds) {
  while (within.last - within.first > 1) {
    const std::uint64_t middle = within.first + (within.last - within.first) / 2;
    (holds(middle) ? within.first : within.last) = middle;
  }
  return within.first;
}

double true_value(OpId op, Dtype d, Bits z, Bits y) {
  const Truth t = final_judge(op, d, z, y);
  const double sign = t.negative ? -1.0 : 1.0;
  switch (t.kind) {
    case TruthKind::nan:
      return std::numeric_limits<double>::quiet_NaN();
    case TruthKind::infinite:
      return sign * std::numeric_limits<double>::infinity();
    case TruthKind::zero:
      return 0.0;
    default:
      return sign * std::ldexp(t.ulps.hi, t.q);
  }
}

double relative_error(OpId op, Dtype d, Bits z, Bits y, Bits got) {
  const Truth t = final_judge(op, d, z, y);
  if (t.kind != TruthKind::finite || !is_finite(d, got))
    return std::numeric_limits<double>::infinity();
  return std::fabs(score(op, d, t, got).error_ulps) / t.ulps.hi;
}

Tail normal_tail(OpId op, Dtype d, Bits y, int side) {
  const Bits min_normal = format(d).min_normal();
  const auto normal = [&](std::uint64_t o) {
    const Bits r = magnitude(d, final_judge(op, d, from_ordinal(d, o), y).rounded);
    return r >= min_normal && r < format(d).infinity();
  };
  const Stretch line = finite_line(d);
  const std::uint64_t one = ordinal(d, encode(d, side < 0 ? -1.0 : 1.0));
  if (side > 0) return {{one, last_before({one, line.last}, normal)}, side};
  const auto before = last_before({line.first, one}, [&](std::uint64_t o) { return !normal(o); });
  return {{before + 1, one}, side};
}

}  // namespace ulpaudit
