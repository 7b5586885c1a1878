// The plug-in over one library of vector functions: PEERS_NAME, its kernels on each instruction set
// (kernels.cpp), named `sigmoid@avx2` and so on.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>  // the version of libmvec is that of glibc
#endif
#include <ulpaudit/plugin.hpp>

#include "table.hpp"

namespace peers {
#if defined(__x86_64__)
extern const Table kAvx2, kAvx512;
#else
extern const Table kNeon;
#endif

namespace {

ArrayKernel* pick(const Row& row, const float*) { return row.f32; }
ArrayKernel* pick(const Row& row, const double*) { return row.f64; }

auto unary(const char* name, const char* op, const char* formula, const Row& row, const Isa& isa) {
  return ulpaudit::unary_arrays<float, double>(
             name, op, formula,
             [row](const auto* z, auto* out, std::size_t n) { pick(row, z)(z, nullptr, out, n); })
      .tags(ulpaudit::shim::kElementTags)
      .needs(isa.needs, isa.why_not);
}

auto binary(const char* name, const char* op, const char* formula, const Row& row, const Isa& isa) {
  return ulpaudit::binary_arrays<float, double>(
             name, op, formula,
             [row](const auto* z, const auto* y, auto* out, std::size_t n) {
               pick(row, z)(z, y, out, n);
             })
      .tags(ulpaudit::shim::kElementTags)
      .needs(isa.needs, isa.why_not);
}

}  // namespace
}  // namespace peers

#define KERNELS(at, table, isa)                                                                    \
  peers::unary("sigmoid@" at, "sigmoid", "(z<0 ? e : 1)/(1+e), e = exp(-|z|)", table.sigmoid,      \
               isa),                                                                               \
      peers::unary("sigmoid_naive@" at, "sigmoid", "1/(1+exp(-z))", table.sigmoid_naive, isa),     \
      peers::unary("sigmoid_grad@" at, "sigmoid_grad", "min(e/(1+e)^2, 1/4), e = exp(-|z|)",       \
                   table.sigmoid_grad, isa),                                                       \
      peers::unary("sigmoid_grad_naive@" at, "sigmoid_grad", "s*(1-s), s = 1/(1+exp(-z))",         \
                   table.sigmoid_grad_naive, isa),                                                 \
      peers::binary("bce@" at, "bce_with_logits", "|z|*c+log1p(exp(-|z|)), c = z<0 ? y : 1-y",     \
                    table.bce, isa),                                                               \
      peers::binary("bce_max@" at, "bce_with_logits", "max(z,0)-z*y+log1p(exp(-|z|))",             \
                    table.bce_max, isa),                                                           \
      peers::binary("bce_grad@" at, "bce_with_logits_grad",                                        \
                    "|z|<1: tanh(z/2)/2+(1/2-y), else (1-y)-e/(1+e) or e/(1+e)-y", table.bce_grad, \
                    isa),                                                                          \
      peers::binary("bce_grad_naive@" at, "bce_with_logits_grad", "1/(1+exp(-z))-y",               \
                    table.bce_grad_naive, isa)

#if defined(__x86_64__)
ULPAUDIT_PLUGIN(PEERS_NAME, PEERS_VERSION, "", KERNELS("avx2", peers::kAvx2, peers::avx2()),
                KERNELS("avx512", peers::kAvx512, peers::avx512()))
#else
ULPAUDIT_PLUGIN(PEERS_NAME, PEERS_VERSION, "",
                KERNELS("neon", peers::kNeon, (peers::Isa{"NEON", nullptr})))
#endif
