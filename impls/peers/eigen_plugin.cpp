// Plug-in `eigen`: its kernels (eigen.cpp) on each instruction set, named `sigmoid@avx2` and so on.
// SPDX-License-Identifier: Apache-2.0
#include <ulpaudit/plugin.hpp>

#include "table.hpp"

namespace peers {
#if defined(__x86_64__)
extern const EigenTable kEigenAvx2, kEigenAvx512;
#else
extern const EigenTable kEigenNeon;
#endif

namespace {

ArrayKernel* pick(const EigenRow& row, const ulpaudit::f16*) { return row.f16; }
ArrayKernel* pick(const EigenRow& row, const ulpaudit::bf16*) { return row.bf16; }
ArrayKernel* pick(const EigenRow& row, const float*) { return row.f32; }
ArrayKernel* pick(const EigenRow& row, const double*) { return row.f64; }

auto unary(const char* name, const char* op, const char* formula, const EigenRow& row,
           const Isa& isa) {
  return ulpaudit::unary_arrays(
             name, op, formula,
             [row](const auto* z, auto* out, std::size_t n) { pick(row, z)(z, nullptr, out, n); })
      .tags(ulpaudit::shim::kElementTags)
      .needs(isa.needs, isa.why_not);
}

auto binary(const char* name, const char* op, const char* formula, const EigenRow& row,
            const Isa& isa) {
  return ulpaudit::binary_arrays(name, op, formula,
                                 [row](const auto* z, const auto* y, auto* out, std::size_t n) {
                                   pick(row, z)(z, y, out, n);
                                 })
      .tags(ulpaudit::shim::kElementTags)
      .needs(isa.needs, isa.why_not);
}

}  // namespace
}  // namespace peers

#define KERNELS(at, table, isa)                                                                \
  peers::unary("sigmoid@" at, "sigmoid", "logistic(z)", table.sigmoid, isa),                   \
      peers::unary("sigmoid_naive@" at, "sigmoid", "1/(1+exp(-z))", table.sigmoid_naive, isa), \
      peers::unary("sigmoid_stable@" at, "sigmoid", "(z<0 ? e : 1)/(1+e), e = exp(-|z|)",      \
                   table.sigmoid_stable, isa),                                                 \
      peers::unary("sigmoid_grad@" at, "sigmoid_grad", "s*(1-s), s = logistic(z)",             \
                   table.sigmoid_grad, isa),                                                   \
      peers::binary("bce@" at, "bce_with_logits", "max(z,0)-z*y+log1p(exp(-|z|))", table.bce,  \
                    isa),                                                                      \
      peers::binary("bce_grad@" at, "bce_with_logits_grad", "logistic(z)-y", table.bce_grad, isa)

#if defined(__x86_64__)
ULPAUDIT_PLUGIN("eigen", PEERS_VERSION, "", KERNELS("avx2", peers::kEigenAvx2, peers::avx2()),
                KERNELS("avx512", peers::kEigenAvx512, peers::avx512()))
#else
ULPAUDIT_PLUGIN("eigen", PEERS_VERSION, "",
                KERNELS("neon", peers::kEigenNeon, (peers::Isa{"NEON", nullptr})))
#endif
