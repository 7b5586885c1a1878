// Kernels of `simd` write results that no cache holds past the caches: the same results as in
// pieces, all of them, and nothing beside them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "fp/text.hpp"
#include "inputs/plan.hpp"
#include "plugin/loader.hpp"

namespace ulpaudit {
namespace {

/// More than three quarters of the last cache; a tail is left.
std::uint64_t large(Dtype d) {
  const long last = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  const std::uint64_t bytes = last > 0 ? static_cast<std::uint64_t>(last) : std::uint64_t{48} << 20;
  return bytes / 4 * 3 / static_cast<std::uint64_t>(format(d).bytes()) + 1003;
}

TEST(Simd, LargeArraysHaveTheResultsOfTheirPieces) {
  constexpr std::uint64_t kPiece = 100000, kGuard = 64;
  const LoadedPlugin plugin(ULPAUDIT_PLUGIN_DIR "/simd.so");
  for (const Dtype d : {Dtype::f32, Dtype::f64}) {
    const std::uint64_t n = large(d), width = static_cast<std::uint64_t>(format(d).bytes());
    // One element off every vector's alignment.
    std::vector<char> z(n * width), y(n * width), whole((n + 1) * width + 2 * kGuard),
        pieces(n * width);
    for (std::uint64_t i = 0; i < n; ++i) {
      const Bits at_z = random_word(1, i) & format(d).mask();
      const Bits at_y = encode(d, static_cast<double>(random_word(2, i) >> 11) * 0x1p-53);
      std::memcpy(z.data() + i * width, &at_z, width);
      std::memcpy(y.data() + i * width, &at_y, width);
    }
    const auto misaligned = reinterpret_cast<std::uintptr_t>(whole.data()) % 64;
    char* out = whole.data() + (kGuard - misaligned) + width;
    for (std::size_t k = 0; k < plugin.info().kernels.size(); ++k) {
      const KernelInfo& kernel = plugin.info().kernels[k];
      // Plain names are one of the targets again.
      if (!kernel.unavailable.empty() || kernel.name.find('@') == std::string::npos) continue;
      const bool two = kernel.op.rfind("bce", 0) == 0;
      std::fill(whole.begin(), whole.end(), '\x5a');
      ASSERT_EQ(plugin.run(k, d, n, z.data(), two ? y.data() : nullptr, out).kind,
                Outcome::Kind::ok);
      for (std::uint64_t at = 0; at < n; at += kPiece) {
        const std::uint64_t from = at * width;
        ASSERT_EQ(plugin
                      .run(k, d, std::min(kPiece, n - at), z.data() + from,
                           two ? y.data() + from : nullptr, pieces.data() + from)
                      .kind,
                  Outcome::Kind::ok);
      }
      EXPECT_EQ(std::memcmp(out, pieces.data(), n * width), 0) << kernel.name << ' ' << name(d);
      const char guard = '\x5a';
      EXPECT_TRUE(std::all_of(whole.data(), out, [&](char c) { return c == guard; }))
          << kernel.name;
      EXPECT_TRUE(std::all_of(out + n * width, whole.data() + whole.size(), [&](char c) {
        return c == guard;
      })) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace ulpaudit
