// Calls of kernels, and exact values in their place.
// SPDX-License-Identifier: Apache-2.0
#include "training/kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include "plugin/loader.hpp"
#include "truth/fast_judge_f64.hpp"

namespace ulpaudit {
namespace {

Bits rounded_truth(OpId op, Dtype d, double z, double y, double hi, double lo, double delta) {
  if (z != z || y != y) return format(d).quiet_nan();
  Truth t;
  if (decide(d, hi, lo, delta, t)) return t.rounded;
  return final_judge(op, d, encode(d, z), encode(d, y)).rounded;
}

/// The correctly rounded value of t, where both ends of hi + lo +- delta round to it, no zero and
/// no infinity: t lies on the same side of what is outside of that interval (fast_values_f64). The
/// ends are moved out by more than their own roundings: 2^-52 |hi| of sums in double that are
/// rounded again, 2^-100 |hi| of lo - delta, |lo| <= 2^-53 |hi|, where the sum with hi is the one
/// rounding. Rounding to nearest is monotone.
template <class Number>
std::optional<Number> rounded_once(double hi, double lo, double delta) {
  constexpr bool once = std::is_same_v<Number, double>;
  if (!(delta >= 0) || (once && std::fabs(hi) < 0x1p-900)) return std::nullopt;
  const double margin = delta + (once ? 0x1p-100 : 0x1p-52) * std::fabs(hi);
  const Number low(hi + (lo - margin)), high(hi + (lo + margin));
  const auto number = static_cast<double>(low);
  if (number != static_cast<double>(high) || number == 0 || std::isinf(number)) return std::nullopt;
  return low;
}

/// Calls f with a number of the dtype, narrower than T; false: the dtype is as wide.
template <class T, class F>
bool narrower(Dtype d, F&& f) {
  if (d == Dtype::f16)
    f(f16());
  else if (d == Dtype::bf16)
    f(bf16());
  else if (std::is_same_v<T, double> && d == Dtype::f32)
    f(float());
  else
    return false;
  return true;
}

/// Writes n numbers as encodings of the dtype.
template <class T>
void pack(Dtype d, const T* v, std::size_t n, void* to) {
  const bool done = narrower<T>(d, [&](auto number) {
    using Number = decltype(number);
    for (std::size_t i = 0; i < n; ++i) {
      const Number x(static_cast<double>(v[i]));
      std::memcpy(static_cast<char*>(to) + i * sizeof x, &x, sizeof x);
    }
  });
  if (!done) std::memcpy(to, v, n * sizeof(T));
}

template <class T>
void unpack(Dtype d, const void* from, std::size_t n, T* v) {
  const bool done = narrower<T>(d, [&](auto number) {
    for (std::size_t i = 0; i < n; ++i) {
      std::memcpy(&number, static_cast<const char*>(from) + i * sizeof number, sizeof number);
      v[i] = static_cast<T>(number);
    }
  });
  if (!done) std::memcpy(v, from, n * sizeof(T));
}

/// n numbers of the dtype, as a kernel would be given them.
template <class T>
void as_inputs(Dtype d, const T* v, std::size_t n, double* to) {
  const bool done = narrower<T>(d, [&](auto number) {
    using Number = decltype(number);
    for (std::size_t i = 0; i < n; ++i)
      to[i] = static_cast<double>(Number(static_cast<double>(v[i])));
  });
  if (!done) std::copy_n(v, n, to);
}

}  // namespace

template <class T>
void ExactKernels<T>::run(OpId op, const T* z, const T* y, T* out, std::size_t n) {
  z_.resize(n);
  as_inputs(d_, z, n, z_.data());
  if (info(op).arity == 1) return run_label(op, 0, z_, out, nullptr);
  y_.resize(n);
  as_inputs(d_, y, n, y_.data());
  std::map<double, std::vector<std::size_t>> by_label;
  for (std::size_t i = 0; i < n; ++i) by_label[y_[i]].push_back(i);
  std::vector<double> of_label;
  for (const auto& [label, at] : by_label) {
    of_label.clear();
    for (const std::size_t i : at) of_label.push_back(z_[i]);
    run_label(op, label, of_label, out, at.data());
  }
}

template <class T>
void ExactKernels<T>::run_label(OpId op, double y, const std::vector<double>& z, T* out,
                                const std::size_t* at) {
  const std::size_t n = z.size();
  hi_.resize(n);
  lo_.resize(n);
  delta_.resize(n);
  fast_values_f64(op, y, z.data(), n, {hi_.data(), lo_.data(), delta_.data()});
  const auto carefully = [&](std::size_t i) {
    return static_cast<T>(decode(d_, rounded_truth(op, d_, z[i], y, hi_[i], lo_[i], delta_[i])));
  };
  const auto round_all = [&](auto number) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto once = rounded_once<decltype(number)>(hi_[i], lo_[i], delta_[i]);
      out[at != nullptr ? at[i] : i] = once ? static_cast<T>(*once) : carefully(i);
    }
  };
  if (d_ == Dtype::f16)
    round_all(f16());
  else if (d_ == Dtype::bf16)
    round_all(bf16());
  else if (d_ == Dtype::f32)
    round_all(float());
  else
    round_all(double());
}

template <class T>
void PluginKernels<T>::run(OpId op, const T* z, const T* y, T* out, std::size_t n) {
  const auto& kernel = set_[static_cast<std::size_t>(op)];
  if (!kernel) return exact_.run(op, z, y, out, n);
  const bool two = info(op).arity == 2;
  for (std::size_t first = 0; first < n; first += kBatchCapacity) {
    const std::size_t count = std::min<std::size_t>(kBatchCapacity, n - first);
    try {
      Session& session = sessions_.of(kernel->plugin_path);
      pack(d_, z + first, count, session.z());
      if (two) pack(d_, y + first, count, session.y());
      const Outcome o = session.run(kernel->kernel, d_, count, two);
      if (o.kind != Outcome::Kind::ok)
        throw KernelFailure(fmt::format("{}: {}", kernel->name, o.message));
      unpack(d_, session.out(), count, out + first);
    } catch (const LoadError& e) {
      throw KernelFailure(fmt::format("{}: {}", kernel->name, e.what()));
    }
  }
}

template class ExactKernels<float>;
template class ExactKernels<double>;
template class PluginKernels<float>;
template class PluginKernels<double>;

}  // namespace ulpaudit
