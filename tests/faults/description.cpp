// Faults of the description: the kernel is right, and the plug-in must be refused.
// SPDX-License-Identifier: Apache-2.0
#define CORPUS_OWN_ENTRY
#define CORPUS_NOT_CONST
#include "frame.hpp"

namespace {

std::int32_t compute(const Call& c, char*, std::size_t) {
  for (std::uint64_t i = 0; i < c.n; ++i) c.put(i, c.right(i));
  return ULPAUDIT_OK;
}

}  // namespace

#ifdef CORPUS_FAULT_undefined_symbol
extern "C" int ulpaudit_corpus_nowhere(void);
#define CORPUS_CALL_NOWHERE() ulpaudit_corpus_nowhere()
#else
#define CORPUS_CALL_NOWHERE() 0
#endif

#ifdef CORPUS_FAULT_missing_entry
#define ulpaudit_plugin_entry ulpaudit_plugin_start
extern "C" ULPAUDIT_EXPORT const ulpaudit_plugin* ulpaudit_plugin_start(uint32_t host_abi);
#endif

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t) {
  ulpaudit_plugin* p = describe();
  if (CORPUS_CALL_NOWHERE() != 0 || fault("null_description")) return nullptr;
  if (fault("wrong_struct_size")) p->struct_size = 16;
  if (fault("wrong_kernel_size")) kernels[0].struct_size = 24;
  if (fault("wrong_abi_version")) p->abi_version = 77;
  if (fault("no_name")) p->name = nullptr;
  if (fault("no_run_function")) kernels[0].run = nullptr;
  if (fault("unknown_dtype")) kernels[0].dtypes = 0x40;
  if (fault("slash_in_name")) p->name = "a/b";
  if (fault("control_in_name")) p->name = "\x1b[31mred";
  if (fault("slash_in_kernel")) kernels[0].name = "sig/moid";
  if (fault("two_of_one_name")) {
    static const ulpaudit_kernel* both[] = {&kernels[0], &kernels[0]};
    p->kernels = both;
    p->kernel_count = 2;
  }
  if (fault("contract_of_nobody")) p->contract = "contract = 1\n[[kernel]]\nname = \"sigmiod\"\n";
  if (fault("contract_of_no_dtype"))
    p->contract = "contract = 1\n[[kernel]]\nname = \"sigmoid\"\nmax_ulp = { f64 = 2 }\n";
  if (fault("contract_of_no_region"))
    p->contract =
        "contract = 1\n[[kernel]]\nname = \"sigmoid\"\nmax_ulp = { f32 = { crossing = 2 } }\n";
  if (fault("contract_of_no_rule"))
    p->contract =
        "contract = 1\n[[kernel]]\nname = \"sigmoid\"\n[[kernel.expected_failure]]\n"
        "rule = \"value.flushd\"\nreason = \"r\"\n";
  if (fault("unreadable_contract")) p->contract = "contract = 1\n[[kernel]]\nbudget = 3\n";
  return p;
}
