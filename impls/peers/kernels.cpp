// The kernels of one library on one instruction set: compiled once for each, with PEERS_MATH the
// header of the library's functions (struct Math) and PEERS_TABLE the name of the table made here.
// SPDX-License-Identifier: Apache-2.0
#include PEERS_MATH

#include <cstring>
#include <type_traits>

#include "forms.hpp"
#include "table.hpp"

namespace peers {
// By name alone, as no code of this instruction set may run before it is known to be there.
extern const Table PEERS_TABLE;

namespace {

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  using V = Vf;
};
template <>
struct VectorOf<double> {
  using V = Vd;
};

template <class V>
V load(const void* p, std::size_t bytes = sizeof(V)) {
  V v{};
  std::memcpy(&v, p, bytes);
  return v;
}

// Op::of(z) or Op::of(z, y) over the array. Elements beyond n are neither read nor written.
template <class Op, class T>
void run(const void* z_array, const void* y_array, void* out_array, std::size_t n) {
  using V = typename VectorOf<T>::V;
  constexpr std::size_t lanes = sizeof(V) / sizeof(T);
  const auto* z = static_cast<const T*>(z_array);
  const auto* y = static_cast<const T*>(y_array);
  auto* out = static_cast<T*>(out_array);
  const auto step = [&](std::size_t i, std::size_t bytes) {
    V result;
    if constexpr (Op::labels)
      result = Op::of(load<V>(z + i, bytes), load<V>(y + i, bytes));
    else
      result = Op::of(load<V>(z + i, bytes));
    std::memcpy(out + i, &result, bytes);
  };
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) step(i, sizeof(V));
  if (i < n) step(i, (n - i) * sizeof(T));
}

#define OP(name, with_labels)                   \
  struct Op_##name {                            \
    static constexpr bool labels = with_labels; \
    template <class... Vs>                      \
    static auto of(Vs... v) {                   \
      return name<Math>(v...);                  \
    }                                           \
  };
OP(sigmoid, false)
OP(sigmoid_naive, false)
OP(sigmoid_grad, false)
OP(sigmoid_grad_naive, false)
OP(bce, true)
OP(bce_max, true)
OP(bce_grad, true)
OP(bce_grad_naive, true)

#define ROW(name) \
  { run<Op_##name, float>, run<Op_##name, double> }

}  // namespace

const Table PEERS_TABLE{
    ROW(sigmoid), ROW(sigmoid_naive), ROW(sigmoid_grad), ROW(sigmoid_grad_naive),
    ROW(bce),     ROW(bce_max),       ROW(bce_grad),     ROW(bce_grad_naive)};

}  // namespace peers
