/* A plug-in for measuring the harness alone: every kernel, of each op and dtype, copies z. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <ulpaudit/plugin.h>

static int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                   size_t size) {
  (void)self;
  (void)message;
  (void)size;
  const size_t bytes = b->dtype == ULPAUDIT_F64 ? 8 : b->dtype == ULPAUDIT_F32 ? 4 : 2;
  memcpy(b->out, b->z, b->n * bytes);
  return ULPAUDIT_OK;
}

#define ANY_DTYPE (ULPAUDIT_F16 | ULPAUDIT_BF16 | ULPAUDIT_F32 | ULPAUDIT_F64)
#define COPY(op)                                                                                 \
  {                                                                                              \
    sizeof(ulpaudit_kernel), op, op, ANY_DTYPE, ULPAUDIT_TAG_DETERMINISTIC, "z", "", NULL, NULL, \
        run, NULL, NULL                                                                          \
  }

static const ulpaudit_kernel copies[] = {COPY("sigmoid"), COPY("sigmoid_grad"),
                                         COPY("bce_with_logits"), COPY("bce_with_logits_grad")};
static const ulpaudit_kernel* const kernels[] = {&copies[0], &copies[1], &copies[2], &copies[3],
                                                 NULL};
static const ulpaudit_plugin plugin = {sizeof plugin, ULPAUDIT_ABI_VERSION, 4, "copy_z", "", "", "",
                                       kernels};

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  (void)host_abi;
  return &plugin;
}
