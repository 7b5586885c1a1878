// Plug-in `xnnpack`: the sigmoid operator of XNNPACK, which chooses the instruction set itself. It
// has no gradient and no loss.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include <xnnpack.h>
#include <ulpaudit/plugin.hpp>

namespace {

void check(xnn_status status, const char* what) {
  if (status == xnn_status_success) return;
  throw std::runtime_error(std::string(what) + ": xnn_status " + std::to_string(status));
}

struct Delete {
  void operator()(xnn_operator_t op) const { xnn_delete_operator(op); }
};

// Where the processor is too old for it XNNPACK says so.
const char* why_not() {
  return xnn_initialize(nullptr) == xnn_status_success ? nullptr : "xnn_initialize failed";
}

// An operator may be set up by one thread at a time.
void call(const float* z, float* out, std::size_t n) {
  thread_local std::unique_ptr<xnn_operator, Delete> op;
  if (op == nullptr) {
    xnn_operator_t made = nullptr;
    check(xnn_create_sigmoid_nc_f32(1, 1, 1, 0, &made), "xnn_create_sigmoid_nc_f32");
    op.reset(made);
  }
  check(xnn_setup_sigmoid_nc_f32(op.get(), n, z, out, nullptr), "xnn_setup_sigmoid_nc_f32");
  check(xnn_run_operator(op.get(), nullptr), "xnn_run_operator");
}

// XNNPACK may read XNN_EXTRA_BYTES beyond the input: the last elements go through a buffer.
void sigmoid(const float* z, float* out, std::size_t n) {
  constexpr std::size_t extra = XNN_EXTRA_BYTES / sizeof(float);
  const std::size_t first = n > extra ? n - extra : 0;
  float last[2 * extra] = {};
  std::copy(z + first, z + n, last);
  if (first != 0) call(z, out, first);
  call(last, last, n - first);
  std::copy(last, last + (n - first), out + first);
}

}  // namespace

ULPAUDIT_PLUGIN("xnnpack", PEERS_VERSION, "",
                ulpaudit::unary_arrays<float>("sigmoid", "sigmoid", "xnn_create_sigmoid_nc_f32",
                                              sigmoid)
                    .tags(ulpaudit::shim::kElementTags)
                    .needs("", why_not()))
