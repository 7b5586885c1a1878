// Requests.
// SPDX-License-Identifier: Apache-2.0
#include "audit/request.hpp"

#include <algorithm>
#include <thread>

namespace ulpaudit {

int Request::thread_count() const {
  return threads.value_or(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

SessionOptions Request::session() const {
  SessionOptions s;
  s.isolate = isolate;
  s.deadline = deadline.value_or(std::chrono::seconds(20));
  s.memory_limit_mib = memory_limit_mib.value_or(8192);
  return s;
}

}  // namespace ulpaudit
