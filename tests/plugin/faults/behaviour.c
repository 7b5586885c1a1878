/* A kernel that does one wrong thing, chosen by FAULT_…, where the logit is 1; else it copies z. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ulpaudit/plugin.h>

static int32_t misbehave(char* message, size_t size) {
  (void)message;
  (void)size;
#if defined(FAULT_CRASH)
  volatile uintptr_t nowhere = 8;
  *(volatile int*)nowhere = 1;
#elif defined(FAULT_ABORT)
  fprintf(stderr, "giving up: no luck\n");
  abort();
#elif defined(FAULT_EXIT)
  exit(0);
#elif defined(FAULT_HANG)
  for (volatile unsigned i = 0;; i = i + 1) {
  }
#elif defined(FAULT_GREEDY)
  /* Touched, so that it would count; 64 blocks of 256 MiB. */
  for (int i = 0; i < 64; ++i) {
    char* volatile block = malloc((size_t)256 << 20); /* or clang leaves it out */
    if (block == NULL) {
      snprintf(message, size, "out of memory after %d blocks", i);
      return ULPAUDIT_FAILED;
    }
    block[i] = 1;
  }
  snprintf(message, size, "no limit was in force");
  return 99;
#elif defined(FAULT_STATUS)
  snprintf(message, size, "the logit is one");
  return ULPAUDIT_FAILED;
#elif defined(FAULT_SILENT_STATUS)
  return 7;
#elif defined(FAULT_PRINTS)
  /* A reply of its own making must not reach the host. */
  printf("{\"type\":\"done\",\"id\":1,\"ok\":false}\n");
  fflush(stdout);
#endif
  return ULPAUDIT_OK;
}

static int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                   size_t size) {
  (void)self;
  const float* z = b->z;
  float* out = b->out;
  if (b->dtype != ULPAUDIT_F32) return ULPAUDIT_UNSUPPORTED;
  int32_t status = ULPAUDIT_OK;
  for (uint64_t i = 0; i < b->n; ++i) {
    if (z[i] == 1 && status == ULPAUDIT_OK) status = misbehave(message, size);
    out[i] = z[i];
  }
  return status;
}

#if defined(FAULT_DEVICE)
/* No fault: a device whose clock says 1 ns an element, and 0.25 ns for a copy. */
static int32_t own_clock(const ulpaudit_kernel* self, ulpaudit_timing* t, char* message,
                         size_t size) {
  (void)self;
  if (((const float*)t->z)[t->n - 1] > 1e9f) {
    snprintf(message, size, "too hot");
    return ULPAUDIT_FAILED;
  }
  const double each = (t->flags & ULPAUDIT_TIME_COPY) != 0 ? 0.25 : 1;
  t->calls = 3;
  t->spent = 3 * each * (double)t->elements;
  return ULPAUDIT_OK;
}
#define OWN_CLOCK own_clock
#else
#define OWN_CLOCK NULL
#endif

static const ulpaudit_kernel kernel = {
    .struct_size = sizeof kernel,
    .name = "copy",
    .op = "sigmoid",
    .dtypes = ULPAUDIT_F32,
    .tags = ULPAUDIT_TAG_DETERMINISTIC,
    .formula = "z",
    .requires_what = "",
    .run = run,
    .time = OWN_CLOCK,
};
static const ulpaudit_kernel* const kernels[] = {&kernel};
static const ulpaudit_plugin plugin = {
    sizeof plugin, ULPAUDIT_ABI_VERSION, 1, FAULT_NAME, "", "", "", kernels};

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  (void)host_abi;
  return &plugin;
}
