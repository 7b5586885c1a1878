// Plain calls.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/plain_call.hpp"

#include "plugin/poison.hpp"

namespace ulpaudit {

std::unique_ptr<LoadedPlugin> load_plugin(const std::string& path, Watch watch) {
  const Environment before = Environment::now(watch);
  auto plugin = std::make_unique<LoadedPlugin>(path);
  const Environment after = Environment::now(watch);
  before.restore();
  plugin->set_facts(after.changed_since(before));
  return plugin;
}

Outcome run_plain(const LoadedPlugin& plugin, std::size_t index, Dtype d, std::uint64_t n,
                  const void* z, const void* y, void* out) {
  const auto call = [&] {
    return keeping_environment([&] { return plugin.run(index, d, n, z, y, out, kStackFill); });
  };
  // In place, the poison would be the input.
  return out == z || out == y ? call() : call_on_poison(d, n, out, call);
}

}  // namespace ulpaudit
