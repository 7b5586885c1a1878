// Calls of kernels, and exact values in their place.
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

/// f32's correctly rounded value of t, |t - (hi + lo)| <= delta, where both ends of that interval
/// round to it, no zero and no infinity. The ends are moved out by 2^-52 |hi|, more than the two
/// roundings of either sum; rounding to nearest is monotone.
std::optional<float> rounded_once(double hi, double lo, double delta) {
  if (!(delta >= 0)) return std::nullopt;
  const double margin = delta + 0x1p-52 * std::fabs(hi);
  const auto low = static_cast<float>(hi + (lo - margin));
  const auto high = static_cast<float>(hi + (lo + margin));
  if (low != high || low == 0 || std::isinf(low)) return std::nullopt;
  return low;
}

/// Writes n numbers as encodings of the dtype.
template <class T>
void pack(Dtype d, const T* v, std::size_t n, void* to) {
  const auto width = static_cast<std::size_t>(format(d).bytes());
  if (width == sizeof(T)) {
    std::memcpy(to, v, n * width);
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const Bits b = encode(d, static_cast<double>(v[i]));
    std::memcpy(static_cast<char*>(to) + i * width, &b, width);
  }
}

template <class T>
void unpack(Dtype d, const void* from, std::size_t n, T* v) {
  const auto width = static_cast<std::size_t>(format(d).bytes());
  if (width == sizeof(T)) {
    std::memcpy(v, from, n * width);
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    Bits b = 0;
    std::memcpy(&b, static_cast<const char*>(from) + i * width, width);
    v[i] = static_cast<T>(decode(d, b));
  }
}

/// The number of the dtype that a kernel would be given.
template <class T>
double as_input(Dtype d, T v) {
  const bool same = static_cast<std::size_t>(format(d).bytes()) == sizeof(T);
  return same ? static_cast<double>(v) : decode(d, encode(d, static_cast<double>(v)));
}

}  // namespace

template <class T>
void ExactKernels<T>::run(OpId op, const T* z, const T* y, T* out, std::size_t n) {
  z_.resize(n);
  for (std::size_t i = 0; i < n; ++i) z_[i] = as_input(d_, z[i]);
  if (info(op).arity == 1) return run_label(op, 0, z_, out, nullptr);
  std::map<double, std::vector<std::size_t>> by_label;
  for (std::size_t i = 0; i < n; ++i) by_label[as_input(d_, y[i])].push_back(i);
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
  for (std::size_t i = 0; i < n; ++i) {
    T& result = out[at != nullptr ? at[i] : i];
    const auto once =
        d_ == Dtype::f32 ? rounded_once(hi_[i], lo_[i], delta_[i]) : std::optional<float>();
    result =
        once
            ? static_cast<T>(*once)
            : static_cast<T>(decode(d_, rounded_truth(op, d_, z[i], y, hi_[i], lo_[i], delta_[i])));
  }
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
