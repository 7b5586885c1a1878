// Prints the sums of digest keys of all aligned runs of 2^18 f32 encodings (key_sums.hpp), a line
// each: run at build time, some 5 CPU seconds.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include "record/quantum.hpp"
#include "score/key_sums.hpp"

int main() {
  using namespace ulpaudit;
  std::vector<std::uint64_t> sums(kKeyRuns);
  const auto fill = [&](std::size_t first) {
    for (std::size_t r = first; r < kKeyRuns; r += 2)
      for (std::uint64_t z = r * kKeyRun; z < (r + 1) * kKeyRun; ++z)
        sums[r] += digest_key(z, 0) | 1;
  };
  std::thread odd(fill, 1);
  fill(0);
  odd.join();
  for (std::uint64_t s : sums) std::printf("0x%016llxu,\n", static_cast<unsigned long long>(s));
}
