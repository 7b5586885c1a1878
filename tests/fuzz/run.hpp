// SPDX-License-Identifier: Apache-2.0
// Runs a parser on a corpus and on mutations of it; every way to fail names seed, run and input.
//
// ULPAUDIT_FUZZ_RUNS=N   more (or fewer) mutations for each parser
// ULPAUDIT_FUZZ_SEED=S   other mutations; a failure prints the seed that replays it
// ULPAUDIT_FUZZ_INPUT=F  this one file in place of corpus and mutations
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace ulpaudit::fuzz {

/// Something that was read is not what it was written as.
class Mismatch : public std::logic_error {
  using std::logic_error::logic_error;
};
inline void require(bool fine, const char* what) {
  if (!fine) throw Mismatch(what);
}

/// True where the parser took the input, false where it refused it with the exception that its
/// header declares. Whatever else comes out is a failure of the test.
using Parser = std::function<bool(const std::string& input)>;

/// Entries are the files of tests/fuzz/corpus/NAME, and each line of its *.lines files. The parser
/// must take them all, but for those of files named bad_*: inputs that broke something once.
void fuzz(const std::string& name, std::uint64_t runs, const Parser& parser);

}  // namespace ulpaudit::fuzz
