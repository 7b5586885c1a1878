// The plug-ins of one thread, each opened when first needed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "plugin/session.hpp"

namespace ulpaudit {

/// One thread's sessions.
class SessionPool {
 public:
  explicit SessionPool(const SessionOptions& options) : options_(options) {}
  /// Throws LoadError where the plug-in could not be opened, tried three times: a worker that was
  /// killed from outside is no fault of the plug-in.
  Session& of(const std::string& plugin_path);
  const SessionOptions& options() const { return options_; }
  /// One that is open already.
  void adopt(const std::string& plugin_path, std::unique_ptr<Session> session) {
    sessions_[plugin_path] = std::move(session);
  }

 private:
  SessionOptions options_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
};

}  // namespace ulpaudit
