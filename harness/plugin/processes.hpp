// What a process started, and how much memory it uses, as /proc tells it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace ulpaudit {

/// Children of a process, ended ones that nobody has waited for included.
std::vector<pid_t> children_of(pid_t parent);
/// They, theirs, and so on; without `root`.
std::vector<pid_t> descendants(pid_t root);

/// Private memory and shared memory that a process uses now, in bytes, files in memory (memfd,
/// /dev/shm) that it holds open included; 0 where the process is gone.
std::uint64_t memory_of(pid_t process);

/// How long the thread of a process that had to wait longest for a processor has waited for one
/// since it began: other processes' fault, not its own. 0 where the kernel does not tell.
std::chrono::nanoseconds waited_for_processor(pid_t process);

/// Ends all that this process started, and waits for it.
void end_descendants();

}  // namespace ulpaudit
