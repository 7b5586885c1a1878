/* A plug-in whose kernel is harmless and whose description or start is wrong in one way: FAULT_… */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fenv.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ulpaudit/plugin.h>
#include <unistd.h>

#if defined(FAULT_CONSTRUCTOR_CRASH)
__attribute__((constructor)) static void start(void) {
  volatile uintptr_t nowhere = 8;
  *(volatile int*)nowhere = 1;
}
#elif defined(FAULT_CONSTRUCTOR_EXIT)
__attribute__((constructor)) static void start(void) { exit(3); }
#elif defined(FAULT_CONSTRUCTOR_HANG)
__attribute__((constructor)) static void start(void) {
  for (volatile unsigned i = 0;; i = i + 1) {
  }
}
#elif defined(FAULT_CONSTRUCTOR_PROCESS)
__attribute__((constructor)) static void start(void) {
  const pid_t left = fork();
  if (left == 0)
    for (;;) pause();
  printf("%d\n", (int)left);
}
#elif defined(FAULT_CONSTRUCTOR_STATE)
__attribute__((constructor)) static void start(void) {
  fesetround(FE_DOWNWARD);
  setlocale(LC_ALL, "C.UTF-8");
  umask(0123);
  if (chdir("/") != 0) exit(4);
}
#endif

static int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                   size_t size) {
  (void)self;
  (void)message;
  (void)size;
#if defined(FAULT_CONSTRUCTOR_STATE)
  /* Whether the state that its constructor left is that of its calls. */
  const mode_t mask = umask(022);
  umask(mask);
  const float found = fegetround() == FE_TONEAREST && mask != 0123 ? 1 : -1;
  for (uint64_t i = 0; i < b->n; ++i) ((float*)b->out)[i] = found;
  return ULPAUDIT_OK;
#endif
  memset(b->out, 0, b->n * 4);
  return ULPAUDIT_OK;
}

static ulpaudit_kernel kernel = {sizeof kernel, "zero", "sigmoid", ULPAUDIT_F32, 0,   "0", "",
                                 NULL,          NULL,   run,       NULL,         NULL};
static const ulpaudit_kernel* const kernels[] = {&kernel, &kernel};
static ulpaudit_plugin plugin = {sizeof plugin, ULPAUDIT_ABI_VERSION, 1, FAULT_NAME, "", "", "",
                                 kernels};

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  (void)host_abi;
#if defined(FAULT_WRONG_SIZE)
  plugin.struct_size = 16;
#elif defined(FAULT_WRONG_ABI)
  plugin.abi_version = 77;
#elif defined(FAULT_NULL_PLUGIN)
  return NULL;
#elif defined(FAULT_NO_NAME)
  plugin.name = NULL;
#elif defined(FAULT_NO_KERNELS)
  plugin.kernels = NULL;
#elif defined(FAULT_KERNEL_SIZE)
  kernel.struct_size = 24;
#elif defined(FAULT_KERNEL_NO_NAME)
  kernel.name = NULL;
#elif defined(FAULT_KERNEL_NO_RUN)
  kernel.run = NULL;
#elif defined(FAULT_KERNEL_DTYPES)
  kernel.dtypes = 0x40;
#elif defined(FAULT_BAD_CONTRACT)
  plugin.contract = "contract = 1\n[[kernel]]\nname = \"zero\"\nbudget = 3\n";
#elif defined(FAULT_UNKNOWN_OP)
  kernel.op = "softmax";
#elif defined(FAULT_UNAVAILABLE)
  kernel.unavailable = "needs AVX9, and this CPU has none";
#elif defined(FAULT_TWICE)
  plugin.kernel_count = 2;
#elif defined(FAULT_SLASH)
  plugin.name = "mine/own";
#elif defined(FAULT_CONTROL_CHARACTER)
  kernel.name = "si\033[2Jgmoid";
#elif defined(FAULT_LATER_TAG)
  kernel.tags = 0x80000000u | ULPAUDIT_TAG_IN_PLACE;
#endif
  return &plugin;
}
