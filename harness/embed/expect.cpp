// A sweep inside the caller's process, and its verdict in a few lines.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "fp/text.hpp"
#include "inputs/plan.hpp"
#include "score/batch_counter.hpp"
#include "score/witness.hpp"
#include "sweep/results.hpp"
#include "truth/truth.hpp"

extern "C" {
using Call = void (*)(void* kernel, const void* z, const void* y, void* out, std::size_t n);
__attribute__((visibility("default"))) int ulpaudit_expect(const char* op, const char* dtype,
                                                           Call call, void* kernel, double max_ulp,
                                                           int every_input, char* message,
                                                           std::size_t size);
}

namespace ulpaudit {
namespace {

constexpr std::uint64_t kBatch = std::uint64_t{1} << 18;
constexpr std::uint64_t kPoints = std::uint64_t{1} << 20;  // per label, of f32 and f64

InputPlan plan_of(OpId op, Dtype d, bool every_input) {
  InputChoice c;
  c.exhaustive = every_input || format(d).width == 16;
  c.points = kPoints;
  c.labels = default_labels(op, d);
  return make_plan(op, d, c);
}

/// One thread's run over a plan.
class Sweep {
 public:
  Sweep(const InputPlan& plan, Call call, void* kernel)
      : plan_(plan), call_(call), kernel_(kernel) {}

  Accumulator run() {
    const std::size_t room = (kBatch + 1) * 8 + 64;  // vectors read past the end
    z_.resize(room);
    y_.resize(room);
    out_.resize(room);
    for (const Chunk& chunk : plan_.chunks) {
      const Segment& segment = plan_.segments[chunk.segment];
      const auto spans = region_spans(plan_.op, plan_.dtype, segment.y);
      for (std::uint64_t done = 0; done < chunk.count; done += kBatch)
        batch(segment, spans, chunk.first + done, std::min(kBatch, chunk.count - done));
    }
    return std::move(counts_);
  }

 private:
  void batch(const Segment& s, const std::vector<RegionSpan>& spans, std::uint64_t first,
             std::uint64_t n) {
    const auto bytes = static_cast<std::size_t>(format(plan_.dtype).bytes());
    plan_.fill(s, first, n, z_.data());
    const bool two = info(plan_.op).arity == 2;
    if (two)
      for (std::uint64_t i = 0; i < n; ++i) std::memcpy(y_.data() + i * bytes, &s.y, bytes);
    call_(kernel_, z_.data(), two ? y_.data() : nullptr, out_.data(), n);
    truth_.start(plan_.op, plan_.dtype, s.y, z_.data(), n, false);
    if (!truth_.agrees_with_final_judge()) ++counts_.judged.disagreements;
    BatchCounter counter(plan_, s.y, spans, z_.data(), 0, truth_, scratch_, counts_);
    counter(0, n, out_.data());
  }

  const InputPlan& plan_;
  Call call_;
  void* kernel_;
  std::vector<char> z_, y_, out_;
  BatchTruth truth_;
  BlockScratch scratch_;
  Accumulator counts_;
};

std::string at(const Witness& w) {
  std::string out = fmt::format("z = {} ({})", w.z.decimal, w.z.bits);
  if (w.y) out += fmt::format(", y = {} ({})", w.y->decimal, w.y->bits);
  return out + fmt::format(": got {} ({}), the true value is {}, rounded {}", w.got.decimal,
                           w.got.bits, w.true_value, w.expected.bits);
}

/// What is wrong, a line each; empty: nothing.
std::string faults(OpId op, Dtype d, const Tally& t, double max_ulp) {
  std::string out;
  if (t.max_abs.set) {
    const Witness w = make_witness(op, d, t.max_abs.at);
    const double error = std::abs(w.error_ulps.value_or(t.max_abs.error));
    if (!(error <= max_ulp))
      out += fmt::format("\n  {:.6g} ulp, more than {:.6g}, at {}", error, max_ulp, at(w));
  }
  for (int i = 0; i < kCategoryCount; ++i) {
    const Counter& c = t.categories[static_cast<std::size_t>(i)];
    if (c.count != 0)
      out += fmt::format("\n  {} at {} input{}, first {}", name(static_cast<Category>(i)), c.count,
                         c.count == 1 ? "" : "s", at(make_witness(op, d, c.first)));
  }
  return out;
}

int expect(const std::string& op_name, const std::string& dtype_name, Call call, void* kernel,
           double max_ulp, bool every_input, std::string& message) {
  const auto op = op_from_name(op_name);
  const auto d = dtype_from_name(dtype_name);
  if (!op || !d || (every_input && d == Dtype::f64) || !(max_ulp >= 0)) {
    message = fmt::format(
        "ulpaudit: op '{}', dtype '{}', at most {} ulp{}; accepted: sigmoid, sigmoid_grad, "
        "bce_with_logits, bce_with_logits_grad in f16, bf16, f32, f64 (f64 not with every input), "
        "a bound >= 0",
        op_name, dtype_name, max_ulp, every_input ? " for every input" : "");
    return 2;
  }
  const InputPlan plan = plan_of(*op, *d, every_input);
  const Accumulator counts = Sweep(plan, call, kernel).run();
  if (counts.judged.disagreements != 0) {
    message = "ulpaudit: the judges disagree, which is a fault of ulpaudit; nothing is certain";
    return 2;
  }
  Tally all;
  for (const Tally& t : counts.regions) all.merge(*d, t);
  const std::string wrong = faults(*op, *d, all, max_ulp);
  message = fmt::format("{} {}, {} inputs{}{}", op_name, dtype_name, all.points,
                        plan.exhaustive ? " (every z)" : " (sampled)", wrong);
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace ulpaudit

int ulpaudit_expect(const char* op, const char* dtype, Call call, void* kernel, double max_ulp,
                    int every_input, char* message, std::size_t size) {
  std::string text;
  int code = 2;
  try {
    code = ulpaudit::expect(op, dtype, call, kernel, max_ulp, every_input != 0, text);
  } catch (const ulpaudit::Undecided& e) {
    text = fmt::format("ulpaudit: {}", e.what());
  }
  if (size != 0) {
    const std::size_t n = std::min(text.size(), size - 1);
    std::memcpy(message, text.data(), n);
    message[n] = 0;
  }
  return code;
}
