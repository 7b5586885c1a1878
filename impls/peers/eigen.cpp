// SPDX-License-Identifier: Apache-2.0
// Plug-in `eigen`: Eigen's array functions in one dtype each, on the instruction set that this is
// compiled for: its own logistic(), and the forms of textbooks over its exp() and log1p().
//
// PEERS_ISA renames the namespace Eigen too, so that the linker cannot take a function of one
// instruction set for that of another.
#include <cmath>
#include <complex>
#include <limits>
#include <vector>
#define Eigen PEERS_EIGEN
#include <Eigen/Core>

#include "table.hpp"

namespace peers {
extern const EigenTable PEERS_TABLE;

namespace {

// As a user of Eigen writes them: expressions over mapped memory, evaluated in one pass, but for
// what is used twice, which is evaluated block by block.
constexpr Eigen::Index kBlock = 256;

template <class T>
using Block = Eigen::Array<T, Eigen::Dynamic, 1, 0, kBlock, 1>;

struct Sigmoid {
  template <class Z, class Y, class Out>
  static void of(const Z& z, const Y&, Out out) {
    out = z.logistic();
  }
};

struct SigmoidNaive {
  template <class Z, class Y, class Out>
  static void of(const Z& z, const Y&, Out out) {
    out = (typename Out::Scalar(1) + (-z).exp()).inverse();
  }
};

// (z<0 ? e : 1)/(1+e)
struct SigmoidStable {
  template <class Z, class Y, class Out>
  static void of(const Z& z, const Y&, Out out) {
    using T = typename Out::Scalar;
    const Block<T> e = (-z.abs()).exp();
    const Block<T> one = Block<T>::Constant(z.size(), T(1));
    out = (z < T(0)).select(e, one) / (one + e);
  }
};

struct SigmoidGrad {
  template <class Z, class Y, class Out>
  static void of(const Z& z, const Y&, Out out) {
    using T = typename Out::Scalar;
    const Block<T> s = z.logistic();
    out = s * (T(1) - s);
  }
};

struct BceMax {
  template <class Z, class Y, class Out>
  static void of(const Z& z, const Y& y, Out out) {
    using T = typename Out::Scalar;
    out = z.max(T(0)) - z * y + (-z.abs()).exp().log1p();
  }
};

struct BceGrad {
  template <class Z, class Y, class Out>
  static void of(const Z& z, const Y& y, Out out) {
    out = z.logistic() - y;
  }
};

// y is nullptr for ops of one argument, which do not look at it.
template <class Op, class T>
void run(const void* z_array, const void* y_array, void* out_array, std::size_t n) {
  using In = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;
  using Out = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
  const auto* z = static_cast<const T*>(z_array);
  const auto* y = y_array == nullptr ? z : static_cast<const T*>(y_array);
  auto* out = static_cast<T*>(out_array);
  for (std::size_t i = 0; i < n; i += kBlock) {
    const auto size = std::min<Eigen::Index>(kBlock, static_cast<Eigen::Index>(n - i));
    Op::of(In(z + i, size), In(y + i, size), Out(out + i, size));
  }
}

#define ROW(Op) \
  { run<Op, Eigen::half>, run<Op, Eigen::bfloat16>, run<Op, float>, run<Op, double> }

}  // namespace

const EigenTable PEERS_TABLE{ROW(Sigmoid),     ROW(SigmoidNaive), ROW(SigmoidStable),
                             ROW(SigmoidGrad), ROW(BceMax),       ROW(BceGrad)};

}  // namespace peers
