// Counts as bytes and back.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/state.hpp"

#include <cstring>

namespace ulpaudit {

void StateWriter::number(std::uint64_t v) {
  for (int i = 0; i < 64; i += 8) out_ += static_cast<char>(v >> i);
}
void StateWriter::real(double v) { number(detail::bit_copy<std::uint64_t>(v)); }
void StateWriter::text(std::string_view s) {
  number(s.size());
  out_ += s;
}
void StateWriter::sum(const Sum& s) { text(s.str()); }
void StateWriter::at(const Case& c) {
  number(c.z);
  number(c.y);
  number(c.got);
}
void StateWriter::counter(const Counter& c) {
  number(c.count);
  at(c.first);
  number(c.last);
}
void StateWriter::extreme(const Extreme& e) {
  number(e.set ? 1 : 0);
  real(e.error);
  at(e.at);
}

void StateWriter::tally(const Tally& t) {
  for (std::uint64_t v :
       {t.points, t.measured, t.correctly_rounded, t.faithful, t.allclose_failures})
    number(v);
  for (const Sum* s : {&t.sum_abs, &t.sum_signed, &t.sum_squares}) sum(*s);
  for (const Extreme* e : {&t.max_abs, &t.max_signed, &t.min_signed}) extreme(*e);
  counter(t.wrong_zero);
  for (const Counter& c : t.categories) counter(c);
  number(t.histogram.empty() ? 0 : 1);
  std::uint64_t filled = 0;
  for (std::uint64_t n : t.histogram) filled += n != 0 ? 1 : 0;
  number(filled);
  for (std::size_t i = 0; i < t.histogram.size(); ++i) {
    if (t.histogram[i] == 0) continue;
    number(i);
    number(t.histogram[i]);
  }
}

void StateWriter::bin(const CurveBin& b) {
  number(b.points);
  number(b.correctly_rounded);
  real(b.max_signed);
  real(b.min_signed);
  sum(b.sum_abs);
  sum(b.sum_squares);
  sum(b.sum_signed);
  number(b.categories);
}

void StateWriter::counts(const Accumulator& a) {
  for (const Tally& t : a.regions) tally(t);
  number(a.curve.size());
  for (const auto& [key, b] : a.curve) {
    number(key);
    bin(b);
  }
  number(a.digest);
  number(a.monotone.pairs);
  number(a.monotone.violations);
  at(a.monotone.lower);
  at(a.monotone.upper);
  number(a.monotone.last);
  for (std::uint64_t v : {a.judged.fast, a.judged.final_judge, a.judged.cross_checked,
                          a.judged.disagreements, a.lost_points})
    number(v);
  number(a.losses.size());
  for (const Loss& l : a.losses) {
    text(l.kind);
    text(l.message);
    number(l.batches);
    number(l.points);
    at(l.first);
    number(l.length);
    number(l.low);
    number(l.high);
    number(l.not_run);
  }
  number(a.search.size());
  for (const auto& [first, b] : a.search) {
    number(first);
    number(b.last);
    number(b.points);
    extreme(b.max);
  }
}

void StateWriter::counts(const std::vector<Accumulator>& all) {
  number(all.size());
  for (const Accumulator& a : all) counts(a);
}

std::string_view StateReader::bytes(std::size_t n) {
  if (n > left_.size()) throw BadState("it ends too early");
  const std::string_view b = left_.substr(0, n);
  left_.remove_prefix(n);
  return b;
}
std::uint64_t StateReader::number() {
  std::uint64_t v = 0;
  int shift = 0;
  for (const char c : bytes(8)) {
    v |= std::uint64_t{static_cast<unsigned char>(c)} << shift;
    shift += 8;
  }
  return v;
}
std::size_t StateReader::size() {
  const std::uint64_t n = number();
  if (n > left_.size()) throw BadState("it ends too early");
  return n;
}
double StateReader::real() { return detail::bit_copy<double>(number()); }
std::string StateReader::text() { return std::string(bytes(size())); }
Sum StateReader::sum() {
  const auto sum = sum_from_text(text());
  if (!sum) throw BadState("a sum is not an integer that it can hold");
  return *sum;
}
Case StateReader::at() {
  Case c;
  c.z = number();
  c.y = number();
  c.got = number();
  return c;
}
Counter StateReader::counter() {
  Counter c;
  c.count = number();
  c.first = at();
  c.last = number();
  return c;
}
Extreme StateReader::extreme() {
  Extreme e;
  e.set = number() != 0;
  e.error = real();
  e.at = at();
  return e;
}

Tally StateReader::tally() {
  Tally t;
  for (std::uint64_t* v :
       {&t.points, &t.measured, &t.correctly_rounded, &t.faithful, &t.allclose_failures})
    *v = number();
  for (Sum* s : {&t.sum_abs, &t.sum_signed, &t.sum_squares}) *s = sum();
  for (Extreme* e : {&t.max_abs, &t.max_signed, &t.min_signed}) *e = extreme();
  t.wrong_zero = counter();
  for (Counter& c : t.categories) c = counter();
  if (number() != 0) t.start();
  for (std::size_t n = size(); n > 0; --n) {
    const std::uint64_t i = number();
    if (i >= t.histogram.size()) throw BadState("no such bin of the histogram");
    t.histogram[i] = number();
  }
  return t;
}

CurveBin StateReader::bin() {
  CurveBin b;
  b.points = number();
  b.correctly_rounded = number();
  b.max_signed = real();
  b.min_signed = real();
  b.sum_abs = sum();
  b.sum_squares = sum();
  b.sum_signed = sum();
  b.categories = number();
  return b;
}

Accumulator StateReader::counts() {
  Accumulator a;
  for (Tally& t : a.regions) t = tally();
  for (std::size_t n = size(); n > 0; --n) {
    const auto key = static_cast<std::uint32_t>(number());
    a.curve[key] = bin();
  }
  a.digest = number();
  a.monotone.pairs = number();
  a.monotone.violations = number();
  a.monotone.lower = at();
  a.monotone.upper = at();
  a.monotone.last = number();
  for (std::uint64_t* v : {&a.judged.fast, &a.judged.final_judge, &a.judged.cross_checked,
                           &a.judged.disagreements, &a.lost_points})
    *v = number();
  for (std::size_t n = size(); n > 0; --n) {
    Loss l;
    l.kind = text();
    l.message = text();
    l.batches = number();
    l.points = number();
    l.first = at();
    l.length = number();
    l.low = number();
    l.high = number();
    l.not_run = number();
    a.losses.push_back(std::move(l));
  }
  for (std::size_t n = size(); n > 0; --n) {
    SearchedBinade& b = a.search[number()];
    b.last = number();
    b.points = number();
    b.max = extreme();
  }
  return a;
}

std::vector<Accumulator> StateReader::all_counts() {
  std::vector<Accumulator> all;
  for (std::size_t n = size(); n > 0; --n) all.push_back(counts());
  return all;
}

}  // namespace ulpaudit
