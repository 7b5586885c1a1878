// Times of the chosen kernels, as benchmarks of a report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/catalog.hpp"
#include "throughput/bench.hpp"

namespace ulpaudit {

/// The plug-in that times are compared with.
inline constexpr char kReference[] = "naive";

/// Times every chosen kernel in every chosen dtype, and naive's of the same op beside it. `choice`
/// without seed, stop and progress. False where nothing was chosen.
bool append_benchmarks(const Catalog& catalog, const Request& request, BenchChoice choice,
                       Report& report);

}  // namespace ulpaudit
