// Tests of the C++ shim and of the 16-bit types, on a plug-in that is compiled in this file.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <ulpaudit/plugin.hpp>
#include <vector>

using ulpaudit::bf16;
using ulpaudit::f16;

// An unqualified call must not fall back on C's double function.
static_assert(std::is_same_v<decltype(exp(1.0f)), float>);
static_assert(std::is_same_v<decltype(log1p(1.0f)), float>);
static_assert(std::is_same_v<decltype(abs(1.0f)), float>);

namespace {

template <class T>
T logistic(T z) {
  return T(1) / (T(1) + exp(-z));
}

int g_array_calls = 0;

void twice(const float* z, float* out, std::size_t n) {
  ++g_array_calls;
  for (std::size_t i = 0; i < n; ++i) out[i] = 2 * z[i];
}

// "°" is two bytes: a message that is cut inside it must lose both.
constexpr char kFailure[] = "boom 3°";

}  // namespace

ULPAUDIT_PLUGIN(
    "test", "1.2", "contract = 1\n",
    ulpaudit::unary("logistic", "sigmoid", "1/(1+exp(-z))", [](auto z) { return logistic(z); }),
    ulpaudit::binary<float, double>("minus", "bce_with_logits", "z-y",
                                    [](auto z, auto y) { return z - y; }),
    ulpaudit::unary_arrays<float>("twice", "sigmoid", "2z", twice)
        .tags(ULPAUDIT_TAG_IN_PLACE)
        .needs("AVX9", "no such CPU"),
    ulpaudit::binary_arrays<double>("plus", "bce_with_logits", "z+y",
                                    [](const double* z, const double* y, double* out,
                                       std::size_t n) {
                                      for (std::size_t i = 0; i < n; ++i) out[i] = z[i] + y[i];
                                    }),
    ulpaudit::unary<float>("throws", "sigmoid", "",
                           [](float) -> float { throw std::runtime_error(kFailure); }),
    ulpaudit::unary<float>("throws_int", "sigmoid", "", [](float) -> float { throw 7; }),
    ulpaudit::unary<f16>("wider", "sigmoid", "1+z/4+2^-40 in double",
                         [](f16 z) { return 1 + static_cast<double>(z) / 4 + 0x1p-40; }))

namespace {

const ulpaudit_kernel& kernel(const std::string& name) {
  const ulpaudit_plugin* p = ulpaudit_plugin_entry(ULPAUDIT_ABI_VERSION);
  for (std::uint32_t i = 0; i < p->kernel_count; ++i)
    if (p->kernels[i]->name == name) return *p->kernels[i];
  throw std::out_of_range(name);
}

template <class T>
ulpaudit_batch batch(const std::vector<T>& z, const std::vector<T>* y, std::vector<T>& out) {
  return {sizeof(ulpaudit_batch),
          ulpaudit::shim::Dtype<T>::value,
          0,
          z.size(),
          z.data(),
          y == nullptr ? nullptr : y->data(),
          out.data()};
}

struct Outcome {
  std::int32_t status;
  std::string message;
};

Outcome run(const ulpaudit_kernel& k, const ulpaudit_batch& b) {
  char message[200] = "";
  const std::int32_t status = k.run(&k, &b, message, sizeof message);
  return {status, message};
}

TEST(Shim, Describes) {
  const ulpaudit_plugin* p = ulpaudit_plugin_entry(ULPAUDIT_ABI_VERSION);
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(p, ulpaudit_plugin_entry(ULPAUDIT_ABI_VERSION));
  EXPECT_EQ(p->struct_size, sizeof(ulpaudit_plugin));
  EXPECT_EQ(p->abi_version, ULPAUDIT_ABI_VERSION);
  EXPECT_EQ(p->kernel_count, 7u);
  EXPECT_STREQ(p->name, "test");
  EXPECT_STREQ(p->version, "1.2");
  EXPECT_STREQ(p->contract, "contract = 1\n");
  EXPECT_NE(std::string(p->build).find("++ "), std::string::npos);

  const ulpaudit_kernel& k = kernel("logistic");
  EXPECT_EQ(k.struct_size, sizeof(ulpaudit_kernel));
  EXPECT_STREQ(k.op, "sigmoid");
  EXPECT_STREQ(k.formula, "1/(1+exp(-z))");
  EXPECT_STREQ(k.requires_what, "");
  EXPECT_EQ(k.unavailable, nullptr);
  EXPECT_EQ(k.dtypes, ULPAUDIT_ALL_DTYPES);
  EXPECT_EQ(k.tags, ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_IN_PLACE | ULPAUDIT_TAG_ELEMENTWISE);
  EXPECT_EQ(kernel("minus").dtypes, ULPAUDIT_F32 | ULPAUDIT_F64);
  EXPECT_EQ(kernel("plus").tags, ULPAUDIT_TAG_DETERMINISTIC | ULPAUDIT_TAG_ELEMENTWISE);
  EXPECT_EQ(kernel("twice").tags, ULPAUDIT_TAG_IN_PLACE);
  EXPECT_STREQ(kernel("twice").requires_what, "AVX9");
  EXPECT_STREQ(kernel("twice").unavailable, "no such CPU");
}

TEST(Shim, RefusesAnotherAbi) {
  EXPECT_EQ(ulpaudit_plugin_entry(ULPAUDIT_ABI_VERSION + 1), nullptr);
  EXPECT_EQ(ulpaudit_plugin_entry(0), nullptr);
}

/// Names typed tests by dtype.
struct DtypeNames {
  template <class T>
  static std::string GetName(int) {
    return ulpaudit::shim::dtype_name(ulpaudit::shim::Dtype<T>::value);
  }
};

template <class T>
class ShimValues : public testing::Test {};
using AllTypes = testing::Types<f16, bf16, float, double>;
TYPED_TEST_SUITE(ShimValues, AllTypes, DtypeNames);

TYPED_TEST(ShimValues, UnaryElementsInAndOutOfPlace) {
  using T = TypeParam;
  std::vector<T> z;
  for (double v : {-700.0, -1.0, -0.0, 0.5, 3.0, 900.0}) z.push_back(T(v));
  std::vector<T> out(z.size());
  EXPECT_EQ(run(kernel("logistic"), batch<T>(z, nullptr, out)).status, ULPAUDIT_OK);
  for (std::size_t i = 0; i < z.size(); ++i)
    EXPECT_EQ(static_cast<double>(out[i]), static_cast<double>(logistic(z[i]))) << i;
  EXPECT_EQ(static_cast<double>(out[2]), 0.5);
  EXPECT_EQ(static_cast<double>(out[5]), 1);

  EXPECT_EQ(run(kernel("logistic"), batch<T>(z, nullptr, z)).status, ULPAUDIT_OK);
  EXPECT_EQ(std::memcmp(z.data(), out.data(), z.size() * sizeof(T)), 0);
}

TEST(Shim, BinaryAndArrayForms) {
  const std::vector<double> z = {1, 2, -3}, y = {0.5, 0.25, 1};
  std::vector<double> out(3);
  EXPECT_EQ(run(kernel("minus"), batch(z, &y, out)).status, ULPAUDIT_OK);
  EXPECT_EQ(out, (std::vector<double>{0.5, 1.75, -4}));
  EXPECT_EQ(run(kernel("plus"), batch(z, &y, out)).status, ULPAUDIT_OK);
  EXPECT_EQ(out, (std::vector<double>{1.5, 2.25, -2}));

  const std::vector<float> zf = {1, -2};
  std::vector<float> outf(2);
  EXPECT_EQ(run(kernel("twice"), batch<float>(zf, nullptr, outf)).status, ULPAUDIT_OK);
  EXPECT_EQ(outf, (std::vector<float>{2, -4}));
}

TEST(Shim, WiderResultIsRoundedOnce) {
  // 1 + 2^-11 is a tie; over float the rest would be lost and the tie go to 1.
  const std::vector<f16> z = {f16(0x1p-9)};
  std::vector<f16> out(1);
  EXPECT_EQ(run(kernel("wider"), batch<f16>(z, nullptr, out)).status, ULPAUDIT_OK);
  EXPECT_EQ(static_cast<double>(out[0]), 1 + 0x1p-10);
}

TEST(Shim, EmptyBatchTouchesNothing) {
  const int before = g_array_calls;
  for (const char* name : {"minus", "twice", "throws", "logistic"}) {
    const ulpaudit_batch b{sizeof b, ULPAUDIT_F32, 0, 0, nullptr, nullptr, nullptr};
    EXPECT_EQ(run(kernel(name), b).status, ULPAUDIT_OK) << name;
  }
  EXPECT_EQ(g_array_calls, before);
}

TEST(Shim, RefusesOtherDtypes) {
  const std::vector<float> z(1, 1), y(1, 1);
  std::vector<float> out(1, -5);
  ulpaudit_batch b = batch(z, &y, out);
  for (std::uint32_t dtype : {0u, ULPAUDIT_F16, ULPAUDIT_F32 | ULPAUDIT_F64, 16u}) {
    b.dtype = dtype;
    const Outcome o = run(kernel("minus"), b);
    EXPECT_EQ(o.status, ULPAUDIT_UNSUPPORTED) << dtype;
    EXPECT_NE(o.message.find("minus has no "), std::string::npos) << o.message;
    EXPECT_NE(o.message.find("(" + std::to_string(dtype) + ")"), std::string::npos) << o.message;
  }
  b.dtype = ULPAUDIT_F16;
  EXPECT_EQ(run(kernel("minus"), b).message, "minus has no f16 (1)");
  EXPECT_EQ(out[0], -5);
}

TEST(Shim, RefusesMalformedBatches) {
  const std::vector<float> z(1, 1);
  std::vector<float> out(1, -5);
  ulpaudit_batch b = batch<float>(z, nullptr, out);
  EXPECT_EQ(run(kernel("minus"), b).status, ULPAUDIT_FAILED);  // no labels
  EXPECT_FALSE(run(kernel("minus"), b).message.empty());
  b.struct_size = sizeof b - 1;
  EXPECT_EQ(run(kernel("logistic"), b).status, ULPAUDIT_FAILED);
  EXPECT_EQ(out[0], -5);
  b.struct_size = sizeof b + 64;  // a later version
  EXPECT_EQ(run(kernel("logistic"), b).status, ULPAUDIT_OK);
}

TEST(Shim, ExceptionsBecomeStatusAndMessage) {
  const std::vector<float> z(1, 1);
  std::vector<float> out(1);
  const ulpaudit_batch b = batch<float>(z, nullptr, out);
  EXPECT_EQ(run(kernel("throws"), b).status, ULPAUDIT_FAILED);
  EXPECT_EQ(run(kernel("throws"), b).message, kFailure);
  EXPECT_EQ(run(kernel("throws_int"), b).status, ULPAUDIT_FAILED);
  EXPECT_FALSE(run(kernel("throws_int"), b).message.empty());
}

TEST(Shim, MessagesAreCutToSize) {
  const std::vector<float> z(1, 1);
  std::vector<float> out(1);
  const ulpaudit_batch b = batch<float>(z, nullptr, out);
  const ulpaudit_kernel& k = kernel("throws");
  EXPECT_EQ(k.run(&k, &b, nullptr, 0), ULPAUDIT_FAILED);
  const std::vector<std::string> want = {"b", "bo", "boo", "boom", "boom ", "boom 3", "boom 3"};
  char message[16];
  for (std::size_t size = 0; size <= 12; ++size) {
    std::memset(message, '#', sizeof message);
    EXPECT_EQ(k.run(&k, &b, message, size), ULPAUDIT_FAILED);
    EXPECT_TRUE(std::all_of(message + size, message + sizeof message, [](char c) {
      return c == '#';
    })) << size;
    if (size == 0) continue;
    EXPECT_EQ(std::string(message), size == 1 ? "" : size <= 8 ? want[size - 2] : kFailure) << size;
  }
}

template <class H>
struct Layout;
template <>
struct Layout<f16> {
  static constexpr int p = 11, emax = 15;
};
template <>
struct Layout<bf16> {
  static constexpr int p = 8, emax = 127;
};

/// The format as a sorted table of its numbers >= 0 and, in the place of infinity, 2^(emax+1).
template <class H>
std::vector<double> numbers() {
  constexpr int p = Layout<H>::p, emax = Layout<H>::emax;
  std::vector<double> v;
  for (int field = 0; field <= 2 * emax; ++field)
    for (int frac = 0; frac < 1 << (p - 1); ++frac)
      v.push_back(field == 0 ? std::ldexp(frac, 1 - emax - (p - 1))
                             : std::ldexp((1 << (p - 1)) + frac, field - emax - (p - 1)));
  v.push_back(std::ldexp(1.0, emax + 1));
  return v;
}

/// Nearest by comparison with the midpoint, which double holds exactly; a tie goes to even bits.
std::uint16_t nearest(const std::vector<double>& table, double v) {
  const std::uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  const double a = std::fabs(v);
  const auto infinity = static_cast<std::uint16_t>(table.size() - 1);
  if (a >= table.back()) return static_cast<std::uint16_t>(sign | infinity);
  const auto above = std::upper_bound(table.begin(), table.end(), a);
  auto i = static_cast<std::uint16_t>(above - table.begin() - 1);
  const double middle = (table[i] + *above) / 2;
  if (a > middle || (a == middle && i % 2 == 1)) ++i;
  return static_cast<std::uint16_t>(sign | i);
}

template <class H>
class Half : public testing::Test {};
using HalfTypes = testing::Types<f16, bf16>;
TYPED_TEST_SUITE(Half, HalfTypes, DtypeNames);

TYPED_TEST(Half, EveryPatternSurvivesTheRoundTrip) {
  using H = TypeParam;
  const std::vector<double> table = numbers<H>();
  const auto infinity = static_cast<unsigned>(table.size() - 1);
  for (unsigned b = 0; b < 0x10000; ++b) {
    const H h = H::from_bits(static_cast<std::uint16_t>(b));
    const double d = static_cast<double>(h);
    const float f = static_cast<float>(h);
    const unsigned magnitude = b & 0x7fff;
    if (magnitude > infinity) {
      const unsigned quiet = b | 1u << (Layout<H>::p - 2);
      ASSERT_TRUE(std::isnan(d) && std::isnan(f)) << b;
      ASSERT_EQ(H(d).bits, quiet) << b;
      ASSERT_EQ(H(f).bits, quiet) << b;
      continue;
    }
    const double want =
        magnitude == infinity ? std::numeric_limits<double>::infinity() : table[magnitude];
    ASSERT_EQ(std::fabs(d), want) << b;
    ASSERT_EQ(std::signbit(d), b >= 0x8000) << b;
    ASSERT_EQ(static_cast<double>(f), d) << b;
    ASSERT_EQ(H(d).bits, b);
    ASSERT_EQ(H(f).bits, b);
  }
}

TYPED_TEST(Half, RoundsToNearestEvenAroundEveryMidpoint) {
  using H = TypeParam;
  const std::vector<double> table = numbers<H>();
  const auto check = [&](double v) {
    ASSERT_EQ(H(v).bits, nearest(table, v)) << v;
    ASSERT_EQ(H(-v).bits, nearest(table, -v)) << v;
    const auto f = static_cast<float>(v);
    ASSERT_EQ(H(f).bits, nearest(table, static_cast<double>(f))) << v;
  };
  const double far = std::numeric_limits<double>::infinity();
  const float farf = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i + 1 < table.size(); ++i) {
    const double middle = (table[i] + table[i + 1]) / 2;
    for (double v : {table[i], middle}) {
      check(v);
      check(std::nextafter(v, far));
      check(std::nextafter(v, -far));
      const auto f = static_cast<float>(v);
      check(static_cast<double>(std::nextafter(f, farf)));
      check(static_cast<double>(std::nextafter(f, -farf)));
    }
    if (this->HasFatalFailure()) return;
  }
  for (double v : {table.back(), 0x1p128, 0x1p1000, far, 0x1p-149, 0x1p-1074}) check(v);
}

TYPED_TEST(Half, RoundsRandomPatternsToNearestEven) {
  using H = TypeParam;
  const std::vector<double> table = numbers<H>();
  std::mt19937_64 random(1);
  for (int i = 0; i < 400000; ++i) {
    const auto f = ulpaudit::detail::bit_copy<float>(static_cast<std::uint32_t>(random()));
    if (!std::isnan(f)) {
      ASSERT_EQ(H(f).bits, nearest(table, static_cast<double>(f))) << f;
    }
    const auto d = ulpaudit::detail::bit_copy<double>(random());
    if (!std::isnan(d)) {
      ASSERT_EQ(H(d).bits, nearest(table, d)) << d;
    }
  }
}

/// Same bits, or both NaN.
template <class H>
bool same(H a, H b) {
  return a.bits == b.bits ||
         (std::isnan(static_cast<double>(a)) && std::isnan(static_cast<double>(b)));
}

// In double, products are exact and the rest has more than 2p+2 bits, so that one more rounding
// does no harm (Figueroa 1995).
TYPED_TEST(Half, ArithmeticIsCorrectlyRounded) {
  using H = TypeParam;
  std::mt19937_64 random(2);
  for (int i = 0; i < 400000; ++i) {
    const H a = H::from_bits(static_cast<std::uint16_t>(random()));
    const H b = H::from_bits(static_cast<std::uint16_t>(random()));
    const double x = static_cast<double>(a), y = static_cast<double>(b);
    ASSERT_TRUE(same(a + b, H(x + y))) << x << " + " << y;
    ASSERT_TRUE(same(a - b, H(x - y))) << x << " - " << y;
    ASSERT_TRUE(same(a * b, H(x * y))) << x << " * " << y;
    ASSERT_TRUE(same(a / b, H(x / y))) << x << " / " << y;
  }
}

// Against the function in double: float's own error moves a result over a midpoint now and then.
TYPED_TEST(Half, FunctionsAreFloatRoundedOnce) {
  using H = TypeParam;
  struct Function {
    const char* name;
    H (*half)(H);
    double (*wide)(double);
  };
  const Function functions[] = {
      {"exp", [](H a) { return exp(a); }, [](double a) { return std::exp(a); }},
      {"expm1", [](H a) { return expm1(a); }, [](double a) { return std::expm1(a); }},
      {"log", [](H a) { return log(a); }, [](double a) { return std::log(a); }},
      {"log1p", [](H a) { return log1p(a); }, [](double a) { return std::log1p(a); }},
      {"tanh", [](H a) { return tanh(a); }, [](double a) { return std::tanh(a); }},
      {"fabs", [](H a) { return fabs(a); }, [](double a) { return std::fabs(a); }},
      {"abs", [](H a) { return abs(a); }, [](double a) { return std::fabs(a); }},
  };
  for (const Function& f : functions) {
    int differ = 0;
    for (unsigned b = 0; b < 0x10000; ++b) {
      const H a = H::from_bits(static_cast<std::uint16_t>(b));
      const H got = f.half(a), want = H(f.wide(static_cast<double>(a)));
      if (same(got, want)) continue;
      ++differ;
      ASSERT_LE(std::abs(int{got.bits} - int{want.bits}), 1) << f.name << " " << b;
    }
    EXPECT_LE(differ, 65) << f.name;  // 0.1 %
  }
}

TYPED_TEST(Half, StandardMaxAndMinWork) {
  using H = TypeParam;
  using std::max;
  using std::min;
  EXPECT_EQ(static_cast<double>(max(H(2), H(-3))), 2);
  EXPECT_EQ(static_cast<double>(min(H(2), H(-3))), -3);
}

}  // namespace
