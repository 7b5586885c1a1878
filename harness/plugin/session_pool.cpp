// Sessions by plug-in.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/session_pool.hpp"

#include "plugin/loader.hpp"

namespace ulpaudit {

Session& SessionPool::of(const std::string& plugin_path) {
  std::unique_ptr<Session>& s = sessions_[plugin_path];
  for (int left = 2; !s; --left) {
    try {
      s = open_session(plugin_path, options_);
    } catch (const LoadError&) {
      if (left == 0) throw;
    }
  }
  return *s;
}

}  // namespace ulpaudit
