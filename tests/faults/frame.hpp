// What every plug-in of the corpus shares: its description, made from the macros of the file that
// make_corpus.py generates, and the question which fault this one has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ulpaudit/plugin.h>

#include <cstddef>
#include <cstdint>

#include "host.hpp"

namespace {

using namespace corpus;

constexpr bool same(const char* a, const char* b) {
  for (; *a != '\0' || *b != '\0'; ++a, ++b)
    if (*a != *b) return false;
  return true;
}

/// Is this the plug-in with that fault? Never in a twin. Decided when compiled.
constexpr bool fault(const char* name) { return same(CORPUS_FAULT, name); }

/// One batch, with the members that kernels want.
struct Call {
  Op op;
  std::uint32_t dtype;
  std::uint64_t n;
  const void *z_data, *y_data;
  void* out_data;

  Bits z(std::uint64_t i) const { return load(dtype, z_data, i); }
  Bits y(std::uint64_t i) const { return y_data != nullptr ? load(dtype, y_data, i) : 0; }
  /// Of huge batches, where few inputs come over and over, results are remembered.
  Bits right(std::uint64_t i) const {
    return n > (1u << 20) ? remembered(z(i), y(i)) : corpus::right(op, dtype, z(i), y(i));
  }
  void put(std::uint64_t i, Bits result) const { store(dtype, out_data, i, result); }
  double z_number(std::uint64_t i) const { return number(dtype, z(i)); }

  Bits remembered(Bits z, Bits y) const {
    struct Entry {
      bool filled = false;
      Op op;
      std::uint32_t dtype;
      Bits z, y, result;
    };
    thread_local Entry entries[256];
    Entry& e = entries[(z * 0x9e3779b97f4a7c15u) >> 56];
    if (!e.filled || e.op != op || e.dtype != dtype || e.z != z || e.y != y)
      e = {true, op, dtype, z, y, corpus::right(op, dtype, z, y)};
    return e.result;
  }
};

/// The family's kernel.
std::int32_t compute(const Call& c, char* message, std::size_t message_size);

std::int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                 std::size_t message_size) {
  if ((self->dtypes & b->dtype) == 0) return ULPAUDIT_UNSUPPORTED;
  const Call c = {*static_cast<const Op*>(self->user), b->dtype, b->n, b->z, b->y, b->out};
  return compute(c, message, message_size);
}

constexpr Op kOps[] = {Op::sigmoid, Op::sigmoid_grad, Op::bce, Op::bce_grad};
constexpr std::uint32_t kTags =
    ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_IN_PLACE | ULPAUDIT_TAG_ELEMENTWISE;

#define CORPUS_KERNEL(name, op, which, dtypes) \
  {sizeof(ulpaudit_kernel),                    \
   name,                                       \
   op,                                         \
   dtypes,                                     \
   kTags,                                      \
   "rounded once",                             \
   "",                                         \
   nullptr,                                    \
   &kOps[static_cast<int>(Op::which)],         \
   run,                                        \
   nullptr,                                    \
   nullptr},
#ifdef CORPUS_NOT_CONST
ulpaudit_kernel kernels[] = {CORPUS_KERNELS};
#else
const ulpaudit_kernel kernels[] = {CORPUS_KERNELS};
#endif
constexpr std::uint32_t kKernelCount = sizeof kernels / sizeof kernels[0];

const ulpaudit_kernel* pointers[kKernelCount];
ulpaudit_plugin plugin = {
    sizeof plugin, ULPAUDIT_ABI_VERSION, kKernelCount, CORPUS_NAME, "", "", CORPUS_CONTRACT,
    pointers};

/// The correct description.
ulpaudit_plugin* describe() {
  for (std::uint32_t i = 0; i < kKernelCount; ++i) pointers[i] = &kernels[i];
  return &plugin;
}

}  // namespace

#ifndef CORPUS_OWN_ENTRY
const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t) { return describe(); }
#endif
