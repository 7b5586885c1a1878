// Where the output of a worker's kernels goes: into the host's log, until it is long.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ulpaudit {

/// In a worker, before the plug-in is loaded: stdout and stderr are the host's log.
void note_output_log();

/// Before a call. Of a kernel that has printed megabytes only what is watched goes into the log,
/// and the rest nowhere: it would take most of the time of a check.
void direct_output(bool watched);

}  // namespace ulpaudit
