// A plug-in to start from: copy this folder, put your own kernel in, and audit it.
//
//   cmake -S . -B build -DCMAKE_PREFIX_PATH=<prefix of ulpaudit> && cmake --build build
//   ulpaudit sweep --plugin build/bin/plugins/my_kernel.so
//
// Without CMake, in one line; the contract is then handed over with --contract contract.toml:
//
//   c++ -std=c++17 -shared -fPIC -O2 -I<prefix>/include my_kernel.cpp -o my_kernel.so
#include <ulpaudit/plugin.hpp>

#if __has_include("contract_text.hpp")
#include "contract_text.hpp"  // kContract, the text of contract.toml; made by ulpaudit_plugin()
#else
constexpr char kContract[] = "";
#endif

namespace {

// T is each dtype in turn: float, double, ulpaudit::f16, ulpaudit::bf16. The 16-bit types have
// + - * / < and exp, expm1, log, log1p, tanh, fabs, each rounded to 16 bits. Static casts to float
// and back compute a whole kernel in float instead.
template <class T>
T my_sigmoid(T z) {
  return T(1) / (T(1) + exp(-z));
}

// A kernel over whole arrays, the form for SIMD and for library calls. n is never 0; z and out are
// aligned to their element only. An exception becomes a failed call with its message.
void my_sigmoid_array(const float* z, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = my_sigmoid(z[i]);
}

// Two arguments: the logit z and the label y in [0, 1].
template <class T>
T my_bce(T z, T y) {
  return (z > T(0) ? z : T(0)) - z * y + log1p(exp(-fabs(z)));
}

}  // namespace

// Name and version of the plug-in, its contract, then the kernels. A kernel has its own name (shown
// as my_kernel/sigmoid; the contract uses it too), the op it computes (sigmoid, sigmoid_grad,
// bce_with_logits or bce_with_logits_grad), its formula in one line, and the code. In <…> stand the
// dtypes that it has; without them it is all four.
ULPAUDIT_PLUGIN(
    "my_kernel", "1.0", kContract,
    ulpaudit::unary("sigmoid", "sigmoid", "1/(1+exp(-z))", [](auto z) { return my_sigmoid(z); }),
    ulpaudit::unary_arrays<float>("sigmoid_array", "sigmoid", "1/(1+exp(-z))", my_sigmoid_array),
    ulpaudit::binary<float, double>("bce", "bce_with_logits", "max(z,0)-z*y+log1p(exp(-|z|))",
                                    [](auto z, auto y) { return my_bce(z, y); }))

// A kernel may say more:
//   unary(…).tags(ULPAUDIT_TAG_DETERMINISTIC)   what it claims, in place of the default claims
//                                               (deterministic, elementwise; element forms in-place
//                                               too); claims are checked
//   unary(…).needs("AVX2", __builtin_cpu_supports("avx2") ? nullptr : "this CPU has no AVX2")
