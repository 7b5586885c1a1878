/* A plug-in in plain C11, without CMake:
 *
 *   cc -std=c11 -shared -fPIC -O2 -I<prefix>/include my_kernel.c -o my_kernel.so -lm
 *   ulpaudit sweep --plugin ./my_kernel.so
 */
#include <math.h>
#include <stdio.h>
#include <ulpaudit/plugin.h>

/* Called from several threads at once, with n elements at a time. z and out are aligned to their
 * element only; the caller owns them. */
static int32_t run_sigmoid(const ulpaudit_kernel* self, const ulpaudit_batch* batch, char* message,
                           size_t message_size) {
  if (batch->dtype == ULPAUDIT_F32) {
    const float* z = batch->z;
    float* out = batch->out;
    for (uint64_t i = 0; i < batch->n; ++i) out[i] = 1.0f / (1.0f + expf(-z[i]));
    return ULPAUDIT_OK;
  }
  if (batch->dtype == ULPAUDIT_F64) {
    const double* z = batch->z;
    double* out = batch->out;
    for (uint64_t i = 0; i < batch->n; ++i) out[i] = 1.0 / (1.0 + exp(-z[i]));
    return ULPAUDIT_OK;
  }
  snprintf(message, message_size, "%s has f32 and f64 only", self->name);
  return ULPAUDIT_UNSUPPORTED;
}

/* Each member by name: members that are not set are 0, which is "none" in all of them. */
static const ulpaudit_kernel sigmoid = {
    .struct_size = sizeof(ulpaudit_kernel),
    .name = "sigmoid",
    .op = "sigmoid", /* or sigmoid_grad, bce_with_logits, bce_with_logits_grad (labels in y) */
    .dtypes = ULPAUDIT_F32 | ULPAUDIT_F64,
    .tags = ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_IN_PLACE | ULPAUDIT_TAG_ELEMENTWISE,
    .formula = "1/(1+exp(-z))",
    .requires_what = "",
    .run = run_sigmoid,
};

static const ulpaudit_kernel* const kernels[] = {&sigmoid};

static const ulpaudit_plugin plugin = {
    .struct_size = sizeof(ulpaudit_plugin),
    .abi_version = ULPAUDIT_ABI_VERSION,
    .kernel_count = sizeof kernels / sizeof kernels[0],
    .name = "my_kernel",
    .version = "1.0",
    .build = "",
    .contract = "", /* TOML text; or hand a file over with --contract */
    .kernels = kernels,
};

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  return host_abi == ULPAUDIT_ABI_VERSION ? &plugin : NULL;
}
