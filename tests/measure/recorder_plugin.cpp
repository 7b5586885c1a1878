// Runs the kernels of another plug-in (ULPAUDIT_RECORDED) and appends what each call was given and
// what came out to a file (ULPAUDIT_RECORD): for recount_test.py, which counts it all again.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <ulpaudit/plugin.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

std::size_t width_of(std::uint32_t dtype) {
  return dtype == ULPAUDIT_F64 ? 8 : dtype == ULPAUDIT_F32 ? 4 : 2;
}

/// kernel, dtype, n, 0 or 1 for labels: eight bytes each; then z, the labels if any, the results.
bool record(std::uint64_t kernel, const ulpaudit_batch& b) {
  std::FILE* file = std::fopen(std::getenv("ULPAUDIT_RECORD"), "ab");
  if (file == nullptr) return false;
  const std::uint64_t head[] = {kernel, b.dtype, b.n, b.y != nullptr ? 1u : 0u};
  const std::size_t width = width_of(b.dtype), n = static_cast<std::size_t>(b.n);
  std::fwrite(head, sizeof head, 1, file);
  std::fwrite(b.z, width, n, file);
  if (b.y != nullptr) std::fwrite(b.y, width, n, file);
  std::fwrite(b.out, width, n, file);
  return std::fclose(file) == 0;
}

std::vector<ulpaudit_kernel> g_kernels;
std::vector<const ulpaudit_kernel*> g_pointers;

std::int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* batch, char* message,
                 std::size_t size) {
  const auto* inner = static_cast<const ulpaudit_kernel*>(self->user);
  const std::int32_t status = inner->run(inner, batch, message, size);
  if (status != ULPAUDIT_OK) return status;
  const auto index = static_cast<std::uint64_t>(self - g_kernels.data());
  return record(index, *batch) ? ULPAUDIT_OK : ULPAUDIT_FAILED;
}

}  // namespace

extern "C" ULPAUDIT_EXPORT const ulpaudit_plugin* ulpaudit_plugin_entry(std::uint32_t host_abi) {
  static ulpaudit_plugin plugin;
  const char* path = std::getenv("ULPAUDIT_RECORDED");
  void* library = path != nullptr ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (library == nullptr || std::getenv("ULPAUDIT_RECORD") == nullptr) return nullptr;
  const auto entry = reinterpret_cast<ulpaudit_entry_fn>(dlsym(library, ULPAUDIT_ENTRY_SYMBOL));
  const ulpaudit_plugin* recorded = entry != nullptr ? entry(host_abi) : nullptr;
  if (recorded == nullptr) return nullptr;
  g_kernels.clear();
  for (std::uint32_t i = 0; i < recorded->kernel_count; ++i) {
    const ulpaudit_kernel& inner = *recorded->kernels[i];
    ulpaudit_kernel k{};
    k.struct_size = sizeof k;
    k.name = inner.name;
    k.op = inner.op;
    k.dtypes = inner.dtypes;
    k.tags = inner.tags;
    k.formula = inner.formula;
    k.requires_what = inner.requires_what;
    k.unavailable = inner.unavailable;
    k.user = &inner;
    k.run = &run;
    g_kernels.push_back(k);
  }
  g_pointers.clear();
  for (const ulpaudit_kernel& k : g_kernels) g_pointers.push_back(&k);
  plugin = {sizeof plugin,
            ULPAUDIT_ABI_VERSION,
            static_cast<std::uint32_t>(g_pointers.size()),
            "recorder",
            "1",
            "",
            "",
            g_pointers.data()};
  return &plugin;
}
