// SPDX-License-Identifier: Apache-2.0
// Plug-in `libtorch`: sigmoid, BCE and their gradients of the LibTorch that it is compiled with, on
// the CPU, in every dtype that this LibTorch accepts.
//
// ULPAUDIT_TORCH_THREADS sets its intra-op threads (default 1).
#define AT_PER_OPERATOR_HEADERS
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/any.h>
#include <ATen/ops/binary_cross_entropy.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/autograd/autograd.h>
#include <ulpaudit/plugin.hpp>

#include <charconv>
#include <cstdlib>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "contract_text.hpp"

namespace {

using at::Tensor;

// The kernels: out = op(z) or op(z, y), elementwise, through LibTorch's out-variants where it has
// one. `out` is the caller's memory.
void sigmoid(const Tensor& z, const Tensor&, Tensor& out) { at::sigmoid_out(out, z); }

// As autograd does it: from the saved sigmoid, rounded to the dtype.
void sigmoid_grad(const Tensor& z, const Tensor&, Tensor& out) {
  at::sigmoid_backward_out(out, at::ones_like(z), at::sigmoid(z));
}

void bce(const Tensor& z, const Tensor& y, Tensor& out) {
  at::binary_cross_entropy_with_logits_out(out, z, y, {}, {}, at::Reduction::None);
}

// LibTorch refuses a whole tensor with a NaN among the probabilities or labels: it is given 1/2
// there, and the result is NaN.
void bce_prob(const Tensor& z, const Tensor& y, Tensor& out) {
  Tensor s = at::sigmoid(z);
  const Tensor nan = at::isnan(s).logical_or_(at::isnan(y));
  if (!at::any(nan).item<bool>()) {
    at::binary_cross_entropy_out(out, s, y, {}, at::Reduction::None);
    return;
  }
  s.masked_fill_(nan, 0.5);
  at::binary_cross_entropy_out(out, s, y.masked_fill(nan, 0.5), {}, at::Reduction::None);
  out.masked_fill_(nan, std::numeric_limits<double>::quiet_NaN());
}

// Its backward has no function of its own: autograd's. It has no out-variant either.
void bce_grad(const Tensor& z, const Tensor& y, Tensor& out) {
  const at::AutoGradMode record(true);
  const Tensor leaf = z.detach().requires_grad_();
  const Tensor loss = at::binary_cross_entropy_with_logits(leaf, y, {}, {}, at::Reduction::None);
  out.copy_(torch::autograd::grad({loss}, {leaf}, {at::ones_like(loss)}).at(0));
}

struct Operation {
  const char *name, *op, *formula;
  bool labels, in_place;
  void (*run)(const Tensor& z, const Tensor& y, Tensor& out);
};

const Operation kOperations[] = {
    {"sigmoid", "sigmoid", "at::sigmoid(z)", false, true, sigmoid},
    {"sigmoid_grad", "sigmoid_grad", "at::sigmoid_backward(1, at::sigmoid(z))", false, false,
     sigmoid_grad},
    {"bce", "bce_with_logits", "at::binary_cross_entropy_with_logits(z, y)", true, false, bce},
    {"bce_prob", "bce_with_logits", "at::binary_cross_entropy(at::sigmoid(z), y)", true, false,
     bce_prob},
    {"bce_grad", "bce_with_logits_grad", "autograd of at::binary_cross_entropy_with_logits(z, y)",
     true, false, bce_grad}};

struct Dtype {
  std::uint32_t bit;
  const char* name;
  at::ScalarType type;
};
const Dtype kDtypes[] = {{ULPAUDIT_F16, "f16", at::kHalf},
                         {ULPAUDIT_BF16, "bf16", at::kBFloat16},
                         {ULPAUDIT_F32, "f32", at::kFloat},
                         {ULPAUDIT_F64, "f64", at::kDouble}};

/// Sets the intra-op threads; the reason in words where that cannot be done.
std::string set_threads() {
  const char* text = std::getenv("ULPAUDIT_TORCH_THREADS");
  int n = 1;
  if (text != nullptr) {
    const char* end = text + std::strlen(text);
    const auto read = std::from_chars(text, end, n);
    if (read.ec != std::errc() || read.ptr != end || n < 1 || n > 1024)
      return std::string("ULPAUDIT_TORCH_THREADS='") + text + "' is no number from 1 to 1024";
  }
  at::set_num_threads(n);
  return {};
}

/// LibTorch's own words, without its stack.
std::string first_line(const c10::Error& e) {
  const std::string text = e.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

/// Why LibTorch refuses the operation in this dtype; "" where it does not.
std::string refusal(const Operation& o, const Dtype& d) {
  try {
    const at::NoGradGuard no_grad;
    const Tensor half = at::full({64}, 0.5, at::TensorOptions().dtype(d.type));
    Tensor out = at::full({64}, 0.0, at::TensorOptions().dtype(d.type));
    o.run(half, half, out);
    return {};
  } catch (const c10::Error& e) {
    return first_line(e);
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                 std::size_t size) noexcept {
  const auto& o = *static_cast<const Operation*>(self->user);
  for (const Dtype& d : kDtypes) {
    if (d.bit != b->dtype || (self->dtypes & d.bit) == 0) continue;
    if (b->n == 0) return ULPAUDIT_OK;
    try {
      const at::NoGradGuard no_grad;
      const auto tensor = [&](const void* p) {
        return at::from_blob(const_cast<void*>(p), {static_cast<std::int64_t>(b->n)},
                             at::TensorOptions().dtype(d.type));
      };
      Tensor out = tensor(b->out);
      o.run(tensor(b->z), o.labels ? tensor(b->y) : Tensor(), out);
      if (out.data_ptr() == b->out) return ULPAUDIT_OK;
      return ulpaudit::shim::fail(ULPAUDIT_FAILED, "LibTorch did not write to the given memory",
                                  message, size);
    } catch (const c10::Error& e) {
      return ulpaudit::shim::fail(ULPAUDIT_FAILED, first_line(e).c_str(), message, size);
    } catch (const std::exception& e) {
      return ulpaudit::shim::fail(ULPAUDIT_FAILED, e.what(), message, size);
    }
  }
  return ulpaudit::shim::fail(ULPAUDIT_UNSUPPORTED, "LibTorch refuses this dtype", message, size);
}

// The kernels that LibTorch has: one for the dtypes that it accepts, and NAME@DTYPE, unavailable,
// for each one that it refuses.
class Plugin {
 public:
  Plugin() {
    const std::string no_threads = set_threads();
    for (const Operation& o : kOperations) add(o, no_threads);
    for (const ulpaudit_kernel& k : kernels_) pointers_.push_back(&k);
    c_ = {sizeof c_,           ULPAUDIT_ABI_VERSION, static_cast<std::uint32_t>(pointers_.size()),
          ULPAUDIT_TORCH_NAME, TORCH_VERSION,        ULPAUDIT_BUILD,
          kContract,           pointers_.data()};
  }

  const ulpaudit_plugin* entry() const { return &c_; }

 private:
  void add(const Operation& o, const std::string& no_threads) {
    std::uint32_t accepted = 0;
    for (const Dtype& d : kDtypes) {
      const std::string why = no_threads.empty() ? refusal(o, d) : std::string();
      if (why.empty())
        accepted |= d.bit;
      else
        add(o, texts_.emplace_back(std::string(o.name) + "@" + d.name).c_str(), d.bit, why);
    }
    if (accepted != 0) add(o, o.name, accepted, no_threads);
  }

  void add(const Operation& o, const char* name, std::uint32_t dtypes, const std::string& why) {
    const char* unavailable = why.empty() ? nullptr : texts_.emplace_back(why).c_str();
    const std::uint32_t tags = ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_ELEMENTWISE |
                               (o.in_place ? ULPAUDIT_TAG_IN_PLACE : 0);
    kernels_.push_back({sizeof(ulpaudit_kernel), name, o.op, dtypes, tags, o.formula, "",
                        unavailable, &o, run, nullptr, nullptr});
  }

  std::deque<std::string> texts_;
  std::deque<ulpaudit_kernel> kernels_;
  std::vector<const ulpaudit_kernel*> pointers_;
  ulpaudit_plugin c_{};
};

}  // namespace

ULPAUDIT_EXPORT const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  if (host_abi != ULPAUDIT_ABI_VERSION) return nullptr;
  static const Plugin plugin;
  return plugin.entry();
}
