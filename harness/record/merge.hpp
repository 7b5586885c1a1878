// Shards of one run, put together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "record/report.hpp"

namespace ulpaudit {

/// The reports are not all the shards of one run; the text says which file is at fault, and how.
class BadMerge : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ShardFile {
  std::string path;
  Report report;
};

/// The raw figures of the whole run: of its results all that is measured (sums, curve, digest,
/// monotonicity, losses, special values), nothing that is derived; of its findings those about
/// plug-ins that could not be loaded. The order of the files leaves no trace. Throws BadMerge.
Report merge_shards(std::vector<ShardFile> shards);

}  // namespace ulpaudit
