// Calls of a plug-in as the sweep makes them: on the caller's arrays, in the environment that they
// find, which each leaves as it was.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "plugin/environment.hpp"
#include "plugin/loader.hpp"

namespace ulpaudit {

/// Calls `call` (an Outcome of nothing). What it changed in the environment becomes facts, and is
/// put back, so that neither this call's neighbours nor the host find it.
template <class Call>
Outcome keeping_environment(Call call) {
  const Environment before = Environment::now(Watch::surroundings);
  Outcome o = call();
  const Environment after = Environment::now(Watch::surroundings);
  before.restore();
  for (Fact& f : after.changed_since(before)) o.facts.push_back(std::move(f));
  return o;
}

/// Loads a plug-in. What that changed in the environment becomes facts of its description, and is
/// put back: its kernels are run in the environment that was before. `watch` at least surroundings.
std::unique_ptr<LoadedPlugin> load_plugin(const std::string& path, Watch watch);

/// As LoadedPlugin::run, with facts of the rules batch.not_written and environment.…
Outcome run_plain(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                  const void* z, const void* y, void* out);

}  // namespace ulpaudit
