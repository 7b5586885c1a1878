// SPDX-License-Identifier: Apache-2.0
// The C++17 shim over <ulpaudit/plugin.h>: a kernel is one lambda, a plug-in one macro.
//
//   #include <ulpaudit/plugin.hpp>
//   template <class T> T my_sigmoid(T z) { return T(1) / (T(1) + exp(-z)); }
//   ULPAUDIT_PLUGIN("mine", "1.0", "",
//                   ulpaudit::unary("sigmoid", "sigmoid", "1/(1+exp(-z))",
//                                   [](auto z) { return my_sigmoid(z); }))
//
// `unary<float, double>(…)` names the dtypes; without a list it is all four, the 16-bit ones as
// ulpaudit::f16 and ulpaudit::bf16.
#pragma once

// Not only <cmath>: with that alone an unqualified exp(float) is C's exp(double), in silence.
#include <math.h>
#include <ulpaudit/plugin.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <tuple>
#include <type_traits>
#include <ulpaudit/half.hpp>
#include <utility>

namespace ulpaudit {

namespace detail {

// Functions of the 16-bit types, found by argument: in float, rounded once. std::max and std::min
// need no overload.
template <int P>
Sixteen<P> exp(Sixteen<P> a) noexcept {
  return Sixteen<P>(std::exp(float(a)));
}
template <int P>
Sixteen<P> expm1(Sixteen<P> a) noexcept {
  return Sixteen<P>(std::expm1(float(a)));
}
template <int P>
Sixteen<P> log(Sixteen<P> a) noexcept {
  return Sixteen<P>(std::log(float(a)));
}
template <int P>
Sixteen<P> log1p(Sixteen<P> a) noexcept {
  return Sixteen<P>(std::log1p(float(a)));
}
template <int P>
Sixteen<P> tanh(Sixteen<P> a) noexcept {
  return Sixteen<P>(std::tanh(float(a)));
}
template <int P>
Sixteen<P> fabs(Sixteen<P> a) noexcept {
  return Sixteen<P>::from_bits(static_cast<std::uint16_t>(a.bits & 0x7fffu));
}
template <int P>
Sixteen<P> abs(Sixteen<P> a) noexcept {
  return fabs(a);
}

}  // namespace detail

namespace shim {

template <class T>
struct Dtype;
template <>
struct Dtype<f16> : std::integral_constant<std::uint32_t, ULPAUDIT_F16> {};
template <>
struct Dtype<bf16> : std::integral_constant<std::uint32_t, ULPAUDIT_BF16> {};
template <>
struct Dtype<float> : std::integral_constant<std::uint32_t, ULPAUDIT_F32> {};
template <>
struct Dtype<double> : std::integral_constant<std::uint32_t, ULPAUDIT_F64> {};

inline const char* dtype_name(std::uint32_t dtype) noexcept {
  switch (dtype) {
    case ULPAUDIT_F16:
      return "f16";
    case ULPAUDIT_BF16:
      return "bf16";
    case ULPAUDIT_F32:
      return "f32";
    case ULPAUDIT_F64:
      return "f64";
    default:
      return "dtype of this code";
  }
}

/// Hands `text` over, cut to `size` bytes with its zero, never inside a UTF-8 character.
inline std::int32_t fail(std::int32_t status, const char* text, char* message,
                         std::size_t size) noexcept {
  if (message == nullptr || size == 0) return status;
  std::size_t n = std::strlen(text);
  if (n >= size) {
    n = size - 1;
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0u) == 0x80u) --n;
  }
  std::memcpy(message, text, n);
  message[n] = '\0';
  return status;
}

inline constexpr std::uint32_t kElementTags =
    ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_IN_PLACE | ULPAUDIT_TAG_ELEMENTWISE;

/// The four shapes of a kernel. A result of an element form is rounded once to the dtype, so a
/// lambda may compute in a wider type.
struct Unary {
  static constexpr bool labels = false;
  static constexpr std::uint32_t tags = kElementTags;
  template <class T, class F>
  static void call(const F& f, const T* z, const T*, T* out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(f(z[i]));
  }
};
struct Binary {
  static constexpr bool labels = true;
  static constexpr std::uint32_t tags = kElementTags;
  template <class T, class F>
  static void call(const F& f, const T* z, const T* y, T* out, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(f(z[i], y[i]));
  }
};
struct UnaryArrays {
  static constexpr bool labels = false;
  static constexpr std::uint32_t tags = ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_ELEMENTWISE;
  template <class T, class F>
  static void call(const F& f, const T* z, const T*, T* out, std::size_t n) {
    f(z, out, n);
  }
};
struct BinaryArrays {
  static constexpr bool labels = true;
  static constexpr std::uint32_t tags = ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_ELEMENTWISE;
  template <class T, class F>
  static void call(const F& f, const T* z, const T* y, T* out, std::size_t n) {
    f(z, y, out, n);
  }
};

/// One kernel: its description and the function object behind it.
template <class Shape, class F, class... Ts>
class Kernel {
 public:
  Kernel(const char* name, const char* op, const char* formula, F f)
      : c_{sizeof(ulpaudit_kernel),
           name,
           op,
           (Dtype<Ts>::value | ...),
           Shape::tags,
           formula,
           "",
           nullptr,
           nullptr,
           &Kernel::run,
           nullptr,
           nullptr},
        f_(std::move(f)) {}

  /// Replaces the default tags (ULPAUDIT_TAG_…).
  Kernel tags(std::uint32_t mask) && {
    c_.tags = mask;
    return std::move(*this);
  }
  /// The ISA or device that it needs, and why it cannot run here (nullptr: it can).
  Kernel needs(const char* what, const char* unavailable) && {
    c_.requires_what = what;
    c_.unavailable = unavailable;
    return std::move(*this);
  }

  /// A kernel on a device, whose function object has besides
  ///   template <class T> void time(const T* z, const T* y, ulpaudit_timing& t) const
  /// that answers as ulpaudit_timing says; T is the dtype of the call.
  Kernel times_itself() && {
    c_.time = &Kernel::time<F>;
    return std::move(*this);
  }

  /// A kernel that runs on arrays of another process in a CUDA device's memory too. Its function
  /// object has besides
  ///   template <class T> void run_on_device(const ulpaudit_device_batch& b) const
  Kernel takes_device_arrays() && {
    c_.run_on_device = &Kernel::run_on_device<F>;
    return std::move(*this);
  }

  /// The C description, valid for as long as this object stays where it is.
  const ulpaudit_kernel* bind() noexcept {
    c_.user = &f_;
    return &c_;
  }

 private:
  template <class T>
  static bool try_dtype(const F& f, const ulpaudit_batch& b) {
    if (b.dtype != Dtype<T>::value) return false;
    if (b.n != 0)
      Shape::call(f, static_cast<const T*>(b.z), static_cast<const T*>(b.y), static_cast<T*>(b.out),
                  static_cast<std::size_t>(b.n));
    return true;
  }

  static std::int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                          std::size_t size) noexcept {
    constexpr std::size_t version_1 = offsetof(ulpaudit_batch, out) + sizeof(void*);
    if (b->struct_size < version_1)
      return fail(ULPAUDIT_FAILED, "the batch is smaller than its first version", message, size);
    if (Shape::labels && b->n != 0 && b->y == nullptr)
      return fail(ULPAUDIT_FAILED, "a kernel of two arguments was given no labels", message, size);
    return by_dtype(self, b->dtype, message, size,
                    [b](const F& f) { return (try_dtype<Ts>(f, *b) || ...); });
  }

  template <class T, class G>
  static bool try_timing(const G& g, ulpaudit_timing& t) {
    if (t.dtype != Dtype<T>::value) return false;
    g.time(static_cast<const T*>(t.z), static_cast<const T*>(t.y), t);
    return true;
  }

  template <class G>
  static std::int32_t time(const ulpaudit_kernel* self, ulpaudit_timing* t, char* message,
                           std::size_t size) noexcept {
    return by_dtype(self, t->dtype, message, size,
                    [t](const G& g) { return (try_timing<Ts>(g, *t) || ...); });
  }

  template <class T, class G>
  static bool try_on_device(const G& g, const ulpaudit_device_batch& b) {
    if (b.dtype != Dtype<T>::value) return false;
    g.template run_on_device<T>(b);
    return true;
  }

  template <class G>
  static std::int32_t run_on_device(const ulpaudit_kernel* self, const ulpaudit_device_batch* b,
                                    char* message, std::size_t size) noexcept {
    return by_dtype(self, b->dtype, message, size,
                    [b](const G& g) { return (try_on_device<Ts>(g, *b) || ...); });
  }

  /// Does what `call` says: was the dtype one of the kernel's?
  template <class Call>
  static std::int32_t by_dtype(const ulpaudit_kernel* self, std::uint32_t dtype, char* message,
                               std::size_t size, Call call) noexcept {
    try {
      if (call(*static_cast<const F*>(self->user))) return ULPAUDIT_OK;
    } catch (const std::exception& e) {
      return fail(ULPAUDIT_FAILED, e.what(), message, size);
    } catch (...) {
      return fail(ULPAUDIT_FAILED, "an exception that is no std::exception", message, size);
    }
    char text[120];
    std::snprintf(text, sizeof text, "%.60s has no %s (%u)", self->name, dtype_name(dtype),
                  static_cast<unsigned>(dtype));
    return fail(ULPAUDIT_UNSUPPORTED, text, message, size);
  }

  ulpaudit_kernel c_;
  F f_;
};

/// No list of dtypes means all four.
template <class Shape, class F, class... Ts>
auto make_kernel(const char* name, const char* op, const char* formula, F f) {
  if constexpr (sizeof...(Ts) == 0)
    return Kernel<Shape, F, f16, bf16, float, double>(name, op, formula, std::move(f));
  else
    return Kernel<Shape, F, Ts...>(name, op, formula, std::move(f));
}

/// The plug-in: owns its kernels and the C description that points into them.
template <class... Ks>
class Plugin {
 public:
  Plugin(const char* name, const char* version, const char* contract, const char* build, Ks... ks)
      : kernels_(std::move(ks)...),
        pointers_(std::apply([](Ks&... k) { return Pointers{{k.bind()...}}; }, kernels_)),
        c_{sizeof(ulpaudit_plugin),
           ULPAUDIT_ABI_VERSION,
           static_cast<std::uint32_t>(sizeof...(Ks)),
           name,
           version,
           build,
           contract,
           pointers_.data()} {}
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  const ulpaudit_plugin* entry(std::uint32_t host_abi) const noexcept {
    return host_abi == ULPAUDIT_ABI_VERSION ? &c_ : nullptr;
  }

 private:
  using Pointers = std::array<const ulpaudit_kernel*, sizeof...(Ks)>;
  std::tuple<Ks...> kernels_;
  Pointers pointers_;
  ulpaudit_plugin c_;
};

}  // namespace shim

/// f(T z) -> T
template <class... Ts, class F>
auto unary(const char* name, const char* op, const char* formula, F f) {
  return shim::make_kernel<shim::Unary, F, Ts...>(name, op, formula, std::move(f));
}
/// f(T z, T y) -> T
template <class... Ts, class F>
auto binary(const char* name, const char* op, const char* formula, F f) {
  return shim::make_kernel<shim::Binary, F, Ts...>(name, op, formula, std::move(f));
}
/// f(const T* z, T* out, std::size_t n), for SIMD and library calls; n > 0, pointers aligned to T
/// alone. Say .tags(… | ULPAUDIT_TAG_IN_PLACE) where out == z is allowed.
template <class... Ts, class F>
auto unary_arrays(const char* name, const char* op, const char* formula, F f) {
  return shim::make_kernel<shim::UnaryArrays, F, Ts...>(name, op, formula, std::move(f));
}
/// f(const T* z, const T* y, T* out, std::size_t n)
template <class... Ts, class F>
auto binary_arrays(const char* name, const char* op, const char* formula, F f) {
  return shim::make_kernel<shim::BinaryArrays, F, Ts...>(name, op, formula, std::move(f));
}

}  // namespace ulpaudit

#if defined(__clang__)
#define ULPAUDIT_COMPILER "clang++ " __clang_version__
#elif defined(__GNUC__)
#define ULPAUDIT_COMPILER "g++ " __VERSION__
#else
#define ULPAUDIT_COMPILER "unknown compiler"
#endif
#if defined(ULPAUDIT_BUILD_FLAGS)
#define ULPAUDIT_BUILD ULPAUDIT_COMPILER " " ULPAUDIT_BUILD_FLAGS
#else
#define ULPAUDIT_BUILD ULPAUDIT_COMPILER
#endif

/// ULPAUDIT_PLUGIN(name, version, contract, kernels…), once in a plug-in, at file scope. `contract`
/// is the TOML text, "" for none.
#define ULPAUDIT_PLUGIN(name, version, contract, ...)                                   \
  ULPAUDIT_EXPORT const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {     \
    static const ulpaudit::shim::Plugin plugin(name, version, contract, ULPAUDIT_BUILD, \
                                               __VA_ARGS__);                            \
    return plugin.entry(host_abi);                                                      \
  }
