/* A plug-in whose description is made of the bytes of the file ULPAUDIT_FUZZ_DESCRIPTION names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ulpaudit/plugin.h>

enum { kBytes = 4096, kKernels = 4096, kSomeKernels = 8 };

/* The zero behind the last byte ends every text. */
static char bytes[kBytes + 1];
static size_t at;

static uint64_t number(int size) {
  uint64_t v = 0;
  for (int i = 0; i < size; ++i)
    v |= (uint64_t)(unsigned char)bytes[at < kBytes ? at++ : at] << 8 * i;
  return v;
}

/* 0: right; 1: any number; else a little off. */
static uint64_t count(uint64_t right) {
  const uint64_t how = number(1);
  if (how == 0) return right;
  return how == 1 ? number(8) : right + how - 128;
}

/* 0: null; else a place in the bytes. */
static const char* text(void) { return number(1) == 0 ? NULL : bytes + number(2) % (kBytes + 1); }

static int32_t copy(const ulpaudit_kernel* self, const ulpaudit_batch* batch, char* message,
                    size_t message_size) {
  (void)self;
  (void)message;
  (void)message_size;
  const size_t size = batch->dtype == ULPAUDIT_F64 ? 8 : batch->dtype == ULPAUDIT_F32 ? 4 : 2;
  if (batch->n != 0) memcpy(batch->out, batch->z, batch->n * size);
  return ULPAUDIT_OK;
}

static void describe_kernel(ulpaudit_kernel* k) {
  k->struct_size = count(sizeof *k);
  k->name = text();
  k->op = text();
  k->dtypes = (uint32_t)count(ULPAUDIT_ALL_DTYPES);
  k->tags = (uint32_t)count(0);
  k->formula = text();
  k->requires_what = text();
  k->unavailable = text();
  k->run = number(1) == 0 ? NULL : copy;
}

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  static ulpaudit_plugin plugin;
  static ulpaudit_kernel some[kSomeKernels];
  static const ulpaudit_kernel* kernels[kKernels];
  const char* path = getenv("ULPAUDIT_FUZZ_DESCRIPTION");
  FILE* f = path != NULL ? fopen(path, "rb") : NULL;
  if (f == NULL) return NULL;
  (void)!fread(bytes, 1, kBytes, f);
  fclose(f);
  if (number(1) == 0) return NULL;
  plugin.struct_size = count(sizeof plugin);
  plugin.abi_version = (uint32_t)count(host_abi);
  plugin.name = text();
  plugin.version = text();
  plugin.build = text();
  plugin.contract = text();
  /* A host that believes in more than the array holds reads behind it. */
  plugin.kernel_count = (uint32_t)count(2);
  plugin.kernels = number(1) == 0 ? NULL : kernels;
  for (int i = 0; i < kSomeKernels; ++i) describe_kernel(&some[i]);
  for (int i = 0; i < kKernels; ++i) {
    const uint64_t which = i < kSomeKernels ? number(1) : (uint64_t)i;
    kernels[i] = which == 0 ? NULL : &some[which % kSomeKernels];
  }
  return &plugin;
}
