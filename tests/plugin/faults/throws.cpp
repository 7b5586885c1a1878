// A kernel that lets an exception out across the boundary.
// SPDX-License-Identifier: Apache-2.0
#include <ulpaudit/plugin.h>

#include <stdexcept>

namespace {

std::int32_t run(const ulpaudit_kernel*, const ulpaudit_batch*, char*, std::size_t) {
  throw std::runtime_error("loose cannon");
}

const ulpaudit_kernel kernel = {sizeof kernel, "copy",  "sigmoid", ULPAUDIT_F32, 0,      "z", "",
                                nullptr,       nullptr, run,       nullptr,      nullptr};
const ulpaudit_kernel* const kernels[] = {&kernel};
const ulpaudit_plugin plugin = {sizeof plugin, ULPAUDIT_ABI_VERSION, 1, "throws", "", "", "",
                                kernels};

}  // namespace

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t) { return &plugin; }
