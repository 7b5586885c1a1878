// Shards of one run, put together.
// SPDX-License-Identifier: Apache-2.0
#include "record/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "fp/text.hpp"

namespace ulpaudit {
namespace {

[[noreturn]] void differ(const ShardFile& a, const ShardFile& b, const std::string& what) {
  throw BadMerge(fmt::format("'{}' and '{}' are not of one run: {}", a.path, b.path, what));
}

void same_context(const ShardFile& a, const ShardFile& b) {
  const Context &x = a.report.context, &y = b.report.context;
  const auto same = [&](const char* what, const auto& p, const auto& q) {
    if (p != q) differ(a, b, fmt::format("{} '{}' and '{}'", what, p, q));
  };
  same("version", x.version, y.version);
  same("commit", x.commit, y.commit);
  same("compiler", x.compiler, y.compiler);
  same("flags", x.flags, y.flags);
  same("libm", x.libm, y.libm);
  same("MPFR", x.mpfr, y.mpfr);
  same("rounding", x.rounding, y.rounding);
  same("FTZ and DAZ", x.ftz_daz, y.ftz_daz);
  same("ISA", x.isa, y.isa);
  same("profile", x.profile, y.profile);
  same("seed", x.seed, y.seed);
  same("number of shards", x.shard.count, y.shard.count);
}

void same_implementations(const ShardFile& a, const ShardFile& b) {
  const auto &x = a.report.implementations, &y = b.report.implementations;
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    if (i >= x.size() || i >= y.size() || x[i].name != y[i].name)
      differ(a, b, "other implementations");
    if (x[i].build_id != y[i].build_id)
      differ(a, b,
             fmt::format("'{}' is of build {} and {}", x[i].name, x[i].build_id, y[i].build_id));
    if (x[i].unavailable != y[i].unavailable || x[i].dtypes != y[i].dtypes)
      differ(a, b, fmt::format("'{}' is not available in both alike", x[i].name));
  }
  if (a.report.contracts != b.report.contracts) differ(a, b, "other contracts");
}

std::vector<const Result*> totals(const Report& r) {
  std::vector<const Result*> out;
  for (const Result& x : r.results)
    if (x.region == "all") out.push_back(&x);
  return out;
}

std::string title(const Result& r) {
  return fmt::format("{} {} {}", r.implementation, r.op, r.dtype);
}

void same_inputs(const ShardFile& a, const ShardFile& b) {
  const auto x = totals(a.report), y = totals(b.report);
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    if (i >= x.size() || i >= y.size() || title(*x[i]) != title(*y[i]))
      differ(a, b, "other implementations, ops or dtypes were run");
    if (x[i]->inputs != y[i]->inputs)
      differ(a, b,
             fmt::format("other inputs of {} were asked for (--points, --range, --label, "
                         "--exhaustive)",
                         title(*x[i])));
  }
}

/// Every shard once. `shards` is in order of the index.
void complete(const std::vector<ShardFile>& shards) {
  const std::uint64_t count = shards.front().report.context.shard.count;
  std::vector<std::string> missing;
  std::uint64_t next = 0, missed = 0;
  const auto skip_to = [&](std::uint64_t index) {
    missed += index - next;
    for (; next < index && missing.size() < 20; ++next)
      missing.push_back(fmt::format("{}/{}", next, count));
    next = index + 1;
  };
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::uint64_t index = shards[i].report.context.shard.index;
    if (i != 0 && index == shards[i - 1].report.context.shard.index)
      throw BadMerge(fmt::format("'{}' and '{}' are both shard {}/{}", shards[i - 1].path,
                                 shards[i].path, index, count));
    skip_to(index);
  }
  skip_to(count);
  if (missed == 0) return;
  std::string list;
  for (const std::string& m : missing) list += (list.empty() ? "" : ", ") + m;
  throw BadMerge(fmt::format("{} of {} shards {} missing: {}{}", missed, count,
                             missed == 1 ? "is" : "are", list, missed > 20 ? ", …" : ""));
}

void check(const std::vector<ShardFile>& shards) {
  for (const ShardFile& s : shards) {
    if (s.report.run.ended_early)
      throw BadMerge(
          fmt::format("'{}' was ended early (time limit or interrupt), so part of its "
                      "inputs was not run",
                      s.path));
    same_context(shards.front(), s);
    same_implementations(shards.front(), s);
    same_inputs(shards.front(), s);
  }
  complete(shards);
}

Dtype dtype_of(const ShardFile& file, const Result& r) {
  const auto d = dtype_from_name(r.dtype);
  if (!d) throw BadMerge(fmt::format("'{}': unknown dtype '{}'", file.path, r.dtype));
  return *d;
}

Case case_of(Dtype d, const Witness& w) {
  return {parse_number(d, w.z.bits), w.y ? parse_number(d, w.y->bits) : 0,
          parse_number(d, w.got.bits)};
}

void add(Monotone& into, Dtype d, const Monotone& from) {
  into.pairs += from.pairs;
  into.violations += from.violations;
  if (from.violations == 0) return;
  if (!from.lower || !from.upper)
    throw std::invalid_argument("violations of monotonicity without a pair that shows one");
  const auto place = [d](const Number& z) { return ordinal(d, parse_number(d, z.bits)); };
  if (!from.last) throw std::invalid_argument("violations of monotonicity without the last");
  if (!into.last || place(*into.last) < place(*from.last)) into.last = from.last;
  if (into.lower && !CaseOrder{d}(case_of(d, *from.lower), case_of(d, *into.lower))) return;
  into.lower = from.lower;
  into.upper = from.upper;
}

std::uint64_t read_digest(const std::string& text) {
  std::uint64_t v = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, v, 16);
  if (error != std::errc{} || end != last)
    throw std::invalid_argument(fmt::format("'{}' is not a digest", text));
  return v;
}

std::string add_digests(const std::string& a, const std::string& b) {
  return fmt::format("{:016x}", read_digest(a) + read_digest(b));
}

/// A result's name and what was asked for; no figures.
Result blank(const Result& r) {
  Result b;
  b.implementation = r.implementation;
  b.op = r.op;
  b.dtype = r.dtype;
  b.region = r.region;
  b.range = r.range;
  b.labels = r.labels;
  b.label_count = r.label_count;
  b.inputs = r.inputs;
  b.special_values = r.special_values;  // of the same inputs in every shard, as is the next
  b.reversed = r.reversed;
  b.digest = "0";
  return b;
}

/// Throws std::invalid_argument where a number is none, or a witness is missing.
void add(Result& into, Dtype d, const Result& from) {
  if (from.raw.measured != 0 && !from.raw.max_abs.set)
    throw std::invalid_argument("measured points without a largest error");
  into.lost_points += from.lost_points;
  into.raw.merge(d, from.raw);
  if (into.region != "all") return;
  merge(into.raw_curve, from.raw_curve);
  merge(d, into.raw_search, from.raw_search);
  into.digest = add_digests(into.digest, from.digest);
  into.judged.fast += from.judged.fast;
  into.judged.final_judge += from.judged.final_judge;
  into.judged.cross_checked += from.judged.cross_checked;
  into.judged.disagreements += from.judged.disagreements;
  add(into.monotone, d, from.monotone);
  for (const Loss& l : from.losses) add_loss(d, into.losses, l);
}

const Result* find(const Report& r, const Result& total, const std::string& region) {
  for (const Result& x : r.results)
    if (x.region == region && title(x) == title(total)) return &x;
  return nullptr;
}

void merge_rows(const std::vector<ShardFile>& shards, const Result& total, Report& out) {
  const auto op = op_from_name(total.op);
  if (!op) throw BadMerge(fmt::format("'{}': unknown op '{}'", shards.front().path, total.op));
  std::vector<std::string> regions = {"all"};
  for (Region r : regions_of(*op)) regions.emplace_back(name(r));
  for (const std::string& region : regions) {
    std::optional<Result> sum;
    for (const ShardFile& s : shards) {
      const Result* r = find(s.report, total, region);
      if (r == nullptr) continue;
      if (!sum) sum = blank(*r);
      try {
        add(*sum, dtype_of(s, *r), *r);
      } catch (const std::invalid_argument& e) {
        throw BadMerge(fmt::format("'{}': {}: {}", s.path, title(*r), e.what()));
      }
    }
    if (sum) out.results.push_back(std::move(*sum));
  }
  const Result* whole = find(out, total, "all");
  if (whole->lost_points == 0 && whole->raw.points != whole->inputs.points)
    throw BadMerge(fmt::format("{}: the shards hold {} points, and {} were asked for", title(total),
                               whole->raw.points, whole->inputs.points));
}

void note(std::string& list, const std::string& one) {
  if (list.empty())
    list = one;
  else if (list != one && list.find(one + ", ") != 0 && list.find(", " + one) == list.npos)
    list += ", " + one;
}

/// Machines and machine time of all shards.
Volatile merge_runs(const std::vector<ShardFile>& shards) {
  Volatile v;
  double evaluations = 0;
  for (const ShardFile& s : shards) {
    const Volatile& x = s.report.run;
    if (v.started.empty() || x.started < v.started) v.started = x.started;
    note(v.host, x.host);
    note(v.cpu, x.cpu);
    if (!x.gpu.empty()) note(v.gpu, x.gpu);
    v.threads = std::max(v.threads, x.threads);
    v.wall_seconds += x.wall_seconds;
    evaluations += x.points_per_second * x.wall_seconds;
  }
  if (v.wall_seconds > 0) v.points_per_second = evaluations / v.wall_seconds;
  return v;
}

}  // namespace

Report merge_shards(std::vector<ShardFile> shards) {
  if (shards.empty()) throw BadMerge("no report is given");
  std::stable_sort(shards.begin(), shards.end(), [](const ShardFile& a, const ShardFile& b) {
    return a.report.context.shard.index < b.report.context.shard.index;
  });
  check(shards);
  const Report& first = shards.front().report;
  Report out;
  out.context = first.context;
  out.context.shard = {};
  out.run = merge_runs(shards);
  out.implementations = first.implementations;
  out.contracts = first.contracts;
  out.properties = first.properties;  // the first shard alone checks them
  for (const Finding& f : first.findings)
    if (f.phase != "sweep") out.findings.push_back(f);  // the first shard alone checks properties
  out.coverage = first.coverage;
  for (const Result* total : totals(first)) merge_rows(shards, *total, out);
  return out;
}

}  // namespace ulpaudit
